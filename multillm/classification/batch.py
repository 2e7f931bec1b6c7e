"""Whole columns of texts at once: the same figures as one by one, in arrays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from multillm.classification import Classifier, get_classifier
from multillm.classification.features import EARLY_WORDS, FIRST_WORDS, MOST_LETTERS, pieces
from multillm.classification.lexicon import NOUN_TYPES
from multillm.classification.linear import OTHER, UNIT, LinearClassifier, LinearModel
from multillm.classification.packing import COLUMNS, TYPES, unpack
from multillm.errors import InputError
from multillm.partitions import by_partition, is_partitioned
from multillm.splitting.base import check_prompt
from multillm.tasks import LOW_BELOW, MEDIUM_BELOW, ComplexityTier, SubTask, TaskType, estimate_tokens

__all__ = ["classify_many"]

CHUNK = 50_000

Figures = NDArray[np.float64]
Places = NDArray[np.intp]
Columns = tuple[Places, Figures, Figures]


def classify_many(texts: pd.Series, classifier: str | Classifier = "learned", *, chunk: int = CHUNK) -> pd.DataFrame:
    """Classify a column of sub-tasks.

    The texts are taken chunk by chunk, so that memory stays bounded by `chunk` and not by the column.

    Parameters
    ----------
    texts : Series of str
        The sub-tasks; of Dask too.
    classifier : str or Classifier, default "learned"
        Which classifier. The linear ones are evaluated in arrays, any other one text at a time.
    chunk : int, default 50_000
        Texts held at once.

    Returns
    -------
    DataFrame
        Indexed as `texts`: task_type (category), complexity (float64, 0..1), tier (category), input_tokens
        (int64, estimated), confidence (float64, 0..1, missing where the classifier has none).
        For a Series of Dask a lazy DataFrame of Dask, with the same partitions; errors are raised when it is computed.

    Raises
    ------
    InputError
        If a text is missing or empty.
    """
    if is_partitioned(texts):
        return by_partition(classify_many, texts, pd.Series(["Define entropy."]), classifier=classifier, chunk=chunk)
    if texts.isna().any():
        raise InputError(f"{int(texts.isna().sum())} of {len(texts)} texts are missing; drop them or fill them first")
    chosen = get_classifier(classifier)
    starts = range(0, max(1, len(texts)), chunk)
    chunks = (texts.iloc[start : start + chunk].tolist() for start in starts)
    linear = chosen.model if isinstance(chosen, LinearClassifier) else None
    parts = [
        (*(_in_arrays(part, linear) if linear else _one_by_one(part, chosen)), list(map(estimate_tokens, part)))
        for part in chunks
    ]
    types, complexity, confidence, tokens = (np.concatenate(column) for column in zip(*parts, strict=True))
    tiers = np.digitize(complexity, [LOW_BELOW, MEDIUM_BELOW]).astype(np.int64)
    return pd.DataFrame(
        {
            "task_type": pd.Categorical.from_codes(types, pd.Index([str(kind) for kind in TaskType])),
            "complexity": complexity,
            "tier": pd.Categorical.from_codes(tiers, pd.Index([str(tier) for tier in ComplexityTier]), ordered=True),
            "input_tokens": tokens.astype(np.int64),
            "confidence": confidence,
        },
        index=texts.index,
    )


def _one_by_one(texts: Sequence[str], classifier: Classifier) -> Columns:
    profiles = [classifier.classify(SubTask(check_prompt(text), 0, len(text))) for text in texts]
    types = np.array([TYPES.index(profile.task_type) for profile in profiles], dtype=np.intp)
    complexity = np.array([profile.complexity for profile in profiles], dtype=float)
    confidence = np.array([np.nan if p.confidence is None else p.confidence for p in profiles], dtype=float)
    return types, complexity, confidence


def _in_arrays(texts: Sequence[str], model: LinearModel) -> Columns:
    scores = _scores(texts, model)
    kinds, tiers = np.split(scores, [len(TYPES)], axis=1)
    powers = np.exp((kinds - kinds.max(axis=1, keepdims=True)) / (UNIT * model.temperature))
    chances = powers / powers.sum(axis=1, keepdims=True)
    types = np.where(chances.max(axis=1) < model.abstain_below, OTHER, kinds.argmax(axis=1))
    confidence = chances[np.arange(len(types)), types]
    return types, _complexity(model, tiers), np.rint(10_000 * confidence) / 10_000


def _complexity(model: LinearModel, tiers: Figures) -> Figures:
    knots, raw = np.array(model.knots), (1.0 / (1.0 + np.exp(-tiers / UNIT))).sum(axis=1)
    place = np.clip(np.searchsorted(knots[:, 0], raw, side="right"), 1, len(knots) - 1)
    (low, floor), (high, ceiling) = knots[place - 1].T, knots[place].T
    share = (raw - low) / (high - low)
    return np.asarray(np.rint(1000 * np.clip(floor + share * (ceiling - floor), 0.0, 1.0)) / 1000)


def _scores(texts: Sequence[str], model: LinearModel) -> Figures:
    """Score of each task type and of lying above each tier, one row a text, as `LinearModel.scores` gives them."""
    found: list[str] = []
    ends = [0]
    for text in texts:
        found += pieces(check_prompt(text))
        ends.append(len(found))
    owners = np.repeat(np.arange(len(texts)), np.diff(ends))
    which, distinct = _numbered(found)
    read = [model.piece(piece) for piece in distinct]
    word, known = _numbered([word for word, _ in read])
    spoken = np.array([word != "" for word, _ in read], dtype=bool)[which]
    words = _Words(word[which[spoken]], owners[spoken], known, len(texts))
    return np.asarray(
        _sums(owners, which, [row for _, row in read], len(texts))
        + words.pairs(model)
        + words.early(model)
        + words.openings(model)
        + words.lengths(model)
    )


def _numbered(texts: Sequence[str]) -> tuple[Places, list[str]]:
    """A number for each text, equal for equal ones, and the text of each number."""
    known: dict[str, int] = defaultdict(count().__next__)
    return np.fromiter(map(known.__getitem__, texts), dtype=np.intp, count=len(texts)), list(known)


def _table(rows: Iterable[int]) -> Figures:
    """Packed rows as an array."""
    return np.array(list(map(unpack, rows)), dtype=float).reshape(-1, len(COLUMNS))


def _sums(owners: Places, which: Places, rows: Sequence[int], count: int) -> Figures:
    """For each of the owners, which ascend, the sum of its packed rows."""
    table = _table(rows)
    ends = np.searchsorted(owners, np.arange(count + 1))
    return np.asarray(csr_matrix((np.ones(len(which)), which, ends), shape=(count, len(rows))) @ table)


class _Words:
    """The words of all texts in a row.

    Parameters
    ----------
    words, owners : int array of shape [n]
        Number of each word and of the text that it stands in, ascending.
    known : sequence of str
        The word of each number.
    count : int
        How many texts there are, those without a word included.
    """

    def __init__(self, words: Places, owners: Places, known: Sequence[str], count: int) -> None:
        self.words, self.owners, self.known, self.count = words, owners, known, count
        self.opens = np.diff(owners, prepend=-1) > 0
        self.first = np.flatnonzero(self.opens)
        self.position = np.arange(len(words)) - np.repeat(self.first, np.diff(self.first, append=len(words)))

    def lengths(self, model: LinearModel) -> Figures:
        """What the number of the words of each text and their mean length add to the scores."""
        count = np.bincount(self.owners, minlength=self.count)
        sizes = np.array([len(word) for word in self.known], dtype=np.intp)
        total = np.bincount(self.owners, sizes[self.words], minlength=self.count)
        quarters = np.rint(4 * total / np.maximum(count, 1)).astype(np.intp)
        rows = _table(model.lengths)[count] + _table(model.letters)[np.minimum(quarters, MOST_LETTERS)]
        return np.asarray(rows)

    def pairs(self, model: LinearModel) -> Figures:
        """What pairs of neighbouring words add to the scores."""
        number = {word: place for place, word in enumerate(self.known)}
        weighed = {
            number[left] * len(number) + number[right]: row
            for (left, right), row in model.pairs.items()
            if left in number and right in number
        }
        right = np.flatnonzero(~self.opens)
        pair = pd.Index(self.words[right - 1] * len(number) + self.words[right])
        place = pd.Index(list(weighed), dtype=np.intp).get_indexer(pair)
        hit = place >= 0
        return _sums(self.owners[right[hit]], place[hit], list(weighed.values()), self.count)

    def early(self, model: LinearModel) -> Figures:
        """What the first words add to the scores."""
        near = self.position < EARLY_WORDS
        rows = [model.early.get(word, 0) for word in self.known]
        return _sums(self.owners[near], self.words[near], rows, self.count)

    def openings(self, model: LinearModel) -> Figures:
        """What the word that opens each text and its first telling noun add to the scores."""
        telling = np.array([word in NOUN_TYPES for word in self.known], dtype=bool)[self.words]
        nouns = np.flatnonzero(telling & (self.position >= 1) & (self.position < FIRST_WORDS))[::-1]
        words, none = [*self.known, ""], len(self.known)
        noun = np.full(self.count, none)
        noun[self.owners[nouns]] = self.words[nouns]  # from the last to the first, which stays
        owners = self.owners[self.first]
        pairs, which = np.unique(self.words[self.first] * len(words) + noun[owners], return_inverse=True)
        rows = [model.opening(words[pair // len(words)], words[pair % len(words)]) for pair in pairs.tolist()]
        return _sums(owners, which, rows, self.count)
