"""The report of a benchmark: tables, the routing comparison, cost and quality, latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pandas as pd

from multillm.bench.figures import ALL_TYPES, interval, mean_estimate, number, quality_by_prompt
from multillm.bench.page import Page, Plot, Section
from multillm.bench.result import Benchmark
from multillm.bench.routing import Comparison
from multillm.bench.rows import ROUTED, SPLIT, WARM_UP
from multillm.plots import plot_cost_quality, plot_latency
from multillm.reports import keep_evaluations, keep_table

__all__ = ["Report"]

COUNTS = ("prompts", "scored", "lost", "cut")
COSTS = ("price_usd", "cost_units", "machine_s")
SPEEDS = ("latency_p50_s", "latency_p95_s", "tokens_per_s")
LEGEND = (
    "Quality: mean score, 0..1, with the 95 % bootstrap interval over prompts; scored: answers with a score; lost: "
    "answers that the transport lost; cut: answers cut short by the output budget. Costs are means per answer: "
    "price_usd is the provider's price or the machine's seconds at the shadow price, cost_units the pool's. Latency in "
    "seconds, of the pipeline along the longest chain of its calls, waits for a slot left out; tokens_per_s over the "
    "seconds of generation."
)


@dataclass(frozen=True)
class Report(Page):
    """A benchmark in words, tables and plots.

    Attributes
    ----------
    benchmark : Benchmark
        What is reported.
    routing : Comparison or None
        Routers on its outcomes; None where there are too few to compare.
    sections : tuple of Section
        The tables.
    """

    benchmark: Benchmark
    routing: Comparison | None
    sections: tuple[Section, ...]

    @classmethod
    def of(cls, benchmark: Benchmark) -> Report:
        """The report of a benchmark."""
        routing = Comparison.of(benchmark)
        figures = benchmark.figures
        overall, typed = (figures[(figures["task_type"] == ALL_TYPES) == whole] for whole in (True, False))
        sections = [
            _figures("Models", overall, ("model",), LEGEND),
            _figures("By task type", typed.sort_values("task_type", kind="stable"), ("task_type", "model")),
            _differences(benchmark),
            _routing(routing),
            _pipeline(benchmark),
            _split(overall),
            _warm_up(benchmark),
        ]
        return cls(benchmark, routing, tuple(section for section in sections if section.rows or section.text))

    @property
    def title(self) -> str:
        """Heading of the page."""
        return f"Benchmark of the pool {self.benchmark.manifest.pool.name}"

    @property
    def plots(self) -> Mapping[str, Plot]:
        """What can be drawn, by file in the folder."""
        plots: dict[str, Plot] = {}
        if (routing := self.routing) is not None:
            plots["routing/cost_quality"] = lambda ax: plot_cost_quality(routing.evaluation, ax)
        if self.benchmark.measured["latency_s"].notna().any():
            plots["latency"] = lambda ax: plot_latency(self.benchmark.measured, ax=ax)
        return plots

    def provenance(self) -> str:
        """Models, prompts, settings, machine and date in a sentence."""
        return self.benchmark.provenance()

    def write(self, folder: str | Path) -> Path:
        """Store ``report.md``, ``report.html``, ``figures``, ``outcomes.parquet`` and plots; routers in ``routing``."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        keep_table(self.benchmark.figures, folder, "figures")
        self.benchmark.outcomes.write(folder / "outcomes.parquet")
        if self.routing is not None:
            (folder / "routing").mkdir(exist_ok=True)
            keep_evaluations({self.routing.seed: self.routing.evaluation}, folder / "routing")
        return super().write(folder)

    def to_frame(self) -> pd.DataFrame:
        """The figures; see `Benchmark.figures`."""
        return self.benchmark.figures.copy()

    def __repr__(self) -> str:
        return f"Report({self.benchmark!r})"


def _figures(title: str, figures: pd.DataFrame, names: Sequence[str], text: str = "") -> Section:
    columns = (*names, *COUNTS, "quality", *COSTS, *SPEEDS)
    rows = [
        (
            *(str(row[name]) for name in (*names, *COUNTS)),
            interval(row["quality"], row["low"], row["high"]),
            *(number(row[name]) for name in (*COSTS, *SPEEDS)),
        )
        for row in figures.to_dict("records")
    ]
    return Section(title, text if rows else "", columns, rows)


def _differences(benchmark: Benchmark) -> Section:
    names = [*benchmark.models, *([ROUTED] if (benchmark.rows["model"] == ROUTED).any() else [])]
    rows = []
    for first, second in combinations(names, 2):
        found = benchmark.difference(second, first)
        rows.append((f"{second} less {first}", interval(found.value, found.low, found.high, "+z.3f"), f"{found.n:,}"))
    text = "On the prompts scored for both; 95 % interval of the paired bootstrap over prompts."
    return Section("Differences in quality", text if rows else "", ("models", "difference", "n"), rows)


def _routing(routing: Comparison | None) -> Section:
    if routing is None:
        return Section("Routing", "Not compared: that takes two models and 50 prompts with a score for each of them.")
    frame = routing.to_frame()
    rows = [
        (
            str(row["router"]),
            str(row["kind"]),
            interval(row["quality"], row["quality_low"], row["quality_high"]),
            number(row["cost"]),
            interval(row["gain"], row["gain_low"], row["gain_high"], "+z.3f"),
            number(row["share_of_gap"]),
        )
        for row in frame.to_dict("records")
    ]
    columns = ("router", "kind", "quality", f"cost, {routing.evaluation.cost_unit}", "less best single", "share of gap")
    return Section("Routing", routing.told(), columns, rows)


def _pipeline(benchmark: Benchmark) -> Section:
    """The routed pipeline beside the best single model, by whether a prompt was asked as one and is one."""
    measured = benchmark.measured
    routed = measured[measured["model"] == ROUTED]
    if routed.empty:
        return Section("Pipeline")
    overall = benchmark.figures[benchmark.figures["task_type"] == ALL_TYPES].set_index("model")["quality"]
    best = str(overall.drop(ROUTED).idxmax())
    rows = []
    made = routed["calls"].gt(1).map({True: "several", False: "one"})
    for (kind, subtasks), part in routed.groupby(["kind", made], sort=False):
        found = [
            mean_estimate(quality_by_prompt(measured[measured["prompt_id"].isin(part["prompt_id"])], model).to_numpy())
            for model in (ROUTED, best)
        ]
        quality = [interval(estimate.value, estimate.low, estimate.high) for estimate in found]
        rows.append((str(kind), str(subtasks), f"{part['prompt_id'].nunique()}", *quality))
    columns = ("prompt", "sub-tasks made of it", "prompts", "quality, routed", f"quality, {best}")
    text = "A single prompt of which several sub-tasks were made was split wrongly, a compound one left whole likewise."
    return Section("Pipeline by kind of prompt", text, columns, sorted(rows, reverse=True))


def _split(figures: pd.DataFrame) -> Section:
    columns = ("model", *SPLIT)
    rows = [(str(row["model"]), *(number(row[name]) for name in SPLIT)) for row in figures.to_dict("records")]
    known = bool(figures[list(SPLIT)].notna().any(axis=None))
    text = "Mean seconds per answer: waiting for a slot, loading the model, reading the prompt, writing the answer."
    return Section("Where the time goes", text, columns, rows) if known else Section("Where the time goes")


def _warm_up(benchmark: Benchmark) -> Section:
    warm = benchmark.rows[benchmark.rows["phase"] == WARM_UP]
    rows = [(str(r["model"]), number(r["latency_s"]), number(r["load_s"])) for r in warm.to_dict("records")]
    text = "One short call to each model before its prompts, in none of the figures above." if rows else ""
    return Section("Warm-up", text, ("model", "latency_s", "load_s"), rows)
