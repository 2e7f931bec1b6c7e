"""Quality estimators that learn from outcomes: baselines, heuristics, curves, neighbours, clusters.

A further one is a subclass of `PromptQuality` in a file of its own, listed here, with a short name in `ROUTERS`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from multillm.learning.base import PromptQuality, load_estimator
from multillm.learning.baselines import MeanQuality, OracleQuality, RandomQuality
from multillm.learning.curves import FittedCurves, LinearCurves
from multillm.learning.heuristics import HeuristicQuality, LiteLLMComplexity, PromptLength, ReferenceComplexity
from multillm.learning.learned import LearnedQuality
from multillm.learning.neighbours import ClusterQuality, NeighbourQuality

__all__ = [
    "ROUTERS",
    "ClusterQuality",
    "FittedCurves",
    "HeuristicQuality",
    "LearnedQuality",
    "LinearCurves",
    "LiteLLMComplexity",
    "MeanQuality",
    "NeighbourQuality",
    "OracleQuality",
    "PromptLength",
    "PromptQuality",
    "RandomQuality",
    "ReferenceComplexity",
    "load_estimator",
]

ROUTERS: Mapping[str, type[PromptQuality]] = MappingProxyType(
    {
        "learned": LearnedQuality,
        "curves": FittedCurves,
        "knn": NeighbourQuality,
        "clusters": ClusterQuality,
        "length": PromptLength,
        "reference": ReferenceComplexity,
        "litellm": LiteLLMComplexity,
        "mean": MeanQuality,
        "random": RandomQuality,
    }
)
"""Estimators by the short names that the command line knows them by; each can be made without arguments."""
