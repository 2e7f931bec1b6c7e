"""What happens in a run, as it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from multillm.orchestration.results import RunResult, SubTaskResult
from multillm.router import RoutingDecision

__all__ = [
    "FellBack",
    "Observer",
    "RunEvent",
    "RunFinished",
    "SubTaskDone",
    "SubTaskEvent",
    "SubTaskListener",
    "SubTaskRunning",
    "SubTaskWaiting",
    "TextPiece",
    "TextRestarted",
]


@dataclass(frozen=True, slots=True)
class SubTaskWaiting:
    """A sub-task is planned, and waits for those whose answers it needs.

    Attributes
    ----------
    index : int
        Position of the sub-task in the prompt, from 0.
    decision : RoutingDecision
        What was chosen for it.
    """

    index: int
    decision: RoutingDecision


@dataclass(frozen=True, slots=True)
class SubTaskRunning:
    """A sub-task has all that it needs, and its model is called.

    Attributes
    ----------
    index : int
        Position of the sub-task in the prompt, from 0.
    decision : RoutingDecision
        What was chosen for it.
    """

    index: int
    decision: RoutingDecision


@dataclass(frozen=True, slots=True)
class TextPiece:
    """An answer goes on.

    Attributes
    ----------
    index : int
        Position of the sub-task in the prompt, from 0.
    label : str
        Model group that answers.
    text : str
        What it wrote since the last piece.
    """

    index: int
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class TextRestarted:
    """An answer broke off; all its text so far is void, and the call is made again or elsewhere.

    Attributes
    ----------
    index : int
        Position of the sub-task in the prompt, from 0.
    label : str
        Model group whose answer broke off.
    reason : str
        Why, in one line.
    """

    index: int
    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class FellBack:
    """A label gave no answer, and another one is called.

    Attributes
    ----------
    index : int
        Position of the sub-task in the prompt, from 0.
    label, to : str
        Model group that failed, and the one that is called now.
    reason : str
        Why it failed, in one line.
    """

    index: int
    label: str
    to: str
    reason: str


@dataclass(frozen=True, slots=True)
class SubTaskDone:
    """A sub-task is answered, or has failed for good; it is recorded.

    Attributes
    ----------
    index : int
        Position of the sub-task in the prompt, from 0.
    result : SubTaskResult
        What became of it.
    """

    index: int
    result: SubTaskResult

    @property
    def decision(self) -> RoutingDecision:
        """What was chosen for it."""
        return self.result.decision


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over: the last event.

    Attributes
    ----------
    result : RunResult
        What came of it.
    """

    result: RunResult


SubTaskEvent = SubTaskWaiting | SubTaskRunning | SubTaskDone
"""A change in the state of a sub-task."""
RunEvent = SubTaskEvent | TextPiece | TextRestarted | FellBack | RunFinished
Observer = Callable[[RunEvent], None]


class SubTaskListener:
    """Makes events of what the call of one sub-task tells.

    Parameters
    ----------
    index : int
        Position of the sub-task in the prompt.
    tell : callable
        Takes the events.
    wants_text : bool
        Whether the answer is to be streamed.
    """

    def __init__(self, index: int, tell: Observer, *, wants_text: bool) -> None:
        self.wants_text = wants_text
        self._index = index
        self._tell = tell

    def piece(self, label: str, text: str) -> None:
        """See `Listener.piece`."""
        self._tell(TextPiece(self._index, label, text))

    def restarted(self, label: str, reason: str) -> None:
        """See `Listener.restarted`."""
        self._tell(TextRestarted(self._index, label, reason))

    def fell_back(self, label: str, to: str, reason: str) -> None:
        """See `Listener.fell_back`."""
        self._tell(FellBack(self._index, label, to, reason))
