"""Cost-quality curves of routers over willingness to pay, and the areas under them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from multillm.metrics.bootstrap import Figures

__all__ = [
    "aiq",
    "aiq_published_code",
    "choose",
    "hull",
    "hull_cost",
    "hull_quality",
    "trade_off",
    "willingness_grid",
    "zero_router",
]


def choose(predicted: Figures, predicted_cost: Figures, willingness: float) -> Figures:
    r"""Which model a router takes for each prompt at one willingness to pay.

    .. math:: m(x) = \arg\max_m w \hat Q_m(x) - \hat C_m(x)

    At 0 the cheapest model, at infinity the best one: both as limits, so that the other figure breaks ties.
    Remaining ties share a prompt evenly, which makes every figure its expectation under random tie-breaking.

    Parameters
    ----------
    predicted : float array of shape [n, m]
        Expected quality.
    predicted_cost : float array of shape [m] or [n, m]
        Expected cost.
    willingness : float
        Cost units paid per unit of quality, 0 to infinity.

    Returns
    -------
    float array of shape [n, m]
        Share of each prompt that each model takes; rows sum to 1.
    """
    cost = np.broadcast_to(predicted_cost, predicted.shape)
    if willingness == 0:
        chosen = _best(predicted, among=_best(-cost))
    elif np.isinf(willingness):
        chosen = _best(-cost, among=_best(predicted))
    else:
        chosen = _best(willingness * predicted - cost)
    return np.asarray(chosen / chosen.sum(axis=1, keepdims=True))


def _best(values: Figures, among: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.bool_]:
    """Where each row has its maximum."""
    open_to_choice = values if among is None else np.where(among, values, -np.inf)
    return np.asarray(open_to_choice == open_to_choice.max(axis=1, keepdims=True))


def willingness_grid(mean_cost: Figures, points: int = 64) -> Figures:
    """Degrees of willingness to pay that reach from always the cheapest model to always the best.

    Parameters
    ----------
    mean_cost : float array of shape [m]
        Mean cost of each model.
    points : int, default 64
        How many between 0 and infinity, evenly spaced on a logarithmic scale.

    Returns
    -------
    float array of shape [points + 2]
        Ascending: 0, from a tenth of the least to a thousand times the largest difference of cost, infinity.
    """
    differences = np.abs(np.subtract.outer(mean_cost, mean_cost))
    positive = differences[differences > 0]
    inner = np.geomspace(positive.min() / 10, positive.max() * 1000, points) if positive.size else np.empty(0)
    return np.concatenate([[0.0], inner, [np.inf]])


def trade_off(
    predicted: Figures, predicted_cost: Figures, quality: Figures, cost: Figures, willingness: Figures
) -> tuple[Figures, Figures]:
    """What a router spends and gets on each prompt, at each willingness to pay.

    Parameters
    ----------
    predicted, quality : float array of shape [n, m]
        Expected and measured quality.
    predicted_cost : float array of shape [m] or [n, m]
        Expected cost.
    cost : float array of shape [n, m]
        Measured cost.
    willingness : float array of shape [w]
        See `choose`.

    Returns
    -------
    cost, quality : float arrays of shape [n, w]
        Expectations over ties.
    """
    spent, got = np.empty((len(quality), len(willingness))), np.empty((len(quality), len(willingness)))
    for column, degree in enumerate(willingness):
        share = choose(predicted, predicted_cost, float(degree))
        spent[:, column] = (share * cost).sum(axis=1)
        got[:, column] = (share * quality).sum(axis=1)
    return spent, got


def hull(cost: Figures, quality: Figures) -> tuple[Figures, Figures]:
    """Corners of the non-decreasing convex hull of some points.

    The least function that is concave, never falls and lies on or above every point: what can be had by mixing the
    points at random (RouterBench, arXiv:2403.12031).

    Parameters
    ----------
    cost, quality : float array of shape [w]
        The points.

    Returns
    -------
    cost, quality : float arrays of shape [k]
        Corners, both ascending.
    """
    corners: list[tuple[float, float]] = []
    for x, y in sorted(zip(cost.tolist(), quality.tolist(), strict=True), key=lambda point: (point[0], -point[1])):
        if corners and y <= corners[-1][1]:
            continue
        while len(corners) > 1 and _below(corners[-2], corners[-1], (x, y)):
            corners.pop()
        corners.append((x, y))
    return np.array([x for x, _ in corners]), np.array([y for _, y in corners])


def _below(left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]) -> bool:
    """Whether the middle point is on or below the line between the others."""
    rise, run = right[1] - left[1], right[0] - left[0]
    return (middle[1] - left[1]) * run <= rise * (middle[0] - left[0])


def hull_quality(budget: Figures, cost: Figures, quality: Figures) -> Figures:
    """Quality to be had within a budget, by the hull of some points.

    Below the cheapest point nothing can be served: 0. Above the dearest corner more money changes nothing.

    Parameters
    ----------
    budget : float array
        Mean cost per prompt.
    cost, quality : float array of shape [w]
        The points.

    Returns
    -------
    float array of the shape of `budget`
    """
    return np.asarray(np.interp(budget, *hull(cost, quality), left=0.0))


def hull_cost(floor: float, cost: Figures, quality: Figures) -> float:
    """Least mean cost at which the hull of some points has a quality.

    Parameters
    ----------
    floor : float
        Mean quality to be had.
    cost, quality : float array of shape [w]
        The points.

    Returns
    -------
    float
        Mean cost per prompt; NaN where no point has that quality.
    """
    corner_cost, corner_quality = hull(cost, quality)
    return float(np.interp(floor - 1e-12, corner_quality, corner_cost, right=np.nan))


def aiq(cost: Figures, quality: Figures, low: npt.ArrayLike, high: npt.ArrayLike) -> Figures:
    r"""Average improvement in quality: mean quality of the hull over a range of budgets.

    .. math:: \mathrm{AIQ} = \frac{1}{c_{max} - c_{min}} \int_{c_{min}}^{c_{max}} \tilde R(c)\,dc

    with the non-decreasing convex hull :math:`\tilde R` (RouterBench, arXiv:2403.12031), 0 below its
    first point.

    Parameters
    ----------
    cost, quality : float array of shape [..., w]
        Points of the router's curve; leading axes are separate curves.
    low, high : float or float array of the leading shape
        Range of mean cost per prompt, usually that of the cheapest and the dearest single model.

    Returns
    -------
    float array of the leading shape
        In units of quality; NaN where the range is empty.
    """
    cost, quality = np.asarray(cost), np.asarray(quality)
    low, high = (np.broadcast_to(np.asarray(bound, float), cost.shape[:-1]) for bound in (low, high))
    area = np.empty(cost.shape[:-1])
    for curve in np.ndindex(area.shape):
        area[curve] = _area(*hull(cost[curve], quality[curve]), float(low[curve]), float(high[curve]))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(high > low, area / (high - low), np.nan)


def _area(x: Figures, y: Figures, low: float, high: float) -> float:
    """Area under a hull within bounds; nothing before its first corner, level after its last."""
    start = max(low, x[0])
    if start >= high:
        return 0.0
    inner = x[(x > start) & (x < high)]
    at = np.concatenate([[start], inner, [high]])
    from scipy.integrate import trapezoid  # takes a second and a half, which figures need not wait for

    return float(trapezoid(np.interp(at, x, y), at))


def aiq_published_code(cost: Figures, quality: Figures, maximal_cost: float) -> float:
    """AIQ as RouterBench's published code has it: divided by the maximal cost, not by the range.

    The hull is drawn level from its last point to `maximal_cost`; the area from its first point on is divided by
    `maximal_cost`. Kept to compare with figures that were made by that code; `aiq` is the paper's definition.

    Parameters
    ----------
    cost, quality : float array of shape [w]
        Points of the router's curve.
    maximal_cost : float
        Largest mean cost among all routers compared.
    """
    return _area(*hull(cost, quality), -np.inf, maximal_cost) / maximal_cost


def zero_router(mean_cost: Figures, mean_quality: Figures) -> tuple[Figures, Figures]:
    """RouterBench's zero router: random mixtures of single models, best at each budget.

    Parameters
    ----------
    mean_cost, mean_quality : float array of shape [m]
        Means of each single model.

    Returns
    -------
    cost, quality : float arrays of shape [k]
        Corners of the hull of the single models (arXiv:2403.12031). What does not lie above it has
        not learnt anything from the prompt.
    """
    return hull(mean_cost, mean_quality)
