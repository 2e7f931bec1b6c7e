"""Whole columns of texts at once: the same figures as one by one, in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from multillm.classification import Classifier, get_classifier
from multillm.classification.features import FIRST_WORDS, pieces
from multillm.classification.lexicon import NOUN_TYPES
from multillm.classification.linear import NOTHING, OTHER, TYPES, UNIT, LinearClassifier, LinearModel, Row
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
    parts = [_in_arrays(part, linear) if linear else _one_by_one(part, chosen) for part in chunks]
    types, complexity, confidence = (np.concatenate(column) for column in zip(*parts, strict=True))
    tiers = np.digitize(complexity, [LOW_BELOW, MEDIUM_BELOW]).astype(np.int64)
    return pd.DataFrame(
        {
            "task_type": pd.Categorical.from_codes(types, pd.Index([str(kind) for kind in TaskType])),
            "complexity": complexity,
            "tier": pd.Categorical.from_codes(tiers, pd.Index([str(tier) for tier in ComplexityTier]), ordered=True),
            "input_tokens": np.fromiter(map(estimate_tokens, texts), dtype=np.int64, count=len(texts)),
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
    kinds = scores[:, :-1]
    powers = np.exp((kinds - kinds.max(axis=1, keepdims=True)) / (UNIT * model.temperature))
    chances = powers / powers.sum(axis=1, keepdims=True)
    types = np.where(chances.max(axis=1) < model.abstain_below, OTHER, kinds.argmax(axis=1))
    confidence = chances[np.arange(len(types)), types]
    return types, _complexity(model, scores[:, -1]), np.rint(10_000 * confidence) / 10_000


def _complexity(model: LinearModel, raw: Figures) -> Figures:
    knots, raw = np.array(model.knots), raw / UNIT
    place = np.clip(np.searchsorted(knots[:, 0], raw, side="right"), 1, len(knots) - 1)
    (low, floor), (high, ceiling) = knots[place - 1].T, knots[place].T
    share = (raw - low) / (high - low)
    return np.asarray(np.rint(1000 * np.clip(floor + share * (ceiling - floor), 0.0, 1.0)) / 1000)


def _scores(texts: Sequence[str], model: LinearModel) -> Figures:
    """Score of each task type and raw complexity of texts, one row each, as `LinearModel.scores` gives them."""
    found = [pieces(check_prompt(text)) for text in texts]
    sizes = np.fromiter(map(len, found), dtype=np.intp, count=len(found))
    which, distinct = pd.factorize(np.array([*chain.from_iterable(found), ""], dtype=object))
    read = [model.piece(piece) for piece in distinct]
    owners = np.repeat(np.arange(len(found)), sizes)
    scores = _sums(owners, which[:-1], [row for _, row in read], len(found))

    word, known = pd.factorize(np.array([word for word, _ in read], dtype=object))
    spoken = word[which[:-1]]
    said = spoken != word[which[-1]]
    words = _Words(spoken[said], owners[said], known)
    scores += words.pairs(model, len(found)) + words.openings(model, len(found))
    return scores + np.array(model.lengths)[np.bincount(words.owners, minlength=len(found))]


def _sums(owners: Places, which: Places, rows: Sequence[Row], count: int) -> Figures:
    """For each text the sum of the rows that it owns."""
    table = np.array([row or NOTHING for row in rows], dtype=float).reshape(len(rows), len(NOTHING))
    return np.asarray(csr_matrix((np.ones(len(which)), (owners, which)), shape=(count, len(rows))) @ table)


class _Words:
    """The words of all texts in a row.

    Parameters
    ----------
    words, owners : int array of shape [n]
        Number of each word and of the text that it stands in, ascending.
    known : sequence of str
        The word of each number.
    """

    def __init__(self, words: Places, owners: Places, known: Sequence[str]) -> None:
        self.words, self.owners, self.known = words, owners, known
        self.first = np.flatnonzero(np.diff(owners, prepend=-1))

    def pairs(self, model: LinearModel, count: int) -> Figures:
        """What pairs of neighbouring words, and of the opening word with the next, add to the scores."""
        number = {word: place for place, word in enumerate(self.known)}
        number |= {f"^{word}": place + len(number) for place, word in enumerate(self.known)}
        within = [(pair, row) for pair, row in model.pairs.items() if pair[0] in number and pair[1] in number]
        keys = np.array([number[left] * len(number) + number[right] for (left, right), _ in within], dtype=np.intp)
        order = np.argsort(keys)
        seconds = np.setdiff1d(self.first + 1, [*self.first, len(self.words)])
        follows = np.setdiff1d(np.arange(len(self.words)), self.first)
        lefts = np.concatenate([self.words[follows - 1], self.words[seconds - 1] + len(self.known)])
        rights = np.concatenate([follows, seconds])
        wanted = lefts * len(number) + self.words[rights]
        place = np.searchsorted(keys, wanted, sorter=order).clip(max=max(0, len(keys) - 1))
        hit = keys[order[place]] == wanted if len(keys) else np.zeros(len(wanted), dtype=bool)
        return _sums(self.owners[rights[hit]], order[place[hit]], [row for _, row in within], count)

    def openings(self, model: LinearModel, count: int) -> Figures:
        """What the word that opens each text and its first telling noun add to the scores."""
        position = np.arange(len(self.words)) - np.repeat(self.first, np.diff([*self.first, len(self.words)]))
        telling = np.array([word in NOUN_TYPES for word in self.known], dtype=bool)[self.words]
        places = np.flatnonzero((position >= 1) & (position < FIRST_WORDS) & telling)
        noun = np.full(count, len(self.known))
        noun[self.owners[places[::-1]]] = self.words[places[::-1]]
        owners = self.owners[self.first]
        combined = self.words[self.first] * (len(self.known) + 1) + noun[owners]
        distinct, which = np.unique(combined, return_inverse=True)
        words = [*self.known, ""]
        rows = [model.opening(words[key // len(words)], words[key % len(words)]) for key in distinct.tolist()]
        return _sums(owners, which, rows, count)
