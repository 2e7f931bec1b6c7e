"""Compare routers on outcomes that they have not seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from multillm.evaluation.figures import FIGURES
from multillm.evaluation.partitioned import compare_parts
from multillm.evaluation.result import Evaluation
from multillm.evaluation.setting import Setting
from multillm.evaluation.splits import Unit, assign_folds
from multillm.evaluation.whole import compare_whole
from multillm.learning import PromptQuality
from multillm.outcomes import Outcomes, PartitionedOutcomes
from multillm.provenance import today, versions

__all__ = ["FIGURES", "Evaluation", "assign_folds", "evaluate"]


def evaluate(
    routers: PromptQuality | Sequence[PromptQuality] | Mapping[str, PromptQuality],
    outcomes: Outcomes | PartitionedOutcomes,
    *,
    by: Unit = "prompt",
    folds: int = 5,
    seed: int = 0,
    resampled: Unit | None = None,
    baselines: bool = True,
    pair: tuple[str, str] | None = None,
    willingness: float = math.inf,
    perturbation: float = 0.05,
    replicates: int = 1000,
    level: float = 0.95,
    fit_prompts: int = 100_000,
    today: Callable[[], date] = today,
) -> Evaluation:
    """Cross-validate routers on outcomes, beside the baselines that they must beat.

    Every prompt is routed by an estimator that was fitted without it. Prompts that lack an outcome of some model
    are left out and counted. Each figure is taken on all prompts at once, with a bootstrap interval.

    Parameters
    ----------
    routers : PromptQuality, sequence or mapping of str to PromptQuality
        What to compare, by name; without names they are called by their `repr`.
    outcomes : Outcomes or PartitionedOutcomes
        What was measured. Parts are worked on by Dask, with the same folds and resamples; sums differ from those over
        one table beyond the twelfth digit. Parts have no APGR, CPT, robustness and data-set oracle, which need all
        prompts at once.
    by : {"prompt", "group"}, default "prompt"
        What is held out together. By group shows what carries over to new subjects or data sets.
    folds : int, default 5
        How many folds.
    seed : int, default 0
        Source of chance for folds and perturbation. Resamples are the same for every seed, so that evaluations under
        several can be averaged; see `Evaluation.averaged`.
    resampled : {"prompt", "group"}, optional
        What is resampled together; by default what is held out together. A handful of groups gives no interval worth
        the name: with ``prompt`` it is one for new prompts of these very groups.
    baselines : bool, default True
        Whether each single model, the best single model, random, prompt length, the zero router (in hindsight, and
        fitted: the best fixed model for each willingness to pay on the other folds), the data-set oracle and the
        oracle stand in the table.
    pair : tuple of str, optional
        Weak and strong model for APGR and CPT; by default the two models, if there are just two.
    willingness : float, default infinity
        Operating point of the figures that are no curve's: cost units paid per unit of quality.
    perturbation : float, default 0.05
        Share of letters mistyped to measure robustness; 0 to leave that out.
    replicates : int, default 1000
        Resamples.
    level : float, default 0.95
        Coverage of the intervals.
    fit_prompts : int, default 100_000
        With parts, most prompts that a router is fitted to in one place. Those that learn means alone, such as
        `MeanQuality` and `PromptLength`, are fitted from sums to any number.
    today : callable
        Clock for the date shown.

    Returns
    -------
    Evaluation
        Figures with intervals, curves, quality by task type, and how they came about.

    Raises
    ------
    OutcomesError
        If the outcomes do not allow it: no complete prompts, no such pair, too few groups.
    """
    how = Setting(
        by=by,
        resampled=resampled or by,
        folds=folds,
        seed=seed,
        baselines=baselines,
        pair=pair,
        willingness=willingness,
        perturbation=perturbation,
        replicates=replicates,
        level=level,
        fit_prompts=fit_prompts,
    )
    if isinstance(outcomes, PartitionedOutcomes):
        found = compare_parts(_named(routers), outcomes, how)
    else:
        found = compare_whole(_named(routers), outcomes, how)
    return Evaluation(
        data=outcomes.name,
        n=found.n,
        left_out=found.left_out,
        models=found.models,
        best_single=found.models[found.means.best],
        cost_unit=found.means.cost_unit,
        split={**how.told(), "versions": versions(), "date": today().isoformat()},
        kinds=found.kinds,
        resamples=found.resamples,
        curves=found.curves,
        pgr=found.pgr,
        by_task_type=found.by_task_type,
    )


def _named(routers: PromptQuality | Sequence[PromptQuality] | Mapping[str, PromptQuality]) -> dict[str, PromptQuality]:
    if isinstance(routers, PromptQuality):
        return {repr(routers): routers}
    return dict(routers) if isinstance(routers, Mapping) else {repr(router): router for router in routers}
