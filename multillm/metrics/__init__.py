"""Figures of merit for routers, each with its formula and source.

Arrays throughout: n prompts by m models. Every figure takes weights of prompts, so that one call gives it on all
resamples of a bootstrap.
"""

from multillm.metrics.arena import arena_score
from multillm.metrics.bootstrap import Estimate, bootstrap, resample, weighted_mean
from multillm.metrics.curve import (
    aiq,
    aiq_published_code,
    choose,
    hull,
    hull_cost,
    hull_quality,
    trade_off,
    willingness_grid,
    zero_router,
)
from multillm.metrics.oracle import (
    dataset_oracle,
    gap_to_oracle,
    optimal_accuracy,
    optimal_cost,
    optimal_selection,
    oracle_choice,
    relative_gain,
)
from multillm.metrics.robustness import perturb, robustness
from multillm.metrics.savings import cost_save, pareto_distance, pareto_front
from multillm.metrics.two_model import apgr, cpt, pgr_curve

__all__ = [
    "Estimate",
    "aiq",
    "aiq_published_code",
    "apgr",
    "arena_score",
    "bootstrap",
    "choose",
    "cost_save",
    "cpt",
    "dataset_oracle",
    "gap_to_oracle",
    "hull",
    "hull_cost",
    "hull_quality",
    "optimal_accuracy",
    "optimal_cost",
    "optimal_selection",
    "oracle_choice",
    "pareto_distance",
    "pareto_front",
    "perturb",
    "pgr_curve",
    "relative_gain",
    "resample",
    "robustness",
    "trade_off",
    "weighted_mean",
    "willingness_grid",
    "zero_router",
]
