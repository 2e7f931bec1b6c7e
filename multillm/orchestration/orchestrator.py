"""From a prompt to a merged answer: plan, call concurrently, merge, record."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from anyio import to_thread
from anyio.from_thread import start_blocking_portal

from multillm.backends import Backend, SharedClient
from multillm.classification import Classifier, get_classifier
from multillm.estimators import CostEstimator, QualityEstimator
from multillm.limits import Limits
from multillm.markup import Listing
from multillm.orchestration.allowance import Allowance, period_budget
from multillm.orchestration.events import RunEvent, RunFinished
from multillm.orchestration.logs import note_run
from multillm.orchestration.options import RunOptions
from multillm.orchestration.planning import plan_prompt
from multillm.orchestration.results import RunResult
from multillm.orchestration.run import Audience, Run
from multillm.pool import Pool, load_pool
from multillm.router import RoutingDecision, TaskRouter
from multillm.splitting import Splitter, get_splitter
from multillm.telemetry import bound, span

if TYPE_CHECKING:
    from multillm.feedback import FeedbackStore

__all__ = ["Orchestrator"]

AS_THE_POOL_SAYS = RunOptions()


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
    limits : Limits, optional
        Most time, cost and tokens, in place of the pool's.
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
        limits: Limits | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.pool = pool if isinstance(pool, Pool) else load_pool(pool)
        self.splitter = get_splitter(splitter or self.pool.splitter)
        self.classifier = get_classifier(classifier or self.pool.classifier)
        self.router = TaskRouter(self.pool.registry.usable(), self.pool.policy, quality, cost)
        self._store = store
        self.client = SharedClient(backend, self.pool)
        self._clock = clock
        self.limits = limits or self.pool.limits
        self._period = period_budget(self.limits, lambda: self.store)

    @cached_property
    def store(self) -> FeedbackStore | None:
        """Where every call is recorded, opened when it is first needed; None to record nothing.

        Raises
        ------
        FeedbackError
            If it cannot be opened.
        """
        if self._store != "default":
            return self._store
        from multillm.feedback import FeedbackStore

        return FeedbackStore()

    def plan(self, prompt: str, options: RunOptions = AS_THE_POOL_SAYS) -> Listing[RoutingDecision]:
        """Split, classify and route a prompt without calling any model.

        Parameters
        ----------
        prompt : str
            What the user asked.
        options : RunOptions, optional
            Earlier messages, and what this run does differently from the pool's settings.

        Returns
        -------
        Listing of RoutingDecision
            A list: one for each sub-task, in prompt order.

        Raises
        ------
        InputError
            If the prompt is not text or is empty, or the options leave no token for one of its sub-tasks.
        RoutingError
            If a sub-task fits no model's context window.
        """
        return plan_prompt(prompt, self.splitter, self.classifier, self.router, options)

    async def handle(self, prompt: str, options: RunOptions = AS_THE_POOL_SAYS) -> RunResult:
        """Run a prompt: every sub-task on its model, as many at once as their dependencies allow.

        Parameters
        ----------
        prompt : str
            What the user asked.
        options : RunOptions, optional
            Earlier messages, and what this run does differently from the pool's settings.

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
        FeedbackError
            If the feedback store cannot be opened, or a call cannot be recorded.
        """
        return await self._handle(prompt, options, None)

    async def stream(
        self, prompt: str, options: RunOptions = AS_THE_POOL_SAYS, *, text: bool = True
    ) -> AsyncGenerator[RunEvent, None]:
        """Run a prompt as `handle` does, and tell what happens while it goes on.

        Parameters
        ----------
        prompt : str
            What the user asked.
        options : RunOptions, optional
            Earlier messages, and what this run does differently from the pool's settings.
        text : bool, default True
            Whether answers are streamed from the models, so that their text comes in pieces.

        Yields
        ------
        RunEvent
            `SubTaskWaiting`, `SubTaskRunning`, `TextPiece`, `TextRestarted`, `FellBack`, `SubTaskDone`, and at the
            end `RunFinished` with the result. Leaving the loop early cancels the run.

        Raises
        ------
        InputError, RoutingError, BackendError, FeedbackError
            As for `handle`.

        Examples
        --------
        ::

            async for event in orchestrator.stream("Explain what a mutex is."):
                match event:
                    case ml.TextPiece(text=text):
                        print(text, end="")
                    case ml.RunFinished(result=result):
                        print(result.cost_units)
        """
        events: asyncio.Queue[RunEvent | None] = asyncio.Queue()
        run = asyncio.create_task(self._handle(prompt, options, Audience(events.put_nowait, text)))
        run.add_done_callback(lambda _: events.put_nowait(None))
        try:
            while event := await events.get():
                yield event
            yield RunFinished(await run)
        finally:
            run.cancel()
            await asyncio.wait({run})

    async def _handle(self, prompt: str, options: RunOptions, audience: Audience | None) -> RunResult:
        run_id = uuid.uuid4().hex
        with bound(run_id=run_id), span("multillm run") as told:
            result = await self._run(prompt, options, run_id, audience)
            told.set({"multillm.subtasks": len(result.results), "multillm.failed": len(result.failed)})
            with span("multillm merge"):
                result.merged  # noqa: B018  # made now, where it belongs to the run
            note_run(result)
        return result

    async def _run(self, prompt: str, options: RunOptions, run_id: str, audience: Audience | None) -> RunResult:
        # Beside the event loop: a prompt may have megabytes, and a splitter may ask a model.
        decisions = await to_thread.run_sync(self.plan, prompt, options, abandon_on_cancel=True)
        self.store  # noqa: B018  # one that cannot be opened must say so before any model is called
        async with self.client as client:
            started_at = datetime.now(UTC)
            run = Run(
                run_id,
                decisions,
                client,
                allowance=Allowance(self.limits, self.pool.registry, self._period, self._clock),
                calls=self.pool.calls.model_copy(update=options.calls),
                history=options.messages,
                store=self.store,
                audience=audience,
                clock=self._clock,
            )
            results = await run.results()
            total_ms = (self._clock() - run.started) * 1000
        return RunResult(prompt, results, total_ms, run_id, self.client.backend_name, started_at)

    def handle_sync(self, prompt: str, options: RunOptions = AS_THE_POOL_SAYS) -> RunResult:
        """Run a prompt from code that is not async; works inside a running event loop too.

        The run has an event loop of its own in another thread. An interrupt cancels it,
        waits until it has let go of everything, and is raised again.
        See `handle` for parameters, result and errors.
        """
        with start_blocking_portal() as portal:
            return portal.call(self.handle, prompt, options)

    async def __aenter__(self) -> Self:
        await self.client.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.client.__aexit__(*exc_info)

    def __repr__(self) -> str:
        return f"Orchestrator({self.pool!r}, {self.splitter!r}, {self.classifier!r})"
