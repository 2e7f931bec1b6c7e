"""What an evaluation found, with all that is needed to repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from multillm.errors import OutcomesError
from multillm.evaluation.figures import FIGURES
from multillm.metrics.bootstrap import Estimate, Figures

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Evaluation"]

SHOWN = ("quality", "cost", "aiq", "apgr", "gain_at_equal_cost", "cost_95", "gap_to_oracle", "robustness")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Routers compared on the same held-out prompts.

    Attributes
    ----------
    data : str
        Name of the outcomes.
    n, left_out : int
        Prompts compared, and prompts left out since some model's outcome is missing.
    models : tuple of str
        Models of the pool.
    best_single : str
        Best single model in hindsight.
    cost_unit : str
        Unit of costs; empty where unknown.
    split : mapping
        How prompts were held out: by, folds, seed, resampled, replicates, level, willingness, pair, versions, date.
    kinds : mapping of str to str
        ``router``, ``baseline`` or ``single model`` by name.
    resamples : mapping
        By router and figure: float array of shape [1 + replicates], on all prompts and on each resample. The
        resamples are the same for all routers.
    curves : DataFrame
        Points of the cost-quality curves: router, willingness, cost, quality.
    pgr : DataFrame
        Points of the curves between a weak and a strong model: router, share, pgr. Empty without a pair.
    by_task_type : DataFrame
        Mean quality at the operating point: router, task_type, n, quality, low, high.
    """

    data: str
    n: int
    left_out: int
    models: tuple[str, ...]
    best_single: str
    cost_unit: str
    split: Mapping[str, object]
    kinds: Mapping[str, str]
    resamples: Mapping[tuple[str, str], Figures]
    curves: pd.DataFrame
    pgr: pd.DataFrame
    by_task_type: pd.DataFrame

    @property
    def level(self) -> float:
        """Coverage that the intervals aim at."""
        return float(str(self.split["level"]))

    def estimate(self, router: str, figure: str) -> Estimate:
        """One figure of one router with its interval; see `multillm.evaluation.FIGURES` for what there is."""
        return Estimate.of(self._resamples(router, figure), self.n, self.level)

    def difference(self, router: str, other: str, figure: str, other_figure: str | None = None) -> Estimate:
        """One router's figure less another's, the same unless named, with the interval of the paired bootstrap."""
        less = self._resamples(other, other_figure or figure)
        return Estimate.of(self._resamples(router, figure) - less, self.n, self.level)

    @classmethod
    def averaged(cls, evaluations: Sequence[Evaluation]) -> Evaluation:
        """The mean of every figure over several seeds, with intervals for that mean.

        Each resample holds the same prompts under every seed, so its mean over the seeds is a resample of the mean.
        Curves and figures by task type are those of the first seed.

        Parameters
        ----------
        evaluations : sequence of Evaluation
            Of the same routers, outcomes and resamples, one for each seed.
        """
        first = evaluations[0]
        if any(
            (each.data, each.n, set(each.resamples)) != (first.data, first.n, set(first.resamples))
            for each in evaluations
        ):
            raise OutcomesError("only evaluations of the same routers on the same prompts can be averaged")
        seeds = ", ".join(str(each.split["seed"]) for each in evaluations)
        mean = {key: np.mean([each.resamples[key] for each in evaluations], axis=0) for key in first.resamples}
        return replace(first, resamples=mean, split={**first.split, "seed": seeds})

    @classmethod
    def over_seeds(cls, evaluations: Sequence[Evaluation]) -> pd.DataFrame:
        """Every figure over several seeds: the mean with its interval, and the range of the values.

        Returns
        -------
        DataFrame
            As `to_frame` of `averaged`, and seeds (how many), least, greatest.
        """
        keys = ["router", "kind", "figure"]
        values = pd.concat([each.to_frame() for each in evaluations]).groupby(keys, sort=False)["value"]
        ranges = values.agg(least="min", greatest="max").reset_index()
        return cls.averaged(evaluations).to_frame().assign(seeds=len(evaluations)).merge(ranges, on=keys)

    def verdict(self, router: str) -> str:
        """Whether a router beats the best single model at equal cost, by the interval of that difference."""
        if (router, "gain_at_equal_cost") not in self.resamples:
            return ""
        gain = self.estimate(router, "gain_at_equal_cost")
        if gain.low > 0:
            return "beats the best single model at equal cost"
        return "worse than the best single model at equal cost" if gain.high < 0 else "no better shown at equal cost"

    def to_frame(self) -> pd.DataFrame:
        """Every figure.

        Returns
        -------
        DataFrame
            One row per router and figure: router, kind, figure, value, low, high (float64), n.
        """
        rows = []
        for router, figure in self.resamples:
            found = self.estimate(router, figure)
            rows.append((router, self.kinds[router], figure, found.value, found.low, found.high, found.n))
        return pd.DataFrame(rows, columns=["router", "kind", "figure", "value", "low", "high", "n"])

    def table(self, figures: Sequence[str] = SHOWN) -> pd.DataFrame:
        """Figures side by side, as text with intervals.

        Parameters
        ----------
        figures : sequence of str
            Which, those that no router has are left out.

        Returns
        -------
        DataFrame
            Indexed by router; `kind`, the figures, `verdict`. Empty where a figure is not defined.
        """
        present = [figure for figure in figures if any((router, figure) in self.resamples for router in self.kinds)]
        rows = [
            [
                kind,
                *(self._cell(router, figure) for figure in present),
                self.verdict(router) if kind == "router" else "",
            ]
            for router, kind in self.kinds.items()
        ]
        return pd.DataFrame(
            rows, index=pd.Index(list(self.kinds), name="router"), columns=["kind", *present, "verdict"]
        )

    def provenance(self) -> str:
        """Data, split, seed, versions and date in a sentence."""
        left_out = f", {self.left_out:,} left out since an outcome is missing" if self.left_out else ""
        split = self.split
        return (
            f"{self.data}: {self.n:,} prompts{left_out}, {len(self.models)} models, best single {self.best_single}; "
            f"{split['folds']} folds by {split['by']}, seed {split['seed']}, {split['replicates']} resamples by "
            f"{split['resampled']}, {100 * self.level:g} % intervals; {split['versions']}; {split['date']}"
        )

    def _resamples(self, router: str, figure: str) -> Figures:
        if router not in self.kinds:
            raise OutcomesError(f"no router is called {router!r}; there are {', '.join(self.kinds)}")
        if (router, figure) not in self.resamples:
            has = [name for name in FIGURES if (router, name) in self.resamples]
            raise OutcomesError(f"{router} has no figure {figure!r}; it has {', '.join(has)}")
        return self.resamples[router, figure]

    def _cell(self, router: str, figure: str) -> str:
        if (router, figure) not in self.resamples:
            return ""
        found = self.estimate(router, figure)
        if np.isnan(found.value):
            return "not reached"
        needed = 2 - int(np.floor(np.log10(max(abs(found.value), 1e-12)))) if figure in {"cost", "cost_95"} else 0
        return found.brief(f"z.{max(3, needed)}f")

    def __repr__(self) -> str:
        routers = [router for router, kind in self.kinds.items() if kind == "router"]
        return f"Evaluation({', '.join(routers) or 'baselines'} on {self.data!r}, n={self.n:,}, by {self.split['by']})"

    def _repr_html_(self) -> str:
        return f"{self.table().to_html(border=0)}<p><small>{escape(self.provenance())}</small></p>"

    def __rich__(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        frame = self.table()
        table = Table(title=Text(repr(self)), caption=Text(self.provenance()))
        for column in ("router", *frame.columns):
            table.add_column(column)
        for router, row in frame.iterrows():
            table.add_row(Text(str(router)), *(Text(str(cell)) for cell in row))
        return table
