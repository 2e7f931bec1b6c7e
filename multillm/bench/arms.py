"""What can be measured: a model by itself, or the pipeline from prompt to merged answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from multillm.bench.journal import MODELS_OWN, Journal, Lent
from multillm.bench.manifest import Settings
from multillm.bench.rows import MEASURED, Answered, served_s
from multillm.completion import CompletionRequest
from multillm.errors import BackendError, CompletionError, InputError, RoutingError, UpstreamFailed
from multillm.orchestration.orchestrator import Orchestrator
from multillm.orchestration.results import RunResult, SubTaskResult
from multillm.pool import Pool
from multillm.prompts import BenchmarkPrompt
from multillm.splitting import Splitter

__all__ = ["Arm", "LineUp", "ModelArm", "PipelineArm", "answered", "critical_path_s"]


class Arm(Protocol):
    """Answers prompts in one way."""

    @property
    def name(self) -> str:
        """What it is called among the models."""
        ...

    async def answer(self, prompt: BenchmarkPrompt, repeat: int) -> Answered:
        """What comes of a prompt, ungraded.

        Raises
        ------
        BackendError
            If nothing is there to answer, such as a recording without that answer.
        """
        ...


LineUp = Callable[[Pool, Settings, Journal], Sequence[Arm]]
"""Which arms a run has. A function of a module, since the workers of a cluster must find it."""


@dataclass(frozen=True)
class ModelArm:
    """A model that gets the whole prompt and the prompt's own output budget.

    Attributes
    ----------
    name : str
        Its label.
    settings : Settings
        Temperature and seed.
    journal : Journal
        Who answers.
    """

    name: str
    settings: Settings
    journal: Journal

    async def answer(self, prompt: BenchmarkPrompt, repeat: int) -> Answered:
        """The model's answer."""
        request = CompletionRequest(
            self.name,
            ({"role": "user", "content": prompt.prompt},),
            prompt.max_output_tokens,
            temperature=self.settings.temperature,
            seed=self.settings.seed + repeat,
        )
        return await answered(request, prompt, repeat, MEASURED, self.journal)


class PipelineArm:
    """Splitter, classifier, router and models of a pool, with the pool's output budgets.

    Parameters
    ----------
    name : str
        What it is called.
    pool : Pool
        Models and policy.
    settings : Settings
        Seed and repeats.
    journal : Journal
        Who answers.
    splitter : str or Splitter, optional
        In place of the pool's.
    """

    def __init__(
        self, name: str, pool: Pool, settings: Settings, journal: Journal, splitter: str | Splitter | None = None
    ) -> None:
        self.name = name
        self._orchestrators = [
            Orchestrator(_seeded(pool, settings.seed + repeat), Lent(journal), store=None, splitter=splitter)
            for repeat in range(settings.repeats)
        ]

    async def answer(self, prompt: BenchmarkPrompt, repeat: int) -> Answered:
        """The merged answer."""
        try:
            result = await self._orchestrators[repeat].handle(prompt.prompt)
        except (InputError, RoutingError) as error:
            return Answered(prompt, self.name, MEASURED, repeat, "", (), None, _told([error]))
        errors = [each.error for each in result.results if each.error]
        if gone := next((error for error in errors if isinstance(error, BackendError)), None):
            raise gone
        done = tuple(each.completion for each in result.results if each.completion)
        lost = not all(isinstance(error, (*MODELS_OWN, UpstreamFailed)) for error in errors)
        took_s = critical_path_s(result)
        return Answered(prompt, self.name, MEASURED, repeat, result.merged, done, took_s, _told(errors), lost)


async def answered(
    request: CompletionRequest, prompt: BenchmarkPrompt, repeat: int, phase: str, journal: Journal
) -> Answered:
    """What comes of one call for a prompt."""
    try:
        done = await journal.complete(request)
    except CompletionError as error:
        lost = not isinstance(error, MODELS_OWN)
        return Answered(prompt, request.label, phase, repeat, "", (), None, _told([error]), lost)
    return Answered(prompt, request.label, phase, repeat, done.text, (done,), served_s(done))


def critical_path_s(result: RunResult) -> float | None:
    """Seconds along the longest chain of sub-tasks that wait for each other; None if one of them failed.

    Each call counts with its `served_s`, so this is the wall time with a slot for each call.
    """
    ends: list[float] = [0.0] * len(result.results)

    def end(each: SubTaskResult) -> float:
        if not ends[each.index] and each.completion:
            before = [end(result.results[needed]) for needed in each.decision.profile.subtask.depends_on]
            ends[each.index] = max(before, default=0.0) + served_s(each.completion)
        return ends[each.index]

    return None if result.failed else max(end(each) for each in result.results)


def _seeded(pool: Pool, seed: int) -> Pool:
    return pool.model_copy(update={"calls": pool.calls.model_copy(update={"seed": seed})})


def _told(errors: Sequence[BaseException]) -> str | None:
    return "; ".join(f"{type(error).__name__}: {error}" for error in errors) or None
