"""Work on the partitions of Dask, without importing Dask where there are none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd

__all__ = ["Parts", "by_partition", "is_partitioned"]

T = TypeVar("T")

ADDED_AT_ONCE = 8


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


@dataclass(frozen=True, eq=False)
class Parts:
    """Something in parts, of which a worker of Dask holds a few at a time.

    Work is done on the active Dask client, or in threads of this process where there is none; a part that is lost with
    its worker is made again.

    Attributes
    ----------
    parts : sequence of dask.delayed.Delayed
        In order.
    """

    parts: Sequence[Any]

    def map(self, function: Callable[..., Any], *columns: Iterable[Any], **shared: Any) -> Parts:
        """What a function makes of each part, its share of further columns, and what all parts share."""
        from dask.delayed import delayed

        everywhere = {name: delayed(value, traverse=False) for name, value in shared.items()}
        rows = zip(self.parts, *columns, strict=True)
        return Parts([delayed(function)(part, *given, **everywhere) for part, *given in rows])

    def kept(self) -> Parts:
        """The parts worked out once and kept by the workers, which put on disk what does not fit their memory."""
        from dask.base import persist

        return Parts(list(persist(*self.parts)))

    def each(self, function: Callable[..., T], *columns: Iterable[Any], **shared: Any) -> list[T]:
        """As `map`, computed."""
        from dask.base import compute

        return list(compute(*self.map(function, *columns, **shared).parts))

    def total(self, function: Callable[..., T], add: Callable[[T, T], T], *columns: Iterable[Any], **shared: Any) -> T:
        """As `each`, added up by the workers, in the same order each time."""
        from dask.delayed import delayed

        tasks = self.map(function, *columns, **shared).parts
        while len(tasks) > 1:
            groups = (tasks[start : start + ADDED_AT_ONCE] for start in range(0, len(tasks), ADDED_AT_ONCE))
            tasks = [delayed(_added)(add, *group) for group in groups]
        total: T = tasks[0].compute()
        return total


def _added(add: Callable[[T, T], T], first: T, *rest: T) -> T:
    for other in rest:
        first = add(first, other)
    return first
