"""A run as it goes on: its state, folded from its events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never

from multillm.markup import html_table
from multillm.orchestration.events import (
    FellBack,
    RunEvent,
    RunFinished,
    SubTaskDone,
    SubTaskRunning,
    SubTaskWaiting,
    TextPiece,
    TextRestarted,
)
from multillm.orchestration.results import RunResult
from multillm.router import RoutingDecision

__all__ = ["RunView", "SubTaskView"]

SHOWN_LETTERS = 80


@dataclass
class SubTaskView:
    """What is known of a sub-task so far.

    Attributes
    ----------
    index : int
        Position in the prompt, from 0.
    decision : RoutingDecision
        What was chosen for it.
    label : str
        Model group at work, or that answered.
    state : str
        ``waiting``, ``running``, then ``ok``, ``truncated`` or ``failed``.
    text : str
        The answer so far.
    notes : list of str
        What went wrong on the way.
    """

    index: int
    decision: RoutingDecision
    label: str
    state: str = "waiting"
    text: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def tail(self) -> str:
        """The end of the answer so far, in one line."""
        line = " ".join(self.text[-4 * SHOWN_LETTERS :].split())
        return line if len(line) <= SHOWN_LETTERS else f"…{line[1 - SHOWN_LETTERS :]}"


class RunView:
    """The state of a run.

    Attributes
    ----------
    subtasks : dict of int to SubTaskView
        By position in the prompt.
    result : RunResult or None
        The outcome, once the run is over.
    """

    def __init__(self) -> None:
        self.subtasks: dict[int, SubTaskView] = {}
        self.result: RunResult | None = None

    def take(self, event: RunEvent) -> None:
        """Bring the state up to date."""
        match event:
            case SubTaskWaiting(index, decision):
                self.subtasks[index] = SubTaskView(index, decision, decision.label)
            case SubTaskRunning(index, _):
                self.subtasks[index].state = "running"
            case TextPiece(index, label, text):
                self.subtasks[index].label = label
                self.subtasks[index].text += text
            case TextRestarted(index, label, reason):
                self.subtasks[index].text = ""
                self.subtasks[index].notes.append(f"{label} broke off: {reason}")
            case FellBack(index, label, to, reason):
                self.subtasks[index].label = to
                self.subtasks[index].notes.append(f"{label} → {to}: {reason}")
            case SubTaskDone(index, result):
                self._end(self.subtasks[index], event)
            case RunFinished(result):
                self.result = result
            case _:
                assert_never(event)

    @staticmethod
    def _end(view: SubTaskView, event: SubTaskDone) -> None:
        done = event.result.completion
        view.state = event.result.status
        view.text = done.text if done else ""
        view.label = done.label if done else view.label
        if event.result.error is not None:
            view.notes.append(str(event.result.error))

    def __repr__(self) -> str:
        if self.result is not None:
            return repr(self.result)
        over = sum(view.state not in {"waiting", "running"} for view in self.subtasks.values())
        return f"{over} of {len(self.subtasks)} sub-tasks done"

    def _repr_html_(self) -> str:
        rows = [
            (view.index + 1, view.decision.profile.text, view.label, view.state, view.tail, "; ".join(view.notes))
            for view in sorted(self.subtasks.values(), key=lambda view: view.index)
        ]
        return html_table(repr(self), ("n", "sub-task", "label", "state", "answer", "notes"), rows)
