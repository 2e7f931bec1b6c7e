"""What a comparison of routers finds, and its tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from multillm.evaluation.runs import Means, RouterKind
from multillm.metrics import Estimate
from multillm.metrics.bootstrap import Figures

__all__ = ["Compared", "curve_table", "pgr_table", "task_type_table"]


def curve_table(router: str, willingness: Figures | float, cost: Figures, quality: Figures) -> pd.DataFrame:
    """Points of a router's curve, as in `Evaluation.curves`."""
    return pd.DataFrame({"router": router, "willingness": willingness, "cost": cost, "quality": quality})


def pgr_table(points: Iterable[tuple[str, Figures, Figures]]) -> pd.DataFrame:
    """Routers' shares of strong calls and gaps recovered, as in `Evaluation.pgr`."""
    tables = [pd.DataFrame({"router": name, "share": share, "pgr": pgr}) for name, share, pgr in points]
    empty = {"router": pd.Series(dtype=str), "share": pd.Series(dtype=float), "pgr": pd.Series(dtype=float)}
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(empty)


def task_type_table(found: Iterable[tuple[str, str, Estimate]]) -> pd.DataFrame:
    """Routers' quality by task type, as in `Evaluation.by_task_type`."""
    rows = [(router, kind, each.n, each.value, each.low, each.high) for router, kind, each in found]
    return pd.DataFrame(rows, columns=["router", "task_type", "n", "quality", "low", "high"])


@dataclass(frozen=True, eq=False, kw_only=True)
class Compared:
    """What `evaluate` tells of a comparison; most of it as in `Evaluation`.

    Attributes
    ----------
    means : Means
        Of the models, over all prompts compared.
    """

    n: int
    left_out: int
    models: tuple[str, ...]
    means: Means
    kinds: Mapping[str, RouterKind]
    resamples: Mapping[tuple[str, str], Figures]
    curves: pd.DataFrame
    by_task_type: pd.DataFrame
    pgr: pd.DataFrame = field(default_factory=lambda: pgr_table(()))
