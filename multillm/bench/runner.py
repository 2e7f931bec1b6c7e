"""Runs a benchmark: every model on every prompt and, if asked, the routed pipeline end to end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from multillm.bench.journal import MODELS_OWN, Journal, Lent
from multillm.bench.manifest import Settings
from multillm.bench.rows import MEASURED, ROUTED, WARM_UP, Answered
from multillm.completion import Completion, CompletionRequest
from multillm.errors import BackendUnavailable, CompletionError, InputError, RoutingError, UpstreamFailed
from multillm.grading import Score, grade
from multillm.orchestration.orchestrator import Orchestrator
from multillm.orchestration.results import RunResult, SubTaskResult
from multillm.pool import Pool
from multillm.progress import CallProgress
from multillm.prompts import BenchmarkPrompt
from multillm.tasks import TaskType

__all__ = ["WARM_UP_PROMPT", "Runner"]

WARM_UP_PROMPT = BenchmarkPrompt("warm-up", "Say OK.", TaskType.OTHER, "low", "none", {}, 8)
FAILURES_IN_A_ROW = 10
"""So many calls that fail one after the other mean that the server is gone, and stop the run."""

Job = tuple[BenchmarkPrompt, int]


@dataclass
class Runner:
    """One run of a benchmark.

    Attributes
    ----------
    pool : Pool
        With temperature and seed as they are to be.
    prompts : sequence of BenchmarkPrompt
        What is asked.
    settings : Settings
        How it is asked.
    journal : Journal
        Who answers.
    backend : str
        Name of the backend.
    progress : CallProgress
        Told of every answer.
    """

    pool: Pool
    prompts: Sequence[BenchmarkPrompt]
    settings: Settings
    journal: Journal
    backend: str
    progress: CallProgress
    _failures: int = field(default=0, init=False)
    _pipelines: list[Orchestrator] = field(default_factory=list, init=False)
    _answers: dict[tuple[str, int, str], Answered] = field(default_factory=dict, init=False)

    async def run(self) -> list[Answered]:
        """Everything, one model after the other, so that a small machine loads each model once.

        Returns
        -------
        list of Answered
            By model, then repeat, then prompt, whatever the order in which the answers came.

        Raises
        ------
        BackendUnavailable
            If ten calls in a row fail; what was answered is in the journal.
        """
        models = self.pool.registry.usable().labels
        warm_ups = []
        for label in models:
            warm_ups.append(await self._warm_up(label))
            await self._each(label, lambda *job, label=label: self._of_model(label, *job))
        if self.settings.routed:
            self._pipelines = [self._pipeline(repeat) for repeat in range(self.settings.repeats)]
            await self._each(ROUTED, self._of_pipeline)
        names = (*models, *([ROUTED] if self.settings.routed else []))
        return warm_ups + [self._answers[name, n, prompt.prompt_id] for name in names for prompt, n in self._jobs()]

    def _jobs(self) -> list[Job]:
        return [(prompt, repeat) for repeat in range(self.settings.repeats) for prompt in self.prompts]

    def _request(self, label: str, prompt: BenchmarkPrompt, repeat: int) -> CompletionRequest:
        return CompletionRequest(
            label,
            ({"role": "user", "content": prompt.prompt},),
            prompt.max_output_tokens,
            temperature=self.settings.temperature,
            seed=self.settings.seed + repeat,
        )

    async def _each(self, name: str, work: Callable[[BenchmarkPrompt, int], Awaitable[Answered]]) -> None:
        """All jobs of a model; answers are graded while the next are on their way."""
        jobs = iter(self._jobs())
        self._failures = 0
        self.progress.begin(name)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.settings.concurrency):
                    group.create_task(self._worker(jobs, work, group))
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        if self._failures >= FAILURES_IN_A_ROW:
            raise BackendUnavailable(
                f"the last {self._failures} calls to {name} failed, the last by: {self.progress.last_error}; "
                "mend that and run the same again: it goes on where it stopped"
            )

    async def _worker(
        self,
        jobs: Iterable[Job],
        work: Callable[[BenchmarkPrompt, int], Awaitable[Answered]],
        group: asyncio.TaskGroup,
    ) -> None:
        for prompt, repeat in jobs:
            if self._failures >= FAILURES_IN_A_ROW:
                return
            answered = await work(prompt, repeat)
            self._failures = self._failures + 1 if answered.lost else 0
            self.progress.answered(answered.completions, answered.error)
            group.create_task(self._graded(answered))

    async def _graded(self, answered: Answered) -> None:
        score: Score | None = None
        if not answered.lost:
            prompt, run_code = answered.prompt, self.settings.run_code
            score = await asyncio.to_thread(grade, prompt, answered.text, run_code=run_code)
        self._answers[answered.model, answered.repeat, answered.prompt.prompt_id] = replace(answered, score=score)

    def _pipeline(self, repeat: int) -> Orchestrator:
        calls = self.pool.calls.model_copy(update={"seed": self.settings.seed + repeat})
        pool = self.pool.model_copy(update={"calls": calls})
        return Orchestrator(pool, Lent(self.backend, self.journal), store=None)

    async def _warm_up(self, label: str) -> Answered:
        """One short call, so that loading the model is not counted as the first prompt's latency.

        Made anew whenever something is left to ask of the model, since it may no longer be loaded.
        """
        self.progress.begin(f"{label}, warm-up")
        left = any(self._request(label, *job) not in self.journal for job in self._jobs())
        ask = self.journal.ask if left else self.journal.complete
        return await self._call(self._request(label, WARM_UP_PROMPT, 0), WARM_UP_PROMPT, 0, WARM_UP, ask)

    async def _of_model(self, label: str, prompt: BenchmarkPrompt, repeat: int) -> Answered:
        return await self._call(self._request(label, prompt, repeat), prompt, repeat, MEASURED, self.journal.complete)

    async def _call(
        self,
        request: CompletionRequest,
        prompt: BenchmarkPrompt,
        repeat: int,
        phase: str,
        ask: Callable[[CompletionRequest], Awaitable[Completion]],
    ) -> Answered:
        try:
            done = await ask(request)
        except CompletionError as error:
            lost = not isinstance(error, MODELS_OWN)
            return Answered(prompt, request.label, phase, repeat, "", (), None, _told(error), lost)
        return Answered(prompt, request.label, phase, repeat, done.text, (done,), done.latency_s)

    async def _of_pipeline(self, prompt: BenchmarkPrompt, repeat: int) -> Answered:
        try:
            result = await self._pipelines[repeat].handle(prompt.prompt)
        except (InputError, RoutingError) as error:
            return Answered(prompt, ROUTED, MEASURED, repeat, "", (), None, _told(error))
        done = tuple(each.completion for each in result.results if each.completion)
        errors = [each.error for each in result.results if each.error]
        told = "; ".join(map(_told, errors)) or None
        lost = not all(isinstance(error, (*MODELS_OWN, UpstreamFailed)) for error in errors)
        return Answered(prompt, ROUTED, MEASURED, repeat, result.merged, done, critical_path_s(result), told, lost)


def critical_path_s(result: RunResult) -> float | None:
    """Latency of the longest chain of sub-tasks that wait for each other; None if one of them failed.

    It is the wall time of the calls, and the same when they come from a journal.
    """
    ends: list[float] = [0.0] * len(result.results)

    def end(each: SubTaskResult) -> float:
        if not ends[each.index] and each.completion:
            before = [end(result.results[needed]) for needed in each.decision.profile.subtask.depends_on]
            ends[each.index] = max(before, default=0.0) + each.completion.latency_s
        return ends[each.index]

    return None if result.failed else max(end(each) for each in result.results)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
