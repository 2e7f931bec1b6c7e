"""The figures of a run, on all prompts and on each resample."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from multillm.evaluation.runs import Means, Measured, RouterRun
from multillm.metrics import (
    aiq,
    arena_score,
    cost_save,
    gap_to_oracle,
    relative_gain,
    weighted_mean,
)
from multillm.metrics.bootstrap import Counts, Figures, apply
from multillm.metrics.curve import hull, hull_cost, hull_quality
from multillm.metrics.oracle import cost_terms, ratio, selection_terms
from multillm.metrics.two_model import area, pgr_curve, share_at

__all__ = ["FIGURES", "figures_of", "figures_of_means", "terms_of"]

FIGURES = {
    "quality": "mean quality at the operating point",
    "cost": "mean cost per prompt at the operating point, in the table's cost unit",
    "aiq": "mean quality over budgets from the cheapest to the dearest single model",
    "cost_95": "least mean cost for 95 % of the best single model's quality, mixing allowed, in the cost unit",
    "gain_at_equal_cost": "quality at the best single model's cost, less that model's quality",
    "perf_gain": "relative gain over the best single model at the best point of the curve, picked in hindsight",
    "cost_save": "cost saved at the best single model's quality",
    "cost_save_99": "cost saved at 99 % of the best single model's quality",
    "cost_save_95": "cost saved at 95 % of the best single model's quality",
    "cost_save_90": "cost saved at 90 % of the best single model's quality",
    "gain_over_random": "Gain@R at the operating point",
    "gain_over_best": "Gain@B at the operating point",
    "gap_to_oracle": "Gap@O at the operating point",
    "arena": "RouterArena's score at the operating point (costs in USD only)",
    "optimal_selection": "share of right answers that came from the cheapest right model",
    "optimal_cost": "least cost that would have done over cost, on right answers",
    "optimal_accuracy": "quality over the oracle's",
    "apgr": "average performance gap recovered between the weak and the strong model",
    "cpt_50": "least share of strong calls that recovers half the gap",
    "cpt_80": "least share of strong calls that recovers 80 % of the gap",
    "robustness": "share of prompts whose model stays when letters are mistyped",
}


def figures_of(run: RouterRun, measured: Measured, pair: tuple[int, int] | None, counts: Counts) -> dict[str, Figures]:
    """Every figure that is defined for a run, each of shape [1 + replicates]: on all prompts, then on each resample."""
    means = {name: apply(_mean_of(values), counts) for name, values in terms_of(run, measured).items()}
    figures = figures_of_means(means, measured.means)
    if run.score is not None and pair is not None:
        figures |= _between_two_models(run.score, measured.quality[:, pair[0]], measured.quality[:, pair[1]], counts)
    return {name: figures[name] for name in FIGURES if name in figures}


def terms_of(run: RouterRun, measured: Measured) -> dict[str, Figures]:
    """What the figures of a run are made of the means of, by prompt, shape [n] or [n, k]."""
    terms: dict[str, Figures] = {}
    quality, cost, choice = measured.quality, measured.cost, run.choice
    if choice is not None:
        terms["got"] = (choice * quality).sum(axis=1)
        terms["most"] = quality.max(axis=1)
        terms["reference"] = np.stack(
            [quality.mean(axis=1), quality[:, measured.means.best], quality.max(axis=1)], axis=1
        )
        if measured.has_cost:
            terms["spent"] = (choice * cost).sum(axis=1)
            terms["cheapest right"], terms["right"] = selection_terms(choice, quality, cost)
            terms["least cost"], terms["cost when right"] = cost_terms(choice, quality, cost)
        if run.perturbed_choice is not None:
            terms["stays"] = np.minimum(choice, run.perturbed_choice).sum(axis=1)
    if measured.has_cost and run.spent.shape[1] > 1:
        terms |= {"curve cost": run.spent, "curve quality": run.got, "costs": cost, "qualities": quality}
    return terms


def figures_of_means(means: Mapping[str, Figures], of: Means) -> dict[str, Figures]:
    """Every figure that the means of `terms_of` give, those of the prompts as they are first."""
    figures = _at_the_operating_point(means, of) if "got" in means else {}
    return figures | (_over_the_curve(means, of) if "curve cost" in means else {})


def _at_the_operating_point(means: Mapping[str, Figures], of: Means) -> dict[str, Figures]:
    got = means["got"]
    at_random, at_best, at_oracle = means["reference"].T
    figures = {
        "quality": got,
        "gain_over_random": relative_gain(got, at_random),
        "gain_over_best": relative_gain(got, at_best),
        "gap_to_oracle": gap_to_oracle(got, at_oracle),
        "optimal_accuracy": ratio(got, means["most"]),
    }
    if of.cost is not None:
        figures["cost"] = means["spent"]
        figures["optimal_selection"] = ratio(means["cheapest right"], means["right"])
        figures["optimal_cost"] = ratio(means["least cost"], means["cost when right"])
        if of.cost_unit == "USD":
            figures["arena"] = arena_score(got, 1000 * figures["cost"])
    if "stays" in means:
        figures["robustness"] = means["stays"]
    return figures


def _between_two_models(score: Figures, weak: Figures, strong: Figures, counts: Counts) -> dict[str, Figures]:
    def figures(weights: Figures) -> Figures:
        curve = pgr_curve(score, weak, strong, weights)
        return np.stack([area(*curve), share_at(0.5, *curve), share_at(0.8, *curve)], axis=1)

    return dict(zip(("apgr", "cpt_50", "cpt_80"), apply(figures, counts).T, strict=True))


def _over_the_curve(means: Mapping[str, Figures], of: Means) -> dict[str, Figures]:
    spent, got, single_cost, single_quality = (
        means[name] for name in ("curve cost", "curve quality", "costs", "qualities")
    )
    best = of.best
    best_cost, best_quality = single_cost[:, best], single_quality[:, best]
    low, high = single_cost[:, of.cheapest], single_cost[:, of.dearest]
    hulls = [hull(x, y) for x, y in zip(spent, got, strict=True)]
    at_best_cost = [hull_quality(budget, *corners) for budget, corners in zip(best_cost, hulls, strict=True)]
    at_95 = [hull_cost(0.95 * floor, *corners) for floor, corners in zip(best_quality, hulls, strict=True)]
    figures = {
        "aiq": aiq(spent, got, low, high),
        "cost_95": np.array(at_95),
        "gain_at_equal_cost": np.array(at_best_cost) - best_quality,
        "perf_gain": relative_gain(got.max(axis=1), best_quality),
        "cost_save": cost_save(spent, got, best_cost, best_quality),
    }
    for share in (99, 95, 90):
        figures[f"cost_save_{share}"] = cost_save(spent, got, best_cost, best_quality, share / 100)
    return figures


def _mean_of(values: Figures) -> Callable[[Figures], Figures]:
    return lambda weights: weighted_mean(values, weights)
