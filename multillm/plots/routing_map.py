"""Which label is chosen, over complexity and the weight of cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from multillm.plots.routing import Source, Task, is_sub_task, over_complexity, profile_of, router_of
from multillm.plots.style import GUIDE, NEUTRAL, axes_of, faded, ground, ink, label_ends, looks, plain, styled
from multillm.router import RoutingDecision, RoutingRule, TaskRouter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Places = NDArray[np.intp]

__all__ = ["choices", "plot_routing_map"]

ALPHAS = 801


@styled
def plot_routing_map(pool: Source, task: Task, ax: Axes | None = None) -> Axes:
    """Which label is chosen, over complexity and the weight of cost.

    Parameters
    ----------
    pool : str, Path, Pool or TaskRouter
        What is routed to: a shipped pool's name, a YAML file, a pool, or a router with estimators of its own.
    task : TaskType, str, TaskProfile or RoutingDecision
        A task type, or a sub-task, which is then marked on the map.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        Complexity (0..1) against alpha, the weight of cost, at the policy's weight of quality. The dashed line is the
        policy's own alpha. Hatched where no model reaches the threshold, so that the highest quality decides.

    Examples
    --------
    >>> plot_routing_map("reference", "code_generation").get_ylabel()
    'weight of cost α'
    """
    router, profile, ax = router_of(pool), profile_of(task), axes_of(ax)
    policy = router.policy
    complexity, decisions = over_complexity(router, profile)
    alpha = np.linspace(0.0, 1.0 if policy.alpha <= 1.0 else 1.25 * policy.alpha, ALPHAS)
    ax.axhline(policy.alpha, color=ink(ax), linewidth=1.2, linestyle=GUIDE)
    _draw_regions(ax, choices(router, decisions, alpha), router.registry.labels, float(alpha[-1]), policy.alpha)
    if any(short := [decision.rule is RoutingRule.HIGHEST_QUALITY for decision in decisions]):
        ax.fill_between(
            complexity, 0, alpha[-1], where=short, step="mid", facecolor="none", edgecolor=NEUTRAL, hatch="////",
            linewidth=0, label="none reaches the threshold: highest quality",
        )  # fmt: skip
    if is_sub_task(task):
        ax.plot(profile.complexity, policy.alpha, "o", color=ground(ax), markeredgecolor=ink(ax), markeredgewidth=2,
                markersize=10, clip_on=False, zorder=5)  # fmt: skip
    ax.set(xlabel="complexity, 0..1", ylabel="weight of cost α", xlim=(0, 1), ylim=(0, alpha[-1]))
    label_ends(ax, {f"α = {policy.alpha:.2f}": policy.alpha})
    ax.set_title(
        f"{profile.task_type}, threshold {decisions[0].threshold:.2f}, weight of quality β = {policy.beta:.2f}"
    )
    if ax.get_legend_handles_labels()[0]:
        ax.legend(labelcolor=ink(ax), loc="upper left", bbox_to_anchor=(0.0, -0.14), ncols=2)
    ax.grid(visible=False)
    return ax


def choices(router: TaskRouter, decisions: Sequence[RoutingDecision], alpha: NDArray[np.float64]) -> Places:
    """Place of the label that each decision would fall on under each weight of cost, shape [alphas, decisions].

    What a model is rejected for does not depend on the weights, so that only the utilities are worked out anew.
    """
    places = {label: place for place, label in enumerate(router.registry.labels)}
    chosen = np.empty((len(alpha), len(decisions)), dtype=np.intp)
    for column, decision in enumerate(decisions):
        chosen[:, column] = places[decision.label]
        if decision.rule is RoutingRule.UTILITY:
            left = [candidate for candidate in decision.candidates if candidate.rejection is None]
            quality, cost = np.array([(candidate.quality, candidate.cost) for candidate in left], dtype=float).T
            best = (router.policy.beta * quality - alpha[:, None] * cost).argmax(axis=1)
            chosen[:, column] = np.array([places[candidate.label] for candidate in left])[best]
    return chosen


def _draw_regions(ax: Axes, chosen: Places, labels: Sequence[str], top: float, own: float) -> None:
    """A field for each label, with its name in it (off the policy's `own` alpha) or, without room, in the legend."""
    from matplotlib.colors import ListedColormap

    colours = [faded(look.colour, ax) for look in looks(labels).values()]
    extent = (0.0, 1.0, 0.0, top)
    ax.imshow(
        chosen, origin="lower", aspect="auto", extent=extent, interpolation="nearest",
        cmap=ListedColormap(colours), vmin=-0.5, vmax=len(labels) - 0.5,
    )  # fmt: skip
    for place in np.unique(chosen):
        region, name, colour = chosen == place, plain(labels[place]), colours[place]
        if not region.all():
            ax.contour(region, levels=[0.5], extent=extent, colors=[ink(ax)], linewidths=0.8)
        spot = _room(region, len(name), own / top)
        if spot is None:
            ax.fill_between([], [], facecolor=colour, edgecolor=ink(ax), label=name)
        else:
            behind = {"facecolor": colour, "edgecolor": "none", "pad": 1.5}
            ax.text(spot[0], top * spot[1], name, color=ink(ax), ha="center", va="center", bbox=behind)


def _room(region: NDArray[np.bool_], letters: int, kept_free: float) -> tuple[float, float] | None:
    """The middle of all places where a name lies wholly in the region, if it can off a height to be kept free."""
    from scipy.ndimage import uniform_filter

    height, width = int(0.09 * region.shape[0]), int((0.02 + 0.017 * letters) * region.shape[1])
    fits = np.argwhere(uniform_filter(region.astype(float), (height, width), mode="constant") > 1 - 1e-9)
    if not len(fits):
        return None
    off_line = fits[np.abs(fits[:, 0] - kept_free * region.shape[0]) > height]
    fits = off_line if len(off_line) else fits
    row, column = fits[np.abs(fits - fits.mean(axis=0)).sum(axis=1).argmin()]
    return (column + 0.5) / region.shape[1], (row + 0.5) / region.shape[0]
