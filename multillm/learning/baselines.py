"""Baselines: what a learned router must beat."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from multillm.errors import EstimatorError
from multillm.learning.base import PromptQuality
from multillm.metrics.bootstrap import Figures
from multillm.outcomes import Outcomes
from multillm.registry import ModelSpec
from multillm.tasks import TaskProfile

__all__ = ["MeanQuality", "OracleQuality", "RandomQuality"]

NO_FORESIGHT = "the oracle needs the outcome before the call; deploy a fitted estimator instead"


class MeanQuality(PromptQuality):
    """Each model's mean quality, whatever the prompt: always routes to the best single model."""

    learns_means = True

    def _fit(self, outcomes: Outcomes) -> None:
        self.mean_ = outcomes.quality_matrix().mean().to_numpy(float)

    def _predict(self, prompts: pd.DataFrame) -> Figures:
        return np.tile(self.mean_, (len(prompts), 1))


class RandomQuality(PromptQuality):
    """A random quality for each model, the same each time a prompt comes.

    Parameters
    ----------
    seed : int, default 0
        Source of chance, together with the prompt's text.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def _fit(self, outcomes: Outcomes) -> None:
        """There is nothing to learn."""

    def _predict(self, prompts: pd.DataFrame) -> Figures:
        keys = [zlib.crc32(str(text).encode("utf-8", "replace")) for text in prompts["prompt"]]
        drawn = [np.random.default_rng([self.seed, key]).random(len(self.models_)) for key in keys]
        return np.array(drawn).reshape(len(keys), len(self.models_))


class OracleQuality(PromptQuality):
    """What was measured on the very prompts asked about: the upper bound, not a router.

    Parameters
    ----------
    outcomes : Outcomes
        Where to look the prompts up, by `prompt_id`.
    """

    def __init__(self, outcomes: Outcomes) -> None:
        self.outcomes = outcomes

    def __sklearn_clone__(self) -> Self:
        return type(self)(self.outcomes)

    def _fit(self, outcomes: Outcomes) -> None:
        """There is nothing to learn: it knows."""

    def _predict(self, prompts: pd.DataFrame) -> Figures:
        measured = self.outcomes.quality_matrix()
        return measured.reindex(index=prompts["prompt_id"], columns=list(self.models_)).to_numpy(float)

    def quality(self, profile: TaskProfile, models: Sequence[ModelSpec]) -> list[float | None]:
        """Refuse: no one knows the outcome of a live sub-task.

        Raises
        ------
        EstimatorError
            Always.
        """
        raise EstimatorError(NO_FORESIGHT)

    def quality_many(self, profiles: pd.DataFrame, models: Sequence[ModelSpec]) -> Figures:
        """Refuse, as `quality` does.

        Raises
        ------
        EstimatorError
            Always.
        """
        raise EstimatorError(NO_FORESIGHT)

    def save(self, path: str | Path) -> Path:
        """Refuse: there is nothing to deploy.

        Raises
        ------
        EstimatorError
            Always.
        """
        raise EstimatorError("the oracle is its outcomes; store those by Outcomes.write")
