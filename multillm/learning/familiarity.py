"""Whether a prompt is of a kind that an estimator has seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from multillm.learning.text import among
from multillm.metrics.bootstrap import Figures

__all__ = ["Familiarity", "coverage"]

DOUBTED_BELOW, TRUSTED_ABOVE = 0.5, 0.75
LEAST_SPREAD = 0.05


def coverage(counts: sparse.csr_matrix, columns: np.ndarray) -> Figures:
    """Share of each prompt's n-grams among these columns, 0..1."""
    return np.asarray(np.diff(among(counts, columns).indptr) / np.maximum(1, np.diff(counts.indptr)))


@dataclass(frozen=True)
class Familiarity:
    """What prompts of known kinds look like.

    Attributes
    ----------
    odds : array, shape [3]
        Weights of evidence and coverage, and intercept, in the log odds of a known kind.
    whiten : array, shape [traits, traits]
        Turns traits into coordinates in which the prompts seen lie about evenly.
    limits : array, shape [2]
        Distance that 1 % of the prompts seen exceed; coverage that 1 % fall below without their own kind.
    center : array, shape [traits]
        Mean traits of the prompts seen.
    """

    odds: Figures
    whiten: Figures
    limits: Figures
    center: Figures

    @classmethod
    def fit(
        cls,
        form: Figures,
        center: Figures,
        counts: sparse.csr_matrix,
        kind: np.ndarray,
        *,
        near: Figures,
        far: Figures,
    ) -> Familiarity:
        """Tell prompts scored with their own kind (`near`) from the same without it (`far`)."""
        # A trait that hardly ever varied and now does is news.
        spread = np.maximum(form.std(axis=0), LEAST_SPREAD)
        standard = (form - center) / spread
        scatter = standard.T @ standard / len(standard) + 0.1 * np.eye(standard.shape[1])
        whiten = np.linalg.cholesky(np.linalg.inv(scatter)) / spread[:, None]
        counts = among(counts, np.unique(counts.indices))
        documents = np.bincount(counts.indices, minlength=counts.shape[1])
        seen = coverage(counts, np.flatnonzero(documents >= 3))  # at least two prompts beside itself
        unseen = np.zeros(len(kind))
        for each in range(int(kind.max()) + 1):
            own = np.flatnonzero(kind == each)
            others = documents - np.bincount(counts[own].indices, minlength=len(documents))
            unseen[own] = coverage(counts[own], np.flatnonzero(others >= 2))
        evidence = np.vstack([np.column_stack([near, seen]), np.column_stack([far, unseen])])
        scale = evidence.std(axis=0) + 1e-9
        told = LogisticRegression().fit(evidence / scale, np.arange(len(evidence)) < len(kind))
        odds = np.append(told.coef_[0] / scale, told.intercept_)
        distance = np.linalg.norm((form - center) @ whiten, axis=1)
        limits = np.array([np.quantile(distance, 0.99), np.quantile(unseen, 0.01)])
        return cls(odds, whiten, limits, center)

    def log_odds(self, evidence: Figures, covered: Figures) -> Figures:
        """Log odds that the kind is known."""
        return np.asarray(np.column_stack([evidence, covered]) @ self.odds[:2] + self.odds[2])

    def known(self, probability: Figures) -> Figures:
        """Trust in what is learnt of kinds: 0 below a probability of 0.5, 1 above 0.75, straight between."""
        return np.clip((probability - DOUBTED_BELOW) / (TRUSTED_ABOVE - DOUBTED_BELOW), 0.0, 1.0)

    def gate(self, form: Figures, covered: Figures) -> Figures:
        """Trust in anything learnt: 1 within the limits, 0 at twice the distance or half the coverage."""
        distance = np.linalg.norm((form - self.center) @ self.whiten, axis=1)
        least = max(self.limits[1], 1e-9)
        near = np.clip(2.0 - distance / self.limits[0], 0.0, 1.0)
        return np.asarray(near * np.clip(2.0 * covered / least - 1.0, 0.0, 1.0))
