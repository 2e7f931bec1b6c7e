"""Learning while serving: posteriors from feedback, exploring above a floor, drift, regret on known outcomes."""

from multillm.online.drift import DriftReport, drift_report
from multillm.online.posterior import BetaQuality
from multillm.online.regret import Simulation
from multillm.online.simulation import STRATEGIES, simulate
from multillm.online.strategies import BestFixed, EpsilonGreedy, Oracle, Random, Refitted, Static, Strategy, Thompson
from multillm.online.stream import Stream
from multillm.online.thompson import ThompsonQuality

__all__ = [
    "STRATEGIES",
    "BestFixed",
    "BetaQuality",
    "DriftReport",
    "EpsilonGreedy",
    "Oracle",
    "Random",
    "Refitted",
    "Simulation",
    "Static",
    "Strategy",
    "Stream",
    "Thompson",
    "ThompsonQuality",
    "drift_report",
    "simulate",
]
