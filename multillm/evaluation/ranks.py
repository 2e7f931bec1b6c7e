"""How far up a router puts each held-out prompt, where each fold has an estimator of its own."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import numpy.typing as npt

from multillm.metrics.bootstrap import Figures

__all__ = ["ranked_across", "ranked_within"]

Folds = npt.NDArray[np.intp]


def ranked_within(gain: Figures, folds: Folds) -> Figures:
    """Share of its own fold's prompts that each expected gain exceeds, ties in the middle.

    Folds of single prompts are alike, so a share of strong calls is that share of every fold.
    """
    ranks = np.empty_like(gain)
    for fold in np.unique(folds):
        own = folds == fold
        ranks[own] = _below(gain[own], gain[own]) / own.sum()
    return ranks


def ranked_across(gain: Figures, folds: Folds, gain_without: Callable[[npt.NDArray[np.bool_]], Figures]) -> Figures:
    """Share of all prompts that each expected gain exceeds, by estimators that have seen neither of two folds.

    Folds of whole groups differ: some should send more prompts to the strong model than others, which ranks within
    folds cannot show. Gains from different estimators do not compare either: the mean that an estimator has learnt
    is the lower the more the fold held out gains. So two prompts are compared by an estimator fitted without the
    folds of both (leave-pair-out cross-validation: Airola et al., Computational Statistics & Data Analysis 55, 2011).

    Parameters
    ----------
    gain : float array of shape [n]
        Expected gain of each prompt by the estimator fitted without its fold.
    folds : int array of shape [n]
        Fold of each prompt. With two folds nothing is left to fit on, and ranks are taken within folds.
    gain_without : callable
        From a mask of prompts to their expected gain by an estimator fitted on all others.
    """
    names = np.unique(folds)
    if len(names) < 3:
        return ranked_within(gain, folds)
    exceeded = ranked_within(gain, folds) * np.bincount(folds)[folds]
    for one, other in combinations(names, 2):
        held_out = (folds == one) | (folds == other)
        asked, first = gain_without(held_out), folds[held_out] == one
        exceeded[folds == one] += _below(asked[~first], asked[first])
        exceeded[folds == other] += _below(asked[first], asked[~first])
    return exceeded / len(folds)


def _below(gains: Figures, gain: Figures) -> Figures:
    """How many of some gains lie below each gain; equal ones count half."""
    ordered = np.sort(gains)
    return np.asarray(np.searchsorted(ordered, gain, "left") + np.searchsorted(ordered, gain, "right")) / 2
