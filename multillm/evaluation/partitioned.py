"""Routers compared on outcomes in parts: the same folds and resamples, every figure from sums over the parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from multillm.errors import OutcomesError
from multillm.evaluation.compared import Compared, curve_table, task_type_table
from multillm.evaluation.figures import FIGURES, figures_of_means, terms_of
from multillm.evaluation.runs import Means, Measured, RouterKind, RouterRun, chosen, predict, reference_runs
from multillm.evaluation.setting import Setting
from multillm.evaluation.splits import draw_folds, groups_of
from multillm.learning import MeanQuality, OracleQuality, PromptLength, PromptQuality
from multillm.metrics import Estimate
from multillm.metrics.bootstrap import Counts, Figures, Resamples, apply, numbered
from multillm.outcomes import Outcomes, PartitionedOutcomes
from multillm.outcomes.survey import Survey, complete

__all__ = ["compare_parts"]

Folds = npt.NDArray[np.int8]
ORACLE = "oracle"


@dataclass(frozen=True, eq=False)
class _Plan:
    """What every part is to know."""

    models: tuple[str, ...]
    measures: tuple[str, ...]
    means: Means
    expected_cost: Figures
    """By fold and model, from the other folds."""
    kinds: Mapping[str, RouterKind]
    """Of what is fitted, and the oracle."""
    baselines: bool
    willingness: float


@dataclass(frozen=True, eq=False)
class _Sums:
    """What has been added up of one run: its terms and weights, its curve, and its quality by task type."""

    kind: RouterKind
    terms: Mapping[str, Figures]
    weights: Figures
    curve: Figures
    on_grid: bool
    by_type: Mapping[str, tuple[int, Figures, Figures]]

    def __add__(self, other: _Sums) -> _Sums:
        by_type = dict(self.by_type)
        for kind, sums in other.by_type.items():
            n, got, weights = by_type.get(kind, (0, 0.0, 0.0))
            by_type[kind] = (n + sums[0], got + sums[1], weights + sums[2])
        terms = {name: values + other.terms[name] for name, values in self.terms.items()}
        return _Sums(self.kind, terms, self.weights + other.weights, self.curve + other.curve, self.on_grid, by_type)


def compare_parts(routers: Mapping[str, PromptQuality], table: PartitionedOutcomes, how: Setting) -> Compared:
    """Compare routers as `evaluate` does."""
    from dask.delayed import delayed

    if how.pair is not None:
        raise OutcomesError("APGR and CPT put all prompts in one order; leave pair out, or evaluate fewer parts")
    has_cost = any(table.each(_has_cost))
    measures = ("quality", "cost") if has_cost else ("quality",)
    survey = Survey.of(table, measures)
    assigned = draw_folds(survey.n, how.folds, how.folds_rng, groups_of(survey, how.by)).astype(np.int8)
    own = [assigned[start:stop] for start, stop in survey.bounds]
    sums = table.total(_by_fold, add, own, models=survey.models, measures=measures, folds=how.folds)
    unit = survey.cost_unit if has_cost else ""
    whole = _means(sums.sum(axis=0))
    without_fold = [_means(np.delete(sums, fold, axis=0).sum(axis=0)) for fold in range(how.folds)]
    fits = _Fits(survey, measures, own, assigned, [quality for quality, _ in without_fold], how.fit_prompts)
    usual = {"prompt length": PromptLength(), "zero router, fitted": MeanQuality()} if how.baselines else {}
    fitted = {name: fits.of(router) for name, router in {**routers, **usual}.items()}
    kinds: dict[str, RouterKind] = {**dict.fromkeys(routers, "router"), **dict.fromkeys(usual, "baseline")}
    plan = _Plan(
        survey.models,
        measures,
        Means(whole[0], whole[1] if has_cost else None, unit),
        np.stack([cost for _, cost in without_fold]),
        kinds | {ORACLE: "baseline"} if how.baselines else kinds,
        how.baselines,
        how.willingness,
    )
    group = numbered(groups_of(survey, how.resampled))
    # What is large is made by a worker: sent with the tasks, it would be held up by the scheduler.
    draws = delayed(Resamples.of)(survey.n, how.replicates, how.resamples_rng, group)
    found = table.total(_routed, _both, own, survey.bounds, plan=plan, fitted=delayed(fitted), draws=draws)
    return _compared(found, plan, survey, how.level)


def _has_cost(part: Outcomes) -> bool:
    return bool(part.rows["cost"].notna().any())


def _matrices(part: Outcomes) -> tuple[Figures, Figures]:
    quality, cost = (part.matrix(measure).to_numpy(float) for measure in ("quality", "cost"))
    return quality, cost


def _by_fold(part: Outcomes, own: Folds, models: Sequence[str], measures: Sequence[str], folds: int) -> Figures:
    """Prompts, qualities and costs summed by fold, shape [folds, 1 + 2 models]."""
    kept = complete(part, models, measures)
    if kept is None:
        return np.zeros((folds, 1 + 2 * len(models)))
    terms = np.hstack([np.ones((len(own), 1)), *_matrices(kept)])
    return np.stack([terms[own == fold].sum(axis=0) for fold in range(folds)])


def _means(sums: Figures) -> tuple[Figures, Figures]:
    quality, cost = np.split(sums[1:] / sums[0], 2)
    return quality, cost


@dataclass(frozen=True, eq=False)
class _Fits:
    """Fits routers without each fold: from sums where that is all they learn from, else from prompts in one place."""

    survey: Survey
    measures: tuple[str, ...]
    own: Sequence[Folds]
    assigned: Folds
    mean_quality: Sequence[Figures]
    fit_prompts: int

    def of(self, router: PromptQuality) -> Sequence[Any]:
        """The router, fitted without each fold: here, or where a worker keeps it."""
        if isinstance(router, OracleQuality):
            raise OutcomesError("the oracle is among the baselines; leave it out of the routers")
        if router.learns_means:
            means = [dict(zip(self.survey.models, each.tolist(), strict=True)) for each in self.mean_quality]
            return [clone(router).fit_means(each) for each in means]
        most = len(self.assigned) - int(np.bincount(self.assigned).min())
        if most > self.fit_prompts:
            raise OutcomesError(
                f"{router!r} is fitted to {most:,} prompts in one place; allowed by fit_prompts: {self.fit_prompts:,}. "
                "Raise fit_prompts as far as memory allows, or evaluate fewer parts"
            )
        from dask.base import persist
        from dask.delayed import delayed

        fit = delayed(_fit)
        return list(persist(*(fit(router, [*self._training(fold)]) for fold in range(len(self.mean_quality)))))

    def _training(self, fold: int) -> Sequence[Any]:
        masks = [own != fold for own in self.own]
        return self.survey.table.map(_taken, masks, models=self.survey.models, measures=self.measures).parts


def _taken(
    part: Outcomes, mask: npt.NDArray[np.bool_], models: Sequence[str], measures: Sequence[str]
) -> Outcomes | None:
    kept = complete(part, models, measures)
    return None if kept is None or not mask.any() else kept.take(mask)


def _fit(router: PromptQuality, parts: Sequence[Outcomes | None]) -> PromptQuality:
    fitted: PromptQuality = clone(router)
    return fitted.fit(Outcomes.concat([part for part in parts if part is not None]))


def _routed(
    part: Outcomes,
    own: Folds,
    bounds: tuple[int, int],
    *,
    plan: _Plan,
    fitted: Mapping[str, Sequence[PromptQuality]],
    draws: Resamples,
) -> dict[str, _Sums]:
    """Every run on a part, as sums."""
    kept = complete(part, plan.models, plan.measures)
    if kept is None:
        return {}
    measured = Measured(kept, *_matrices(kept), plan.means)
    runs = [_run(name, measured, own, plan, fitted) for name in plan.kinds]
    counts = draws.part(*bounds)
    kinds = kept.prompts["task_type"]
    return {
        run.name: _summed(run, measured, counts, kinds)
        for run in runs + (reference_runs(measured, None) if plan.baselines else [])
        if run.name != "data-set oracle"  # what is best for a data set is not to be seen in a part
    }


def _run(
    name: str, measured: Measured, own: Folds, plan: _Plan, fitted: Mapping[str, Sequence[PromptQuality]]
) -> RouterRun:
    kind = plan.kinds[name]
    if name not in fitted:
        cost = measured.cost if measured.has_cost else np.zeros_like(measured.quality)
        return chosen(name, kind, np.round(measured.quality, 12), cost, measured=measured, willingness=plan.willingness)
    expected = plan.expected_cost[own] if measured.has_cost else np.zeros_like(measured.quality)
    predicted = np.empty_like(measured.quality)
    for fold in np.unique(own):
        rows = own == fold
        predicted[rows] = predict(fitted[name][fold], measured.outcomes.prompts[rows], plan.models)
    return chosen(name, kind, predicted, expected, measured=measured, willingness=plan.willingness)


def _summed(run: RouterRun, measured: Measured, counts: Counts, kinds: pd.Series) -> _Sums:
    by_type = {}
    if run.choice is not None:
        got = (run.choice * measured.quality).sum(axis=1)
        for kind in kinds.dropna().unique():
            of_kind = (kinds == kind).to_numpy(bool)
            held = counts[:, of_kind]
            by_type[str(kind)] = (int(of_kind.sum()), _total(got[of_kind], held), held.sum(axis=1, dtype=float))
    return _Sums(
        run.kind,
        {name: _total(values, counts) for name, values in terms_of(run, measured).items()},
        counts.sum(axis=1, dtype=float),
        np.stack([run.spent.sum(axis=0), run.got.sum(axis=0)]),
        run.on_grid,
        by_type,
    )


def _total(values: Figures, counts: Counts) -> Figures:
    return apply(lambda weights: np.asarray(weights @ values), counts)


def _both(one: dict[str, _Sums], other: dict[str, _Sums]) -> dict[str, _Sums]:
    return {name: reduce(add, [each[name] for each in (one, other) if name in each]) for name in {**one, **other}}


def _compared(found: Mapping[str, _Sums], plan: _Plan, survey: Survey, level: float) -> Compared:
    resamples, curves = {}, []
    for name, sums in found.items():
        weights = sums.weights
        means = {
            term: values / weights.reshape((-1,) + (1,) * (values.ndim - 1)) for term, values in sums.terms.items()
        }
        figures = figures_of_means(means, plan.means)
        resamples.update({(name, figure): figures[figure] for figure in FIGURES if figure in figures})
        willingness = plan.means.willingness if sums.on_grid else np.nan
        curves.append(curve_table(name, willingness, *(sums.curve / survey.n)))
    return Compared(
        n=survey.n,
        left_out=survey.left_out,
        models=survey.models,
        means=plan.means,
        kinds={name: sums.kind for name, sums in found.items()},
        resamples=resamples,
        curves=pd.concat(curves, ignore_index=True),
        by_task_type=task_type_table(_by_task_type(found, level)),
    )


def _by_task_type(found: Mapping[str, _Sums], level: float) -> Iterator[tuple[str, str, Estimate]]:
    for kind in dict.fromkeys(kind for sums in found.values() for kind in sums.by_type):
        for name, sums in found.items():
            if kind in sums.by_type:
                n, got, weights = sums.by_type[kind]
                with np.errstate(invalid="ignore"):
                    yield name, kind, Estimate.of(got / weights, n, level)
