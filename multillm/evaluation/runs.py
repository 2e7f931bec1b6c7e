"""What each router does on held-out prompts, before any figure is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from multillm.evaluation.ranks import ranked_across, ranked_within
from multillm.evaluation.splits import Unit
from multillm.learning import OracleQuality, PromptQuality
from multillm.metrics import choose, dataset_oracle, perturb, trade_off, willingness_grid
from multillm.metrics.bootstrap import Figures
from multillm.outcomes import Outcomes

__all__ = ["Means", "Measured", "RouterRun", "chosen", "perturbed_prompts", "predict", "reference_runs", "routed"]

RouterKind = Literal["router", "baseline", "single model"]


@dataclass(frozen=True, eq=False)
class Means:
    """What routers are held against: each model's means over all prompts.

    Attributes
    ----------
    quality : float array of shape [m]
        Mean quality.
    cost : float array of shape [m], optional
        Mean cost; None where costs are unknown.
    cost_unit : str
        Its unit; empty where unknown.
    """

    quality: Figures
    cost: Figures | None
    cost_unit: str

    @property
    def best(self) -> int:
        """Column of the best single model in hindsight, of equals the cheapest."""
        cost = np.zeros(len(self.quality)) if self.cost is None else self.cost
        return int(np.lexsort((cost, -self.quality))[0])

    @property
    def cheapest(self) -> int:
        """Column of the model of least mean cost."""
        return int(np.argmin([0.0] if self.cost is None else self.cost))

    @property
    def dearest(self) -> int:
        """Column of the model of largest mean cost."""
        return int(np.argmax([0.0] if self.cost is None else self.cost))

    @cached_property
    def willingness(self) -> Figures:
        """Where curves have their points, shape [w]."""
        return np.array([np.inf]) if self.cost is None else willingness_grid(self.cost)


@dataclass(frozen=True, eq=False)
class Measured:
    """The outcomes as arrays.

    Attributes
    ----------
    outcomes : Outcomes
        n prompts that every model has answered, m models.
    quality, cost : float array of shape [n, m]
        Measured; cost is NaN throughout where unknown.
    means : Means
        Over these prompts or, where they are a part, over all.
    """

    outcomes: Outcomes
    quality: Figures
    cost: Figures
    means: Means

    @classmethod
    def of(cls, outcomes: Outcomes) -> Measured:
        """The prompts with every model's quality, and cost where any is known."""
        has_cost = bool(outcomes.rows["cost"].notna().any())
        complete = outcomes.complete(("quality", "cost") if has_cost else ("quality",))
        quality, cost = (complete.matrix(measure).to_numpy(float) for measure in ("quality", "cost"))
        unit = outcomes.cost_unit if has_cost else ""
        return cls(complete, quality, cost, Means(quality.mean(axis=0), cost.mean(axis=0) if has_cost else None, unit))

    @property
    def has_cost(self) -> bool:
        """Whether costs are known."""
        return self.means.cost is not None


@dataclass(frozen=True)
class RouterRun:
    """One router on all prompts, each predicted by an estimator that has not seen it.

    Attributes
    ----------
    name, kind : str
        Which router; whether it is under test.
    spent, got : float array of shape [n, w]
        Cost and quality of each prompt at each point of the curve; one point for what has no curve.
    on_grid : bool
        Whether these points are those of `Means.willingness`.
    choice : float array of shape [n, m], optional
        Shares of each prompt at the operating point.
    score : float array of shape [n], optional
        Rank, 0..1, of the expected gain of the strong model of a pair; see `multillm.evaluation.ranks`.
    perturbed_choice : float array of shape [n, m], optional
        As `choice`, for perturbed prompts.
    """

    name: str
    kind: RouterKind
    spent: Figures
    got: Figures
    on_grid: bool = False
    choice: Figures | None = None
    score: Figures | None = None
    perturbed_choice: Figures | None = None


def routed(
    name: str,
    kind: RouterKind,
    estimator: PromptQuality,
    measured: Measured,
    folds: npt.NDArray[np.intp],
    *,
    by: Unit,
    willingness: float,
    pair: tuple[int, int] | None,
    perturbed: pd.DataFrame | None = None,
) -> RouterRun:
    """Fit an estimator on the other folds for each fold, and route what was held out.

    Cost is expected to be each model's mean on the other folds; the oracle alone knows the cost of each prompt.
    """
    prompts = measured.outcomes.prompts
    predicted, expected_cost = np.empty_like(measured.quality), np.zeros_like(measured.quality)
    after = np.empty_like(predicted)
    for fold in np.unique(folds):
        held_out = folds == fold
        fitted = clone(estimator).fit(measured.outcomes.take(~held_out))
        predicted[held_out] = predict(fitted, prompts[held_out], measured.outcomes.models)
        if perturbed is not None:
            after[held_out] = predict(fitted, perturbed[held_out], measured.outcomes.models)
        if measured.has_cost:
            expected_cost[held_out] = measured.cost[~held_out].mean(axis=0)
    if isinstance(estimator, OracleQuality) and measured.has_cost:
        expected_cost = measured.cost
    score = None if pair is None else _score(estimator, measured, predicted, folds, by=by, pair=pair)
    slipped = None if perturbed is None else choose(after, expected_cost, willingness)
    run = chosen(name, kind, predicted, expected_cost, measured=measured, willingness=willingness)
    return replace(run, score=score, perturbed_choice=slipped)


def chosen(
    name: str, kind: RouterKind, predicted: Figures, expected_cost: Figures, *, measured: Measured, willingness: float
) -> RouterRun:
    """The run of a router that expects some qualities and costs, shape [n, m] each."""
    curve = trade_off(predicted, expected_cost, measured.quality, measured.cost, measured.means.willingness)
    return RouterRun(name, kind, *curve, on_grid=True, choice=choose(predicted, expected_cost, willingness))


def predict(fitted: PromptQuality, prompts: pd.DataFrame, models: Sequence[str]) -> Figures:
    """Expected quality, shape [n, m]; what is not known comes last."""
    quality = fitted.predict(prompts)[list(models)].to_numpy(float)
    return np.where(np.isnan(quality), -np.inf, quality)


def _score(
    estimator: PromptQuality,
    measured: Measured,
    predicted: Figures,
    folds: npt.NDArray[np.intp],
    *,
    by: Unit,
    pair: tuple[int, int],
) -> Figures:
    """What prompts are put in order by: the rank of the expected gain; the oracle's gains need no ranks."""
    gain = predicted[:, pair[1]] - predicted[:, pair[0]]
    if isinstance(estimator, OracleQuality):
        return gain
    if by == "prompt":
        return ranked_within(gain, folds)

    def gain_without(held_out: npt.NDArray[np.bool_]) -> Figures:
        fitted = clone(estimator).fit(measured.outcomes.take(~held_out))
        expected = predict(fitted, measured.outcomes.prompts[held_out], measured.outcomes.models)
        return np.asarray(expected[:, pair[1]] - expected[:, pair[0]])

    return ranked_across(gain, folds, gain_without)


def perturbed_prompts(prompts: pd.DataFrame, rate: float, rng: np.random.Generator) -> pd.DataFrame:
    """The prompts with typing slips in a share of their letters."""
    texts = [perturb(text, rng, rate) if isinstance(text, str) else text for text in prompts["prompt"]]
    return prompts.assign(prompt=texts)


def reference_runs(measured: Measured, pair: tuple[int, int] | None) -> list[RouterRun]:
    """Each single model, the zero router, random routing and, where there are groups, the data-set oracle."""
    n, m = measured.quality.shape
    shares = np.eye(m)
    runs = [
        _point(model, "single model", np.tile(shares[column], (n, 1)), measured)
        for column, model in enumerate(measured.outcomes.models)
    ]
    best = _point("best single model", "baseline", np.tile(shares[measured.means.best], (n, 1)), measured)
    random = _point("random", "baseline", np.full((n, m), 1.0 / m), measured, None if pair is None else np.zeros(n))
    runs += [best, random]
    if measured.has_cost:
        runs.append(RouterRun("zero router", "baseline", measured.cost, measured.quality))
    groups = measured.outcomes.prompts["group"]
    if groups.nunique() > 1:
        cost = measured.cost if measured.has_cost else np.zeros_like(measured.quality)
        choice = dataset_oracle(measured.quality, cost, groups.fillna("").to_numpy(str))
        runs.append(_point("data-set oracle", "baseline", choice, measured))
    return runs


def _point(name: str, kind: RouterKind, choice: Figures, measured: Measured, score: Figures | None = None) -> RouterRun:
    """A router with one point instead of a curve."""
    spent, got = ((choice * values).sum(axis=1, keepdims=True) for values in (measured.cost, measured.quality))
    return RouterRun(name, kind, spent, got, choice=choice, score=score)
