"""Routers against the oracle, and single-model references."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from multillm.metrics.bootstrap import Figures, weighted_mean
from multillm.metrics.curve import choose

__all__ = [
    "cost_terms",
    "dataset_oracle",
    "gap_to_oracle",
    "optimal_accuracy",
    "optimal_cost",
    "optimal_selection",
    "oracle_choice",
    "ratio",
    "relative_gain",
    "selection_terms",
]


def oracle_choice(quality: Figures, cost: Figures) -> Figures:
    """What the oracle takes: for each prompt the best model, of equally good ones the cheapest.

    Parameters
    ----------
    quality, cost : float array of shape [n, m]
        Measured.

    Returns
    -------
    float array of shape [n, m]
        Shares; ties in both are split evenly.
    """
    return choose(quality, cost, np.inf)


def dataset_oracle(quality: Figures, cost: Figures, groups: npt.ArrayLike) -> Figures:
    """What the data-set oracle takes: for each data set the model with the best mean, in hindsight.

    A router that does no better than this has learnt which data set a prompt is from (LLMRouterBench,
    arXiv:2601.07206).

    Parameters
    ----------
    quality, cost : float array of shape [n, m]
        Measured.
    groups : array-like of shape [n]
        Data set of each prompt.

    Returns
    -------
    float array of shape [n, m]
        Shares.
    """
    names, group = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    member = (group == np.arange(len(names))[:, None]).astype(float)
    size = member.sum(axis=1, keepdims=True)
    return np.asarray(choose(member @ quality / size, member @ cost / size, np.inf)[group])


def _cheapest_right(quality: Figures, cost: Figures) -> tuple[npt.NDArray[np.bool_], Figures]:
    """Where each model is right, and the cost of the cheapest right one."""
    right = quality >= 1.0
    return right, np.where(right, cost, np.inf).min(axis=1, keepdims=True)


def optimal_selection(choice: Figures, quality: Figures, cost: Figures, weights: Figures | None = None) -> Figures:
    """RouterArena's optimal selection: of the prompts answered right, the share that took the cheapest right model.

    Parameters
    ----------
    choice : float array of shape [n, m]
        Shares of each prompt that each model takes.
    quality, cost : float array of shape [n, m]
        Measured; an answer is right at quality 1.
    weights : float array of shape [b, n], optional
        How much each prompt counts; all the same if left out.

    Returns
    -------
    float array of shape [b], without `weights` []
        0..1 (arXiv:2510.00202); NaN if nothing was answered right.
    """
    return ratio(*(weighted_mean(term, weights) for term in selection_terms(choice, quality, cost)))


def optimal_cost(choice: Figures, quality: Figures, cost: Figures, weights: Figures | None = None) -> Figures:
    """RouterArena's optimal cost: on the prompts answered right, the least cost that would have done over that spent.

    Parameters and shapes as for `optimal_selection`; 0..1 (arXiv:2510.00202).
    """
    return ratio(*(weighted_mean(term, weights) for term in cost_terms(choice, quality, cost)))


def optimal_accuracy(choice: Figures, quality: Figures, weights: Figures | None = None) -> Figures:
    """RouterArena's optimal accuracy: the router's mean quality over the oracle's.

    Parameters and shapes as for `optimal_selection`; 0..1 (arXiv:2510.00202).
    """
    return ratio(weighted_mean((choice * quality).sum(axis=1), weights), weighted_mean(quality.max(axis=1), weights))


def selection_terms(choice: Figures, quality: Figures, cost: Figures) -> tuple[Figures, Figures]:
    """What `optimal_selection` is the ratio of means of, by prompt."""
    right, cheapest = _cheapest_right(quality, cost)
    return (choice * (right & (cost <= cheapest))).sum(axis=1), (choice * right).sum(axis=1)


def cost_terms(choice: Figures, quality: Figures, cost: Figures) -> tuple[Figures, Figures]:
    """What `optimal_cost` is the ratio of means of, by prompt."""
    right, cheapest = _cheapest_right(quality, cost)
    return (choice * np.where(right, cheapest, 0.0)).sum(axis=1), (choice * right * cost).sum(axis=1)


def ratio(above: Figures, below: Figures) -> Figures:
    """Ratio of two means over prompts; NaN where the second is 0."""
    return np.asarray(above / np.where(below == 0, np.nan, below))


def relative_gain(accuracy: Figures, reference: Figures) -> Figures:
    r"""Relative improvement over a reference.

    .. math:: \mathrm{Gain} = A / A_{ref} - 1

    Gain@R over random routing, Gain@B over the best single model (LLMRouterBench, arXiv:2601.07206). Taken at the
    best point of a curve over the best single model it is that paper's PerfGain.

    Parameters
    ----------
    accuracy, reference : float array
        Mean quality, 0..1.

    Returns
    -------
    float array
        0.04 is four per cent better; NaN where the reference is 0.
    """
    reference = np.asarray(reference, float)
    return np.asarray(accuracy / np.where(reference == 0, np.nan, reference) - 1.0)


def gap_to_oracle(accuracy: Figures, oracle: Figures) -> Figures:
    r"""Relative shortfall against the oracle.

    .. math:: \mathrm{Gap@O} = 1 - A / A_{oracle}

    (LLMRouterBench, arXiv:2601.07206); lower is better.

    Parameters
    ----------
    accuracy, oracle : float array
        Mean quality, 0..1.

    Returns
    -------
    float array
        0..1; NaN where the oracle is at 0.
    """
    return np.asarray(-relative_gain(accuracy, oracle))
