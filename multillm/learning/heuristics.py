"""Routers that guess how hard a prompt is without having learnt it: length, and two published heuristics."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from multillm.classification import classify
from multillm.client.session import quiet_litellm
from multillm.learning.base import PromptQuality
from multillm.learning.text import remembered
from multillm.metrics.bootstrap import Figures
from multillm.outcomes import Outcomes

__all__ = ["HeuristicQuality", "LiteLLMComplexity", "PromptLength", "ReferenceComplexity"]


class HeuristicQuality(PromptQuality):
    r"""Each model's mean shortfall against the best, shown in full only by the hardest prompts.

    .. math:: \hat Q_m(x) = q^* - d(x) (q^* - q_m)

    with the models' mean qualities q, their maximum q* and a difficulty d in 0..1. What a stronger model gains grows
    with the difficulty, so that routing by d and routing by this estimate are the same.
    """

    learns_means = True

    @abstractmethod
    def difficulty(self, texts: Sequence[str]) -> Figures:
        """How hard each text is, 0..1, shape [n]."""

    def _fit(self, outcomes: Outcomes) -> None:
        self.mean_ = outcomes.quality_matrix().mean().to_numpy(float)

    def _predict(self, prompts: pd.DataFrame) -> Figures:
        best = self.mean_.max()
        hard = self.difficulty(prompts["prompt"].fillna("").tolist())
        return np.asarray(best - hard[:, None] * (best - self.mean_))


class PromptLength(HeuristicQuality):
    """The longer, the harder: the baseline that many published routers do not beat.

    Parameters
    ----------
    characters : float, default 500
        Length at which the difficulty is one half.
    """

    def __init__(self, characters: float = 500.0) -> None:
        self.characters = characters

    def difficulty(self, texts: Sequence[str]) -> Figures:
        """Length over length plus `characters`."""
        length = np.array([len(text) for text in texts], dtype=float)
        return np.asarray(length / (length + self.characters))


class ReferenceComplexity(HeuristicQuality):
    """The reference classifier's complexity as the difficulty."""

    def difficulty(self, texts: Sequence[str]) -> Figures:
        """Complexity by substrings."""
        return np.array([_reference_complexity(text) for text in texts])


class LiteLLMComplexity(HeuristicQuality):
    """LiteLLM's heuristic complexity score, from the installed LiteLLM, as the difficulty.

    .. math:: d = 1 / (1 + e^{-4 s})

    of the score s, which lies about 0.
    """

    def difficulty(self, texts: Sequence[str]) -> Figures:
        """The score's logistic; LiteLLM is imported here, without a look at the network."""
        return np.asarray(expit(4.0 * np.array([_litellm_score(text) for text in texts], dtype=float)))


@remembered
def _reference_complexity(text: str) -> float:
    return classify(text, "reference").complexity if text.strip() else 0.0


@remembered
def _litellm_score(text: str) -> float:
    return float(_litellm_scorer().classify(text)[1])


@cache
def _litellm_scorer() -> Any:
    quiet_litellm()
    from litellm.router_strategy.complexity_router.complexity_router import ComplexityRouter

    return ComplexityRouter(model_name="complexity", litellm_router_instance=None)  # type: ignore[arg-type]  # the score needs none
