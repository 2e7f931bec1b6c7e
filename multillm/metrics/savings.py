"""How much cheaper a router is than a single model, and how far from the best trade-offs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from multillm.metrics.bootstrap import Figures

__all__ = ["cost_save", "pareto_distance", "pareto_front"]


def cost_save(
    cost: Figures, quality: Figures, reference_cost: npt.ArrayLike, reference_quality: npt.ArrayLike, share: float = 1.0
) -> Figures:
    r"""Cost saved against a single model at a share of its quality.

    .. math:: 1 - \min \{c : q \ge s\,q_{ref}\} / c_{ref}

    over the points of the router's curve, without mixing them. With the best single model and s = 1 this is
    LLMRouterBench's CostSave (arXiv:2601.07206).

    Parameters
    ----------
    cost, quality : float array of shape [..., w]
        Points of the router's curve.
    reference_cost, reference_quality : float or float array of the leading shape
        Of the single model.
    share : float, default 1.0
        Part of the reference's quality that must be kept.

    Returns
    -------
    float array of the leading shape
        0.3 is thirty per cent saved, negative is dearer; NaN where no point keeps that quality.
    """
    floor = share * np.asarray(reference_quality, float)[..., None] - 1e-12
    least = np.where(np.asarray(quality) >= floor, cost, np.inf).min(axis=-1)
    saved = 1.0 - least / np.asarray(reference_cost, float)
    return np.asarray(np.where(np.isfinite(least), saved, np.nan))


def pareto_front(cost: Figures, quality: Figures) -> npt.NDArray[np.bool_]:
    """Which points no other beats in one of cost and quality without losing in the other.

    Parameters
    ----------
    cost, quality : float array of shape [k]
        The points.

    Returns
    -------
    bool array of shape [k]
    """
    order = np.lexsort((-quality, cost))
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(quality[order])[:-1]])
    front = np.empty(len(cost), dtype=bool)
    front[order] = quality[order] > best_before
    first = {(c, q) for c, q in zip(cost[front], quality[front], strict=True)}
    return np.array([(c, q) in first for c, q in zip(cost, quality, strict=True)])


def pareto_distance(cost: Figures, quality: Figures, front_cost: Figures, front_quality: Figures) -> float:
    """Mean distance of a router's points to the Pareto front of everything compared.

    LLMRouterBench (arXiv:2601.07206) names ParetoDist as the average distance to the front. Here each axis is
    divided by the front's largest value, so that cost units do not matter, and the distance is to the nearest point
    of the front.

    Parameters
    ----------
    cost, quality : float array of shape [k]
        Points of the router's curve.
    front_cost, front_quality : float array of shape [f]
        Points of the front.

    Returns
    -------
    float
        0 if every point is on the front.
    """
    scale = np.array([np.max(front_cost) or 1.0, np.max(front_quality) or 1.0])
    points, front = np.stack([cost, quality], 1) / scale, np.stack([front_cost, front_quality], 1) / scale
    return float(np.linalg.norm(points[:, None] - front[None], axis=2).min(axis=1).mean())
