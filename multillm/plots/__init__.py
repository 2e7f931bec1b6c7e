"""Figures: every function draws on the axes it is given, labels them with units, and returns them."""

from multillm.plots.ablation import plot_ablation
from multillm.plots.classification import plot_calibration, plot_confusion
from multillm.plots.drift import plot_drift
from multillm.plots.evaluation import plot_cost_quality, plot_front, plot_gain_recovered
from multillm.plots.latency import plot_latency
from multillm.plots.quality import plot_quality_curves
from multillm.plots.regret import plot_regret
from multillm.plots.routing_map import plot_routing_map
from multillm.plots.style import plot_style
from multillm.plots.timeline import plot_timeline
from multillm.plots.utility import plot_candidates, plot_utility

__all__ = [
    "plot_ablation",
    "plot_calibration",
    "plot_candidates",
    "plot_confusion",
    "plot_cost_quality",
    "plot_drift",
    "plot_front",
    "plot_gain_recovered",
    "plot_latency",
    "plot_quality_curves",
    "plot_regret",
    "plot_routing_map",
    "plot_style",
    "plot_timeline",
    "plot_utility",
]
