"""Quality curves over complexity, fitted for each model and task type."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from multillm.learning.base import PromptQuality
from multillm.learning.profiles import profiled
from multillm.metrics.bootstrap import Figures
from multillm.outcomes import Outcomes

__all__ = ["FittedCurves", "LinearCurves"]

GRID = np.linspace(0.0, 1.0, 101)
ALL = ""


class FittedCurves(PromptQuality):
    """The measured counterpart of the pool's hand-drawn curves.

    One curve of quality over complexity for each model and task type, and one over all types for those with too few
    prompts. Type and complexity that a prompt lacks are told by a classifier.

    Parameters
    ----------
    shape : {"logistic", "isotonic"}, default "logistic"
        A logistic curve, or any curve that never rises with complexity.
    min_prompts : int, default 50
        Measured prompts that a task type needs for a curve of its own.
    classifier : str, default "reference"
        Classifier for prompts whose type or complexity is missing.
    """

    def __init__(
        self,
        shape: Literal["logistic", "isotonic"] = "logistic",
        min_prompts: int = 50,
        classifier: str = "reference",
    ) -> None:
        self.shape = shape
        self.min_prompts = min_prompts
        self.classifier = classifier

    def _fit(self, outcomes: Outcomes) -> None:
        kinds, complexity = profiled(outcomes.prompts, self.classifier)
        quality = outcomes.quality_matrix().to_numpy(float)
        counts = pd.Series(kinds).value_counts()
        self.task_types_ = [ALL, *sorted(str(kind) for kind in counts.index[counts >= self.min_prompts])]
        self.curves_ = np.empty((len(self.task_types_), len(self.models_), len(GRID)))
        for row, kind in enumerate(self.task_types_):
            of_kind = np.ones(len(kinds), dtype=bool) if kind == ALL else kinds == kind
            for column in range(len(self.models_)):
                known = of_kind & ~np.isnan(quality[:, column])
                self.curves_[row, column] = (
                    self._curve(complexity[known], quality[known, column]) if known.any() else self.curves_[0, column]
                )

    def _predict(self, prompts: pd.DataFrame) -> Figures:
        kinds, complexity = profiled(prompts, self.classifier)
        row = pd.Index(self.task_types_).get_indexer(pd.Index(kinds))
        curves = self.curves_[np.where(row < 0, 0, row)]
        place = np.clip(complexity, 0.0, 1.0) * (len(GRID) - 1)
        left = np.minimum(place.astype(int), len(GRID) - 2)
        part = (place - left)[:, None]
        every = np.arange(len(prompts))
        return np.asarray((1 - part) * curves[every, :, left] + part * curves[every, :, left + 1])

    def _curve(self, complexity: Figures, quality: Figures) -> Figures:
        """One curve on the grid."""
        if self.shape == "isotonic":
            fitted = IsotonicRegression(increasing=False, out_of_bounds="clip").fit(complexity, quality)
            return np.asarray(fitted.predict(GRID))
        if np.ptp(quality) == 0.0 and quality[0] in {0.0, 1.0}:
            return np.full(len(GRID), quality[0])
        inputs = np.concatenate([complexity, complexity])[:, None]
        target = np.repeat([1, 0], len(quality))
        fitted = LogisticRegression().fit(inputs, target, sample_weight=np.concatenate([quality, 1.0 - quality]))
        return np.asarray(fitted.predict_proba(GRID[:, None])[:, 1])


class LinearCurves(PromptQuality):
    """A straight line of quality over complexity for each model: what a pool file can hold.

    Parameters
    ----------
    classifier : str, default "reference"
        Classifier for prompts whose complexity is missing.
    """

    def __init__(self, classifier: str = "reference") -> None:
        self.classifier = classifier

    def _fit(self, outcomes: Outcomes) -> None:
        _, complexity = profiled(outcomes.prompts, self.classifier)
        quality = outcomes.quality_matrix().to_numpy(float)
        self.lines_ = np.array([self._line(complexity, column) for column in quality.T])

    def _line(self, complexity: Figures, quality: Figures) -> tuple[float, float]:
        """Intercept and slope by least squares; level where all complexities are one."""
        known = ~np.isnan(quality)
        x, y = complexity[known], quality[known]
        spread = x.var()
        slope = float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 0 else 0.0
        return float(y.mean() - slope * x.mean()), slope

    def _predict(self, prompts: pd.DataFrame) -> Figures:
        _, complexity = profiled(prompts, self.classifier)
        return np.asarray(np.clip(self.lines_[:, 0] + complexity[:, None] * self.lines_[:, 1], 0.0, 1.0))
