"""Prompts as sparse vectors: hashed words and pairs of words, weighted by how rare they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from multillm.metrics.bootstrap import Figures

__all__ = ["hashed_counts", "inverse_document_frequency", "tf_idf"]

FEATURES = 2**14


def hashed_counts(prompts: pd.Series[str] | Sequence[str]) -> sparse.csr_matrix:
    """Counts of words and pairs of words, shape [n, 16384]; nothing is learnt, nothing of the text can be read back."""
    texts = pd.Series(prompts, dtype=object).fillna("").astype(str)
    hasher = HashingVectorizer(n_features=FEATURES, ngram_range=(1, 2), norm=None, alternate_sign=False)
    return hasher.transform(texts)


def inverse_document_frequency(counts: sparse.csr_matrix) -> Figures:
    r"""Rarity of each feature, shape [16384]: :math:`1 + \ln((1 + n) / (1 + n_f))`."""
    documents = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.asarray(1.0 + np.log((1.0 + counts.shape[0]) / (1.0 + documents)))


def tf_idf(counts: sparse.csr_matrix, rarity: Figures) -> sparse.csr_matrix:
    """Logarithmic counts times rarity, each row of length 1."""
    weighted = counts.copy()
    weighted.data = (1.0 + np.log(weighted.data)) * rarity[weighted.indices]
    return normalize(weighted)
