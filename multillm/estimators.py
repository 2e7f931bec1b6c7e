"""How good and how dear each model is expected to be for a sub-task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from multillm.registry import ModelSpec
from multillm.tasks import TaskProfile

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Figures = npt.NDArray[np.float64]

__all__ = [
    "BatchCost",
    "BatchQuality",
    "ConstantQuality",
    "CostEstimator",
    "CurveQuality",
    "ListedCost",
    "QualityEstimator",
]


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


@runtime_checkable
class BatchQuality(QualityEstimator, Protocol):
    """A quality estimator that takes whole tables as well, for `route_many`."""

    def quality_many(self, profiles: pd.DataFrame, models: Sequence[ModelSpec]) -> Figures:
        """Quality (0..1) by row of `classify_many`'s table and model, shape [n, models]; NaN where unknown."""
        ...


@runtime_checkable
class BatchCost(CostEstimator, Protocol):
    """A cost estimator that takes whole tables as well, for `route_many`."""

    def cost_many(self, profiles: pd.DataFrame, models: Sequence[ModelSpec]) -> Figures:
        """Cost by row of `classify_many`'s table and model, shape [n, models]."""
        ...


class CurveQuality:
    """Each model's own quality curve."""

    def quality(self, profile: TaskProfile, models: Sequence[ModelSpec]) -> Sequence[float | None]:
        """The curves at the sub-task's complexity."""
        return [spec.quality(profile.complexity) for spec in models]

    def quality_many(self, profiles: pd.DataFrame, models: Sequence[ModelSpec]) -> Figures:
        """The curves at each sub-task's complexity, shape [n, models]."""
        import numpy as np

        complexity = profiles["complexity"].to_numpy(float)[:, None]
        intercept, slope = np.array([(spec.quality.intercept, spec.quality.slope) for spec in models]).T
        return np.asarray(np.clip(intercept + slope * complexity, 0.0, 1.0))

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

    def quality_many(self, profiles: pd.DataFrame, models: Sequence[ModelSpec]) -> Figures:
        """The qualities given, for every row the same, shape [n, models]; NaN for a label that has none."""
        import numpy as np

        known = np.array([self.by_label.get(spec.label, np.nan) for spec in models], dtype=float)
        return np.broadcast_to(known, (len(profiles), len(models)))

    def __repr__(self) -> str:
        return f"ConstantQuality({self.by_label!r})"


class ListedCost:
    """The pool's own prices: cost units for 1,000 output tokens."""

    def cost(self, profile: TaskProfile, models: Sequence[ModelSpec]) -> Sequence[float]:
        """The prices, the same for every sub-task."""
        return [spec.cost_per_1k for spec in models]

    def cost_many(self, profiles: pd.DataFrame, models: Sequence[ModelSpec]) -> Figures:
        """The prices, for every row the same, shape [n, models]."""
        import numpy as np

        return np.broadcast_to([spec.cost_per_1k for spec in models], (len(profiles), len(models)))

    def __repr__(self) -> str:
        return "ListedCost()"
