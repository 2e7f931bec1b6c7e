"""From a prompt to a merged answer: plan, call concurrently, merge, record."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Literal, Self

from anyio.from_thread import start_blocking_portal

from multillm.backends import Backend, SharedClient
from multillm.classification import Classifier, get_classifier
from multillm.completion import Client, Completion, CompletionRequest
from multillm.errors import Cancelled, ConfigurationError, MultillmError, UpstreamFailed
from multillm.estimators import CostEstimator, QualityEstimator
from multillm.feedback import FeedbackStore
from multillm.pool import Pool, load_pool
from multillm.prompting import build_messages
from multillm.recording import to_record
from multillm.results import RunResult, SubTaskEvent, SubTaskResult
from multillm.router import RoutingDecision, TaskRouter
from multillm.splitting import Splitter, get_splitter
from multillm.tasks import SubTask

__all__ = ["Orchestrator"]

Observer = Callable[[SubTaskEvent], None]


class Orchestrator:
    """Runs prompts through splitter, classifier, router and models.

    Parameters
    ----------
    pool : str, Path or Pool, default "default"
        Models, policy and call settings: a shipped pool's name, a YAML file or a `Pool`.
    backend : str or Backend, default "auto"
        Where the models run: ``"auto"`` takes Ollama if it answers and has the models, else the
        embedded model; ``"ollama"``, ``"embedded"``, ``"replay:PATH"`` or a `Backend`.
    store : FeedbackStore or None, default "default"
        Where every call is recorded; the user's own store if left out, None to record nothing.
    splitter, classifier : optional
        In place of the pool's.
    quality, cost : optional
        Estimators in place of the pool's curves and prices.
    on_event : callable, optional
        Told of every change in a sub-task's state.
    clock : callable, optional
        Seconds from any fixed point.

    Examples
    --------
    In a notebook cell::

        result = await Orchestrator().handle("Explain what a mutex is and then write a spinlock in C.")
        result.routing_table()

    Notes
    -----
    Concurrent runs share one client. It is opened by the first and closed after the last;
    ``async with`` keeps it open in between.
    """

    def __init__(
        self,
        pool: str | Path | Pool = "default",
        backend: str | Backend = "auto",
        *,
        store: FeedbackStore | Literal["default"] | None = "default",
        splitter: str | Splitter | None = None,
        classifier: str | Classifier | None = None,
        quality: QualityEstimator | None = None,
        cost: CostEstimator | None = None,
        on_event: Observer | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.pool = pool if isinstance(pool, Pool) else load_pool(pool)
        self.splitter = get_splitter(splitter or self.pool.splitter)
        self.classifier = get_classifier(classifier or self.pool.classifier)
        self.router = TaskRouter(self.pool.registry.usable(), self.pool.policy, quality, cost)
        self.store = FeedbackStore() if store == "default" else store
        self.client = SharedClient(backend, self.pool)
        self.on_event = on_event
        self._clock = clock

    def plan(self, prompt: str) -> list[RoutingDecision]:
        """Split, classify and route a prompt without calling any model.

        Parameters
        ----------
        prompt : str
            What the user asked.

        Returns
        -------
        list of RoutingDecision
            One for each sub-task, in prompt order.

        Raises
        ------
        InputError
            If the prompt is not text or is empty.
        RoutingError
            If a sub-task fits no model's context window.
        """
        subtasks = self.splitter.split(prompt)
        decisions: dict[int, RoutingDecision] = {}
        for index in self._order(subtasks):
            upstream = sum(decisions[needed].max_output_tokens for needed in subtasks[index].depends_on)
            decisions[index] = self.router.route(self.classifier.classify(subtasks[index]), upstream)
        return [decisions[index] for index in range(len(subtasks))]

    def _order(self, subtasks: Sequence[SubTask]) -> Sequence[int]:
        """Indices of the sub-tasks, each after all that it needs."""
        if not any(subtask.depends_on for subtask in subtasks):
            return range(len(subtasks))
        try:
            return list(TopologicalSorter({n: s.depends_on for n, s in enumerate(subtasks)}).static_order())
        except CycleError as error:
            raise ConfigurationError(
                f"the splitter {self.splitter.name!r} made sub-tasks that wait for each other: {error.args[1]}"
            ) from None

    async def handle(self, prompt: str) -> RunResult:
        """Run a prompt: every sub-task on its model, as many at once as their dependencies allow.

        Parameters
        ----------
        prompt : str
            What the user asked.

        Returns
        -------
        RunResult
            Routing table, merged answer and wall time; a sub-task that failed is marked in all of them.

        Raises
        ------
        InputError, RoutingError
            As for `plan`.
        BackendError
            If nothing is there to run the models.
        """
        decisions = self.plan(prompt)
        async with self.client as client:
            started_at = datetime.now(UTC)
            run = _Run(uuid.uuid4().hex, self._clock(), decisions)
            async with asyncio.TaskGroup() as group:
                run.tasks += [group.create_task(self._subtask(run, n, client)) for n in range(len(decisions))]
            total_ms = (self._clock() - run.started) * 1000
        results = tuple(task.result() for task in run.tasks)
        return RunResult(prompt, results, total_ms, run.run_id, self.client.backend_name, started_at)

    def handle_sync(self, prompt: str) -> RunResult:
        """Run a prompt from code that is not async; works inside a running event loop too.

        The run has an event loop of its own in another thread. An interrupt cancels it,
        waits until it has let go of everything, and is raised again.
        See `handle` for parameters, result and errors.
        """
        with start_blocking_portal() as portal:
            return portal.call(self.handle, prompt)

    async def __aenter__(self) -> Self:
        await self.client.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.client.__aexit__(*exc_info)

    async def _subtask(self, run: _Run, index: int, client: Client) -> SubTaskResult:
        """Wait for what the sub-task needs, call its model, record what came of it."""
        decision = run.decisions[index]
        self._tell(SubTaskEvent(index, "waiting", decision))
        started = self._clock()
        completion, error = None, None
        try:
            upstream = [await run.tasks[needed] for needed in decision.profile.subtask.depends_on]
            started = self._clock()
            self._tell(SubTaskEvent(index, "running", decision))
            completion = await client.complete(self._request(decision, upstream))
        except MultillmError as failure:
            error = failure
        except asyncio.CancelledError:
            cancelled = Cancelled(f"the run was cancelled before {decision.label} answered", label=decision.label)
            self._record(run, self._result(run, index, None, cancelled, started))
            raise
        result = self._result(run, index, completion, error, started)
        if self.store is not None:
            await asyncio.to_thread(self._record, run, result)
        self._tell(SubTaskEvent(index, "done", decision, result))
        return result

    def _result(
        self, run: _Run, index: int, completion: Completion | None, error: MultillmError | None, started: float
    ) -> SubTaskResult:
        times = started - run.started, self._clock() - run.started
        return SubTaskResult(index, run.decisions[index], completion, error, *times)

    def _record(self, run: _Run, result: SubTaskResult) -> None:
        if self.store is not None:
            self.store.record(to_record(run.run_id, result))

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
            messages=build_messages(decision.profile.subtask, answers),
            max_output_tokens=decision.max_output_tokens,
            fallbacks=decision.fallbacks,
            temperature=self.pool.calls.temperature,
            seed=self.pool.calls.seed,
        )

    def _tell(self, event: SubTaskEvent) -> None:
        if self.on_event is not None:
            self.on_event(event)


@dataclass
class _Run:
    """State of one run while it goes on."""

    run_id: str
    started: float
    decisions: Sequence[RoutingDecision]
    tasks: list[asyncio.Task[SubTaskResult]] = field(default_factory=list)
