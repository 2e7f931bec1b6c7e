"""The commands ``multillm evaluate``, ``multillm tune`` and ``multillm reproduce``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from multillm.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from multillm.evaluation import Evaluation
    from multillm.learning import PromptQuality
    from multillm.outcomes import Outcomes
    from multillm.tuning import TunedPolicy

__all__ = ["evaluate_command", "reproduce_command", "tune_command"]

FILTERS = ("task_type", "group", "model")
JSON_FIELDS = ("data", "n", "left_out", "models", "best_single", "cost_unit")

Data = Annotated[str, typer.Argument(help="Name of a public set, or a .parquet or .csv outcome table.")]
Place = Annotated[Path | None, typer.Option("--path", help="Where the public set's files are; else downloaded.")]
Filters = Annotated[
    list[str] | None, typer.Option("--filter", help="Keep only task_type=, group= or model=VALUE; repeatable.")
]
Names = Annotated[list[str] | None, typer.Option("--router", help="Which router; repeatable; learned if left out.")]
HeldOut = Annotated[str, typer.Option("--by", help="What is held out together: prompt or group.")]
Folds = Annotated[int, typer.Option("--folds", min=2, help="Folds of the cross-validation.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Source of chance.")]
Seeds = Annotated[list[int] | None, typer.Option("--seed", min=0, help="Source of chance; repeatable; 0 if left out.")]
Folder = Annotated[Path | None, typer.Option("--out", help="Folder for tables (parquet, CSV) and figures (PNG, SVG).")]


def evaluate_command(
    data: Data,
    *,
    path: Place = None,
    filters: Filters = None,
    router: Names = None,
    by: HeldOut = "prompt",
    folds: Folds = 5,
    seed: Seeds = None,
    out: Folder = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Compare routers and baselines on prompts that they have not seen."""
    from multillm import terminal
    from multillm.evaluation import evaluate
    from multillm.reports import keep_evaluations, new_folder, spread

    unit, folder = _held_out(by), new_folder(out)
    routers = _routers(router or ["learned"])
    outcomes = _outcomes(data, path, filters)
    named = {f"{name} router" if name in {"random", *outcomes.models} else name: made for name, made in routers.items()}
    seeds = list(dict.fromkeys(seed or [0]))
    found = {each: evaluate(named, outcomes, by=unit, folds=folds, seed=each) for each in seeds}
    if folder is not None:
        keep_evaluations(found, folder)
    if as_json:
        typer.echo(json.dumps([_as_json(result, each) for each, result in found.items()], indent=2, allow_nan=False))
        return
    console = terminal.console()
    for each, result in found.items():
        console.print(_figures_table(result, each), markup=False)
        console.print(result.provenance(), markup=False, highlight=False)
    if len(found) > 1:
        console.print(_spread_table(spread(found), len(found)))
    if folder is not None:
        console.print(f"written to {folder}", markup=False)


def tune_command(
    data: Data,
    *,
    path: Place = None,
    filters: Filters = None,
    objective: Annotated[str, typer.Option("--objective", help="quality, cost or arena.")] = "quality",
    constraint: Annotated[
        float | None, typer.Option("--constraint", help="Largest mean cost for quality, least mean quality for cost.")
    ] = None,
    pool: Annotated[
        str | None, typer.Option("--pool", help="Pool to be tuned; its labels are the models of the outcomes.")
    ] = None,
    by: HeldOut = "prompt",
    folds: Folds = 5,
    seed: Seed = 0,
    out: Folder = None,
) -> None:
    """Fit weights, thresholds and quality curves; what is held out stands beside what was fitted."""
    from multillm import terminal
    from multillm.pool import load_pool
    from multillm.reports import keep_tuned, new_folder
    from multillm.tuning import check_labels, tune

    sought, unit, folder = _objective(objective), _held_out(by), new_folder(out)
    base = None if pool is None else load_pool(pool)
    outcomes = _outcomes(data, path, filters)
    if base is not None:
        check_labels(outcomes.models, base)
    tuned = tune(outcomes, sought, constraint, by=unit, folds=folds, seed=seed)
    console = terminal.console()
    console.print(_tuned_table(tuned))
    console.print(f"U = {tuned.policy.beta:.4f} Q - {tuned.policy.alpha:.4f} C\n", markup=False, highlight=False)
    console.print(_thresholds_table(tuned))
    for key, value in tuned.provenance.items():
        console.print(f"{key}: {value}", markup=False, highlight=False)
    if folder is not None:
        keep_tuned(tuned, outcomes, base, folder)
        console.print(f"written to {folder}", markup=False)
        if base is None:
            labels = ", ".join(outcomes.models)
            console.print(f"no pool was written: --pool names one whose labels are {labels}", markup=False)


def reproduce_command(
    only: Annotated[list[str] | None, typer.Argument(help="Which tables; all if left out.")] = None,
    *,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder with a folder or file for each public set; else downloaded.")
    ] = None,
    seed: Seeds = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the tables.")] = Path("results"),
) -> None:
    """Make the committed tables of results anew."""
    from multillm import terminal
    from multillm.reports import new_folder
    from multillm.reproduction import SEEDS, reproduce

    new_folder(out)
    for path in reproduce(data, out, only=only or (), seeds=tuple(dict.fromkeys(seed or SEEDS))):
        terminal.console().print(f"written to {path}", markup=False)


def _routers(names: Iterable[str]) -> dict[str, PromptQuality]:
    from multillm.learning import ROUTERS

    wanted = list(dict.fromkeys(names))
    if unknown := [name for name in wanted if name not in ROUTERS]:
        raise ConfigurationError(f"no router is called {', '.join(unknown)}; choose from {', '.join(ROUTERS)}")
    return {name: ROUTERS[name]() for name in wanted}


def _outcomes(data: str, path: Path | None, filters: Sequence[str] | None) -> Outcomes:
    from multillm.datasets import load_outcomes

    wanted: dict[str, list[str]] = {}
    for each in filters or ():
        key, equals, value = each.partition("=")
        if key not in FILTERS or not equals or not value:
            raise ConfigurationError(f"--filter is {each!r}; write KEY=VALUE, where KEY is {' or '.join(FILTERS)}")
        wanted.setdefault(f"{key}s", []).append(value)
    outcomes = load_outcomes(data, path)
    return outcomes.filter(**wanted) if wanted else outcomes


def _held_out(by: str) -> Literal["prompt", "group"]:
    if by == "prompt":
        return "prompt"
    if by == "group":
        return "group"
    raise ConfigurationError(f"--by is {by!r}; choose prompt or group")


def _objective(objective: str) -> Literal["quality", "cost", "arena"]:
    for known in ("quality", "cost", "arena"):
        if objective == known:
            return known
    raise ConfigurationError(f"--objective is {objective!r}; choose quality, cost or arena")


def _as_json(result: Evaluation, seed: int) -> dict[str, object]:
    figures = result.to_frame().astype(object)
    facts = {name: getattr(result, name) for name in JSON_FIELDS}
    verdicts = {router: result.verdict(router) for router, kind in result.kinds.items() if kind == "router"}
    known = figures.where(figures.notna(), None).to_dict("records")
    return {"seed": seed, **facts, "provenance": result.provenance(), "verdicts": verdicts, "figures": known}


def _figures_table(result: Evaluation, seed: int) -> Table:
    """The evaluation's table, each interval under its value."""
    from multillm import terminal

    frame = result.table()
    rows = [
        (str(name), *(str(cell).replace(" [", "\n[") for cell in row))
        for name, row in zip(frame.index, frame.to_numpy(), strict=True)
    ]
    title = f"Routers on {result.n:,} held-out prompts of {result.data}, seed {seed}"
    columns = [str(column).replace("_", " ") for column in frame.columns]
    return terminal.table(title, ("router", *columns), rows, wrapped=True)


def _spread_table(spread: pd.DataFrame, seeds: int) -> Table:
    from multillm import terminal

    rows = [
        (str(router), str(figure), f"{mean:.4g} [{low:.4g}, {high:.4g}]", f"{least:.4g}", f"{greatest:.4g}")
        for router, figure, _, _, mean, low, high, least, greatest in spread.itertuples(index=False)
    ]
    columns = ("router", "figure", "mean", "least", "greatest")
    return terminal.table(f"Values over {seeds} seeds, n = {spread['n'].max():,}", columns, rows, right=columns[2:])


def _tuned_table(tuned: TunedPolicy) -> Table:
    from multillm import terminal

    rows = [
        (f"mean cost per prompt, {tuned.cost_unit}", f"{tuned.fitted_cost:.4g}", format(tuned.cost, ".4g")),
        ("mean quality, 0..1", f"{tuned.fitted_quality:.3f}", format(tuned.quality)),
    ]
    return terminal.table(f"Tuned: {tuned.objective}", ("figure", "fitted", "held out"), rows, right=("fitted",))


def _thresholds_table(tuned: TunedPolicy) -> Table:
    from multillm import terminal

    rows = [(str(kind), f"{level:.2f}") for kind, level in tuned.policy.thresholds.items()]
    return terminal.table("Thresholds", ("task type", "threshold"), rows, right=("threshold",))
