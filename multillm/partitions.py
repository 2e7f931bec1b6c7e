"""Functions of a column or table that take one of Dask as well, partition by partition, without importing Dask."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pandas as pd

__all__ = ["by_partition", "is_partitioned"]


def is_partitioned(table: object) -> bool:
    """Whether a table is a Dask DataFrame or Series; nobody has one who has not imported Dask."""
    dataframe = sys.modules.get("dask.dataframe")
    return dataframe is not None and isinstance(table, (dataframe.DataFrame, dataframe.Series))


def by_partition(
    function: Callable[..., pd.DataFrame], table: Any, example: pd.Series | pd.DataFrame, **options: object
) -> pd.DataFrame:
    """A function that treats each row of a pandas table by itself, on every partition of a Dask table.

    Parameters
    ----------
    function : callable
        From a pandas table to a DataFrame with its index.
    table : dask.dataframe.DataFrame or Series
        What to call it on.
    example : DataFrame or Series
        A table that it can be called on, to see the columns and types of its result.
    **options
        Given to the function each time.

    Returns
    -------
    dask.dataframe.DataFrame
        Lazy, with the partitions and divisions of `table`.
    """
    columns = function(example, **options).iloc[:0].set_axis(table._meta.index)
    done: pd.DataFrame = table.map_partitions(function, meta=columns, **options)
    return done
