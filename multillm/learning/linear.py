"""Linear steps that leave what was not measured out: ridges, shrunken means, shares that carry over."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from sklearn.linear_model import Ridge

from multillm.metrics.bootstrap import Figures

__all__ = ["apply_ridge", "fit_ridge", "measured_together", "shrunken_effects", "transferred_shares"]

MOST_FOLDS = 30


def measured_together(quality: Figures) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows measured, and the columns that were measured on just those rows."""
    seen: dict[bytes, list[int]] = {}
    for column in range(quality.shape[1]):
        seen.setdefault((~np.isnan(quality[:, column])).tobytes(), []).append(column)
    for columns in seen.values():
        yield np.flatnonzero(~np.isnan(quality[:, columns[0]])), np.array(columns)


def fit_ridge(traits: Figures, quality: Figures, weight: Figures, penalty: float) -> Figures:
    """Coefficients, shape [traits + 1, models]; the last row centres them, so that they only move around a mean."""
    coefficients = np.zeros((traits.shape[1] + 1, quality.shape[1]))
    for rows, columns in measured_together(quality):
        relative = weight[rows] / weight[rows].mean()
        ridge = Ridge(alpha=penalty * len(rows)).fit(
            traits[rows], quality[np.ix_(rows, columns)], sample_weight=relative
        )
        coefficients[:-1, columns] = ridge.coef_.reshape(len(columns), -1).T
    coefficients[-1] = -traits.mean(axis=0) @ coefficients[:-1]
    return coefficients


def apply_ridge(traits: Figures, coefficients: Figures) -> Figures:
    """What `fit_ridge` learned, shape [n, models]."""
    return np.asarray(traits @ coefficients[:-1] + coefficients[-1])


def shrunken_effects(total: Figures, count: Figures, noise: Figures) -> Figures:
    """Means of kinds, shape [kinds, models], shrunken by noise over variance between kinds (method of moments)."""
    between = float(np.sum(total**2 / np.maximum(count, 1) - noise, axis=0).sum() / count.sum())
    prior = noise.sum() / between if between > 0 else np.inf
    return np.asarray(total / (count + prior))


def transferred_shares(
    standard: Figures,
    quality: Figures,
    kind: np.ndarray,
    *,
    weight: Figures,
    general: int,
    penalties: tuple[float, float],
) -> Figures:
    r"""Shares, 0..1, of the ridges on the first `general` traits and on all for prompts of a kind not seen.

    Least squares of the quality of each left-out kind, centred over the models, on what the ridges fitted to the
    other kinds predict for it:

    .. math:: \hat\tau = H^{-1} \sum_i w_i x_i r_i, \qquad
        \mathrm{Var}\,\hat\tau = H^{-1} \Big( \sum_k u_k u_k^\top \Big) H^{-1}

    with :math:`u_k` the sum of :math:`w_i x_i` times residual over kind k (Liang and Zeger, Biometrika 73, 1986). Few
    kinds tell little, so each share is one standard error nearer to what holds until shown otherwise: the general
    traits are trusted until left-out kinds refute them, the others only once left-out kinds confirm them.
    """
    largest_first = np.argsort(np.argsort(-np.bincount(kind), kind="stable"), kind="stable")[kind]
    fold = largest_first % MOST_FOLDS
    moved, sought = np.zeros((2, *quality.shape)), np.zeros(quality.shape)
    for held in np.unique(fold):
        rest, out = fold != held, fold == held
        left = quality - np.nanmean(quality[rest], axis=0)
        centred = left[out] - np.nanmean(left[out], axis=1, keepdims=True)
        predicted = _left_out(standard, left, kind, rest, weight=weight, general=general, penalties=penalties)
        for ridge, figure in enumerate(predicted):
            moved[ridge, out] = (figure[out] - figure[out].mean(axis=1, keepdims=True)) * ~np.isnan(centred)
        sought[out] = np.nan_to_num(centred)
    gram = np.einsum("i,aim,bim->ab", weight, moved, moved)
    inverse = np.linalg.inv(gram + 1e-9 * (1.0 + np.trace(gram)) * np.eye(2))
    shares = inverse @ np.einsum("i,aim,im->a", weight, moved, sought)
    residual = sought - np.tensordot(shares, moved, axes=1)
    scores = np.stack([np.bincount(kind, weight * (part * residual).sum(axis=1)) for part in moved])
    error = np.sqrt(np.diag(inverse @ (scores @ scores.T) @ inverse))
    return np.asarray(np.clip(shares + error * (1.0, -1.0), 0.0, 1.0))


def _left_out(
    standard: Figures,
    left: Figures,
    kind: np.ndarray,
    rest: np.ndarray,
    *,
    weight: Figures,
    general: int,
    penalties: tuple[float, float],
) -> tuple[Figures, Figures]:
    """What both ridges, fitted to the rest, predict for every prompt."""
    on_general = fit_ridge(standard[rest][:, :general], left[rest], weight[rest], penalties[0])
    first = apply_ridge(standard[:, :general], on_general)
    remaining = left - first
    shape = (int(kind.max()) + 1, len(kind))
    member = sparse.csr_matrix((np.ones(rest.sum()), (kind[rest], np.flatnonzero(rest))), shape=shape)
    measured = (~np.isnan(remaining)).astype(float)
    remaining = remaining - (member @ np.nan_to_num(remaining) / np.maximum(1.0, member @ measured))[kind]
    on_all = fit_ridge(standard[rest], remaining[rest], np.ones(int(rest.sum())), penalties[1])
    return first, apply_ridge(standard, on_all)
