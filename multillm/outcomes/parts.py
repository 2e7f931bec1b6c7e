"""Outcome tables that are larger than memory: in parts, each a table of whole prompts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from multillm.errors import OutcomesError
from multillm.outcomes.table import Outcomes, split_frame
from multillm.partitions import Parts, is_partitioned

__all__ = ["PartitionedOutcomes"]


@dataclass(frozen=True, eq=False)
class PartitionedOutcomes(Parts):
    """An outcome table in parts, each an `Outcomes` of whole prompts; nothing is read before it is used.

    Attributes
    ----------
    parts : sequence of dask.delayed.Delayed
        In the order of the table.
    name : str
        What the table is called.
    """

    name: str = "outcomes"

    @classmethod
    def read(cls, folder: str | Path) -> PartitionedOutcomes:
        """The parquet files of a folder in the order of their names, each stored by `Outcomes.write`.

        Raises
        ------
        OutcomesError
            If there is none. What is wrong with a file is told when it is used.
        """
        from dask.delayed import delayed

        files = sorted(Path(folder).absolute().glob("*.parquet"))
        if not files:
            raise OutcomesError(f"{folder} has no .parquet file; store each part there by Outcomes.write")
        return cls([delayed(Outcomes.read)(file) for file in files], Path(folder).name)

    @classmethod
    def from_frame(cls, frame: Any, name: str = "outcomes", cost_unit: str = "") -> PartitionedOutcomes:
        """A Dask DataFrame with the columns of `Outcomes.to_frame`; all rows of a prompt are in one partition.

        Raises
        ------
        OutcomesError
            If it is no Dask DataFrame.
        """
        from dask.delayed import delayed

        if not is_partitioned(frame):
            raise OutcomesError(f"a {type(frame).__name__} is no Dask DataFrame; make Outcomes of a table of pandas")
        return cls([delayed(_of_frame)(part, name, cost_unit) for part in frame.to_delayed()], name)

    def __repr__(self) -> str:
        return f"PartitionedOutcomes({self.name!r}, {len(self.parts)} parts)"


def _of_frame(frame: pd.DataFrame, name: str, cost_unit: str) -> Outcomes:
    return Outcomes(*split_frame(frame), name=name, cost_unit=cost_unit)
