"""What each part is worth: one figure of several variants side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from multillm.errors import OutcomesError
from multillm.plots.style import COLOURS, GUIDE, axes_of, faded, ink, plain, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_ablation"]

COLUMNS = ("value", "low", "high", "n")


@styled
def plot_ablation(table: pd.DataFrame, figure: str, ax: Axes | None = None) -> Axes:
    """One figure of several variants, as bars with intervals.

    Parameters
    ----------
    table : DataFrame
        Indexed by variant, the whole first: value, low, high, n. One figure's part of `compare_classifiers`,
        `compare_splitters` or `Evaluation.to_frame` is such a table.
    figure : str
        What the figure is and its unit, for the axis: ``"accuracy, 0..1"``.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        A bar for each variant, the first on top and in colour; its value goes down through the others as a line.

    Raises
    ------
    OutcomesError
        If a column is not there.

    Examples
    --------
    ::

        scores = ml.compare_classifiers(ml.load_gold("test"))
        ml.plot_ablation(scores.xs("accuracy", level="metric"), "accuracy, 0..1")
    """
    if absent := [column for column in COLUMNS if column not in table]:
        raise OutcomesError(f"the table has no column {', '.join(absent)}; it needs {', '.join(COLUMNS)}")
    ax = axes_of(ax, 1.1 + 0.42 * len(table))
    places, same = np.arange(len(table)), table["n"].nunique() == 1
    value, low, high = (table[column].to_numpy(float) for column in COLUMNS[:3])
    errors = np.maximum(0.0, np.nan_to_num((value - low, high - value)))
    bars = ax.barh(places, value, height=0.6, color=COLOURS[0], edgecolor=COLOURS[0])
    for bar in bars[1:]:
        bar.set_facecolor(faded(COLOURS[0], ax))
    ax.errorbar(value, places, xerr=errors, fmt="none", ecolor=ink(ax), elinewidth=1.2)
    ax.axvline(value[0], color=ink(ax), linewidth=1.0, linestyle=GUIDE)
    reach = float(np.nanmax(np.append(np.nan_to_num(high), value)))
    for place, row in enumerate(table.itertuples()):
        told = "–" if np.isnan(value[place]) else f"{value[place]:.3f} [{low[place]:.3f}, {high[place]:.3f}]"
        _write_beside(ax, place, told if same else f"{told}, n = {row.n:,}")
    _write_beside(ax, -0.75, f"with interval, n = {table['n'].iloc[0]:,}" if same else "with interval")
    ax.set_yticks(places, [plain(variant) for variant in table.index])
    ax.set(xlabel=figure, ylim=(len(table) - 0.5, -0.5))
    ax.set_xlim(min(0.0, 1.05 * float(np.nanmin(np.append(low, 0.0)))), 1.02 * reach)
    ax.grid(visible=False, axis="y")
    return ax


def _write_beside(ax: Axes, place: float, text: str) -> None:
    """Text to the right of a bar."""
    ax.annotate(
        text, (1.02, place), xycoords=("axes fraction", "data"), color=ink(ax), va="center", fontsize="small",
        annotation_clip=False,
    )  # fmt: skip
