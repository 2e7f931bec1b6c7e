"""By how much a model is chosen: utilities over complexity, and those of one decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from multillm.plots.routing import Source, Task, is_sub_task, over_complexity, profile_of, router_of
from multillm.plots.style import GUIDE, NEUTRAL, Look, axes_of, faded, ink, label_ends, looks, plain, styled
from multillm.router import Candidate, Rejection, RoutingDecision

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_candidates", "plot_utility"]


@styled
def plot_utility(pool: Source, task: Task, ax: Axes | None = None) -> Axes:
    """Utility of each model over complexity.

    Parameters
    ----------
    pool : str, Path, Pool or TaskRouter
        What is routed to: a shipped pool's name, a YAML file, a pool, or a router with estimators of its own.
    task : TaskType, str, TaskProfile or RoutingDecision
        A task type, or a sub-task, whose complexity is then marked.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        Complexity (0..1) against utility, each line's name at its end. A line is faint where the model is rejected;
        the broad band runs along the one that is chosen.
    """
    router, profile, ax = router_of(pool), profile_of(task), axes_of(ax)
    complexity, decisions = over_complexity(router, profile)
    utility = np.array([[c.utility for c in decision.candidates] for decision in decisions], dtype=float)
    is_open = np.array(
        [[c.rejection in {None, Rejection.OVERRIDE} for c in decision.candidates] for decision in decisions]
    )
    is_chosen = np.array([[c.label == decision.label for c in decision.candidates] for decision in decisions])
    for place, look in enumerate(looks(router.registry.labels).values()):
        ax.plot(complexity, np.where(is_chosen[:, place], utility[:, place], np.nan), color=look.colour,
                linewidth=9, alpha=0.35, solid_capstyle="butt")  # fmt: skip
        ax.plot(complexity, utility[:, place], color=look.colour, linestyle=look.dash, linewidth=1, alpha=0.7)
        shown = np.where(is_open[:, place] | is_chosen[:, place], utility[:, place], np.nan)
        ax.plot(complexity, shown, color=look.colour, linestyle=look.dash)
    if is_sub_task(task):
        ax.axvline(profile.complexity, color=ink(ax), linewidth=1.2, linestyle=GUIDE)
    policy = router.policy
    ax.set(xlabel="complexity, 0..1", ylabel=f"utility U = {policy.beta:.2f} Q − {policy.alpha:.2f} C", xlim=(0, 1))
    ax.set_title(f"{profile.task_type}, threshold {decisions[0].threshold:.2f}")
    ends = dict(zip(router.registry.labels, utility[-1], strict=True))
    label_ends(ax, {label: end for label, end in ends.items() if np.isfinite(end)})
    return ax


@styled
def plot_candidates(decision: RoutingDecision, ax: Axes | None = None) -> Axes:
    """Utility of every model for one sub-task, what became of it, and why.

    Parameters
    ----------
    decision : RoutingDecision
        What was chosen, and from what.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        A bar of utility for each label, lightest model on top: full for the chosen one, pale for one open to choice,
        hatched for one that was rejected.
    """
    candidates = decision.candidates
    ax = axes_of(ax, 1.2 + 0.55 * len(candidates))
    widest = max(0.01, *(abs(candidate.utility or 0.0) for candidate in candidates))
    for place, (candidate, look) in enumerate(
        zip(candidates, looks(c.label for c in candidates).values(), strict=True)
    ):
        _draw_bar(ax, place, candidate, look, decision.role(candidate))
    ax.set_yticks(range(len(candidates)), [plain(_named(candidate)) for candidate in candidates])
    least = min(0.0, *(candidate.utility or 0.0 for candidate in candidates))
    ax.set(xlabel="utility U", xlim=(1.1 * least, 1.75 * widest), ylim=(len(candidates) - 0.5, -0.5))
    ax.axvline(0.0, color=NEUTRAL, linewidth=0.8)
    ax.grid(visible=False, axis="y")
    profile = decision.profile
    ax.set_title(f"{profile.task_type}, complexity {profile.complexity:.2f}, threshold {decision.threshold:.2f}")
    return ax


def _draw_bar(ax: Axes, place: int, candidate: Candidate, look: Look, role: str) -> None:
    """One model's utility, with its role or the reason why it was rejected."""
    utility, chosen = candidate.utility or 0.0, role == "chosen"
    rejected = candidate.rejection is not None and not chosen
    ax.barh(
        place, utility, height=0.62, edgecolor=look.colour, hatch="////" if rejected else "",
        color="none" if rejected else look.colour if chosen else faded(look.colour, ax),
    )  # fmt: skip
    figure = "U unknown" if candidate.utility is None else f"{candidate.utility:+.3f}"
    ax.annotate(
        plain(f"{figure}  {candidate.reason or role}"), (max(0.0, utility), place), xytext=(5, 0), va="center",
        textcoords="offset points", color=ink(ax), fontsize="small", fontweight="bold" if chosen else "normal",
    )  # fmt: skip


def _named(candidate: Candidate) -> str:
    quality = "–" if candidate.quality is None else f"{candidate.quality:.2f}"
    return f"{candidate.label}\nQ {quality}, C {candidate.cost:.2f}"
