"""What each router does on held-out prompts, before any figure is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata
from sklearn.base import clone

from multillm.learning import OracleQuality, PromptQuality
from multillm.metrics import choose, dataset_oracle, perturb, trade_off, willingness_grid
from multillm.metrics.bootstrap import Figures
from multillm.outcomes import Outcomes

__all__ = ["Measured", "Run", "perturbed_prompts", "reference_runs", "routed"]

Kind = Literal["router", "baseline", "single model"]


@dataclass(frozen=True)
class Measured:
    """The outcomes as arrays.

    Attributes
    ----------
    outcomes : Outcomes
        n prompts that every model has answered, m models.
    quality, cost : float array of shape [n, m]
        Measured; cost is NaN throughout where unknown.
    has_cost : bool
        Whether costs are known.
    willingness : float array of shape [w]
        Where curves have their points.
    """

    outcomes: Outcomes
    quality: Figures
    cost: Figures
    has_cost: bool
    willingness: Figures

    @classmethod
    def of(cls, outcomes: Outcomes) -> Measured:
        """The prompts with every model's quality, and cost where any is known."""
        has_cost = bool(outcomes.rows["cost"].notna().any())
        complete = outcomes.complete(("quality", "cost") if has_cost else ("quality",))
        quality, cost = (complete.matrix(measure).to_numpy(float) for measure in ("quality", "cost"))
        grid = willingness_grid(cost.mean(axis=0)) if has_cost else np.array([np.inf])
        return cls(complete, quality, cost, has_cost, grid)

    @property
    def best(self) -> int:
        """Column of the best single model in hindsight, of equals the cheapest."""
        cost = self.cost.mean(axis=0) if self.has_cost else np.zeros(self.quality.shape[1])
        return int(np.lexsort((cost, -self.quality.mean(axis=0)))[0])


@dataclass(frozen=True)
class Run:
    """One router on all prompts, each predicted by an estimator that has not seen it.

    Attributes
    ----------
    name, kind : str
        Which router; whether it is under test.
    spent, got : float array of shape [n, w]
        Cost and quality of each prompt at each point of the curve; one point for what has no curve.
    choice : float array of shape [n, m], optional
        Shares of each prompt at the operating point.
    score : float array of shape [n], optional
        Rank within its fold, 0..1, of the expected gain of the strong model of a pair.
    perturbed_choice : float array of shape [n, m], optional
        As `choice`, for perturbed prompts.
    """

    name: str
    kind: Kind
    spent: Figures
    got: Figures
    choice: Figures | None = None
    score: Figures | None = None
    perturbed_choice: Figures | None = None


def routed(
    name: str,
    kind: Kind,
    estimator: PromptQuality,
    measured: Measured,
    folds: npt.NDArray[np.intp],
    *,
    willingness: float,
    pair: tuple[int, int] | None,
    perturbed: pd.DataFrame | None = None,
) -> Run:
    """Fit an estimator on the other folds for each fold, and route what was held out.

    Cost is expected to be each model's mean on the other folds; the oracle alone knows the cost of each prompt.
    """
    predicted, expected_cost = np.empty_like(measured.quality), np.zeros_like(measured.quality)
    after = np.empty_like(predicted)
    for fold in np.unique(folds):
        held_out = folds == fold
        fitted = clone(estimator).fit(measured.outcomes.take(~held_out))
        columns = list(measured.outcomes.models)
        predicted[held_out] = fitted.predict(measured.outcomes.prompts[held_out])[columns].to_numpy(float)
        if perturbed is not None:
            after[held_out] = fitted.predict(perturbed[held_out])[columns].to_numpy(float)
        if measured.has_cost:
            expected_cost[held_out] = measured.cost[~held_out].mean(axis=0)
    knowing = isinstance(estimator, OracleQuality)
    if knowing and measured.has_cost:
        expected_cost = measured.cost
    predicted, after = (np.where(np.isnan(quality), -np.inf, quality) for quality in (predicted, after))
    gain = None if pair is None else predicted[:, pair[1]] - predicted[:, pair[0]]
    spent, got = trade_off(predicted, expected_cost, measured.quality, measured.cost, measured.willingness)
    return Run(
        name,
        kind,
        spent,
        got,
        choice=choose(predicted, expected_cost, willingness),
        score=gain if gain is None or knowing else _ranked(gain, folds),
        perturbed_choice=None if perturbed is None else choose(after, expected_cost, willingness),
    )


def _ranked(gain: Figures, folds: npt.NDArray[np.intp]) -> Figures:
    """Share of its fold's prompts that each expected gain exceeds, ties in the middle.

    Each fold has an estimator, and so a scale, of its own: prompts are ordered within folds, and a share of strong
    calls is that share of every fold.
    """
    ranks = np.empty_like(gain)
    for fold in np.unique(folds):
        held_out = folds == fold
        ranks[held_out] = (rankdata(gain[held_out]) - 0.5) / held_out.sum()
    return ranks


def perturbed_prompts(prompts: pd.DataFrame, rate: float, rng: np.random.Generator) -> pd.DataFrame:
    """The prompts with typing slips in a share of their letters."""
    texts = [perturb(text, rng, rate) if isinstance(text, str) else text for text in prompts["prompt"]]
    return prompts.assign(prompt=texts)


def reference_runs(measured: Measured, pair: tuple[int, int] | None) -> list[Run]:
    """Each single model, the zero router, random routing and, where there are groups, the data-set oracle."""
    n, m = measured.quality.shape
    shares = np.eye(m)
    runs = [
        _point(model, "single model", np.tile(shares[column], (n, 1)), measured)
        for column, model in enumerate(measured.outcomes.models)
    ]
    best = _point("best single model", "baseline", np.tile(shares[measured.best], (n, 1)), measured)
    random = _point("random", "baseline", np.full((n, m), 1.0 / m), measured, None if pair is None else np.zeros(n))
    runs += [best, random]
    if measured.has_cost:
        runs.append(Run("zero router", "baseline", measured.cost, measured.quality))
    groups = measured.outcomes.prompts["group"]
    if groups.nunique() > 1:
        cost = measured.cost if measured.has_cost else np.zeros_like(measured.quality)
        choice = dataset_oracle(measured.quality, cost, groups.fillna("").to_numpy(str))
        runs.append(_point("data-set oracle", "baseline", choice, measured))
    return runs


def _point(name: str, kind: Kind, choice: Figures, measured: Measured, score: Figures | None = None) -> Run:
    """A router with one point instead of a curve."""
    spent, got = ((choice * values).sum(axis=1, keepdims=True) for values in (measured.cost, measured.quality))
    return Run(name, kind, spent, got, choice, score)
