"""A name for the content of outcomes, so that a figure can say which data it is from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

__all__ = ["sha256_of"]


def sha256_of(tables: Sequence[tuple[pd.DataFrame, Sequence[str]]]) -> str:
    """SHA-256 of the columns of some tables, each sorted by the columns named; numbers as little-endian doubles.

    Text is preceded by its length in bytes, missing text is -1, and every missing number is the same NaN, so that
    neither the order of rows nor the file they came from matters, and any other change does.
    """
    digest = hashlib.sha256()
    for frame, keys in tables:
        ordered = frame.sort_values(list(keys))
        for column in ordered:
            digest.update(f"{column}\n{len(ordered)}\n".encode())
            if pd.api.types.is_numeric_dtype(ordered[column]):
                values = ordered[column].to_numpy("<f8")
                digest.update((np.where(np.isnan(values), np.nan, values) + 0.0).tobytes())
            else:
                for value in ordered[column]:
                    text = b"" if pd.isna(value) else str(value).encode("utf-8", "surrogatepass")
                    digest.update(f"{-1 if pd.isna(value) else len(text)}\n".encode() + text)
    return digest.hexdigest()
