"""One run: every sub-task on its model, as many at once as their dependencies allow, each recorded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multillm.completion import Client, Completion, CompletionRequest
from multillm.errors import Cancelled, FeedbackError, MultillmError, UpstreamFailed
from multillm.listening import listen
from multillm.orchestration.allowance import Allowance
from multillm.orchestration.events import (
    Observer,
    SubTaskDone,
    SubTaskEvent,
    SubTaskListener,
    SubTaskRunning,
    SubTaskWaiting,
)
from multillm.orchestration.logs import note_event
from multillm.orchestration.prompting import build_messages
from multillm.orchestration.recording import to_record
from multillm.orchestration.results import SubTaskResult
from multillm.router import RoutingDecision
from multillm.settings import CallSettings
from multillm.telemetry import bind, traced_call

if TYPE_CHECKING:
    from multillm.feedback import FeedbackStore

__all__ = ["Audience", "Run"]

logger = logging.getLogger("multillm")


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told of a run.

    Attributes
    ----------
    tell : callable
        Takes the events.
    text : bool
        Whether answers are streamed, so that their text comes in pieces.
    """

    tell: Observer
    text: bool


class Run:
    """Runs the sub-tasks of one prompt.

    Parameters
    ----------
    run_id : str
        Key of the run's rows in the feedback store.
    decisions : sequence of RoutingDecision
        What was chosen for each sub-task, in prompt order.
    client : Client
        Makes the calls.
    allowance : Allowance
        What the run may take.
    calls : CallSettings
        Temperature and seed.
    history : sequence of mapping
        Earlier messages, which every model sees before its sub-task.
    store : FeedbackStore or None
        Where every call is recorded.
    audience : Audience or None
        Who is told of the run while it goes on.
    clock : callable
        Time in seconds; the run begins now.
    """

    def __init__(
        self,
        run_id: str,
        decisions: Sequence[RoutingDecision],
        client: Client,
        *,
        allowance: Allowance,
        calls: CallSettings,
        history: Sequence[Mapping[str, str]],
        store: FeedbackStore | None,
        audience: Audience | None,
        clock: Callable[[], float],
    ) -> None:
        self.started = clock()
        self._run_id = run_id
        self._decisions = decisions
        self._client = client
        self._allowance = allowance
        self._calls = calls
        self._history = history
        self._store = store
        self._audience = audience
        self._clock = clock
        self._tasks: list[asyncio.Task[SubTaskResult]] = []

    async def results(self) -> tuple[SubTaskResult, ...]:
        """What became of each sub-task, in prompt order.

        Raises
        ------
        FeedbackError
            If a call cannot be recorded; what is under way is cancelled.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._tasks += [group.create_task(self._subtask(index)) for index in range(len(self._decisions))]
        except BaseExceptionGroup as failures:
            ours, others = failures.split(MultillmError)
            if ours is None or others is not None:
                raise
            raise ours.exceptions[0] from failures
        return tuple(task.result() for task in self._tasks)

    async def _subtask(self, index: int) -> SubTaskResult:
        """Wait for what the sub-task needs, call its model, record what came of it."""
        decision = self._decisions[index]
        bind(subtask_index=index)
        if self._audience is not None:
            listen(SubTaskListener(index, self._audience.tell, wants_text=self._audience.text))
        self._tell(SubTaskWaiting(index, decision))
        started = self._clock()
        completion, error = None, None
        async with AsyncExitStack() as reserved:
            try:
                upstream = [await self._tasks[needed] for needed in decision.profile.subtask.depends_on]
                started = self._clock()
                self._tell(SubTaskRunning(index, decision))
                request = self._request(decision, upstream)
                completion = await traced_call(request, self._allowance.complete(self._client, request, reserved))
            except MultillmError as failure:
                error = failure
            except asyncio.CancelledError:
                self._record_cancelled(index, started)
                raise
            result = self._result(index, completion, error, started)
            if self._store is not None:
                await self._store.arecord(to_record(self._run_id, result))
        self._tell(SubTaskDone(index, result))
        return result

    def _record_cancelled(self, index: int, started: float) -> None:
        """Record without another task's turn; a store that fails must not hold up the cancellation."""
        if self._store is None:
            return
        label = self._decisions[index].label
        cancelled = Cancelled(f"the run was cancelled before {label} answered", label=label)
        try:
            self._store.record(to_record(self._run_id, self._result(index, None, cancelled, started)))
        except FeedbackError as error:
            logger.warning("a cancelled sub-task is not recorded: %s", error)

    def _result(
        self, index: int, completion: Completion | None, error: MultillmError | None, started: float
    ) -> SubTaskResult:
        times = started - self.started, self._clock() - self.started
        return SubTaskResult(index, self._decisions[index], completion, error, *times)

    def _request(self, decision: RoutingDecision, upstream: Sequence[SubTaskResult]) -> CompletionRequest:
        """What the model is asked, with the answers that the sub-task builds on."""
        answers: list[tuple[str, str]] = []
        for needed in upstream:
            if needed.completion is None:
                raise UpstreamFailed(
                    f"it needs the answer of sub-task {needed.index + 1}, which failed: {needed.error}",
                    label=decision.label,
                )
            answers.append((needed.decision.profile.text, needed.completion.text))
        return CompletionRequest(
            label=decision.label,
            messages=(*self._history, *build_messages(decision.profile.subtask, answers)),
            max_output_tokens=decision.max_output_tokens,
            fallbacks=decision.fallbacks,
            temperature=self._calls.temperature,
            seed=self._calls.seed,
        )

    def _tell(self, event: SubTaskEvent) -> None:
        note_event(event)
        if self._audience is not None:
            self._audience.tell(event)
