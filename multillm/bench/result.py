"""What a benchmark found."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from multillm.bench.figures import ALL_TYPES, figures_table, paired_difference
from multillm.bench.manifest import Manifest
from multillm.bench.rows import MEASURED, ROUTED, typed_rows
from multillm.errors import BenchmarkError
from multillm.markup import html_table
from multillm.metrics import Estimate
from multillm.outcomes import Outcomes
from multillm.resources import data_dir

if TYPE_CHECKING:
    from multillm.bench.report import Report

__all__ = ["JOURNAL", "MANIFEST", "ROWS", "Benchmark"]

MANIFEST, JOURNAL, ROWS = "manifest.json", "answers.jsonl", "rows.parquet"
COSTS = {"USD": "price_usd", "s": "machine_s", "cost units": "cost_units"}
SHOWN = (
    *("model", "prompts", "scored", "lost", "cut", "quality", "price_usd", "cost_units", "machine_s"),
    *("latency_p50_s", "latency_p95_s", "tokens_per_s"),
)


@dataclass(frozen=True, eq=False)
class Benchmark:
    """Real models on prompts whose answers were checked.

    Attributes
    ----------
    manifest : Manifest
        What was run, on what, where and when.
    rows : DataFrame
        See `to_frame`.
    prompts : DataFrame
        As `multillm.prompts_frame` gives them.
    folder : Path or None
        Where the run is kept; None if it is not.
    """

    manifest: Manifest
    rows: pd.DataFrame
    prompts: pd.DataFrame
    folder: Path | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """Labels measured, in order of rank; the pipeline is not among them."""
        return tuple(str(m) for m in self._measured["model"].unique() if m != ROUTED)

    @property
    def recording(self) -> Path:
        """Every answer, for `ReplayBackend`.

        Raises
        ------
        BenchmarkError
            If the run was not kept.
        """
        if self.folder is None:
            raise BenchmarkError("this run was not kept; run it with out=FOLDER to have its answers recorded")
        return self.folder / JOURNAL

    @property
    def _measured(self) -> pd.DataFrame:
        return self.rows[self.rows["phase"] == MEASURED]

    def to_frame(self) -> pd.DataFrame:
        """One row for each answer, warm-ups included.

        Returns
        -------
        DataFrame
            prompt_id; model (label, or ``routed`` for the pipeline); phase (``measured`` or ``warm-up``); repeat;
            kind, task_type, complexity (0..1) of the prompt; quality (0..1, missing where unscored or lost) and
            reason (why it is below 1 or missing); error; finish_reason; served (labels that answered); calls;
            latency_s (of the pipeline: along the longest chain of its calls), of which queue_s, load_s, prompt_s,
            generation_s where the server tells; machine_s (seconds that models worked, which overlap where an engine
            works on several calls at once); tokens_per_s; input_tokens, output_tokens; cost_units (of the pool);
            cost_usd (where a provider has a price); price_usd (that, or the machine's seconds at its shadow price);
            answer.
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
        singles = self._measured[self._measured["model"] != ROUTED]
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
            means per answer of price_usd, cost_units, machine_s; latency_p50_s and latency_p95_s (linear
            interpolation); means of queue_s, load_s, prompt_s, generation_s; tokens_per_s (all output tokens over
            all seconds of generation).
        """
        return figures_table(self.rows)

    def difference(self, model: str, other: str) -> Estimate:
        """Mean quality of one model less another's, with the 95 % interval of the paired bootstrap over prompts.

        Parameters
        ----------
        model, other : str
            Labels, or ``routed``.
        """
        known = tuple(str(name) for name in self._measured["model"].unique())
        if absent := [name for name in (model, other) if name not in known]:
            raise BenchmarkError(f"{', '.join(absent)} was not measured; there are {', '.join(known)}")
        return paired_difference(self.rows, model, other)

    def report(self) -> Report:
        """The tables, the routing comparison and the plots, as Markdown and HTML."""
        from multillm.bench.report import Report

        return Report.of(self)

    def provenance(self) -> str:
        """Models, prompts, settings, machine and date in a sentence."""
        told, settings = self.manifest, self.manifest.settings
        priced = f"the machine at a shadow price of {settings.machine_usd_per_hour:g} USD per hour"
        servers = ", ".join(dict.fromkeys(m.server for m in told.models.values() if m.server)) or told.backend
        source = told.prompts.source or "prompts made in code"
        at_once = f"{settings.concurrency} at once"
        if told.servers > 1:
            at_once += f" on each of {told.servers} servers"
        return (
            f"{told.prompts.n} prompts of {source} (SHA-256 {told.prompts.sha256:.12}), "
            f"pool {told.pool.name}, {servers}; temperature {settings.temperature:g}, seed {settings.seed}, "
            f"{settings.repeats} repeat{'s' * (settings.repeats > 1)}, {at_once}; {priced}; "
            f"{told.machine.cpu}, {told.machine.cores} cores; {told.started.isoformat()}"
            f"{'; ' if told.note else ''}{told.note}"
        )

    def write(self, folder: str | Path) -> Path:
        """Store manifest and rows in a folder, beside the journal if the run had that folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.manifest.write(folder / MANIFEST)
        unfinished = folder / f"{ROWS}.part"
        asked = self.prompts[["prompt_id", "prompt", "grader", "max_output_tokens"]]
        self.rows.merge(asked, how="left").to_parquet(unfinished, index=False)
        unfinished.replace(folder / ROWS)
        return folder

    @classmethod
    def read(cls, folder: str | Path) -> Benchmark:
        """Read what a finished run left in its folder.

        Parameters
        ----------
        folder : str or Path
            The folder, or the name of a run that comes with multillm: ``small``.

        Raises
        ------
        BenchmarkError
            If manifest or rows are not there.
        """
        shipped = data_dir() / "outcomes" / str(folder)
        folder = shipped if shipped.is_dir() else Path(folder)
        manifest = Manifest.read(folder / MANIFEST)
        try:
            kept = pd.read_parquet(folder / ROWS)
        except (OSError, ValueError) as error:
            raise BenchmarkError(
                f"{folder / ROWS} cannot be read ({error}); run the benchmark to its end: it goes on where it stopped"
            ) from None
        about = ["prompt_id", "prompt", "kind", "task_type", "complexity", "grader", "max_output_tokens"]
        prompts = kept.loc[kept["phase"] == MEASURED, about].drop_duplicates("prompt_id", ignore_index=True)
        return cls(manifest, typed_rows(kept), prompts, folder)

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
