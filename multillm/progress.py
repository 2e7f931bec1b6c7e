"""A run's progress, one line for each sub-task."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from multillm.results import SubTaskEvent

__all__ = ["RunProgress"]


class RunProgress:
    """Observer of a run that shows who works on what, and for how long.

    Parameters
    ----------
    console : Console
        Where to show it.
    """

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="·"), TextColumn("{task.description}"), TimeElapsedColumn(), console=console
        )
        self._lines: dict[int, TaskID] = {}

    def __call__(self, event: SubTaskEvent) -> None:
        """Bring the sub-task's line up to date."""
        status = event.result.status if event.result else event.state
        words = escape(f"{event.index + 1} {event.decision.profile.task_type} → {event.decision.label}: {status}")
        if event.index not in self._lines:
            self._lines[event.index] = self._progress.add_task(words, total=1, start=False)
        line = self._lines[event.index]
        self._progress.update(line, description=words, completed=event.state == "done")
        if event.state == "running":
            self._progress.start_task(line)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
