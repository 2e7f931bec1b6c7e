"""Linear classifiers: a table of weights for readable features, set by hand or learned."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from multillm.classification.features import features
from multillm.tasks import SubTask, TaskProfile, TaskType, estimate_tokens

__all__ = ["LearnedClassifier", "LinearClassifier", "LinearModel", "RulesClassifier", "load_model"]

TYPES = tuple(TaskType)
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
        self.temperature = float(content["temperature"])
        self.abstain_below = float(content["abstain_below"])
        self.knots: Sequence[tuple[float, float]] = [(float(raw), float(value)) for raw, value in content["knots"]]
        self.content = content

    def scores(self, found: Mapping[str, float]) -> list[float]:
        """Score of each task type and, last, the raw complexity."""
        d = g = v = r = q = s = o = c = 0.0
        weights = self.weights
        for name, value in found.items():
            row = weights.get(name)
            if row is not None:
                d += value * row[0]
                g += value * row[1]
                v += value * row[2]
                r += value * row[3]
                q += value * row[4]
                s += value * row[5]
                o += value * row[6]
                c += value * row[7]
        return [d, g, v, r, q, s, o, c]

    def decide(self, scores: Sequence[float]) -> tuple[int, float]:
        """Index of the type and its probability; ``other`` where no type is likely enough."""
        peak = max(scores[:7])
        powers = [math.exp((score - peak) / self.temperature) for score in scores[:7]]
        best = powers.index(max(powers))
        total = sum(powers)
        if powers[best] / total < self.abstain_below:
            best = TYPES.index(TaskType.OTHER)
        return best, powers[best] / total

    def complexity(self, raw: float) -> float:
        """Complexity (0..1) of a raw score."""
        knots = self.knots
        place = min(max(bisect_right(knots, (raw, math.inf)), 1), len(knots) - 1)
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
            self.model.complexity(scores[7]),
            estimate_tokens(subtask.text),
            confidence=round(confidence, 4),
            signals=self._signals(found, best),
        )

    def _signals(self, found: Mapping[str, float], best: int) -> dict[str, float]:
        weights = self.model.weights
        spoken = [(value * weights[name][best], name) for name, value in found.items() if name in weights]
        spoken.sort(reverse=True)
        kind = f"{TYPES[best]}: "
        return {kind + name: round(weight, 3) for weight, name in spoken[:SHOWN]}


class RulesClassifier(LinearClassifier):
    """Weights set by hand for the word lists of `multillm.classification.lexicon`; nothing is learned."""

    name = "rules"


class LearnedClassifier(LinearClassifier):
    """Weights learned from the gold training part; see ``model_card.md`` beside it."""

    name = "learned"
