"""What ran when, on which model, and what waited for what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from multillm.plots.style import NEUTRAL, Look, axes_of, faded, ink, looks, plain, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from multillm.orchestration.results import RunResult, SubTaskResult

__all__ = ["plot_timeline"]

HEIGHT = 0.5
LONGEST_TEXT = 40


@styled
def plot_timeline(run: RunResult, ax: Axes | None = None) -> Axes:
    """Which sub-task ran when and on which model.

    Parameters
    ----------
    run : RunResult
        A finished run.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        Seconds from the start of the run against sub-tasks, first one on top. A bar is one call: the colour says which
        label answered, pale while it waited for a slot or for attempts that failed, hatched if nothing answered.
        Arrows lead from an answer to the sub-task that needs it; a dotted line is the wait for it.
    """
    ax = axes_of(ax, 1.4 + 0.75 * len(run.results))
    end = max(run.total_ms / 1000, *(result.ended_s for result in run.results))
    shown = looks(candidate.label for candidate in run.results[0].decision.candidates)
    for result in run.results:
        _draw_call(ax, result, shown, end)
        for needed in result.decision.profile.subtask.depends_on:
            _draw_need(ax, run.results[needed], result)
    names = [f"{result.index + 1}  {_short(result.decision.profile.text)}" for result in run.results]
    ax.set_yticks(range(len(names)), [plain(name) for name in names])
    ax.set(xlabel="time since the run began, s", xlim=(0, 1.02 * end), ylim=(len(names) - 0.55, -0.75))
    explained = _explain(ax, run)
    told = f"{run.total_ms / 1000:.2f} s on {run.backend}, {run.cost_units:.4g} cost units"
    ax.set_title(plain(told), pad=24 if explained else None)
    ax.grid(visible=False, axis="y")
    return ax


def _draw_call(ax: Axes, result: SubTaskResult, shown: Mapping[str, Look], end: float) -> None:
    """The bar of one call, with who answered written above it."""
    done, asked = result.completion, result.decision.label
    look = shown[done.label if done else asked]
    spent = result.ended_s - result.started_s
    if done is None:
        ax.barh(result.index, spent, HEIGHT, result.started_s, color="none", edgecolor=look.colour, hatch="////")
        told = f"{asked}: {type(result.error).__name__}"
    else:
        idle = _idle(result)
        ax.barh(result.index, idle, HEIGHT, result.started_s, color=faded(look.colour, ax))
        ax.barh(result.index, spent - idle, HEIGHT, result.started_s + idle, color=look.colour)
        cut = ", cut short" if done.truncated else ""
        told = f"{asked if done.label == asked else f'{asked} → {done.label}'}: {done.output_tokens} tokens{cut}"
    late = result.started_s > 0.7 * end
    aside = 10 if result.decision.profile.subtask.depends_on else 4  # room for the head of an arrow
    ax.annotate(
        plain(told), (result.ended_s if late else result.started_s, result.index - HEIGHT / 2), color=ink(ax),
        xytext=(-4 if late else aside, 3), textcoords="offset points", ha="right" if late else "left", fontsize="small",
    )  # fmt: skip


def _explain(ax: Axes, run: RunResult) -> bool:
    """A legend above the axes if there is something to explain: bars that are not of one full colour."""
    from matplotlib.patches import Patch

    found = []
    if any(_idle(result) > 0.01 * result.ended_s for result in run.results):
        found.append(Patch(facecolor=faded(NEUTRAL, ax), label="waiting, or an attempt that failed"))
    if run.failed:
        found.append(Patch(facecolor="none", edgecolor=NEUTRAL, hatch="////", label="no answer"))
    if found:
        ax.legend(handles=found, labelcolor=ink(ax), loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return bool(found)


def _idle(result: SubTaskResult) -> float:
    """Seconds of a call that was answered in which the model that answered did not work on it."""
    if (done := result.completion) is None:
        return 0.0
    parts = [part for part in (done.load_s, done.prompt_s, done.generation_s) if part is not None]
    spent = result.ended_s - result.started_s
    return spent - min(spent, sum(parts)) if parts else 0.0


def _draw_need(ax: Axes, needed: SubTaskResult, result: SubTaskResult) -> None:
    """The wait for another's answer, and the arrow that brings it."""
    ax.plot([0, result.started_s], [result.index] * 2, color=NEUTRAL, linewidth=1.2, linestyle=(0, (1, 2)))
    ax.annotate(
        "", (result.started_s, result.index - HEIGHT / 2), (needed.ended_s, needed.index + HEIGHT / 2),
        arrowprops={"arrowstyle": "-|>", "color": ink(ax), "linewidth": 1.0, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip


def _short(text: str) -> str:
    """The beginning of a text, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_TEXT else f"{line[: LONGEST_TEXT - 1].rstrip()}…"
