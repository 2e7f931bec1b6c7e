"""What has to be known of an outcome table in parts before it is worked on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from multillm.errors import OutcomesError
from multillm.outcomes.parts import PartitionedOutcomes
from multillm.outcomes.table import Outcomes

__all__ = ["Survey", "complete"]


@dataclass(frozen=True, eq=False)
class Survey:
    """A table in parts, looked through once.

    Attributes
    ----------
    table : PartitionedOutcomes
        Its parts.
    models : tuple of str
        Models in order of first appearance among the prompts counted.
    cost_unit : str
        Unit of costs.
    sizes : int array of shape [parts]
        Prompts of each part that have every measure of every model; n together.
    left_out : int
        All other prompts.
    groups : str array of shape [n]
        Group of each such prompt, empty where it has none.
    sha256 : str
        Hash of the hashes of all parts; see `Outcomes.sha256`.
    """

    table: PartitionedOutcomes
    models: tuple[str, ...]
    cost_unit: str
    sizes: npt.NDArray[np.intp]
    left_out: int
    groups: npt.NDArray[np.str_]
    sha256: str

    @classmethod
    def of(cls, table: PartitionedOutcomes, measures: Sequence[str]) -> Survey:
        """Look a table through for the prompts with some measures.

        Raises
        ------
        OutcomesError
            If parts have costs in different units or one prompt, or no prompt is complete.
        """
        looks = table.each(_look, measures=measures)
        named = {model for look in looks for model in look.models}
        units = sorted({look.cost_unit for look in looks} - {""})
        if len(units) > 1:
            raise OutcomesError(f"parts of {table.name} have costs in {' and '.join(units)}; bring them to one unit")
        ids = np.concatenate([look.ids for look in looks])
        if twice := len(ids) - len(np.unique(ids)):
            raise OutcomesError(f"{twice} prompts of {table.name} are in two parts; allowed: all rows in one part")
        groups = [look.groups if set(look.models) == named else look.groups[:0] for look in looks]
        sizes = np.array([len(names) for names in groups])
        if not sizes.any():
            raise OutcomesError(
                f"no prompt of {table.name} has {' and '.join(measures)} for all of {', '.join(sorted(named))}; "
                "filter the models, or state costs by with_costs"
            )
        models = looks[int(np.flatnonzero(sizes)[0])].models
        sha256 = hashlib.sha256("".join(look.sha256 for look in looks).encode()).hexdigest()
        left_out = len(ids) - int(sizes.sum())
        return cls(table, models, "".join(units), sizes, left_out, np.concatenate(groups), sha256)

    @property
    def name(self) -> str:
        """What the table is called."""
        return self.table.name

    @property
    def n(self) -> int:
        """Complete prompts of all parts."""
        return int(self.sizes.sum())

    @property
    def bounds(self) -> list[tuple[int, int]]:
        """Place of each part's first complete prompt and of the one after its last."""
        ends = np.cumsum(self.sizes).tolist()
        return list(zip([0, *ends[:-1]], ends, strict=True))


def complete(part: Outcomes, models: Sequence[str], measures: Sequence[str]) -> Outcomes | None:
    """The prompts of a part that have every measure of every model, models in that order; None if there is none."""
    if set(part.models) != set(models):
        return None
    ordered = part if part.models == tuple(models) else part.filter(models=models)
    known = np.logical_and.reduce([ordered.matrix(measure).notna().all(axis=1).to_numpy() for measure in measures])
    return ordered.take(known) if known.any() else None


@dataclass(frozen=True)
class _Look:
    models: tuple[str, ...]
    cost_unit: str
    ids: npt.NDArray[np.uint64]
    groups: npt.NDArray[np.str_]
    sha256: str


def _look(part: Outcomes, measures: Sequence[str]) -> _Look:
    kept = complete(part, part.models, measures)
    groups = np.empty(0, dtype=str) if kept is None else kept.prompts["group"].fillna("").to_numpy(str)
    ids = pd.util.hash_pandas_object(part.prompts["prompt_id"], index=False).to_numpy().astype(np.uint64)
    return _Look(part.models if kept is None else kept.models, part.cost_unit, ids, groups, part.sha256())
