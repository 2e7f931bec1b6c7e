"""Quality from the most similar prompts seen, and from clusters of prompts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from multillm.learning.base import PromptQuality
from multillm.learning.text import hashed_counts, inverse_document_frequency, tf_idf
from multillm.metrics.bootstrap import Figures
from multillm.outcomes import Outcomes

__all__ = ["ClusterQuality", "NeighbourQuality"]

ROWS_AT_ONCE = 512


class NeighbourQuality(PromptQuality):
    """Mean quality on the nearest prompts, by cosine of TF-IDF (RouterBench's k-nearest-neighbours router).

    Parameters
    ----------
    neighbours : int, default 40
        How many prompts to average over; more where several are equally near.
    """

    def __init__(self, neighbours: int = 40) -> None:
        self.neighbours = neighbours

    def _fit(self, outcomes: Outcomes) -> None:
        counts = hashed_counts(outcomes.prompts["prompt"])
        self.rarity_ = inverse_document_frequency(counts)
        self.seen_ = tf_idf(counts, self.rarity_).T.tocsr()
        self.quality_ = outcomes.quality_matrix().to_numpy(float)
        self.mean_ = np.nanmean(self.quality_, axis=0)

    def _predict(self, prompts: pd.DataFrame) -> Figures:
        asked = tf_idf(hashed_counts(prompts["prompt"]), self.rarity_)
        known = ~np.isnan(self.quality_)
        quality = np.where(known, self.quality_, 0.0)
        nearest_of = min(self.neighbours, self.seen_.shape[1])
        expected = np.empty((len(prompts), len(self.models_)))
        for start in range(0, len(prompts), ROWS_AT_ONCE):
            likeness = (asked[start : start + ROWS_AT_ONCE] @ self.seen_).toarray()
            least = -np.partition(-likeness, nearest_of - 1, axis=1)[:, nearest_of - 1 : nearest_of]
            nearest = (likeness >= least).astype(float)
            counted, total = nearest @ known, nearest @ quality
            expected[start : start + ROWS_AT_ONCE] = np.where(counted > 0, total / np.maximum(counted, 1), self.mean_)
        return expected


class ClusterQuality(PromptQuality):
    """Mean quality in the prompt's cluster: the idea of Avengers (arXiv:2505.19797), on TF-IDF instead of embeddings.

    Parameters
    ----------
    clusters : int, default 32
        How many clusters to form by k-means.
    dimensions : int, default 64
        Length of the vectors that are clustered, after a truncated singular value decomposition.
    prior : float, default 10.0
        Prompts' worth of the model's overall mean mixed into each cluster's mean.
    seed : int, default 0
        Source of chance.
    """

    def __init__(self, clusters: int = 32, dimensions: int = 64, prior: float = 10.0, seed: int = 0) -> None:
        self.clusters = clusters
        self.dimensions = dimensions
        self.prior = prior
        self.seed = seed

    def _fit(self, outcomes: Outcomes) -> None:
        counts = hashed_counts(outcomes.prompts["prompt"])
        self.rarity_ = inverse_document_frequency(counts)
        vectors = tf_idf(counts, self.rarity_)
        dimensions = max(1, min(self.dimensions, min(vectors.shape) - 1))
        decomposition = TruncatedSVD(dimensions, algorithm="arpack", random_state=self.seed).fit(vectors)
        self.basis_ = np.ascontiguousarray(decomposition.components_.T, dtype=np.float32)
        dense = self._dense(prompts=outcomes.prompts)
        clusters = min(self.clusters, len(np.unique(dense.round(6), axis=0)))
        grouping = KMeans(clusters, n_init=1, random_state=self.seed).fit(dense)
        self.centres_ = grouping.cluster_centers_
        quality = outcomes.quality_matrix().to_numpy(float)
        member = (grouping.labels_ == np.arange(clusters)[:, None]).astype(float)
        mean = np.nanmean(quality, axis=0)
        counted = member @ ~np.isnan(quality)
        self.cluster_quality_ = (member @ np.nan_to_num(quality) + self.prior * mean) / (counted + self.prior)

    def _predict(self, prompts: pd.DataFrame) -> Figures:
        dense = self._dense(prompts)
        distance = (self.centres_**2).sum(axis=1) - 2.0 * dense @ self.centres_.T
        return np.asarray(self.cluster_quality_[distance.argmin(axis=1)])

    def _dense(self, prompts: pd.DataFrame) -> Figures:
        vectors = tf_idf(hashed_counts(prompts["prompt"]), self.rarity_)
        return np.asarray(normalize(vectors.astype(np.float32) @ self.basis_), dtype=float)
