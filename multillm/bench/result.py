"""What a benchmark found."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from multillm.bench.figures import ALL_TYPES, figures_table, paired_difference
from multillm.bench.kept import Kept
from multillm.bench.rows import ROUTED
from multillm.errors import BenchmarkError
from multillm.markup import html_table
from multillm.metrics import Estimate
from multillm.outcomes import Outcomes

if TYPE_CHECKING:
    from multillm.bench.report import Report

__all__ = ["Benchmark"]

COSTS = {"USD": "price_usd", "s": "machine_s", "cost units": "cost_units"}
SHOWN = (
    *("model", "prompts", "scored", "lost", "cut", "quality", "price_usd", "cost_units", "machine_s"),
    *("latency_p50_s", "latency_p95_s", "tokens_per_s"),
)


@dataclass(frozen=True, eq=False)
class Benchmark(Kept):
    """Real models on prompts whose answers were checked; attributes as of every run that is kept: `Kept`."""

    kind = "benchmark"

    @property
    def models(self) -> tuple[str, ...]:
        """Labels measured, in order of rank; the pipeline is not among them."""
        return tuple(str(m) for m in self.measured["model"].unique() if m != ROUTED)

    def to_frame(self) -> pd.DataFrame:
        """One row for each answer, warm-ups included.

        Returns
        -------
        DataFrame
            prompt_id; model (label, or ``routed`` for the pipeline); phase (``measured`` or ``warm-up``); repeat;
            kind, task_type, complexity (0..1) of the prompt; quality (0..1, missing where unscored or lost) and
            reason (why it is below 1 or missing); error; finish_reason; served (labels that answered); calls;
            latency_s (from request to whole answer, waits for a free slot left out; of the pipeline along the longest
            chain of its calls); queue_s (those waits), load_s, prompt_s, generation_s where the server tells;
            machine_s (seconds that models worked, which overlap where an engine works on several calls at once);
            tokens_per_s; input_tokens, output_tokens; cost_units (of the pool); cost_usd (where a provider has a
            price); price_usd (that, or the machine's seconds at its shadow price); answer.
        """
        return self.rows.copy()

    @cached_property
    def outcomes(self) -> Outcomes:
        """The outcome table of the single models, costs in USD; see `outcomes_in`."""
        return self.outcomes_in("USD")

    def outcomes_in(self, cost_unit: str) -> Outcomes:
        """The outcome table of the single models, as `evaluate` and `tune` take it.

        Parameters
        ----------
        cost_unit : {"USD", "s", "cost units"}
            Price of the provider or shadow price of the machine's time; seconds of the machine; the pool's units.

        Returns
        -------
        Outcomes
            One row for each prompt and model, repeats averaged; quality is missing where nothing was scored.
        """
        if cost_unit not in COSTS:
            raise BenchmarkError(f"a benchmark has no costs in {cost_unit!r}; choose {', '.join(COSTS)}")
        names = {"quality": "quality", COSTS[cost_unit]: "cost", "latency_s": "latency_s"}
        names |= {"input_tokens": "input_tokens", "output_tokens": "output_tokens"}
        singles = self.measured[self.measured["model"] != ROUTED]
        means = singles.astype(dict.fromkeys(names, float)).groupby(["model", "prompt_id"], sort=False)[list(names)]
        rows = means.mean().rename(columns=names).reset_index()
        return Outcomes(
            rows,
            self.prompts[self.prompts["prompt_id"].isin(rows["prompt_id"])],
            name=f"{self.manifest.pool.name} on {self.manifest.prompts.source or 'prompts'}",
            cost_unit=cost_unit,
            source=self.provenance(),
        )

    @cached_property
    def figures(self) -> pd.DataFrame:
        """Each model, and the pipeline, in figures.

        Returns
        -------
        DataFrame
            model, task_type (``all``, then each); prompts, answers, scored, lost (to failures of the transport), cut
            (by the output budget); quality (mean, 0..1) with low and high (95 % bootstrap interval over prompts);
            means per answer of price_usd, cost_units, machine_s; latency_p50_s and latency_p95_s (of latency_s
            as in `to_frame`, linear interpolation); means of queue_s, load_s, prompt_s, generation_s; tokens_per_s (all
            output tokens over all seconds of generation).
        """
        return figures_table(self.rows)

    def difference(self, model: str, other: str) -> Estimate:
        """Mean quality of one model less another's, with the 95 % interval of the paired bootstrap over prompts.

        Parameters
        ----------
        model, other : str
            Labels, or ``routed``.
        """
        known = tuple(str(name) for name in self.measured["model"].unique())
        if absent := [name for name in (model, other) if name not in known]:
            raise BenchmarkError(f"{', '.join(absent)} was not measured; there are {', '.join(known)}")
        return paired_difference(self.rows, model, other)

    def report(self) -> Report:
        """The tables, the routing comparison and the plots, as Markdown and HTML."""
        from multillm.bench.report import Report

        return Report.of(self)

    def __repr__(self) -> str:
        overall = self.figures[self.figures["task_type"] == ALL_TYPES]
        told = ", ".join(
            f"{model} {quality:.3f}" for model, quality in zip(overall["model"], overall["quality"], strict=True)
        )
        return f"Benchmark({self.manifest.pool.name!r}, {self.manifest.prompts.n} prompts, quality: {told})"

    def _repr_html_(self) -> str:
        overall = self.figures[self.figures["task_type"] == ALL_TYPES]
        rows = [[_cell(row, column) for column in SHOWN] for row in overall.to_dict("records")]
        return html_table(repr(self), SHOWN, rows) + f"\n<p><small>{escape(self.provenance())}</small></p>"


def _cell(row: Mapping[Hashable, Any], column: str) -> object:
    """A figure as text; quality with its interval."""
    value = row[column]
    if not isinstance(value, float):
        return value
    if pd.isna(value):
        return None
    if column == "quality":
        return f"{value:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
    return f"{value:.3g}"
