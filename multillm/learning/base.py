"""What every quality estimator that learns from outcomes has in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from multillm.errors import EstimatorError
from multillm.learning.storage import read_state, write_state
from multillm.metrics.bootstrap import Figures
from multillm.outcomes import PROMPT_COLUMNS, Outcomes
from multillm.registry import ModelSpec
from multillm.tasks import TaskProfile

__all__ = ["PromptQuality", "load_estimator"]

PLACES = 12
"""Decimals of an expected quality: what lies beyond is rounding that differs between processors, and breaks ties."""


class PromptQuality(BaseEstimator, ABC):
    """Expected quality of each model for a prompt, learnt from outcomes.

    Follows scikit-learn: parameters go to the constructor unchanged, `fit` returns the estimator, what was learnt ends
    in an underscore, `sklearn.base.clone` gives an unfitted copy. A subclass writes `_fit` and `_predict`; whatever
    it learns as arrays or plain values is stored by `save` without further code.

    Once fitted it also is a `QualityEstimator` of the live router: ``TaskRouter(quality=estimator)`` asks for the
    labels of the pool, so the models of the outcomes must bear those names (see `Outcomes.rename`).
    """

    known: ClassVar[dict[str, type[PromptQuality]]] = {}
    learns_means: ClassVar[bool] = False
    """Whether it learns each model's mean quality, as `mean_`, and nothing else."""
    models_: tuple[str, ...]
    """Models whose quality it estimates, once fitted."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        PromptQuality.known[cls.__name__] = cls

    @abstractmethod
    def _fit(self, outcomes: Outcomes) -> None:
        """Learn; `models_` is set."""

    @abstractmethod
    def _predict(self, prompts: pd.DataFrame) -> Figures:
        """Quality, shape [prompts, models]."""

    def fit(self, outcomes: Outcomes) -> Self:
        """Learn from outcomes.

        Parameters
        ----------
        outcomes : Outcomes
            What was measured; rows without quality teach nothing.

        Returns
        -------
        Self
            The estimator, fitted.

        Raises
        ------
        EstimatorError
            If no quality of a model was measured.
        """
        unmeasured = [model for model, mean in outcomes.quality_matrix().mean().items() if np.isnan(mean)]
        if unmeasured:
            names = ", ".join(map(str, unmeasured))
            raise EstimatorError(
                f"{type(self).__name__} cannot learn from {outcomes.name}: no quality of {names} was measured; "
                "filter the models or measure them"
            )
        self.models_ = outcomes.models
        self._fit(outcomes)
        return self

    def fit_means(self, means: Mapping[str, float]) -> Self:
        """Learn from the mean quality of each model, which is all that an estimator that `learns_means` learns from."""
        self.models_, self.mean_ = tuple(means), np.array(list(means.values()))
        return self

    def predict(self, prompts: pd.DataFrame | Sequence[str]) -> pd.DataFrame:
        """Expected quality of each model.

        Parameters
        ----------
        prompts : DataFrame or sequence of str
            n prompts: texts, or a table with `prompt` and, as far as known, the other columns of `Outcomes.prompts`.

        Returns
        -------
        DataFrame
            Shape [n, models], float64, 0..1; NaN where nothing is known. Rows in the order given.

        Raises
        ------
        EstimatorError
            If the estimator is not fitted.
        """
        self._check_fitted()
        frame = prompts if isinstance(prompts, pd.DataFrame) else pd.DataFrame({"prompt": list(prompts)})
        frame = frame.reindex(columns=list(PROMPT_COLUMNS))
        return pd.DataFrame(self._expected(frame), index=frame.index, columns=list(self.models_))

    def quality(self, profile: TaskProfile, models: Sequence[ModelSpec]) -> list[float | None]:
        """Quality (0..1) of each model for a live sub-task; None for a label that was not among the outcomes."""
        self._check_fitted()
        asked = (None, profile.text, str(profile.task_type), profile.complexity, None)
        expected = self._expected(pd.DataFrame([asked], columns=list(PROMPT_COLUMNS)))[0]
        by_label = dict(zip(self.models_, expected.tolist(), strict=True))
        figures = [by_label.get(spec.label, math.nan) for spec in models]
        return [None if math.isnan(figure) else figure for figure in figures]

    def quality_many(self, profiles: pd.DataFrame, models: Sequence[ModelSpec]) -> Figures:
        """Quality (0..1) of each model for live sub-tasks, shape [n, models]; NaN for a label without outcomes.

        Raises
        ------
        EstimatorError
            If the estimator is not fitted or the table has no column text.
        """
        if "text" not in profiles:
            raise EstimatorError(f"{type(self).__name__} reads the sub-tasks; give the table a column text")
        expected = self.predict(profiles[["task_type", "complexity"]].assign(prompt=profiles["text"]))
        return expected.reindex(columns=[spec.label for spec in models]).to_numpy(float)

    def save(self, path: str | Path) -> Path:
        """Store the fitted estimator in one ``.npz`` file: arrays and a JSON header, no pickle.

        Raises
        ------
        EstimatorError
            If it is not fitted, or a parameter is no plain value.
        """
        self._check_fitted()
        learnt = {name: value for name, value in vars(self).items() if name.endswith("_")}
        return write_state(Path(path), type(self).__name__, self.get_params(deep=False), learnt)

    def _expected(self, prompts: pd.DataFrame) -> Figures:
        return np.round(self._predict(prompts), PLACES)

    def _check_fitted(self) -> None:
        if not hasattr(self, "models_"):
            raise EstimatorError(f"{type(self).__name__} is not fitted; call fit(outcomes) first")


def load_estimator(path: str | Path) -> PromptQuality:
    """Read an estimator that `PromptQuality.save` stored.

    Parameters
    ----------
    path : str or Path
        The file. Nothing in it is executed.

    Returns
    -------
    PromptQuality
        Fitted.

    Raises
    ------
    EstimatorError
        If the file is no such file, or its class is not known here.
    """
    name, parameters, learnt = read_state(Path(path))
    if name not in PromptQuality.known:
        raise EstimatorError(
            f"{path} holds a {name}; known here: {', '.join(sorted(PromptQuality.known))}. Import its class first"
        )
    estimator = PromptQuality.known[name](**parameters)
    for attribute, value in learnt.items():
        setattr(estimator, attribute, value)
    estimator.models_ = tuple(estimator.models_)
    return estimator
