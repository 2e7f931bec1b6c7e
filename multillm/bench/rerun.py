"""Run a manifest again and hold the result against the first one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from multillm.backends import Backend
from multillm.bench.blocking import blocking
from multillm.bench.figures import ALL_TYPES
from multillm.bench.kept import MANIFEST
from multillm.bench.result import Benchmark
from multillm.bench.running import run_benchmark_async
from multillm.errors import BenchmarkError
from multillm.markup import html_table

__all__ = ["Reproduction", "reproduce_benchmark", "reproduce_benchmark_async"]

QUALITY_TOLERANCE = 0.02
LATENCY_FACTOR = 2.0
EXACT = "embedded"
KEY = ["model", "repeat", "prompt_id"]
COLUMNS = ("check", "model", "before", "after", "allowed", "held", "met")


@dataclass(frozen=True, eq=False)
class Reproduction:
    """A benchmark and its rerun.

    Attributes
    ----------
    before, after : Benchmark
        The two runs.
    quality_tolerance : float
        Largest difference allowed in a model's mean quality, 0..1.
    latency_factor : float
        Largest factor allowed between the median latencies; held on the same machine only.

    Notes
    -----
    Every answer must be the same, word for word, at temperature 0 on the embedded engine with the same model file
    and one call at once. Otherwise, as on other servers, that cannot be promised: the share of same answers is told
    and not held.
    """

    before: Benchmark
    after: Benchmark
    quality_tolerance: float = QUALITY_TOLERANCE
    latency_factor: float = LATENCY_FACTOR

    @property
    def met(self) -> bool:
        """Whether everything that is held is within its tolerance."""
        frame = self.to_frame()
        return bool((frame["met"] | ~frame["held"]).all())

    @property
    def exact(self) -> bool:
        """Whether every answer must be the same."""
        told = self.before.manifest
        return (
            told.backend == self.after.manifest.backend == EXACT
            and told.settings.temperature == 0
            and told.settings.concurrency == 1
            and told.models == self.after.manifest.models
        )

    def to_frame(self) -> pd.DataFrame:
        """Every check.

        Returns
        -------
        DataFrame
            check (``same answers``: share, 0..1; ``quality``: mean, 0..1; ``latency``: median, s), model, before,
            after, allowed, held (whether it counts), met.
        """
        return pd.DataFrame(list(self._checks()), columns=list(COLUMNS))

    def changed(self) -> pd.DataFrame:
        """The answers that are not the same.

        Returns
        -------
        DataFrame
            model, repeat, prompt_id, answer_before, answer_after, quality_before, quality_after.
        """
        both = self._both()
        columns = [*KEY, *(f"{name}_{side}" for name in ("answer", "quality") for side in ("before", "after"))]
        return both.loc[~both["same"], columns].reset_index(drop=True)

    def differences(self) -> dict[str, tuple[Any, Any]]:
        """What is not the same in the two manifests."""
        return self.before.manifest.differences(self.after.manifest)

    def _both(self) -> pd.DataFrame:
        columns = [*KEY, "answer", "quality"]
        rows = [run.measured[columns] for run in (self.before, self.after)]
        both = rows[0].merge(rows[1], on=KEY, how="outer", suffixes=("_before", "_after"))
        return both.assign(same=(both["answer_before"] == both["answer_after"]).fillna(value=False).astype(bool))

    def _checks(self) -> Iterator[tuple[object, ...]]:
        for model, same in self._both().groupby("model", sort=False)["same"].mean().items():
            yield "same answers", model, 1.0, same, "all", self.exact, same == 1.0
        here = self.before.manifest.machine == self.after.manifest.machine
        before, after = (run.figures[run.figures["task_type"] == ALL_TYPES] for run in (self.before, self.after))
        for _, row in before.merge(after, on="model", suffixes=("_before", "_after")).iterrows():
            was, now = row["quality_before"], row["quality_after"]
            near = abs(was - now) <= self.quality_tolerance or bool(pd.isna(was) and pd.isna(now))
            yield "quality", row["model"], was, now, f"± {self.quality_tolerance:g}", True, near
            was, now = row["latency_p50_s_before"], row["latency_p50_s_after"]
            near = bool(max(was, now) <= self.latency_factor * min(was, now))
            yield "latency", row["model"], was, now, f"× {self.latency_factor:g}", here, near

    def __repr__(self) -> str:
        same = self._both()["same"]
        verdict = "within tolerances" if self.met else "out of tolerance"
        return f"Reproduction({int(same.sum())} of {len(same)} answers the same, {verdict})"

    def _repr_html_(self) -> str:
        return html_table(repr(self), COLUMNS, self.to_frame().to_numpy(object).tolist())


async def reproduce_benchmark_async(
    manifest: str | Path,
    backend: str | Backend | None = None,
    *,
    prompts: str | Path | None = None,
    out: str | Path | None = None,
    progress: bool = True,
) -> Reproduction:
    """Run a benchmark again as its manifest says, and compare.

    `reproduce_benchmark` is the same for code that is not async, and works inside a running event loop too.

    Parameters
    ----------
    manifest : str or Path
        ``manifest.json`` in the folder of a finished run, or that folder.
    backend : str or Backend, optional
        Where the models run; as in the manifest if left out.
    prompts : str or Path, optional
        The prompts; the shipped set or file that the manifest names if left out.
    out : str or Path, optional
        Folder for the rerun; see `run_benchmark`.
    progress : bool, default True
        Whether to show a bar.

    Returns
    -------
    Reproduction
        Every check with its tolerance.

    Raises
    ------
    BenchmarkError
        If there is no such finished run, or the prompts are not those that it asked.
    BackendError
        If nothing is there to run the models.
    """
    path = Path(manifest)
    before = Benchmark.read(path.parent if path.name == MANIFEST else path)
    told = before.manifest
    source = prompts or told.prompts.source
    if source is None:
        raise BenchmarkError(f"{path} names no prompts, since they were made in code; give them as a file")
    after = await run_benchmark_async(
        told.pool,
        source,
        backend or told.backend,
        out=out,
        limit=told.prompts.limit,
        sha256=told.prompts.sha256,
        progress=progress,
        **told.settings.model_dump(),
    )
    return Reproduction(before, after)


reproduce_benchmark = blocking(reproduce_benchmark_async)
