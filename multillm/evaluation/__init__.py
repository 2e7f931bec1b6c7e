"""Compare routers on outcomes that they have not seen."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TypedDict

import numpy as np
import pandas as pd

from multillm.errors import OutcomesError
from multillm.evaluation.figures import FIGURES, figures_of
from multillm.evaluation.partitioned import compare_parts
from multillm.evaluation.result import Evaluation
from multillm.evaluation.runs import Measured, Run, perturbed_prompts, reference_runs, routed
from multillm.evaluation.splits import Unit, assign_folds
from multillm.learning import MeanQuality, OracleQuality, PromptLength, PromptQuality
from multillm.metrics import Estimate, pgr_curve, resample
from multillm.metrics.bootstrap import Figures, apply, weighted_mean
from multillm.outcomes import Outcomes, PartitionedOutcomes

__all__ = ["FIGURES", "Evaluation", "assign_folds", "evaluate", "versions"]

RESAMPLING = 2


class _Setting(TypedDict):
    by: Unit
    willingness: float
    pair: tuple[int, int] | None


def _today() -> date:
    return datetime.now(UTC).date()


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
    today: Callable[[], date] = _today,
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
    unit = resampled or by
    split = {
        "by": by,
        "folds": folds,
        "seed": seed,
        "resampled": unit,
        "replicates": replicates,
        "level": level,
        "willingness": willingness,
        "pair": pair,
        "versions": versions(),
        "date": today().isoformat(),
    }
    if isinstance(outcomes, PartitionedOutcomes):
        if pair is not None:
            raise OutcomesError("APGR and CPT put all prompts in one order; leave pair out, or evaluate fewer parts")
        fitted = {"prompt length": PromptLength(), "zero router, fitted": MeanQuality()} if baselines else {}
        found = compare_parts(
            _named(routers),
            fitted,
            outcomes,
            by=by,
            resampled=unit,
            folds=folds,
            rng=np.random.default_rng([seed, 0]),
            resampling=np.random.default_rng(RESAMPLING),
            willingness=willingness,
            replicates=replicates,
            level=level,
            fit_prompts=fit_prompts,
        )
        return Evaluation(
            data=outcomes.name,
            n=found.n,
            left_out=found.left_out,
            models=found.models,
            best_single=found.models[found.means.best],
            cost_unit=found.means.cost_unit,
            split=split,
            kinds=found.kinds,
            resamples=found.resamples,
            curves=found.curves,
            pgr=_pgr([], None, None),
            by_task_type=found.by_task_type,
        )
    measured = Measured.of(outcomes)
    columns = _pair(measured, pair)
    fold_rng, slip_rng = (np.random.default_rng([seed, stream]) for stream in range(2))
    assigned = assign_folds(measured.outcomes, folds, fold_rng, by)
    slipped = perturbed_prompts(measured.outcomes.prompts, perturbation, slip_rng) if perturbation else None
    setting = _Setting(by=by, willingness=willingness, pair=columns)
    runs = [
        routed(name, "router", router, measured, assigned, **setting, perturbed=slipped)
        for name, router in _named(routers).items()
    ]
    if baselines:
        usual = {"prompt length": PromptLength(), "oracle": OracleQuality(measured.outcomes)}
        runs += [routed(name, "baseline", router, measured, assigned, **setting) for name, router in usual.items()]
        if measured.has_cost:
            fixed: _Setting = {**setting, "pair": None}
            runs.append(routed("zero router, fitted", "baseline", MeanQuality(), measured, assigned, **fixed))
        runs += reference_runs(measured, columns)
    if len({run.name for run in runs}) < len(runs):
        raise OutcomesError(f"two rows have one name among {', '.join(run.name for run in runs)}; rename a router")
    groups = measured.outcomes.prompts["group"].to_numpy(str) if unit == "group" else None
    counts = resample(len(measured.quality), replicates, np.random.default_rng(RESAMPLING), groups)
    return Evaluation(
        data=outcomes.name,
        n=len(measured.quality),
        left_out=len(outcomes) - len(measured.quality),
        models=measured.outcomes.models,
        best_single=measured.outcomes.models[measured.means.best],
        cost_unit=outcomes.cost_unit if measured.has_cost else "",
        split=split,
        kinds={run.name: run.kind for run in runs},
        resamples={
            (run.name, figure): values
            for run in runs
            for figure, values in figures_of(run, measured, columns, counts).items()
        },
        curves=_curves(runs, measured),
        pgr=_pgr(runs, measured, columns),
        by_task_type=_by_task_type(runs, measured, counts, level),
    )


def _named(routers: PromptQuality | Sequence[PromptQuality] | Mapping[str, PromptQuality]) -> dict[str, PromptQuality]:
    if isinstance(routers, PromptQuality):
        return {repr(routers): routers}
    return dict(routers) if isinstance(routers, Mapping) else {repr(router): router for router in routers}


def _pair(measured: Measured, pair: tuple[str, str] | None) -> tuple[int, int] | None:
    """Columns of the weak and the strong model."""
    models = measured.outcomes.models
    if pair is None:
        if len(models) != 2:
            return None
        return (1 - measured.means.best, measured.means.best)
    absent = [model for model in pair if model not in models]
    if absent:
        raise OutcomesError(f"the pair names {', '.join(absent)}; the outcomes have {', '.join(models)}")
    return (models.index(pair[0]), models.index(pair[1]))


def _curves(runs: Sequence[Run], measured: Measured) -> pd.DataFrame:
    tables = []
    for run in runs:
        on_grid = run.spent.shape[1] == len(measured.means.willingness) and run.name != "zero router"
        tables.append(
            pd.DataFrame(
                {
                    "router": run.name,
                    "willingness": measured.means.willingness if on_grid else np.nan,
                    "cost": run.spent.mean(axis=0),
                    "quality": run.got.mean(axis=0),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _pgr(runs: Sequence[Run], measured: Measured | None, pair: tuple[int, int] | None) -> pd.DataFrame:
    tables = [
        pd.DataFrame({"router": pd.Series(dtype=str), "share": pd.Series(dtype=float), "pgr": pd.Series(dtype=float)})
    ]
    for run in runs:
        if measured is not None and pair is not None and run.score is not None:
            share, pgr = pgr_curve(run.score, measured.quality[:, pair[0]], measured.quality[:, pair[1]])
            tables.append(pd.DataFrame({"router": run.name, "share": share, "pgr": pgr}))
    return pd.concat(tables[1:] or tables, ignore_index=True)


def _by_task_type(runs: Sequence[Run], measured: Measured, counts: np.ndarray, level: float) -> pd.DataFrame:
    kinds = measured.outcomes.prompts["task_type"]
    rows = []
    for kind in kinds.dropna().unique():
        of_kind = (kinds == kind).to_numpy(bool)
        for run in runs:
            if run.choice is not None:
                got = (run.choice * measured.quality).sum(axis=1)[of_kind]
                found = Estimate.of(_mean(got, counts[:, of_kind]), int(of_kind.sum()), level)
                rows.append((run.name, str(kind), found.n, found.value, found.low, found.high))
    return pd.DataFrame(rows, columns=["router", "task_type", "n", "quality", "low", "high"])


def _mean(values: Figures, counts: np.ndarray) -> Figures:
    """Mean on each resample; NaN where it drew none of these prompts."""
    with np.errstate(invalid="ignore"):
        return apply(lambda weights: weighted_mean(values, weights), counts)


def versions() -> str:
    """Versions of Python and of what figures depend on, in one line."""
    found = [f"Python {platform.python_version()}"]
    for package in ("multillm", "numpy", "pandas", "scikit-learn"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} of a checkout")
    return ", ".join(found)
