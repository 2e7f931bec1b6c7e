"""Quality estimators that learn from outcomes: baselines, heuristics, curves, neighbours, clusters.

A further one is a subclass of `PromptQuality` in a file of its own, listed here.
"""

from multillm.learning.base import PromptQuality, load_estimator
from multillm.learning.baselines import MeanQuality, OracleQuality, RandomQuality
from multillm.learning.curves import FittedCurves, LinearCurves
from multillm.learning.heuristics import HeuristicQuality, LiteLLMComplexity, PromptLength, ReferenceComplexity
from multillm.learning.learned import LearnedQuality
from multillm.learning.neighbours import ClusterQuality, NeighbourQuality

__all__ = [
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
