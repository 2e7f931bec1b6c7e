"""What strategies lose along a stream of prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from multillm.plots.style import NEUTRAL, axes_of, ink, legend_beside, looks, plain, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from multillm.online import Simulation

__all__ = ["plot_regret"]


@styled
def plot_regret(
    simulation: Simulation,
    against: str = "oracle",
    measure: Literal["utility", "quality"] = "utility",
    names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Regret of every strategy, and of the baselines in grey.

    Parameters
    ----------
    simulation : Simulation
        What `simulate` found.
    against : str, default "oracle"
        What regret is counted against: a baseline or a strategy.
    measure : {"utility", "quality"}
        What is lost.
    names : sequence of str, optional
        Strategies and baselines to draw, all if left out.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        Prompts against regret added up, in units of quality, with the interval over the seeds.
    """
    ax = axes_of(ax)
    drawn = [name for name in names or simulation.kinds if name != against]
    for name, look in looks(drawn).items():
        baseline = simulation.kinds.get(name) == "baseline"
        colour, width = (NEUTRAL, 1.0) if baseline else (look.colour, 1.8)
        curve = simulation.curve(name, against, measure)
        ax.plot(curve["prompts"], curve["value"], color=colour, linestyle=look.dash, linewidth=width, label=plain(name))
        ax.fill_between(curve["prompts"], curve["low"], curve["high"], color=colour, alpha=0.2, linewidth=0)
    ax.axhline(0.0, color=ink(ax), linewidth=0.6)
    ax.set_xlabel("prompts")
    ax.set_ylabel(f"{measure} lost against {plain(against)},\nadded up, in units of quality")
    ax.set_title(f"{plain(simulation.data)}, {len(simulation.seeds)} seeds")
    legend_beside(ax)
    return ax
