"""Routers, baselines and single models compared: cost and quality, gain recovered, the front of a tuned policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from multillm.metrics import hull
from multillm.plots.style import COLOURS, DASHES, NEUTRAL, axes_of, ink, plain, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from multillm.evaluation import Evaluation

__all__ = ["plot_cost_quality", "plot_front", "plot_gain_recovered"]

POINTS = ("x", "+", "1", "*")


@styled
def plot_cost_quality(evaluation: Evaluation, ax: Axes | None = None) -> Axes:
    """Cost and quality that each router can be set to and the hull of these, beside baselines and single models.

    Parameters
    ----------
    evaluation : Evaluation
        Needs costs.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        Mean cost per prompt (in the outcomes' unit) against mean quality (0..1).
    """
    ax = axes_of(ax)
    curves = {str(name): curve for name, curve in evaluation.curves.groupby("router", sort=False)}
    hulls = pd.concat([_hull(curve).assign(router=name) for name, curve in curves.items()])
    for name, line in _lines(ax, evaluation, hulls, "cost", "quality").items():
        ax.plot(curves[name]["cost"], curves[name]["quality"], ".", color=line.get_color(), markersize=3)
    for model in (name for name, kind in evaluation.kinds.items() if kind == "single model"):
        cost, quality = (evaluation.estimate(model, figure).value for figure in ("cost", "quality"))
        ax.plot(cost, quality, ".", color=ink(ax), zorder=3)
        ax.annotate(
            plain(model), (cost, quality), xytext=(4, -10), textcoords="offset points", color=ink(ax), fontsize="small"
        )
    ax.set_xlabel(f"mean cost per prompt, {plain(evaluation.cost_unit)}")
    ax.set_ylabel("mean quality, 0..1")
    ax.set_title(f"{plain(evaluation.data)}, n = {evaluation.n:,}")
    ax.margins(0.06)
    ax.legend(labelcolor=ink(ax), loc="lower right")
    return ax


@styled
def plot_gain_recovered(evaluation: Evaluation, ax: Axes | None = None) -> Axes:
    """Share of the strong model's gain recovered, against the share of prompts sent to it.

    Parameters
    ----------
    evaluation : Evaluation
        Of a weak and a strong model.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        Share of calls (0..1) against performance gap recovered (1 is the strong model's quality).
    """
    ax = axes_of(ax)
    _lines(ax, evaluation, evaluation.pgr, "share", "pgr")
    ax.set_xlabel("share of prompts sent to the strong model, 0..1")
    ax.set_ylabel("performance gap recovered")
    ax.set_title(f"{plain(evaluation.data)}, n = {evaluation.n:,}")
    ax.legend(labelcolor=ink(ax), loc="lower right")
    return ax


@styled
def plot_front(front: pd.DataFrame, unit: str, ax: Axes | None = None) -> Axes:
    """The trade-offs that a tuned policy was chosen from.

    Parameters
    ----------
    front : DataFrame
        `TunedPolicy.front`: cost and quality.
    unit : str
        Unit of the cost.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        Mean cost per prompt against mean quality (0..1), on the fitting side.
    """
    ax = axes_of(ax)
    ax.plot(front["cost"], front["quality"], marker=".", drawstyle="steps-post", color=COLOURS[0])
    ax.set_xlabel(f"mean cost per prompt, {plain(unit)}")
    ax.set_ylabel("mean quality on the fitting side, 0..1")
    return ax


def _lines(ax: Axes, evaluation: Evaluation, points: pd.DataFrame, x: str, y: str) -> dict[str, Line2D]:
    """A line for each router and a grey one for each baseline, a mark where it is one point; no single models.

    The lines of the routers are handed back by name.
    """
    drawn: dict[str, Line2D] = {}
    for place, (name, curve) in enumerate(points.groupby("router", sort=False)):
        kind = evaluation.kinds[str(name)]
        if kind == "single model":
            continue
        colour, width = (COLOURS[len(drawn) % len(COLOURS)], 2.0) if kind == "router" else (NEUTRAL, 1.0)
        ordered = curve.sort_values([x, y])
        dash, mark = (DASHES[place % len(DASHES)], "") if len(ordered) > 1 else ("", POINTS[place % len(POINTS)])
        [line] = ax.plot(
            ordered[x], ordered[y], linestyle=dash, marker=mark, color=colour, linewidth=width, label=plain(name)
        )
        if kind == "router":
            drawn[str(name)] = line
    return drawn


def _hull(curve: pd.DataFrame) -> pd.DataFrame:
    """What mixtures of the points reach, which is what AIQ measures: the non-decreasing convex hull."""
    cost, quality = hull(curve["cost"].to_numpy(float), curve["quality"].to_numpy(float))
    return pd.DataFrame({"cost": cost, "quality": quality})
