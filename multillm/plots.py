"""Figures; every function draws on the axes it is given and returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import pandas as pd

from multillm.metrics import hull

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from multillm.evaluation import Evaluation

__all__ = ["plot_cost_quality", "plot_front", "plot_gain_recovered"]

# Okabe and Ito's palette, told apart with any colour vision; the dashes tell lines apart without colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES = ("-", "--", "-.", ":")
BASELINE_COLOUR = "#777777"


def plot_cost_quality(evaluation: Evaluation, ax: Axes | None = None) -> Axes:
    """Cost and quality that each router can be set to, beside the single models.

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
    ax = ax or plt.figure(layout="constrained").add_subplot()
    _lines(ax, evaluation, evaluation.curves, "cost", "quality")
    for model in (name for name, kind in evaluation.kinds.items() if kind == "single model"):
        cost, quality = (evaluation.estimate(model, figure).value for figure in ("cost", "quality"))
        ax.plot(cost, quality, "k.", zorder=3)
        ax.annotate(model, (cost, quality), xytext=(3, -9), textcoords="offset points", fontsize="x-small")
    ax.set_xlabel(f"mean cost per prompt, {evaluation.cost_unit}")
    ax.set_ylabel("mean quality, 0..1")
    ax.set_title(f"{evaluation.data}, n = {evaluation.n:,}")
    ax.legend(fontsize="small", loc="lower right")
    return ax


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
    ax = ax or plt.figure(layout="constrained").add_subplot()
    _lines(ax, evaluation, evaluation.pgr, "share", "pgr")
    ax.set_xlabel("share of prompts sent to the strong model, 0..1")
    ax.set_ylabel("performance gap recovered")
    ax.set_title(f"{evaluation.data}, n = {evaluation.n:,}")
    ax.legend(fontsize="small", loc="lower right")
    return ax


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
    ax = ax or plt.figure(layout="constrained").add_subplot()
    ax.plot(front["cost"], front["quality"], marker=".", drawstyle="steps-post", color=COLOURS[0])
    ax.set_xlabel(f"mean cost per prompt, {unit}")
    ax.set_ylabel("mean quality on the fitting side, 0..1")
    return ax


def _lines(ax: Axes, evaluation: Evaluation, points: pd.DataFrame, x: str, y: str) -> None:
    """A line for each router and a grey one for each baseline, a cross where it is one point; no single models."""
    drawn = 0
    for place, (name, curve) in enumerate(points.groupby("router", sort=False)):
        kind = evaluation.kinds.get(str(name))
        if kind == "single model":
            continue
        colour = COLOURS[drawn % len(COLOURS)] if kind == "router" else BASELINE_COLOUR
        drawn += kind == "router"
        ordered = _hull(curve, x, y) if name == "zero router" else curve.sort_values([x, y])
        style = DASHES[place % len(DASHES)] if len(ordered) > 1 else "x"
        width = 2.0 if kind == "router" else 1.0
        ax.plot(ordered[x], ordered[y], style, color=colour, linewidth=width, label=str(name))


def _hull(curve: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """The points that mixtures of single models reach: the non-decreasing convex hull."""
    cost, quality = hull(curve[x].to_numpy(float), curve[y].to_numpy(float))
    return pd.DataFrame({x: cost, y: quality})
