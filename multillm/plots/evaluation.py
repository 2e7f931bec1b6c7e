"""Routers, baselines and single models compared: cost and quality, gain recovered, the front of a tuned policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from multillm.metrics import hull
from multillm.plots.style import COLOURS, DASHES, NEUTRAL, axes_of, faded, ground, ink, legend_beside, plain, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from multillm.evaluation import Evaluation
    from multillm.outcomes import Outcomes
    from multillm.tuning import TunedPolicy

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
        Mean cost per prompt (in the outcomes' unit) against mean quality (0..1): what each router can be set to as pale
        points, what mixtures of these reach as a line.
    """
    ax = axes_of(ax)
    curves = {str(name): curve for name, curve in evaluation.curves.groupby("router", sort=False)}
    hulls = pd.concat([_hull(curve).assign(router=name) for name, curve in curves.items()])
    for name, line in _lines(ax, evaluation, hulls, "cost", "quality").items():
        pale = faded(line.get_color(), ax)
        ax.plot(curves[name]["cost"], curves[name]["quality"], ".", color=pale, markersize=5, zorder=1.5)
    singles = [name for name, kind in evaluation.kinds.items() if kind == "single model"]
    figures = {name: [evaluation.estimate(model, name).value for model in singles] for name in ("cost", "quality")}
    _mark_models(ax, pd.DataFrame(figures, index=singles))
    ax.set_xlabel(f"mean cost per prompt, {plain(evaluation.cost_unit)}")
    ax.set_ylabel("mean quality, 0..1")
    ax.set_title(f"{plain(evaluation.data)}, n = {evaluation.n:,}")
    ax.margins(0.08)
    legend_beside(ax)
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
def plot_front(tuned: TunedPolicy, outcomes: Outcomes | None = None, ax: Axes | None = None) -> Axes:
    """The trade-offs that a policy was chosen from, and what it is held to on prompts that it has not seen.

    Parameters
    ----------
    tuned : TunedPolicy
        What `tune` found.
    outcomes : Outcomes, optional
        What it was tuned on: adds each model alone.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        Mean cost per prompt (in the outcomes' unit) against mean quality (0..1), 95 % intervals for what is held out.
    """
    ax = axes_of(ax)
    front, cost, quality = tuned.front, tuned.cost, tuned.quality
    ax.plot(
        front["cost"], front["quality"], marker=".", markersize=5, color=COLOURS[0], drawstyle="steps-post",
        label="trade-offs, on the fitting side",
    )  # fmt: skip
    ax.plot(tuned.fitted_cost, tuned.fitted_quality, "o", color=COLOURS[0], markersize=8, label="chosen, fitted")
    up, aside = ([[at.value - at.low], [at.high - at.value]] for at in (quality, cost))
    ax.errorbar(
        cost.value, quality.value, yerr=up, xerr=aside, fmt="s", color=COLOURS[1], elinewidth=1.2, zorder=4,
        label="chosen, held out",
    )  # fmt: skip
    if outcomes is not None:
        _mark_models(ax, outcomes.summary())
    ax.set(xlabel=f"mean cost per prompt, {plain(tuned.cost_unit)}", ylabel="mean quality, 0..1")
    ax.set_title(f"objective: {plain(tuned.objective)}, n = {quality.n:,}")
    ax.margins(0.08)
    ax.legend(labelcolor=ink(ax), loc="lower right")
    return ax


def _mark_models(ax: Axes, models: pd.DataFrame) -> None:
    """A point for each model alone, its name where the lines between them leave room: above left of the dearer ones."""
    from matplotlib.patheffects import withStroke

    ax.plot(models["cost"], models["quality"], "D", color=ink(ax), markersize=5, zorder=3)
    for model, row in models.iterrows():
        dear = row["cost"] > models["cost"].mean()
        ax.annotate(
            plain(model), (row["cost"], row["quality"]), xytext=(-5, 5) if dear else (5, -11), color=ink(ax),
            textcoords="offset points", ha="right" if dear else "left", fontsize="small", zorder=5,
            path_effects=[withStroke(linewidth=2.5, foreground=ground(ax))],
        )  # fmt: skip


def _lines(ax: Axes, evaluation: Evaluation, points: pd.DataFrame, x: str, y: str) -> dict[str, Line2D]:
    """A line for each router and a grey one for each baseline, a mark where it is one point; no single models.

    The lines of the routers are handed back by name.
    """
    drawn: dict[str, Line2D] = {}
    baselines = {"lines": 0, "points": 0}
    for name, curve in points.groupby("router", sort=False):
        kind = evaluation.kinds[str(name)]
        if kind == "single model":
            continue
        ours, form = kind == "router", "lines" if len(curve) > 1 else "points"
        place = len(drawn) if ours else baselines[form]
        colour, width, order = (COLOURS[place % len(COLOURS)], 2.0, 2.5) if ours else (NEUTRAL, 1.0, 2.0)
        ordered = curve.sort_values([x, y])
        dash, mark = (DASHES[place % len(DASHES)], "") if len(ordered) > 1 else ("", POINTS[place % len(POINTS)])
        [line] = ax.plot(
            ordered[x], ordered[y], linestyle=dash, marker=mark, color=colour, linewidth=width, label=plain(name),
            zorder=order,
        )  # fmt: skip
        if ours:
            drawn[str(name)] = line
        else:
            baselines[form] += 1
    return drawn


def _hull(curve: pd.DataFrame) -> pd.DataFrame:
    """What mixtures of the points reach, which is what AIQ measures: the non-decreasing convex hull."""
    cost, quality = hull(curve["cost"].to_numpy(float), curve["quality"].to_numpy(float))
    return pd.DataFrame({"cost": cost, "quality": quality})
