"""Linear classifiers: a table of weights for readable features, set by hand or learned."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from math import exp, inf
from pathlib import Path
from typing import Any

from multillm.classification.features import features
from multillm.tasks import SubTask, TaskProfile, TaskType, estimate_tokens

__all__ = ["LearnedClassifier", "LinearClassifier", "LinearModel", "RulesClassifier", "load_model"]

TYPES = tuple(TaskType)
OTHER = TYPES.index(TaskType.OTHER)
COLUMNS = len(TYPES) + 1
SCALED = ("<length>", "<commas>", "<sentences>")
SHOWN = 8


class LinearModel:
    r"""Weights of a linear classifier.

    With features :math:`x` the probability of type :math:`k` and the complexity are

    .. math::
        p_k = \frac{\exp(w_k \cdot x / T)}{\sum_j \exp(w_j \cdot x / T)}, \qquad c = f(v \cdot x)

    where :math:`T` is the temperature that makes the probabilities agree with the observed
    frequencies and :math:`f` runs straight between the `knots`, so that the tiers come out as
    often as they were labelled.

    Attributes
    ----------
    weights : mapping of str to tuple of float
        For each feature a weight for each task type and, last, for the complexity.
    temperature : float
        Divisor of the scores.
    abstain_below : float
        Least probability of a type; below it the type is ``other``.
    knots : sequence of (float, float)
        Raw score and complexity, both rising.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.weights: dict[str, tuple[float, ...]] = {name: tuple(row) for name, row in content["weights"].items()}
        self.scaled = [(name, self.weights[name]) for name in SCALED if name in self.weights]
        self.temperature = float(content["temperature"])
        self.abstain_below = float(content["abstain_below"])
        self.knots: Sequence[tuple[float, float]] = [(float(raw), float(value)) for raw, value in content["knots"]]
        self.content = content

    def scores(self, found: Mapping[str, float]) -> list[float]:
        """Score of each task type and, last, the raw complexity."""
        rows = list(filter(None, map(self.weights.get, found)))
        for name, row in self.scaled:
            if name in found:
                extra = found[name] - 1.0
                rows.append(tuple(extra * weight for weight in row))
        return list(map(sum, zip(*rows))) or [0.0] * COLUMNS  # noqa: B905 - rows of one table

    def decide(self, scores: Sequence[float]) -> tuple[int, float]:
        """Index of the type and its probability; ``other`` where no type is likely enough."""
        kinds = scores[:-1]
        peak, temperature = max(kinds), self.temperature
        powers = [exp((score - peak) / temperature) for score in kinds]
        total = sum(powers)
        best = kinds.index(peak)
        if 1.0 / total < self.abstain_below:
            best = OTHER
        return best, powers[best] / total

    def complexity(self, raw: float) -> float:
        """Complexity (0..1) of a raw score."""
        knots = self.knots
        place = min(max(bisect_right(knots, (raw, inf)), 1), len(knots) - 1)
        (low, floor), (high, ceiling) = knots[place - 1], knots[place]
        share = (raw - low) / (high - low)
        return round(min(1.0, max(0.0, floor + share * (ceiling - floor))), 3)


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
        found = features(subtask.text)
        scores = self.model.scores(found)
        best, confidence = self.model.decide(scores)
        return TaskProfile(
            subtask,
            TYPES[best],
            self.model.complexity(scores[-1]),
            estimate_tokens(subtask.text),
            round(confidence, 4),
            _Signals(self.model, found, best),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _Signals(Mapping[str, float]):
    """The weights that spoke loudest for a type, worked out when they are looked at."""

    def __init__(self, model: LinearModel, found: Mapping[str, float], best: int) -> None:
        self._source = (model.weights, found, best)

    @cached_property
    def _shown(self) -> dict[str, float]:
        weights, found, best = self._source
        spoken = [(value * weights[name][best], name) for name, value in found.items() if name in weights]
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
