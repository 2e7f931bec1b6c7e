"""How often a classifier is right, what it takes for what, and whether it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from multillm.plots.style import COLOURS, GUIDE, NEUTRAL, axes_of, faded, ground, ink, legible, plain, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_calibration", "plot_confusion"]

FEW = 10
"""Fewer sub-tasks than this show next to nothing."""


@styled
def plot_confusion(counts: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Confusion matrix: counts in the cells, shaded by their share of the row.

    Parameters
    ----------
    counts : DataFrame
        Labelled types (rows) against predicted ones (columns), as `confusion` gives them. Types that occur in neither
        are left out.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        Predicted type against labelled type.
    """
    met = [kind for kind in counts.index if counts.loc[kind].sum() + counts[kind].sum() > 0]
    counts = counts.loc[met, met]
    from matplotlib.colors import LinearSegmentedColormap

    n = counts.to_numpy(int)
    ax = axes_of(ax, 1.6 + 0.5 * len(n))
    share = n / np.maximum(1, n.sum(axis=1, keepdims=True))
    shades = LinearSegmentedColormap.from_list("share", [ground(ax), faded(COLOURS[0], ax, 0.75)])
    ax.imshow(share, cmap=shades, vmin=0.0, vmax=1.0, aspect="auto")
    for row, column in np.argwhere(n > 0):
        colour = legible(shades(share[row, column]))
        ax.text(column, row, f"{n[row, column]}", ha="center", va="center", color=colour)
    ax.set_xticks(range(len(met)), [plain(kind) for kind in met], rotation=30, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(met)), [plain(f"{kind} ({total})") for kind, total in zip(met, n.sum(axis=1), strict=True)])
    ax.set(xlabel="predicted type (shade: share of the row)", ylabel="labelled type (sub-tasks)")
    ax.set_title(f"{np.trace(n) / max(1, n.sum()):.1%} right, n = {n.sum():,} sub-tasks")
    ax.grid(visible=False)
    return ax


@styled
def plot_calibration(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Reliability diagram: how often predictions of a given confidence are right.

    Parameters
    ----------
    table : DataFrame
        One row for each interval of confidence, as `calibration` gives it: confidence, accuracy, low, high, n.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        Mean confidence (0..1) against the share that is right (0..1), with 95 % Wilson intervals, pale where fewer
        than ten sub-tasks are behind it, over bars of the share of sub-tasks in each interval, whose counts stand
        above. The title has the calibration error.
    """
    ax = axes_of(ax)
    met = table[table["n"] > 0]
    x, y, n = met["confidence"].to_numpy(float), met["accuracy"].to_numpy(float), met["n"].to_numpy(int)
    width = 1.0 / len(table)
    left = np.array([interval.left for interval in met.index])
    ax.bar(left, n / n.sum(), width=width, align="edge", color=NEUTRAL, alpha=0.35, label="share of sub-tasks")
    counts = ax.secondary_xaxis("top")
    counts.set_xticks(left + width / 2, [f"{count}" for count in n], color=ink(ax))
    counts.tick_params(length=0, pad=1)
    counts.spines["top"].set_visible(False)
    ax.plot([0, 1], [0, 1], color=ink(ax), linewidth=1.0, linestyle=GUIDE, label="as often right as said")
    errors = np.maximum(0.0, (y - met["low"], met["high"] - y))
    for some, colour, label in (
        (n < FEW, faded(COLOURS[0], ax, 0.6), f"share right, of fewer than {FEW}"),
        (n >= FEW, COLOURS[0], "share right, 95 % interval"),
    ):
        if some.any():
            ax.errorbar(x[some], y[some], errors[:, some], fmt="o", color=colour, elinewidth=1.2, label=label)
    gap = float((np.abs(y - x) * n).sum() / n.sum())
    ax.set(xlabel="confidence, 0..1", ylabel="share, 0..1", xlim=(0, 1), ylim=(0, 1.02))
    ax.set_title(f"calibration error {gap:.3f}; sub-tasks, {n.sum():,} in all:")
    ax.legend(labelcolor=ink(ax), loc="upper left")
    return ax
