"""The commands ``multillm evaluate`` and ``multillm tune``, and the files that they leave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from multillm import terminal
from multillm.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from rich.table import Table

    from multillm.evaluation import Evaluation
    from multillm.outcomes import Outcomes
    from multillm.tuning import TunedPolicy

__all__ = ["ROUTERS", "evaluate_command", "tune_command"]

ROUTERS = {
    "learned": "LearnedQuality",
    "curves": "FittedCurves",
    "knn": "NeighbourQuality",
    "clusters": "ClusterQuality",
    "length": "PromptLength",
    "reference": "ReferenceComplexity",
    "litellm": "LiteLLMComplexity",
}
"""Estimators by the name that the command line knows them by."""

Data = Annotated[str, typer.Argument(help="Name of a public set, or a .parquet or .csv outcome table.")]
Place = Annotated[Path | None, typer.Option("--path", help="Where the public set's files are; else downloaded.")]
Kinds = Annotated[list[str] | None, typer.Option("--task-type", help="Only prompts of this task type; repeatable.")]
HeldOut = Annotated[str, typer.Option("--by", help="What is held out together: prompt or group.")]
Folds = Annotated[int, typer.Option("--folds", min=2, help="Folds of the cross-validation.")]
Seed = Annotated[int, typer.Option("--seed", help="Source of chance.")]
Folder = Annotated[Path | None, typer.Option("--out", help="Folder for tables (parquet, CSV) and figures (PNG).")]


def evaluate_command(
    data: Data,
    *,
    path: Place = None,
    task_type: Kinds = None,
    router: Annotated[list[str] | None, typer.Option("--router", help="Which router; repeatable.")] = None,
    by: HeldOut = "prompt",
    folds: Folds = 5,
    seed: Seed = 0,
    out: Folder = None,
) -> None:
    """Compare routers and baselines on prompts that they have not seen."""
    from multillm import learning
    from multillm.evaluation import evaluate

    names = router or ["learned"]
    if unknown := [name for name in names if name not in ROUTERS]:
        raise ConfigurationError(f"no router is called {', '.join(unknown)}; choose from {', '.join(ROUTERS)}")
    routers = {name: getattr(learning, ROUTERS[name])() for name in names}
    result = evaluate(routers, _outcomes(data, path, task_type), by=_held_out(by), folds=folds, seed=seed)
    console = terminal.console()
    console.print(_printed(result.table()))
    console.print(result.provenance(), markup=False)
    if out is not None:
        _keep_evaluation(result, out)
        console.print(f"written to {out}", markup=False)


def tune_command(
    data: Data,
    *,
    path: Place = None,
    task_type: Kinds = None,
    objective: Annotated[str, typer.Option("--objective", help="quality, cost or arena.")] = "quality",
    constraint: Annotated[float | None, typer.Option("--constraint", help="Largest cost, or least quality.")] = None,
    pool: Annotated[
        str | None, typer.Option("--pool", help="Pool that is to get the policy; its labels are the models.")
    ] = None,
    by: HeldOut = "prompt",
    folds: Folds = 5,
    seed: Seed = 0,
    out: Folder = None,
) -> None:
    """Fit weights, thresholds and quality curves; what is held out stands beside what was fitted."""
    from multillm.tuning import tune

    outcomes = _outcomes(data, path, task_type)
    sought = _objective(objective)
    tuned = tune(outcomes, sought, constraint, by=_held_out(by), folds=folds, seed=seed)
    console = terminal.console()
    console.print(repr(tuned), markup=False)
    thresholds = [(str(kind), f"{level:.2f}") for kind, level in tuned.policy.thresholds.items()]
    title = f"U = {tuned.policy.beta:.4f} Q - {tuned.policy.alpha:.4f} C"
    console.print(terminal.table(title, ("task type", "threshold"), thresholds, right=("threshold",)))
    for key, value in tuned.provenance.items():
        console.print(f"{key}: {value}", markup=False)
    if out is not None:
        _keep_tuned(tuned, outcomes, pool, out)
        console.print(f"written to {out}", markup=False)


def _outcomes(data: str, path: Path | None, task_types: Sequence[str] | None) -> Outcomes:
    from multillm.datasets import load_outcomes

    outcomes = load_outcomes(data, path)
    return outcomes.filter(task_types=list(task_types)) if task_types else outcomes


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


def _printed(frame: pd.DataFrame) -> Table:
    rows = [(str(name), *(str(cell) for cell in row)) for name, row in zip(frame.index, frame.to_numpy(), strict=True)]
    return terminal.table("Routers on held-out prompts", ("router", *frame.columns), rows, wrapped=True)


def _keep(frame: pd.DataFrame, folder: Path, name: str) -> None:
    frame.to_parquet(folder / f"{name}.parquet")
    frame.to_csv(folder / f"{name}.csv", index=False)


def _draw(ax: Axes, path: Path) -> None:
    import matplotlib.pyplot as plt

    figure = ax.get_figure(root=True)
    if figure is not None:
        figure.savefig(path, dpi=150)
        plt.close(figure)


def _keep_evaluation(result: Evaluation, folder: Path) -> None:
    from multillm.plots import plot_cost_quality, plot_gain_recovered

    folder.mkdir(parents=True, exist_ok=True)
    _keep(result.to_frame(), folder, "figures")
    _keep(result.by_task_type, folder, "by_task_type")
    (folder / "provenance.txt").write_text(result.provenance() + "\n", "utf-8")
    if result.cost_unit and not result.curves.empty:
        _keep(result.curves, folder, "cost_quality")
        _draw(plot_cost_quality(result), folder / "cost_quality.png")
    if not result.pgr.empty:
        _keep(result.pgr, folder, "gain_recovered")
        _draw(plot_gain_recovered(result), folder / "gain_recovered.png")


def _keep_tuned(tuned: TunedPolicy, outcomes: Outcomes, pool: str | None, folder: Path) -> None:
    from multillm.plots import plot_front
    from multillm.pool import load_pool

    folder.mkdir(parents=True, exist_ok=True)
    _keep(tuned.front, folder, "front")
    _draw(plot_front(tuned.front, outcomes.cost_unit), folder / "front.png")
    if pool is not None:
        tuned.write(folder / "tuned.yaml", load_pool(pool))
