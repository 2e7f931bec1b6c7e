"""Many policies on many prompts at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from multillm.errors import OutcomesError
from multillm.markup import html_table
from multillm.metrics.bootstrap import Figures

__all__ = ["Sweep", "sweep"]

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Sweep:
    """What each policy of a grid would have spent and got.

    Attributes
    ----------
    task_types : tuple of str
        Task types, k of them.
    n : int array of shape [k]
        Prompts of each.
    thresholds : float array of shape [t]
        Least acceptable expected quality.
    cost_weights : float array of shape [w]
        Weight of cost over weight of quality: alpha / beta.
    cost, quality : float array of shape [k, t, w]
        Sums over the prompts of a type, in the cost's unit and in units of quality.
    """

    task_types: tuple[str, ...]
    n: Places
    thresholds: Figures
    cost_weights: Figures
    cost: Figures
    quality: Figures

    @property
    def policies(self) -> int:
        """Policies with one threshold for all task types; with one for each type there are t ** k times w."""
        return len(self.thresholds) * len(self.cost_weights)

    def to_frame(self) -> pd.DataFrame:
        """Every policy with one threshold for all task types.

        Returns
        -------
        DataFrame
            threshold, cost_weight, cost and quality (means per prompt), one row per policy.
        """
        threshold, weight = np.meshgrid(self.thresholds, self.cost_weights, indexing="ij")
        columns = {"threshold": threshold, "cost_weight": weight, "cost": self.cost, "quality": self.quality}
        means = {
            name: (values.sum(axis=0) / self.n.sum() if values.ndim == 3 else values).ravel()
            for name, values in columns.items()
        }
        return pd.DataFrame(means)

    def outcome(self, thresholds: Places, cost_weight: Places) -> tuple[Figures, Figures]:
        """Mean cost and quality of policies with a threshold for each task type.

        Parameters
        ----------
        thresholds : int array of shape [p, k]
            Place in `thresholds`, for each policy and task type.
        cost_weight : int array of shape [p]
            Place in `cost_weights`.

        Returns
        -------
        cost, quality : float arrays of shape [p]
            Means per prompt.
        """
        kinds = np.arange(len(self.task_types))
        cost, quality = (
            sums[kinds, thresholds, cost_weight[:, None]].sum(axis=1) for sums in (self.cost, self.quality)
        )
        return cost / self.n.sum(), quality / self.n.sum()

    def __add__(self, other: Sweep) -> Sweep:
        """The sweep over the prompts of both, by the same grid."""
        names = tuple(sorted({*self.task_types, *other.task_types}))
        n, sums = np.zeros(len(names), dtype=np.intp), np.zeros((2, len(names), *self.cost.shape[1:]))
        for part in (self, other):
            place = [names.index(name) for name in part.task_types]
            n[place] += part.n
            sums[:, place] += np.stack([part.cost, part.quality])
        return Sweep(names, n, self.thresholds, self.cost_weights, sums[0], sums[1])

    def __repr__(self) -> str:
        return f"Sweep({self.policies:,} policies, {int(self.n.sum()):,} prompts of {len(self.task_types)} task types)"

    def _repr_html_(self) -> str:
        rows = []
        for kind, n, cost, quality in zip(self.task_types, self.n, self.cost, self.quality, strict=True):
            span = (f"{low / n:.4g} to {high / n:.4g}" for low, high in ((v.min(), v.max()) for v in (cost, quality)))
            rows.append((kind, int(n), *span))
        return html_table(repr(self), ("task type", "prompts", "mean cost", "mean quality"), rows)


def sweep(
    predicted: Figures,
    predicted_cost: Figures,
    quality: Figures,
    cost: Figures,
    *,
    thresholds: npt.ArrayLike,
    cost_weights: npt.ArrayLike,
    task_types: npt.ArrayLike | None = None,
) -> Sweep:
    r"""Route every prompt by every policy of a grid of thresholds and weights.

    A policy takes the model with the highest utility

    .. math:: U = \hat Q - r \hat C, \qquad r = \alpha / \beta

    of those whose expected quality reaches the threshold, and the model of highest expected quality where none does,
    as `TaskRouter` does. As r grows, a prompt moves along the upper envelope of the lines U(r) to ever cheaper models;
    so only the points where it moves are worked out, and policies are read off running sums. The effort is
    proportional to prompts times thresholds times steps of the envelope (at most the models), plus prompts times log
    of the weights: nothing is done for each prompt and policy.

    Parameters
    ----------
    predicted, quality : float array of shape [n, m]
        Expected and measured quality.
    predicted_cost : float array of shape [m] or [n, m]
        Expected cost on the scale of the utility.
    cost : float array of shape [n, m]
        Measured cost, any unit.
    thresholds : array-like of shape [t]
        Least acceptable expected quality.
    cost_weights : array-like of shape [w]
        Values of r, ascending, 0 or more.
    task_types : array-like of shape [n], optional
        Given, sums are kept apart by type, so that each type can have a threshold of its own.

    Returns
    -------
    Sweep
        Sums of cost and quality for each type, threshold and weight. Of equal utilities the cheapest counts.

    Raises
    ------
    OutcomesError
        If a value is missing or the weights do not ascend from 0.
    """
    predicted_cost = np.broadcast_to(np.asarray(predicted_cost, float), predicted.shape)
    if any(np.isnan(values).any() for values in (predicted, predicted_cost, quality, cost)):
        raise OutcomesError("a sweep needs every expected and measured value; take outcomes.complete() first")
    levels, weights = np.asarray(thresholds, float), np.asarray(cost_weights, float)
    if weights.size == 0 or weights[0] < 0 or (np.diff(weights) <= 0).any():
        raise OutcomesError("cost_weights must ascend strictly from 0 or more")
    kinds = np.zeros(len(predicted), dtype=str) if task_types is None else np.asarray(task_types, dtype=str)
    names, kind = np.unique(kinds, return_inverse=True)
    best = predicted == predicted.max(axis=1, keepdims=True)
    start = np.where(best, predicted_cost, np.inf).argmin(axis=1)
    measured = np.stack([cost, quality])
    sums = np.zeros((2, len(names), len(levels), len(weights)))
    for place, level in enumerate(levels):
        steps = np.zeros((2, len(names) * (len(weights) + 1)))
        for prompts, at, gain in _moves(predicted, predicted_cost, measured, start, predicted >= level):
            cell = kind[prompts] * (len(weights) + 1) + np.searchsorted(weights, at)
            for which in range(2):
                steps[which] += np.bincount(cell, gain[which], minlength=steps.shape[1])
        sums[:, :, place] = np.cumsum(steps.reshape(2, len(names), len(weights) + 1)[:, :, :-1], axis=2)
    return Sweep(tuple(names.tolist()), np.bincount(kind), levels, weights, sums[0], sums[1])


def _moves(
    predicted: Figures, expected_cost: Figures, measured: Figures, start: Places, allowed: npt.NDArray[np.bool_]
) -> Iterator[tuple[Places, Figures, Figures]]:
    """The envelope step by step: prompts that move, weights they move at, changes in measured cost and quality.

    The first step is the choice at weight 0, as a change from nothing.
    """
    prompts, chosen = np.arange(len(predicted)), start
    yield prompts, np.zeros(len(prompts)), measured[:, prompts, chosen]
    while len(prompts):
        saving = expected_cost[prompts, chosen, None] - expected_cost[prompts]
        loss = predicted[prompts, chosen, None] - predicted[prompts]
        cheaper = allowed[prompts] & (saving > 0)
        crossing = np.divide(loss, saving, out=np.full_like(loss, np.inf), where=cheaper)
        at = crossing.min(axis=1)
        moving = np.isfinite(at)
        tied = crossing[moving] <= at[moving, None]
        prompts, at, chosen = prompts[moving], at[moving], chosen[moving]
        following = np.where(tied, expected_cost[prompts], np.inf).argmin(axis=1)
        yield prompts, at, measured[:, prompts, following] - measured[:, prompts, chosen]
        chosen = following
