"""Whole columns of texts at once: the same figures as one by one, in arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from multillm.classification import Classifier, get_classifier
from multillm.classification.features import (
    BREAK,
    COUNTED,
    FIRST_NOUNS,
    GENERAL_VERBS,
    MARKS,
    MOST_WORDS,
    is_word,
    noun_features,
    tokens_in_a_row,
    verb_features,
    word_features,
)
from multillm.classification.lexicon import NOUN_TYPES, VERB_TYPES
from multillm.classification.linear import TYPES, LinearClassifier, LinearModel
from multillm.errors import InputError
from multillm.partitions import by_partition, is_partitioned
from multillm.splitting.base import check_prompt
from multillm.tasks import LOW_BELOW, MEDIUM_BELOW, ComplexityTier, SubTask, TaskType, estimate_tokens

__all__ = ["classify_many"]

CHUNK = 50_000
PAIR = 1 << 24


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
    table = _Table(chosen.model) if isinstance(chosen, LinearClassifier) else None
    starts = range(0, max(1, len(texts)), chunk)
    chunks = (texts.iloc[start : start + chunk].tolist() for start in starts)
    parts = [_linear(part, table) if table else _one_by_one(part, chosen) for part in chunks]
    types = np.concatenate([part[0] for part in parts])
    complexity = np.concatenate([part[1] for part in parts])
    tiers = np.digitize(complexity, [LOW_BELOW, MEDIUM_BELOW]).astype(np.int64)
    return pd.DataFrame(
        {
            "task_type": pd.Categorical.from_codes(types, pd.Index([str(kind) for kind in TaskType])),
            "complexity": complexity,
            "tier": pd.Categorical.from_codes(tiers, pd.Index([str(tier) for tier in ComplexityTier]), ordered=True),
            "input_tokens": np.fromiter(map(estimate_tokens, texts), dtype=np.int64, count=len(texts)),
            "confidence": np.concatenate([part[2] for part in parts]),
        },
        index=texts.index,
    )


Columns = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


def _one_by_one(texts: Sequence[str], classifier: Classifier) -> Columns:
    profiles = [classifier.classify(SubTask(check_prompt(text), 0, len(text))) for text in texts]
    types = np.array([TYPES.index(profile.task_type) for profile in profiles], dtype=np.int64)
    complexity = np.array([profile.complexity for profile in profiles], dtype=float)
    confidence = np.array([np.nan if p.confidence is None else p.confidence for p in profiles], dtype=float)
    return types, complexity, confidence


def _linear(texts: Sequence[str], table: _Table) -> Columns:
    for text in texts:
        check_prompt(text)
    model = table.model
    scores = table.scores(texts)
    powers = np.exp((scores[:, :7] - scores[:, :7].max(axis=1, keepdims=True)) / model.temperature)
    chances = powers / powers.sum(axis=1, keepdims=True)
    types: NDArray[np.int64] = chances.argmax(axis=1)
    confidence = chances.max(axis=1)
    unsure = confidence < model.abstain_below
    types[unsure] = TYPES.index(TaskType.OTHER)
    confidence = np.where(unsure, chances[:, TYPES.index(TaskType.OTHER)], confidence)
    return types, _complexity(model, scores[:, 7]), np.round(confidence, 4)


def _complexity(model: LinearModel, raw: NDArray[np.float64]) -> NDArray[np.float64]:
    knots = np.array(model.knots)
    place = np.clip(np.searchsorted(knots[:, 0], raw, side="right"), 1, len(knots) - 1)
    low, high = knots[place - 1], knots[place]
    values = low[:, 1] + (raw - low[:, 0]) / (high[:, 0] - low[:, 0]) * (high[:, 1] - low[:, 1])
    return np.asarray(np.round(np.clip(values, 0.0, 1.0), 3))


class _Table:
    """The weights of a model, addressed by word instead of by feature name.

    Every distinct word gets a number and, once, the list of the features that it switches on;
    pairs of words are looked up in a sorted array.
    """

    def __init__(self, model: LinearModel) -> None:
        self.model = model
        self.features = {name: row for row, name in enumerate(model.weights)}
        self.weights = np.array([*model.weights.values(), [0.0] * 8])
        self.words: dict[str, int] = {}
        self.known: list[tuple[int, ...]] = []
        pairs = [name for name in self.features if " " in name and name[0] != "<"]
        self.openings = _Pairs(self, [name for name in pairs if name[0] == "^"], 1)
        self.neighbours = _Pairs(self, [name for name in pairs if name[0] != "^"], 0)

    def number(self, word: str) -> int:
        """Number of a word, given at its first use; all figures share one."""
        word = "0" if word[0].isdigit() else word
        found = self.words.get(word)
        if found is None:
            found = self.words[word] = len(self.words)
        return found

    def scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Score of each task type and raw complexity of texts, one row each."""
        flat, rows = self._numbers(texts)
        lists = _Lists(self)
        spoken = lists.is_word[flat]
        words, owners = flat[spoken], rows[spoken]
        starts = np.ones(len(words), dtype=bool)
        starts[1:] = owners[1:] != owners[:-1]
        first = np.flatnonzero(starts)
        position = np.arange(len(words)) - np.repeat(first, np.diff([*first, len(words)]))
        cells = [
            lists.expand(lists.content, words, owners),
            lists.expand(lists.marks, flat[~spoken], rows[~spoken]),
            lists.expand(lists.opening, words[first], owners[first]),
            self._nouns(lists, words, owners, position, first),
        ]
        follows = ~starts
        left, right = np.roll(words, 1)[follows], words[follows]
        cells.append(self.neighbours.find(left, right, owners[follows]))
        second = position[follows] == 1
        cells.append(self.openings.find(left[second], right[second], owners[follows][second]))
        flags = np.concatenate(cells)
        cell = (flags // len(self.weights), flags % len(self.weights))
        matrix = csr_matrix((np.ones(len(flags)), cell), shape=(len(texts), len(self.weights)))
        matrix.data[:] = 1.0
        return np.asarray(matrix @ self.weights) + self._counts(lists, flat, rows, owners, len(texts))

    def _numbers(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of the tokens that count, and the row of each."""
        found = tokens_in_a_row(texts)
        numbers = {token: self.number(token) for token in set(found)}
        flat = np.array([numbers[token] for token in found], dtype=np.int64)
        breaks = flat == numbers.get(BREAK, -1)
        rows = np.cumsum(breaks)
        starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
        counts = ~breaks & (np.arange(len(flat)) - starts[rows] < MOST_WORDS)
        return flat[counts], rows[counts]

    def _nouns(
        self,
        lists: _Lists,
        words: NDArray[np.int64],
        owners: NDArray[np.int64],
        position: NDArray[np.int64],
        first: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Cells of the first telling noun of each text."""
        places = np.flatnonzero((position >= 1) & (position < FIRST_NOUNS) & lists.is_noun[words])
        _, earliest = np.unique(owners[places], return_index=True)
        places = places[earliest]
        verbs = words[places - position[places]]
        general = lists.is_general[verbs]
        plain, made = places[~general], places[general]
        return np.concatenate(
            [
                lists.expand(lists.first_noun, words[plain], owners[plain]),
                lists.expand(lists.made_noun, words[made], owners[made]),
            ]
        )

    def _counts(
        self,
        lists: _Lists,
        flat: NDArray[np.int64],
        rows: NDArray[np.int64],
        owners: NDArray[np.int64],
        count: int,
    ) -> NDArray[np.float64]:
        """What the counted features and the bias add to the scores."""
        values = {
            "<commas>": np.bincount(rows[lists.counted[flat] == 1], minlength=count) * 0.25,
            "<sentences>": np.bincount(rows[lists.counted[flat] == 2], minlength=count) * 0.25,
            "<length>": np.log2(1 + np.bincount(owners, minlength=count)) / 4,
            "<bias>": np.ones(count),
        }
        added = [np.outer(column, self.model.weights[name]) for name, column in values.items() if name in self.features]
        return np.asarray(sum(added, np.zeros((count, 8))))


class _Pairs:
    """Pairs of words that have a weight, as sorted numbers."""

    def __init__(self, table: _Table, names: Sequence[str], skip: int) -> None:
        keyed = sorted((self._key(table, name[skip:]), table.features[name]) for name in names)
        self.keys = np.array([key for key, _ in keyed], dtype=np.int64)
        self.columns = np.array([column for _, column in keyed], dtype=np.int64)
        self.width = len(table.weights)

    @staticmethod
    def _key(table: _Table, pair: str) -> int:
        left, right = pair.split(" ")
        return table.number(left) * PAIR + table.number(right)

    def find(self, left: NDArray[np.int64], right: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cells of the pairs that have a weight."""
        if not len(self.keys):
            return np.empty(0, dtype=np.int64)
        wanted = left * PAIR + right
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        hit = self.keys[place] == wanted
        return np.asarray(rows[hit] * self.width + self.columns[place[hit]])


class _Lists:
    """For every word seen so far: what it is and which features it switches on."""

    def __init__(self, table: _Table) -> None:
        words = list(table.words)
        self.width = len(table.weights)
        self.features = table.features
        self.is_word = np.array([is_word(word) for word in words], dtype=bool)
        self.is_noun = np.array([word in NOUN_TYPES for word in words], dtype=bool)
        self.is_general = np.array([word in GENERAL_VERBS or word not in VERB_TYPES for word in words], dtype=bool)
        codes = {"<commas>": 1, "<sentences>": 2}
        self.counted = np.array([codes.get(COUNTED.get(word, ""), 0) for word in words], dtype=np.int8)
        self.content = self._packed(word_features(word) if is_word(word) else () for word in words)
        self.marks = self._packed(_mark(word) for word in words)
        self.opening = self._packed(map(verb_features, words))
        self.first_noun = self._packed(noun_features(word, made=False) for word in words)
        self.made_noun = self._packed(noun_features(word, made=True) for word in words)

    def _packed(self, named: Iterable[Sequence[str]]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Feature numbers of all words in one array, with the start and length of each word's share."""
        numbers = [[self.features[name] for name in names if name in self.features] for names in named]
        lengths = np.array([len(row) for row in numbers], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]) if len(lengths) else lengths
        return np.array([number for row in numbers for number in row], dtype=np.int64), starts, lengths

    def expand(
        self,
        packed: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
        words: NDArray[np.int64],
        rows: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Cells (row times width plus column) of the features that words switch on."""
        numbers, starts, lengths = packed
        repeats = lengths[words]
        ends = np.cumsum(repeats)
        offset = np.arange(int(repeats.sum())) - np.repeat(ends - repeats, repeats)
        return np.asarray(np.repeat(rows, repeats) * self.width + numbers[np.repeat(starts[words], repeats) + offset])


def _mark(token: str) -> Sequence[str]:
    return () if is_word(token) or token in COUNTED else (MARKS.get(token, "<figures>"),)
