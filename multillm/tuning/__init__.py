"""Fit quality curves, weights and thresholds of a pool to outcomes, and say what they do on prompts not seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
from sklearn.base import clone

from multillm.evaluation.splits import Unit, assign_folds, groups_of
from multillm.learning import LinearCurves
from multillm.metrics import bootstrap, weighted_mean
from multillm.outcomes import Outcomes, PartitionedOutcomes
from multillm.provenance import today, versions
from multillm.tuning.partitioned import Found, search_parts
from multillm.tuning.result import TunedPolicy, check_labels
from multillm.tuning.search import Objective, Search, typed

__all__ = ["Objective", "TunedPolicy", "check_labels", "tune"]


def tune(
    outcomes: Outcomes | PartitionedOutcomes,
    objective: Objective = "quality",
    constraint: float | None = None,
    *,
    by: Unit = "prompt",
    folds: int = 5,
    seed: int = 0,
    classifier: str = "reference",
    replicates: int = 1000,
    today: Callable[[], date] = today,
) -> TunedPolicy:
    """Fit curves, weights and thresholds, by nested cross-validation.

    For each outer fold everything is fitted and chosen on the other folds, where the choice itself rests on curves
    that were cross-validated once more. The policy returned is chosen in the same way on all prompts.

    Parameters
    ----------
    outcomes : Outcomes or PartitionedOutcomes
        Quality and cost of every model; prompts that lack one are left out. Parts are worked on by Dask, with the
        same folds and resamples; sums differ from those over one table beyond the twelfth digit.
    objective : {"quality", "cost", "arena"}, default "quality"
        Most quality, least cost, or the highest RouterArena score (costs in USD).
    constraint : float, optional
        With ``quality`` the largest mean cost per prompt, in the outcomes' unit; with ``cost`` the least mean
        quality. Held-out figures may miss it: it is met on the fitting side.
    by : {"prompt", "group"}, default "prompt"
        What is held out together.
    folds : int, default 5
        Outer and inner folds.
    seed : int, default 0
        Source of chance.
    classifier : str, default "reference"
        Classifier for prompts whose type or complexity is missing.
    replicates : int, default 1000
        Resamples for the intervals.
    today : callable
        Clock for the date noted.

    Returns
    -------
    TunedPolicy
        Policy, curves, held-out figures beside the fitted ones, and the trade-off front.

    Raises
    ------
    OutcomesError
        If the objective lacks its constraint, no policy meets it, or costs are missing.
    """
    search = Search(objective, constraint, by, folds, LinearCurves(classifier))
    if isinstance(outcomes, PartitionedOutcomes):
        found = search_parts(outcomes, search, seed, replicates)
    else:
        found = _search(outcomes, search, seed, replicates)
    dearest = max(found.mean_cost.values())
    bound = "" if constraint is None else f" {'under' if objective == 'quality' else 'from'} {constraint:.4g}"
    provenance = {
        "data": f"{outcomes.name}, {found.n} prompts, {found.left_out} left out",
        "sha256": found.sha256,
        "split": f"{folds} outer and inner folds by {by}, seed {seed}",
        "held out": f"cost {found.cost:.4g} {found.cost_unit}, quality {found.quality}",
        "versions": versions(),
        "date": today().isoformat(),
    }
    return TunedPolicy(
        policy=found.choice.policy,
        estimator=found.estimator,
        relative_cost={model: cost / dearest for model, cost in found.mean_cost.items()},
        objective=f"{objective}{bound}",
        cost_unit=found.cost_unit,
        fitted_cost=found.choice.cost,
        fitted_quality=found.choice.quality,
        cost=found.cost,
        quality=found.quality,
        front=found.choice.front,
        provenance=provenance,
    )


def _search(outcomes: Outcomes, search: Search, seed: int, replicates: int) -> Found:
    """The search on outcomes that are in memory."""
    search.check(outcomes.name, outcomes.cost_unit)
    known = typed(outcomes.complete(("quality", "cost")), search.estimator.classifier)
    rng = np.random.default_rng(seed)
    spent, got = np.empty(len(known)), np.empty(len(known))
    outer = assign_folds(known, search.folds, rng, search.by)
    for fold in range(search.folds):
        held_out, train = outer == fold, known.take(outer != fold)
        chosen = search.choose(train, rng)
        spent[held_out], got[held_out] = search.route(chosen, train, known.take(held_out))
    final = search.choose(known, rng)
    groups = groups_of(known, search.by)
    cost, quality = (
        bootstrap(lambda w, v=values: weighted_mean(v, w), len(values), rng, replicates=replicates, groups=groups)  # type: ignore[misc]
        for values in (spent, got)
    )
    return Found(
        final,
        clone(search.estimator).fit(known),
        {str(model): float(value) for model, value in known.cost_matrix().mean().items()},
        cost,
        quality,
        len(known),
        len(outcomes) - len(known),
        outcomes.cost_unit,
        outcomes.sha256(),
    )
