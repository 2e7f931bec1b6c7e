"""Routers compared on outcomes that are in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from multillm.errors import OutcomesError
from multillm.evaluation.compared import Compared, curve_table, pgr_table, task_type_table
from multillm.evaluation.figures import figures_of
from multillm.evaluation.runs import Measured, RouterRun, perturbed_prompts, reference_runs, routed
from multillm.evaluation.setting import Setting
from multillm.evaluation.splits import assign_folds, groups_of
from multillm.learning import MeanQuality, OracleQuality, PromptLength, PromptQuality
from multillm.metrics import Estimate, pgr_curve, resample
from multillm.metrics.bootstrap import Counts, apply, weighted_mean
from multillm.outcomes import Outcomes

__all__ = ["compare_whole"]

Pair = tuple[int, int]
"""Columns of the weak and the strong model."""


def compare_whole(routers: Mapping[str, PromptQuality], outcomes: Outcomes, how: Setting) -> Compared:
    """Compare routers as `evaluate` does."""
    measured = Measured.of(outcomes)
    pair = _pair(measured, how.pair)
    runs = _runs(routers, measured, pair, how)
    if len({run.name for run in runs}) < len(runs):
        raise OutcomesError(f"two rows have one name among {', '.join(run.name for run in runs)}; rename a router")
    n = len(measured.quality)
    counts = resample(n, how.replicates, how.resamples_rng, groups_of(measured.outcomes, how.resampled))
    return Compared(
        n=n,
        left_out=len(outcomes) - n,
        models=measured.outcomes.models,
        means=measured.means,
        kinds={run.name: run.kind for run in runs},
        resamples={
            (run.name, figure): values
            for run in runs
            for figure, values in figures_of(run, measured, pair, counts).items()
        },
        curves=pd.concat([_curve(run, measured) for run in runs], ignore_index=True),
        by_task_type=task_type_table(_by_task_type(runs, measured, counts, how.level)),
        pgr=pgr_table(
            (run.name, *pgr_curve(run.score, measured.quality[:, pair[0]], measured.quality[:, pair[1]]))
            for run in runs
            if pair is not None and run.score is not None
        ),
    )


def _pair(measured: Measured, pair: tuple[str, str] | None) -> Pair | None:
    models = measured.outcomes.models
    if pair is None:
        return (1 - measured.means.best, measured.means.best) if len(models) == 2 else None
    absent = [model for model in pair if model not in models]
    if absent:
        raise OutcomesError(f"the pair names {', '.join(absent)}; the outcomes have {', '.join(models)}")
    return (models.index(pair[0]), models.index(pair[1]))


def _runs(routers: Mapping[str, PromptQuality], measured: Measured, pair: Pair | None, how: Setting) -> list[RouterRun]:
    """Every router and, if wanted, every baseline."""
    assigned = assign_folds(measured.outcomes, how.folds, how.folds_rng, how.by)
    run = partial(routed, measured=measured, folds=assigned, by=how.by, willingness=how.willingness, pair=pair)
    slipped = (
        perturbed_prompts(measured.outcomes.prompts, how.perturbation, how.slips_rng) if how.perturbation else None
    )
    runs = [run(name, "router", router, perturbed=slipped) for name, router in routers.items()]
    if not how.baselines:
        return runs
    runs += [
        run("prompt length", "baseline", PromptLength()),
        run("oracle", "baseline", OracleQuality(measured.outcomes)),
    ]
    if measured.has_cost:
        runs.append(run("zero router, fitted", "baseline", MeanQuality(), pair=None))
    return runs + reference_runs(measured, pair)


def _curve(run: RouterRun, measured: Measured) -> pd.DataFrame:
    willingness = measured.means.willingness if run.on_grid else np.nan
    return curve_table(run.name, willingness, run.spent.mean(axis=0), run.got.mean(axis=0))


def _by_task_type(
    runs: Sequence[RouterRun], measured: Measured, counts: Counts, level: float
) -> Iterator[tuple[str, str, Estimate]]:
    kinds = measured.outcomes.prompts["task_type"]
    for kind in kinds.dropna().unique():
        of_kind = (kinds == kind).to_numpy(bool)
        for run in runs:
            if run.choice is not None:
                got = (run.choice * measured.quality).sum(axis=1)[of_kind]
                with np.errstate(invalid="ignore"):  # a resample may hold none of these prompts
                    means = apply(lambda weights, of=got: weighted_mean(of, weights), counts[:, of_kind])  # type: ignore[misc]
                yield run.name, str(kind), Estimate.of(means, int(of_kind.sum()), level)
