"""Linear classifiers: a table of weights for readable features, set by hand or learned."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from math import exp, inf
from pathlib import Path
from typing import Any

from multillm.classification.features import (
    EARLY,
    EARLY_WORDS,
    LETTERS_UNIT,
    MOST_LETTERS,
    MOST_PIECES,
    features,
    first_noun,
    length,
    letters,
    opening_features,
    pieces,
    read_piece,
)
from multillm.classification.packing import COLUMNS, TYPES, pack, unpack
from multillm.errors import ConfigurationError
from multillm.tasks import SubTask, TaskProfile, TaskType, estimate_tokens

__all__ = ["LearnedClassifier", "LinearClassifier", "LinearModel", "RulesClassifier", "load_model"]

OTHER = TYPES.index(TaskType.OTHER)
UNIT = 10_000
"""Weights are counted in ten-thousandths: whole numbers add up to the same sum in any order."""
SHOWN = 8


class LinearModel:
    r"""Weights of a linear classifier.

    With features :math:`x` the probability of type :math:`k` and the complexity are

    .. math::
        p_k = \frac{\exp(w_k \cdot x / T)}{\sum_j \exp(w_j \cdot x / T)}, \qquad
        c = f\Bigl(\sum_{t} \frac{1}{1 + \exp(-v_t \cdot x)}\Bigr)

    where :math:`T` is the temperature that makes the probabilities agree with the observed
    frequencies, :math:`t` runs over the two lower tiers, each with the log-odds of lying above
    it (Frank and Hall, A Simple Approach to Ordinal Classification, ECML 2001), and :math:`f`
    runs straight between the `knots`, so that the tiers come out as often as they were labelled.

    Attributes
    ----------
    weights : mapping of str to tuple of float
        For each feature a weight for each task type and, last, for lying above each of the two lower tiers.
    temperature : float
        Divisor of the scores.
    abstain_below : float
        Least probability of a type; below it the type is ``other``.
    knots : sequence of (float, float)
        How many tiers it is expected to lie above (0..2) and complexity, both rising.
    pairs : mapping of (str, str) to int
        The weights of pairs of neighbouring words, in ten-thousandths, packed as by `multillm.classification.packing`.
    early : mapping of str to int
        The weights of words among the first, in the same form.
    lengths : sequence of int
        The weights of everything that depends on nothing but the number of words, in the same form.
    letters : sequence of int
        The weights of how long the words are, by quarters of a letter, in the same form.

    Raises
    ------
    ConfigurationError
        If the columns of the weights are not `COLUMNS`.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        if tuple(content["columns"]) != COLUMNS:
            raise ConfigurationError(
                f"the columns of the weights are {', '.join(content['columns'])}; they must be {', '.join(COLUMNS)}:"
                " learn them again by python -m multillm.classification.train"
            )
        self.content = content
        self.weights: dict[str, tuple[float, ...]] = {name: tuple(row) for name, row in content["weights"].items()}
        self.temperature = float(content["temperature"])
        self.abstain_below = float(content["abstain_below"])
        self.knots: Sequence[tuple[float, float]] = [(float(raw), float(value)) for raw, value in content["knots"]]
        self._rows = {name: _packed(row) for name, row in self.weights.items()}
        self.pairs: dict[tuple[str, str], int] = {
            (left, right): row
            for name, row in self._rows.items()
            for left, _, right in [name.partition(" ")]
            if right and left[0] != "<"
        }
        self.early: dict[str, int] = {
            name.removeprefix(f"{EARLY} "): row for name, row in self._rows.items() if name.startswith(f"{EARLY} ")
        }
        none = (0.0,) * len(COLUMNS)
        bias, slope, rise = (self.weights.get(name, none) for name in ("<bias>", "<length>", "<letters>"))
        self.lengths = [
            _packed([fixed + length(count) * weight for fixed, weight in zip(bias, slope, strict=True)])
            for count in range(MOST_PIECES + 1)
        ]
        self.letters = [
            _packed([quarters / LETTERS_UNIT * weight for weight in rise]) for quarters in range(MOST_LETTERS + 1)
        ]
        self.piece = lru_cache(maxsize=50_000)(self._piece)
        self.opening = lru_cache(maxsize=10_000)(self._opening)

    def __reduce__(self) -> tuple[type[LinearModel], tuple[Mapping[str, Any]]]:
        """Copied and stored without what it remembers."""
        return type(self), (self.content,)

    def row(self, names: Iterable[str]) -> int:
        """Sum of the weights of features, in ten-thousandths, packed."""
        return sum([self._rows[name] for name in names if name in self._rows])

    def _piece(self, piece: str) -> tuple[str, int]:
        """First word of a piece and the weights of its features."""
        word, names = read_piece(piece)
        return word, self.row(names)

    def _opening(self, verb: str, noun: str) -> int:
        return self.row(opening_features(verb, noun))

    def scores(self, text: str) -> list[int]:
        """Score of each task type and, last, of lying above each of the two lower tiers, in ten-thousandths."""
        found = pieces(text)
        words, rows = zip(*map(self.piece, found), strict=True) if found else ((), ())
        spoken = list(filter(None, words))
        total = sum(rows) + self.lengths[len(spoken)]
        if spoken:
            total += self.opening(spoken[0], first_noun(spoken))
            total += self.letters[letters(len("".join(spoken)), len(spoken))]
            total += sum(filter(None, map(self.pairs.get, pairwise(spoken))))
            total += sum(filter(None, map(self.early.get, spoken[:EARLY_WORDS])))
        return unpack(total)

    def decide(self, scores: Sequence[int]) -> tuple[int, float]:
        """Index of the type and its probability; ``other`` where no type is likely enough."""
        kinds = scores[: len(TYPES)]
        peak, temperature = max(kinds), UNIT * self.temperature
        powers = [exp((score - peak) / temperature) for score in kinds]
        total = sum(powers)
        best = kinds.index(peak)
        if 1.0 / total < self.abstain_below:
            best = OTHER
        return best, round(10_000 * powers[best] / total) / 10_000

    def complexity(self, scores: Sequence[int]) -> float:
        """Complexity (0..1) by the scores of lying above each tier."""
        height = sum([1.0 / (1.0 + exp(-score / UNIT)) for score in scores[len(TYPES) :]])
        knots = self.knots
        place = min(max(bisect_right(knots, (height, inf)), 1), len(knots) - 1)
        (low, floor), (high, ceiling) = knots[place - 1], knots[place]
        share = (height - low) / (high - low)
        return round(1000 * min(1.0, max(0.0, floor + share * (ceiling - floor)))) / 1000


def _packed(row: Iterable[float]) -> int:
    """Weights in ten-thousandths, packed."""
    return pack([round(UNIT * weight) for weight in row])


@cache
def load_model(name: str) -> LinearModel:
    """The weights that come with the package under a name."""
    return LinearModel(json.loads(Path(__file__).with_name(f"{name}.json").read_text("utf-8")))


class LinearClassifier:
    """Classifies by a sum of weights.

    Parameters
    ----------
    model : LinearModel, optional
        The weights; those that come with the package if left out.
    """

    name = "linear"

    def __init__(self, model: LinearModel | None = None) -> None:
        self.model = model or load_model(self.name)

    def classify(self, subtask: SubTask) -> TaskProfile:
        """Profile of a sub-task; its signals are the weights that spoke loudest for its type."""
        text, model = subtask.text, self.model
        scores = model.scores(text)
        best, confidence = model.decide(scores)
        complexity = model.complexity(scores)
        return TaskProfile(
            subtask, TYPES[best], complexity, estimate_tokens(text), confidence, _Signals(model.weights, text, best)
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _Signals(Mapping[str, float]):
    """The weights that spoke loudest for a type, worked out when they are looked at."""

    def __init__(self, weights: Mapping[str, Sequence[float]], text: str, best: int) -> None:
        self._source = (weights, text, best)

    @cached_property
    def _shown(self) -> dict[str, float]:
        weights, text, best = self._source
        spoken = [(value * weights[name][best], name) for name, value in features(text).items() if name in weights]
        spoken.sort(reverse=True)
        return {f"{TYPES[best]}: {name}": round(weight, 3) for weight, name in spoken[:SHOWN]}

    def __getitem__(self, name: str) -> float:
        return self._shown[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._shown)

    def __len__(self) -> int:
        return len(self._shown)

    def __repr__(self) -> str:
        return repr(self._shown)

    def __reduce__(self) -> tuple[type[dict[str, float]], tuple[dict[str, float]]]:
        """Copied and stored as the plain figures."""
        return dict, (self._shown,)


class RulesClassifier(LinearClassifier):
    """Weights set by hand for the word lists of `multillm.classification.lexicon`; nothing is learned."""

    name = "rules"


class LearnedClassifier(LinearClassifier):
    """Weights learned from the gold training part; see ``model_card.md`` beside it."""

    name = "learned"
