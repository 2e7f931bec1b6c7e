"""What has changed in the answers of each model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from multillm.errors import FeedbackError
from multillm.plots.style import COLOURS, GUIDE, NEUTRAL, axes_of, ink, plain, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from multillm.online import DriftReport

__all__ = ["plot_drift"]

UNITS = {
    "quality": "difference in mean quality",
    "latency_s": "difference in median latency, s",
    "cost_units": "difference in median cost, cost units",
    "complexity": "difference in mean complexity",
}


@styled
def plot_drift(
    report: DriftReport,
    measure: Literal["quality", "latency_s", "cost_units", "complexity"] = "quality",
    ax: Axes | None = None,
) -> Axes:
    """The latest calls less those before, for each model and task type.

    Parameters
    ----------
    report : DriftReport
        What `drift_report` found.
    measure : {"quality", "latency_s", "cost_units", "complexity"}
        What is compared.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        Difference with its interval, a line for each comparison; shown changes are filled and coloured.

    Raises
    ------
    FeedbackError
        If the report has no comparison of this measure.
    """
    table = report.table[report.table["measure"] == measure]
    if table.empty:
        known = ", ".join(report.table["measure"].unique()) or "nothing"
        raise FeedbackError(f"the report compares no {measure}; it compares {known}")
    ax = axes_of(ax, height=1.5 + 0.35 * len(table))
    bounds = table[["low", "difference", "high"]].to_numpy(float)
    for place, ((low, difference, high), changed) in enumerate(zip(bounds, table["changed"], strict=True)):
        colour, face = (COLOURS[1], COLOURS[1]) if changed else (NEUTRAL, "none")
        ax.plot([low, high], [place, place], color=colour)
        ax.plot(difference, place, "o", markerfacecolor=face, markeredgecolor=colour)
    ax.axvline(0.0, color=ink(ax), linewidth=0.8, linestyle=GUIDE)
    labels = [f"{row.label}, {row.task_type}\nn = {row.n_before}, {row.n_recent}" for row in table.itertuples()]
    ax.set_yticks(range(len(table)), [plain(label) for label in labels])
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.set_xlabel(f"{UNITS[measure]}, recent less before")
    return ax
