"""RouteLLM's figures for a router between a weak and a strong model (arXiv:2406.18665)."""

from __future__ import annotations

import numpy as np

from multillm.metrics.bootstrap import Figures

__all__ = ["apgr", "area", "cpt", "pgr_curve", "share_at"]


def pgr_curve(
    score: Figures, weak: Figures, strong: Figures, weights: Figures | None = None
) -> tuple[Figures, Figures]:
    r"""Performance gap recovered against the share of calls that go to the strong model.

    .. math:: \mathrm{PGR} = \frac{q - q_{weak}}{q_{strong} - q_{weak}}

    at every threshold of the score (arXiv:2406.18665). Prompts with one score are routed in random
    order: between two thresholds the curve is straight, which is its expectation.

    Parameters
    ----------
    score : float array of shape [n]
        The higher, the sooner the strong model is called.
    weak, strong : float array of shape [n]
        Measured quality of both models.
    weights : float array of shape [b, n], optional
        How much each prompt counts; all the same if left out.

    Returns
    -------
    share, pgr : float arrays of shape [b, thresholds + 1], without `weights` [thresholds + 1]
        From no call to all; PGR is NaN where the strong model is not better on average.
    """
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=np.nan))
    counted = np.ones((1, len(score))) if weights is None else weights
    calls = np.add.reduceat(counted[:, order], starts, axis=1)
    gains = np.add.reduceat(counted[:, order] * (strong - weak)[order], starts, axis=1)
    gap = gains.sum(axis=1, keepdims=True)
    share = _from_zero(calls / counted.sum(axis=1, keepdims=True))
    pgr = _from_zero(gains / np.where(gap > 0, gap, np.nan))
    return (share[0], pgr[0]) if weights is None else (share, pgr)


def _from_zero(steps: Figures) -> Figures:
    """Running sums along the last axis, 0 first."""
    return np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)], axis=1)


def apgr(score: Figures, weak: Figures, strong: Figures, weights: Figures | None = None) -> Figures:
    r"""Average performance gap recovered.

    .. math:: \mathrm{APGR} = \int_0^1 \mathrm{PGR}(x)\,dx

    over the share x of calls to the strong model, exactly, at every threshold (the published code of arXiv:2406.18665
    takes ten). Random routing has 0.5.

    Parameters
    ----------
    score, weak, strong, weights
        As for `pgr_curve`.

    Returns
    -------
    float array of shape [b], without `weights` []
        Above 1 where routing does better than the strong model alone; NaN where that is not better than the weak one.
    """
    return area(*pgr_curve(score, weak, strong, weights))


def cpt(score: Figures, weak: Figures, strong: Figures, target: float, weights: Figures | None = None) -> Figures:
    r"""Call-performance threshold: least share of strong calls that recovers a share of the gap.

    .. math:: \mathrm{CPT}(t) = \min \{x : \mathrm{PGR}(x) \ge t\}

    (arXiv:2406.18665), straight between thresholds. Random routing has CPT(t) = t.

    Parameters
    ----------
    score, weak, strong, weights
        As for `pgr_curve`.
    target : float
        Share of the gap, 0..1.

    Returns
    -------
    float array of shape [b], without `weights` []
        Share of calls, 0..1; NaN where the strong model is not better.
    """
    return share_at(target, *pgr_curve(score, weak, strong, weights))


def area(share: Figures, pgr: Figures) -> Figures:
    """APGR of curves that `pgr_curve` gave, shape [...] of [..., thresholds + 1]."""
    return np.asarray((np.diff(share) * (pgr[..., 1:] + pgr[..., :-1]) / 2).sum(axis=-1))


def share_at(target: float, share: Figures, pgr: Figures) -> Figures:
    """CPT of curves that `pgr_curve` gave, shape [...] of [..., thresholds + 1]."""
    reached = pgr >= target - 1e-12
    column = np.maximum(reached.argmax(axis=-1), 1)[..., None]
    low, high = (np.take_along_axis(pgr, place, axis=-1)[..., 0] for place in (column - 1, column))
    left, right = (np.take_along_axis(share, place, axis=-1)[..., 0] for place in (column - 1, column))
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.clip(np.where(high > low, (target - low) / (high - low), 0.0), 0.0, 1.0)
    return np.where(reached.any(axis=-1), left + part * (right - left), np.nan)
