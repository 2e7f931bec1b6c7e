"""Progress of long work: a run's sub-tasks, a benchmark's calls."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Sequence
from time import monotonic, perf_counter
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column
from tqdm.auto import tqdm

from multillm.completion import Completion
from multillm.live import RunView, SubTaskView
from multillm.orchestration.events import RunEvent, RunFinished, TextPiece
from multillm.orchestration.results import RunResult
from multillm.terminal import console, printable

__all__ = ["CallProgress", "RunProgress", "watch"]

PAUSE_S = 0.1


class RunProgress:
    """Shows in a terminal who works on what, for how long, and the end of what is written.

    Parameters
    ----------
    console : Console
        Where to show it.
    """

    def __init__(self, console: Console) -> None:
        words = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis"))
        self._progress = Progress(SpinnerColumn(finished_text="·"), TimeElapsedColumn(), words, console=console)
        self._view = RunView()
        self._lines: dict[int, TaskID] = {}

    async def follow(self, events: AsyncIterable[RunEvent]) -> RunResult:
        """Show a run until it is over, and hand back what came of it."""
        with self._progress:
            async for event in events:
                self._view.take(event)
                if not isinstance(event, RunFinished):
                    self._show(self._view.subtasks[event.index])
        assert self._view.result is not None  # noqa: S101  # it is the last event
        return self._view.result

    def _show(self, view: SubTaskView) -> None:
        said = view.tail if view.state == "running" else "; ".join(view.notes)
        told = f"{view.index + 1} {view.decision.profile.task_type} → {view.label}: {view.state}"
        words = escape(printable(f"{told}  {' '.join(said.split())}"))
        if view.index not in self._lines:
            self._lines[view.index] = self._progress.add_task(words, total=1, start=False)
        line = self._lines[view.index]
        over = view.state not in {"waiting", "running"}
        self._progress.update(line, description=words, completed=over)
        if view.state == "running":
            self._progress.start_task(line)


async def watch(events: AsyncIterable[RunEvent], *, clock: Callable[[], float] = monotonic) -> RunResult:
    """Show a run while it goes on: in a notebook as one table that is brought up to date, elsewhere as lines.

    Parameters
    ----------
    events : async iterable of RunEvent
        `Orchestrator.stream`.
    clock : callable, optional
        Time in seconds: in a notebook, text is shown anew at most ten times a second.

    Returns
    -------
    RunResult
        What came of the run.

    Examples
    --------
    In a notebook cell::

        result = await ml.watch(orchestrator.stream(prompt))
    """
    where = console()
    if not where.is_jupyter:
        return await RunProgress(where).follow(events)
    from IPython.display import display

    view, shown_at = RunView(), clock()
    shown: Any = display(view, display_id=True)  # type: ignore[no-untyped-call]
    async for event in events:
        view.take(event)
        if not isinstance(event, TextPiece) or clock() - shown_at >= PAUSE_S:
            shown_at = clock()
            if shown is not None:
                shown.update(view)
    assert view.result is not None  # noqa: S101  # it is the last event
    return view.result


class CallProgress:
    """A bar over all answers of a benchmark: how many, at which rate, time left, tokens per second, failures.

    What comes out of a journal counts as done, and in no rate.

    Parameters
    ----------
    shown : bool
        Whether to show it.
    """

    def __init__(self, *, shown: bool = True) -> None:
        self._bar = tqdm(total=0, unit="answer", disable=not shown, dynamic_ncols=True)
        self._tokens = 0
        self._failed = 0
        self._started = perf_counter()
        self.last_error: str | None = None

    def expect(self, answers: int) -> None:
        """So many more answers are wanted."""
        if not self._bar.disable:
            self._bar.total += answers
            self._bar.refresh()

    def begin(self, name: str) -> None:
        """Name what is at work now."""
        self._bar.set_description(name)

    def answered(self, completions: Sequence[Completion], error: str | None) -> None:
        """Count an answer, or a failure."""
        if error is not None:
            self.last_error = error
        replayed = bool(completions) and all(completion.replayed for completion in completions)
        self.count(sum(completion.output_tokens for completion in completions), replayed, error is not None)

    def count(self, tokens: int, replayed: bool, failed: bool) -> None:
        """Count one that has so many output tokens."""
        self._failed += failed
        if self._bar.disable:
            return
        if replayed:
            self._bar.initial += 1
            self._bar.n += 1
            return
        self._tokens += tokens
        rate = self._tokens / max(1e-9, perf_counter() - self._started)
        self._bar.set_postfix({"tokens/s": f"{rate:.1f}", "failed": self._failed}, refresh=False)
        self._bar.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
