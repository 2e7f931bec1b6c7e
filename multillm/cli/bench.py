"""The command ``multillm bench``."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multillm.cli.options import BackendOption, PoolOption

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from multillm.bench import Ablation, Benchmark, Reproduction
    from multillm.bench.page import Section

__all__ = ["bench_command"]

NOT_AS_IT_SHOULD = 1
IN_FILES_ONLY = ("prompts", "cost_units", "machine_s")
TEXTS = ("model", "task_type", "models", "router", "kind", "quality")


def bench_command(
    *,
    pool: PoolOption = "small",
    prompts: Annotated[str | None, typer.Option("--prompts", help="core, or path of JSON lines.")] = None,
    backend: BackendOption = "auto",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for manifest, answers, rows and report; a run cut off goes on from it."),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many prompts.")] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="How often each model is asked each prompt.")] = 1,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, help="Calls at once.")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the sampling; each repeat adds 1.")] = 0,
    temperature: Annotated[float, typer.Option("--temperature", help="Sampling temperature.")] = 0.0,
    run_code: Annotated[
        bool, typer.Option("--run-code", help="Run generated code in the sandbox; else it is unscored.")
    ] = False,
    routed: Annotated[bool, typer.Option("--routed", help="Measure the routed pipeline too, end to end.")] = False,
    ablate: Annotated[
        bool,
        typer.Option("--ablate", help="Measure what splitting and routing are worth: each with and without."),
    ] = False,
    usd_per_hour: Annotated[
        float, typer.Option("--usd-per-hour", help="Shadow price of the machine for models without a price.")
    ] = 0.10,
    note: Annotated[str, typer.Option("--note", help="What else one has to know to read the figures.")] = "",
    reproduce: Annotated[
        Path | None,
        typer.Option("--reproduce", help="Run this manifest.json again and compare; pool and settings are its own."),
    ] = None,
) -> None:
    """Measure real models on prompts whose answers can be checked."""
    from multillm import terminal
    from multillm.bench import ablate as run_ablation, reproduce_benchmark, run_benchmark

    console = terminal.console()
    if reproduce is not None:
        _tell_again(
            reproduce_benchmark(reproduce, None if backend == "auto" else backend, prompts=prompts, out=out), console
        )
        return
    measured = (run_ablation if ablate else run_benchmark)(
        pool,
        prompts or "core",
        backend,
        out=out,
        limit=limit,
        note=note,
        repeats=repeats,
        concurrency=concurrency,
        seed=seed,
        temperature=temperature,
        run_code=run_code,
        routed=routed,
        machine_usd_per_hour=usd_per_hour,
    )
    _tell(measured, out, console)


def _tell(measured: Benchmark | Ablation, out: Path | None, console: Console) -> None:
    """Print the report of a run, and write it to the folder, if there is one."""
    report = measured.report()
    for section in report.sections:
        if section.rows:
            console.print(_table(section))
        if section.text:
            console.print(section.text, markup=False, highlight=False)
    console.print(measured.provenance(), markup=False, highlight=False)
    if out is not None:
        report.write(out)
        console.print(f"written to {out}", markup=False)
    if measured.lost:
        raise typer.Exit(NOT_AS_IT_SHOULD)


def _tell_again(again: Reproduction, console: Console) -> None:
    """Print how a rerun compares."""
    console.print(_checks(again))
    for key, (was, now) in again.differences().items():
        console.print(f"{key}: was {was!r}, is {now!r}", markup=False, highlight=False)
    console.print(repr(again), markup=False, highlight=False)
    if not again.met:
        raise typer.Exit(NOT_AS_IT_SHOULD)


def _table(section: Section) -> Table:
    from multillm import terminal

    shown = [place for place, column in enumerate(section.columns) if column not in IN_FILES_ONLY]
    columns = [section.columns[place].removesuffix("_s") for place in shown]
    right = [column for column in columns if column not in TEXTS]
    rows = [[row[place].replace(" [", "\n[") for place in shown] for row in section.rows]
    return terminal.table(section.title, columns, rows, right=right)


def _checks(again: Reproduction) -> Table:
    from multillm import terminal

    rows = [
        (row["check"], row["model"], f"{row['before']:.4g}", f"{row['after']:.4g}", row["allowed"], _verdict(row))
        for row in again.to_frame().to_dict("records")
    ]
    columns = ("check", "model", "before", "after", "allowed", "verdict")
    return terminal.table("Reproduction", columns, rows, right=("before", "after"))


def _verdict(row: Mapping[Hashable, Any]) -> str:
    if row["met"]:
        return "met"
    return "not met" if row["held"] else "differs, not held"
