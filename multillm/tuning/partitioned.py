"""The search for a policy on outcomes in parts: the same folds and draws, everything else as sums over the parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import add

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from multillm.evaluation.splits import draw_folds, groups_of
from multillm.learning import LinearCurves
from multillm.metrics import Estimate
from multillm.metrics.bootstrap import Figures, Resamples, apply, numbered
from multillm.outcomes import Outcomes, PartitionedOutcomes
from multillm.outcomes.survey import Survey, complete
from multillm.policy import Policy
from multillm.sweep import Sweep, sweep
from multillm.tuning.search import COST_WEIGHTS, THRESHOLDS, ChosenPolicy, Search, taken, typed

__all__ = ["Found", "search_parts"]

MEASURES = ("quality", "cost")
MIDDLE = 0.5
HELD_OUT = -1

Folds = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Found:
    """What `tune` tells of a search."""

    choice: ChosenPolicy
    estimator: LinearCurves
    mean_cost: Mapping[str, float]
    cost: Estimate
    quality: Estimate
    n: int
    left_out: int
    cost_unit: str
    sha256: str


@dataclass(frozen=True, eq=False)
class _Cells:
    """A part as arrays: prompts without their texts, quality and cost of shape [n, models], folds as `_folds` has them.

    None stands for a part without any prompt that counts.
    """

    prompts: pd.DataFrame
    quality: Figures
    cost: Figures
    inner: Folds


@dataclass(frozen=True, eq=False)
class _Fit:
    """Curves fitted to some prompts, and what the models cost there."""

    curves: LinearCurves
    mean_cost: Figures

    @property
    def price(self) -> Figures:
        """Mean cost of each model over that of the dearest."""
        return np.asarray(self.mean_cost / self.mean_cost.max() if self.mean_cost.max() > 0 else self.mean_cost)

    def predict(self, prompts: pd.DataFrame) -> Figures:
        """Expected quality, shape [n, models]."""
        return self.curves.predict(prompts).to_numpy(float)


def search_parts(table: PartitionedOutcomes, search: Search, seed: int, replicates: int) -> Found:
    """Choose a policy as `tune` does, in four passes over the parts, of which three read numbers alone."""
    from dask.delayed import delayed

    survey = Survey.of(table, MEASURES)
    search.check(table.name, survey.cost_unit)
    rng = np.random.default_rng(seed)
    inner = _folds(survey, search, rng)
    group = numbered(groups_of(survey, search.by))
    # What is large is made by a worker: sent with the tasks, it would be held up by the scheduler.
    draws = delayed(_draws)(survey.n, replicates, rng, group)
    inners = [inner[:, start:stop] for start, stop in survey.bounds]
    cells = table.map(_cells, inners, models=survey.models, classifier=search.estimator.classifier).kept()
    moments = cells.total(_moments, add, folds=search.folds, models=len(survey.models))
    fitted = [_fits(of_search, search.estimator, survey.models) for of_search in moments]
    swept = cells.total(_sweeps, _both, fitted=fitted) or []
    wholes = [whole for *_, whole in fitted]
    choices = [search.best(each, float(whole.mean_cost.max())) for each, whole in zip(swept, wholes, strict=True)]
    rules = [(choice.policy, whole) for choice, whole in zip(choices, wholes, strict=True)]
    sums = cells.total(_held_out, add, survey.bounds, rules=rules[:-1], draws=draws)
    spent, got = (Estimate.of(total / weight, survey.n) for total, weight in sums)
    return Found(
        choices[-1],
        wholes[-1].curves,
        dict(zip(survey.models, wholes[-1].mean_cost.tolist(), strict=True)),
        spent,
        got,
        survey.n,
        survey.left_out,
        survey.cost_unit,
        survey.sha256,
    )


def _folds(survey: Survey, search: Search, rng: np.random.Generator) -> Folds:
    """Fold of each prompt in each search, shape [outer folds + 1, n]; -1 for what the search does not see.

    The last search is the one on all prompts.
    """
    groups = groups_of(survey, search.by)
    outer = draw_folds(survey.n, search.folds, rng, groups)
    inner = np.full((search.folds + 1, survey.n), HELD_OUT, dtype=np.int8)
    for fold in range(search.folds + 1):
        seen = outer != fold
        inner[fold, seen] = draw_folds(int(seen.sum()), search.folds, rng, None if groups is None else groups[seen])
    return inner


def _cells(part: Outcomes, inner: Folds, models: Sequence[str], classifier: str) -> _Cells | None:
    kept = complete(part, models, MEASURES)
    if kept is None:
        return None
    known = typed(kept, classifier)
    quality, cost = (known.matrix(measure).to_numpy(float) for measure in MEASURES)
    return _Cells(known.prompts[["task_type", "complexity"]], quality, cost, inner)


def _moments(cells: _Cells | None, folds: int, models: int) -> Figures:
    """Sums over the prompts of each search and fold, shape [searches, folds, 3 + 3 models].

    Of 1, x, x squared, the qualities y, x y and the costs, with the complexity x counted from 0.5.
    """
    if cells is None:
        return np.zeros((folds + 1, folds, 3 + 3 * models))
    x = cells.prompts["complexity"].to_numpy(float)[:, None] - MIDDLE
    terms = np.hstack([np.ones_like(x), x, x**2, cells.quality, x * cells.quality, cells.cost])
    return np.stack([[terms[own == fold].sum(axis=0) for fold in range(folds)] for own in cells.inner])


def _fits(moments: Figures, estimator: LinearCurves, models: Sequence[str]) -> list[_Fit]:
    """Fitted without each fold, and last to all folds."""
    without = [np.delete(moments, fold, axis=0).sum(axis=0) for fold in range(len(moments))]
    return [_fit(sums, estimator, models) for sums in (*without, moments.sum(axis=0))]


def _fit(sums: Figures, estimator: LinearCurves, models: Sequence[str]) -> _Fit:
    """Least squares from sums, as `LinearCurves` has it from prompts."""
    x, square = sums[1:3] / sums[0]
    y, xy, cost = np.split(sums[3:] / sums[0], 3)
    spread = square - x * x
    slope = (xy - x * y) / spread if spread > 0 else np.zeros_like(y)
    curves: LinearCurves = clone(estimator)
    curves.models_ = tuple(models)
    curves.lines_ = np.stack([y - slope * (x + MIDDLE), slope], axis=1)
    return _Fit(curves, cost)


def _sweeps(cells: _Cells | None, fitted: Sequence[Sequence[_Fit]]) -> list[Sweep] | None:
    """Every policy on the prompts that each search sees, by curves fitted without their fold."""
    if cells is None:
        return None
    return [_sweep(cells, own, *fits) for own, fits in zip(cells.inner, fitted, strict=True)]


def _sweep(cells: _Cells, own: Folds, *fits: _Fit) -> Sweep:
    seen = own != HELD_OUT
    predicted = np.empty_like(cells.quality)
    for fold, fit in enumerate(fits[:-1]):
        if (own == fold).any():
            predicted[own == fold] = fit.predict(cells.prompts[own == fold])
    return sweep(
        predicted[seen],
        fits[-1].price,
        cells.quality[seen],
        cells.cost[seen],
        thresholds=THRESHOLDS,
        cost_weights=COST_WEIGHTS,
        task_types=cells.prompts["task_type"].to_numpy(str)[seen],
    )


def _both(one: list[Sweep] | None, other: list[Sweep] | None) -> list[Sweep] | None:
    if one is None or other is None:
        return one or other
    return list(map(add, one, other))


def _draws(n: int, replicates: int, rng: np.random.Generator, group: npt.NDArray[np.int32] | None) -> list[Resamples]:
    """Resamples for what was spent and for what was got."""
    return [Resamples.of(n, replicates, rng, group) for _ in MEASURES]


def _held_out(
    cells: _Cells | None, bounds: tuple[int, int], rules: Sequence[tuple[Policy, _Fit]], draws: Sequence[Resamples]
) -> Figures:
    """Sums of what held-out prompts cost and of their quality, with the weights, shape [2, 2, 1 + replicates]."""
    sums = np.zeros((2, 2, 1 + draws[0].replicates))
    if cells is None:
        return sums
    values = np.empty((2, len(cells.quality)))
    for own, (policy, fit) in zip(cells.inner[:-1], rules, strict=True):
        rows = np.flatnonzero(own == HELD_OUT)
        prompts = cells.prompts.iloc[rows]
        model = taken(policy, fit.predict(prompts), fit.price, prompts["task_type"])
        values[:, rows] = cells.cost[rows, model], cells.quality[rows, model]
    for which, resamples in enumerate(draws):
        drawn = resamples.part(*bounds)
        got = apply(lambda weights, of=values[which]: weights @ of, drawn)  # type: ignore[misc]
        sums[which] = got, drawn.sum(axis=1, dtype=float)
    return sums
