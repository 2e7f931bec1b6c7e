"""Runs a benchmark: every arm on every prompt, graded as the answers come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from multillm.bench.arms import Arm
from multillm.bench.manifest import Settings
from multillm.bench.rows import Answered
from multillm.errors import BackendUnavailable
from multillm.grading import Score, grade
from multillm.progress import CallProgress
from multillm.prompts import BenchmarkPrompt

__all__ = ["Runner"]

FAILURES_IN_A_ROW = 10
"""So many calls that fail one after the other mean that the server is gone, and stop the run."""

Turn = tuple[BenchmarkPrompt, int]


@dataclass
class Runner:
    """One run of a benchmark.

    Attributes
    ----------
    arms : sequence of Arm
        What is measured.
    prompts : sequence of BenchmarkPrompt
        What is asked.
    settings : Settings
        How it is asked.
    progress : CallProgress
        Told of every answer.
    """

    arms: Sequence[Arm]
    prompts: Sequence[BenchmarkPrompt]
    settings: Settings
    progress: CallProgress
    _failures: int = field(default=0, init=False)
    _answers: dict[tuple[str, int, str], Answered] = field(default_factory=dict, init=False)

    async def run(self) -> list[Answered]:
        """Everything, one arm after the other, so that a small machine loads each model once.

        Returns
        -------
        list of Answered
            By arm, then repeat, then prompt, whatever the order in which the answers came.

        Raises
        ------
        BackendUnavailable
            If ten calls in a row fail; what was answered is in the journal.
        """
        self.progress.expect(len(self.arms) * len(self._turns()))
        for arm in self.arms:
            await self._each(arm)
        return [self._answers[arm.name, n, prompt.prompt_id] for arm in self.arms for prompt, n in self._turns()]

    def _turns(self) -> list[Turn]:
        return [(prompt, repeat) for repeat in range(self.settings.repeats) for prompt in self.prompts]

    async def _each(self, arm: Arm) -> None:
        """All turns of an arm; answers are graded while the next are on their way."""
        turns = iter(self._turns())
        self._failures = 0
        self.progress.begin(arm.name)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.settings.concurrency):
                    group.create_task(self._worker(turns, arm, group))
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        if self._failures >= FAILURES_IN_A_ROW:
            raise BackendUnavailable(
                f"the last {self._failures} calls to {arm.name} failed, the last by: {self.progress.last_error}; "
                "mend that and run the same again: it goes on where it stopped"
            )

    async def _worker(self, turns: Iterable[Turn], arm: Arm, group: asyncio.TaskGroup) -> None:
        for prompt, repeat in turns:
            if self._failures >= FAILURES_IN_A_ROW:
                return
            answered = await arm.answer(prompt, repeat)
            self._failures = self._failures + 1 if answered.lost else 0
            self.progress.answered(answered.completions, answered.error)
            group.create_task(self._graded(answered))

    async def _graded(self, answered: Answered) -> None:
        score: Score | None = None
        if not answered.lost:
            prompt, run_code = answered.prompt, self.settings.run_code
            score = await asyncio.to_thread(grade, prompt, answered.text, run_code=run_code)
        self._answers[answered.model, answered.repeat, answered.prompt.prompt_id] = replace(answered, score=score)
