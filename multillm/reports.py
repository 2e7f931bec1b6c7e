"""The files that commands leave in a folder: tables, figures, provenance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from multillm.errors import ConfigurationError
from multillm.evaluation import Evaluation
from multillm.outcomes import Outcomes
from multillm.plots import plot_cost_quality, plot_front, plot_gain_recovered
from multillm.pool import Pool
from multillm.tuning import TunedPolicy

__all__ = ["draw", "keep_evaluations", "keep_table", "keep_tuned", "markdown_table", "new_folder", "spread"]


def new_folder(path: Path | None) -> Path | None:
    """The folder, made if it is not there: before the work whose results it is to hold.

    Raises
    ------
    ConfigurationError
        If it cannot be made.
    """
    try:
        if path is not None:
            path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--out is {path}, which cannot be made a folder: {error}") from None
    return path


def keep_evaluations(found: Mapping[int, Evaluation], folder: Path) -> None:
    """Write figures and curves of every seed, and the curves of the first one as pictures.

    Parameters
    ----------
    found : mapping of int to Evaluation
        By seed.
    folder : Path
        Where ``figures``, ``by_task_type``, ``cost_quality``, ``gain_recovered`` and, of several seeds, ``spread``
        are written, as far as there are such; ``provenance.txt`` says how they came about.
    """
    first = next(iter(found.values()))
    keep_table(_of_all(found, Evaluation.to_frame), folder, "figures")
    keep_table(_of_all(found, lambda result: result.by_task_type), folder, "by_task_type")
    if len(found) > 1:
        keep_table(spread(found), folder, "spread")
    if first.cost_unit:
        keep_table(_of_all(found, lambda result: result.curves), folder, "cost_quality")
        draw(folder / "cost_quality", lambda ax: plot_cost_quality(first, ax))
    if not first.pgr.empty:
        keep_table(_of_all(found, lambda result: result.pgr), folder, "gain_recovered")
        draw(folder / "gain_recovered", lambda ax: plot_gain_recovered(first, ax))
    told = "".join(f"{result.provenance()}\n" for result in found.values())
    (folder / "provenance.txt").write_text(told, "utf-8")


def keep_tuned(tuned: TunedPolicy, outcomes: Outcomes, base: Pool | None, folder: Path) -> None:
    """Write the front as ``front`` and, given a pool to tune, that pool as ``tuned.yaml``."""
    keep_table(tuned.front, folder, "front")
    draw(folder / "front", lambda ax: plot_front(tuned, outcomes, ax))
    if base is not None:
        tuned.write(folder / "tuned.yaml", base)


def spread(found: Mapping[int, Evaluation]) -> pd.DataFrame:
    """Every figure of the routers over the seeds.

    Returns
    -------
    DataFrame
        router, figure, n, seeds (how many), mean, its interval low and high, least and greatest of the values.
    """
    figures = Evaluation.over_seeds(list(found.values())).rename(columns={"value": "mean"})
    columns = ["router", "figure", "n", "seeds", "mean", "low", "high", "least", "greatest"]
    return figures.loc[figures["kind"] == "router", columns].reset_index(drop=True)


def _of_all(found: Mapping[int, Evaluation], table: Callable[[Evaluation], pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([table(result).assign(seed=seed) for seed, result in found.items()], ignore_index=True)


def keep_table(frame: pd.DataFrame, folder: Path, name: str) -> None:
    """Write a table as parquet and as CSV."""
    frame.to_parquet(folder / f"{name}.parquet")
    frame.to_csv(folder / f"{name}.csv", index=False)


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, whatever its cells hold."""
    return "\n".join(map(_line, [columns, ["---"] * len(columns), *rows]))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def draw(path: Path, plot: Callable[[Axes], Axes]) -> None:
    """One picture as PNG and SVG, the same bytes each time."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    plot(figure.add_subplot())
    with mpl.rc_context({"svg.hashsalt": path.name}):
        figure.savefig(path.with_suffix(".png"), dpi=150)
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
