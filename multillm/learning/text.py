"""Prompts as sparse vectors: hashed words and pairs of words, weighted by how rare they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import TypeVar

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from multillm.metrics.bootstrap import Figures

__all__ = ["among", "hashed_counts", "inverse_document_frequency", "remembered", "tf_idf"]

FEATURES = 2**14
REMEMBERED, LONGEST_REMEMBERED = 2**15, 4000
Measure = TypeVar("Measure")


def remembered(measure: Callable[[str], Measure]) -> Callable[[str], Measure]:
    """The same function that keeps what it said of recent texts, unless they are very long.

    A cross-validation asks for each prompt many times, and reading it costs more than fitting.
    """
    kept = lru_cache(maxsize=REMEMBERED)(measure)

    @wraps(measure)
    def asked(text: str) -> Measure:
        return kept(text) if len(text) <= LONGEST_REMEMBERED else measure(text)

    return asked


def hashed_counts(
    prompts: pd.Series[str] | Sequence[str], features: int = FEATURES, longest: int = 2
) -> sparse.csr_matrix:
    """Counts of word 1- to `longest`-grams, shape [n, features]; nothing is learnt, no text can be read back."""
    texts = pd.Series(prompts, dtype=object).fillna("").astype(str)
    hasher = HashingVectorizer(n_features=features, ngram_range=(1, longest), norm=None, alternate_sign=False)
    return hasher.transform(texts)


def among(counts: sparse.csr_matrix, columns: np.ndarray) -> sparse.csr_matrix:
    """Some columns (ascending) of a very wide matrix, in a time that does not grow with its width."""
    place = np.minimum(np.searchsorted(columns, counts.indices), len(columns) - 1)
    kept = columns[place] == counts.indices if len(columns) else np.zeros(counts.nnz, dtype=bool)
    starts = np.concatenate([[0], np.cumsum(kept)])[counts.indptr]
    return sparse.csr_matrix((counts.data[kept], place[kept], starts), shape=(counts.shape[0], len(columns)))


def inverse_document_frequency(counts: sparse.csr_matrix) -> Figures:
    r"""Rarity of each feature, shape [features]: :math:`1 + \ln((1 + n) / (1 + n_f))`."""
    documents = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.asarray(1.0 + np.log((1.0 + counts.shape[0]) / (1.0 + documents)))


def tf_idf(counts: sparse.csr_matrix, rarity: Figures) -> sparse.csr_matrix:
    """Logarithmic counts times rarity, each row of length 1."""
    weighted = counts.copy()
    weighted.data = (1.0 + np.log(weighted.data)) * rarity[weighted.indices]
    return normalize(weighted)
