"""How good and how dear each model is expected to be for a sub-task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from multillm.registry import ModelSpec
from multillm.tasks import TaskProfile

__all__ = ["ConstantQuality", "CostEstimator", "CurveQuality", "ListedCost", "QualityEstimator"]


@runtime_checkable
class QualityEstimator(Protocol):
    """Expected quality of each model for a sub-task."""

    def quality(self, profile: TaskProfile, models: Sequence[ModelSpec]) -> Sequence[float | None]:
        """Quality (0..1) of each model in the order given; None where nothing is known."""
        ...


@runtime_checkable
class CostEstimator(Protocol):
    """Expected cost of each model for a sub-task, on the scale of the utility."""

    def cost(self, profile: TaskProfile, models: Sequence[ModelSpec]) -> Sequence[float]:
        """Cost of each model in the order given."""
        ...


class CurveQuality:
    """Each model's own quality curve."""

    def quality(self, profile: TaskProfile, models: Sequence[ModelSpec]) -> Sequence[float | None]:
        """The curves at the sub-task's complexity."""
        return [spec.quality(profile.complexity) for spec in models]

    def __repr__(self) -> str:
        return "CurveQuality()"


class ConstantQuality:
    """One quality for each label, whatever the sub-task.

    Parameters
    ----------
    by_label : mapping of str to float
        Quality (0..1) by label; a label left out has unknown quality.
    """

    def __init__(self, by_label: Mapping[str, float]) -> None:
        self.by_label = dict(by_label)

    def quality(self, profile: TaskProfile, models: Sequence[ModelSpec]) -> Sequence[float | None]:
        """The qualities given, None for a label that has none."""
        return [self.by_label.get(spec.label) for spec in models]

    def __repr__(self) -> str:
        return f"ConstantQuality({self.by_label!r})"


class ListedCost:
    """The pool's own prices: cost units for 1,000 output tokens."""

    def cost(self, profile: TaskProfile, models: Sequence[ModelSpec]) -> Sequence[float]:
        """The prices, the same for every sub-task."""
        return [spec.cost_per_1k for spec in models]

    def __repr__(self) -> str:
        return "ListedCost()"
