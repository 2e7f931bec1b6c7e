"""The merged answer of a run as a stream of text: its sections in prompt order, the first open one as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from multillm.orchestration.events import RunEvent, SubTaskDone, SubTaskWaiting, TextPiece, TextRestarted
from multillm.orchestration.merging import ending, heading
from multillm.orchestration.results import SubTaskResult
from multillm.router import RoutingDecision

__all__ = ["Sections"]

BROKE_OFF = "\n\n> **Broke off; answered anew:**\n\n"


@dataclass
class _Section:
    decision: RoutingDecision
    kept: str = ""
    """What was written and cannot be read yet."""
    told: bool = False
    """Whether its text came in pieces."""
    begun: bool = False
    """Whether some of it was read."""
    done: bool = False


class Sections:
    """Puts the pieces of answers that are written at once in the order in which they are read.

    Until the first unfinished section is complete, pieces of later ones are kept back. Joined, the text is
    `RunResult.merged`, unless an answer broke off when some of it had been read: that cannot be taken back,
    and is said instead.
    """

    def __init__(self) -> None:
        self._sections: dict[int, _Section] = {}
        self._first_open = 0

    def text(self, event: RunEvent) -> str:
        """What can be read on, now that this has happened; may be empty."""
        match event:
            case SubTaskWaiting(index, decision):
                self._sections[index] = _Section(decision)
            case TextPiece(index, _, text):
                self._sections[index].kept += text
                self._sections[index].told = True
            case TextRestarted(index):
                section = self._sections[index]
                section.kept = BROKE_OFF if section.begun else ""
            case SubTaskDone(index, result):
                self._finish(self._sections[index], result)
            case _:
                return ""
        return "".join(self._readable())

    def _finish(self, section: _Section, result: SubTaskResult) -> None:
        if result.completion is not None and not section.told:
            section.kept = result.completion.text
        section.kept = section.kept.rstrip() + ending(result)
        section.done = True

    def _readable(self) -> Iterator[str]:
        """What was kept back of every section up to the first that is not done."""
        while section := self._sections.get(self._first_open):
            text = section.kept if section.begun else section.kept.lstrip()
            body = text if section.done else text.rstrip()
            if body:
                yield body if section.begun else self._head(section.decision) + body
                section.begun, section.kept = True, text[len(body) :]
            if not section.done:
                return
            self._first_open += 1

    def _head(self, decision: RoutingDecision) -> str:
        if len(self._sections) == 1:
            return ""
        return ("\n\n" if self._first_open else "") + heading(self._first_open + 1, decision)
