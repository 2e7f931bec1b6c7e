"""Functions of a column or table that take one of Dask as well, partition by partition, without importing Dask."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pandas as pd

__all__ = ["by_partition", "is_partitioned"]

TEXT = "What is a mutex?"


def is_partitioned(table: object) -> bool:
    """Whether a table is a Dask DataFrame or Series; nobody has one who has not imported Dask."""
    dataframe = sys.modules.get("dask.dataframe")
    return dataframe is not None and isinstance(table, (dataframe.DataFrame, dataframe.Series))


def by_partition(function: Callable[..., pd.DataFrame], table: Any, **options: object) -> pd.DataFrame:
    """A function that treats each row of a pandas table by itself, on every partition of a Dask table.

    Columns and types of the result are found by calling the function on one row that is made up.

    Returns
    -------
    dask.dataframe.DataFrame
        Lazy, with the partitions and divisions of `table`.
    """
    columns = function(_row_like(table._meta), **options).iloc[:0]
    done: pd.DataFrame = table.map_partitions(function, meta=columns, **options)
    return done


def _row_like(empty: pd.Series | pd.DataFrame) -> pd.Series | pd.DataFrame:
    """One row of an empty table's columns and types; what may hold anything holds a text."""
    from dask.dataframe.dispatch import meta_nonempty

    row: pd.Series | pd.DataFrame = meta_nonempty(empty).iloc[:1].copy()
    if isinstance(row, pd.Series):
        return row.map(lambda _: TEXT) if pd.api.types.is_object_dtype(row.dtype) else row
    for name in row:
        if pd.api.types.is_object_dtype(row[name].dtype):
            row[name] = TEXT
    return row
