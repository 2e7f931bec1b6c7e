"""Where a benchmark's prompts are answered: here, by one server, or on the workers of a Dask cluster, by several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import wait
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from anyio import CancelScope
from anyio.from_thread import start_blocking_portal

from multillm.backends import Backend, ServedModel, append_line, choose_backend, mend
from multillm.bench.arms import LineUp, answered
from multillm.bench.journal import Journal, Limited
from multillm.bench.kept import JOURNAL, MANIFEST
from multillm.bench.manifest import Settings, served_models
from multillm.bench.relay import SharesProgress, WorkerProgress
from multillm.bench.rows import MEASURED, WARM_UP, Answered
from multillm.bench.runner import Runner
from multillm.completion import CompletionRequest
from multillm.errors import BackendUnavailable, BenchmarkError, ConfigurationError
from multillm.files import replacing
from multillm.pool import Pool
from multillm.progress import CallProgress
from multillm.prompts import BenchmarkPrompt
from multillm.tasks import TaskType

if TYPE_CHECKING:
    from distributed import Client, Event, Future

__all__ = ["WARM_UP_PROMPT", "Cluster", "Here", "Job", "Site"]

WARM_UP_PROMPT = BenchmarkPrompt("warm-up", "Say OK.", TaskType.OTHER, "low", "none", {}, 8)
LOOK_S = 0.5
"""How often a worker looks whether it is to stop."""
Served = tuple[str, Mapping[str, ServedModel]]
"""Name of a backend, and which model exactly answers for each label."""


@dataclass(frozen=True)
class Job:
    """What is to be answered.

    Attributes
    ----------
    pool : Pool
        Models and call settings.
    prompts, settings
        As for `Runner`.
    line_up : callable
        From pool, settings and journal to the arms.
    folder : Path
        Where the journal is.
    journal : str
        Its file name.
    """

    pool: Pool
    prompts: tuple[BenchmarkPrompt, ...]
    settings: Settings
    line_up: LineUp
    folder: Path
    journal: str = JOURNAL

    async def answers(self, backend: Backend, progress: CallProgress) -> list[Answered]:
        """Every answer, from the journal or else from the backend, after the warm-up of each model."""
        async with self._journal(backend) as journal:
            arms = self.line_up(self.pool, self.settings, journal)
            answers = await Runner(arms, self.prompts, self.settings, progress).run()
            labels = self.pool.registry.usable().labels
            warm_ups = [await answered(journal.warm_up(label), WARM_UP_PROMPT, 0, WARM_UP, journal) for label in labels]
        return [*warm_ups, *answers]

    @asynccontextmanager
    async def _journal(self, backend: Backend) -> AsyncIterator[Journal]:
        message = {"role": "user", "content": WARM_UP_PROMPT.prompt}
        how = self.settings
        warm_up = CompletionRequest(
            "", (message,), WARM_UP_PROMPT.max_output_tokens, temperature=how.temperature, seed=how.seed
        )
        client = await backend.open(self.pool)
        try:
            limited, path, whole = Limited(client, how.concurrency), self.folder / self.journal, self.folder / JOURNAL
            yield Journal(limited, path, warm_up, backend.name, None if path == whole else whole)
        finally:
            await client.aclose()

    def share(self, number: int, of: int) -> Job:
        """Every so manyth prompt, with a journal of its own beside what the whole job's journal holds."""
        journal = Path(JOURNAL)
        name = f"{journal.stem}-{number + 1}-of-{of}{journal.suffix}"
        return replace(self, prompts=self.prompts[number::of], journal=name)

    def in_order(self, answers: Sequence[Answered]) -> list[Answered]:
        """Answers of several shares in the order that one run gives them."""
        models = {name: place for place, name in enumerate(dict.fromkeys(each.model for each in answers))}
        prompts = {prompt.prompt_id: place for place, prompt in enumerate(self.prompts)}

        def place(each: Answered) -> tuple[bool, int, int, int]:
            return each.phase == MEASURED, models[each.model], each.repeat, prompts.get(each.prompt.prompt_id, 0)

        return sorted(answers, key=place)


class Site(Protocol):
    """Who answers a job."""

    servers: int
    """Between how many servers the prompts are shared out."""

    async def served(self, pool: Pool) -> Served:
        """Which backend answers, by which models."""
        ...

    async def answers(self, job: Job, progress: CallProgress) -> list[Answered]:
        """Every answer; what was answered before a failure is in the job's folder."""
        ...


class Here:
    """One backend, called from this process.

    Parameters
    ----------
    backend : str or Backend
        See `choose_backend`.
    """

    servers = 1

    def __init__(self, backend: str | Backend) -> None:
        self._backend = backend

    async def served(self, pool: Pool) -> Served:
        """Which backend answers, by which models."""
        self._backend = (await choose_backend(self._backend, pool)).backend
        return self._backend.name, await served_models(self._backend, pool)

    async def answers(self, job: Job, progress: CallProgress) -> list[Answered]:
        """Every answer."""
        backend = self._backend
        if isinstance(backend, str):
            backend = (await choose_backend(backend, job.pool)).backend
        return await job.answers(backend, progress)


class Cluster:
    """One backend for each worker of a Dask cluster, or as many as are given; each answers a share of the prompts.

    A share prefers its worker. If that is lost another one takes the share over, and goes on where the journal ends:
    so the folder must be one that all workers see.

    Parameters
    ----------
    client : distributed.Client
        Connected to the cluster.
    backend : str, Backend or sequence of them
        One for all workers, each of which opens it by its own environment; or one for each share.
    """

    def __init__(self, client: Client, backend: str | Backend | Sequence[str | Backend]) -> None:
        if client.asynchronous:
            raise ConfigurationError(
                "the Dask client is asynchronous; give one that was made without asynchronous=True"
            )
        self._workers = sorted(client.scheduler_info(n_workers=-1)["workers"])
        if not self._workers:
            raise BackendUnavailable(f"{client} has no worker; start one")
        self._backends = (
            [backend] * len(self._workers)
            if isinstance(backend, str) or not isinstance(backend, Sequence)
            else list(backend)
        )
        if not self._backends:
            raise ConfigurationError("backend is empty; give at least one backend")
        self._client = client
        self.servers = len(self._backends)

    async def served(self, pool: Pool) -> Served:
        """Which backend answers, by which models; the same on every server.

        Raises
        ------
        BenchmarkError
            If two servers have not the same models.
        """
        found = await self._each(_served, [(backend, pool) for backend in self._backends])
        for number, other in enumerate(found[1:], 2):
            if other != found[0]:
                raise BenchmarkError(
                    f"server 1 has {_described(found[0])}, server {number} has {_described(other)}; "
                    "give servers that have the same models"
                )
        first: Served = found[0]
        return first

    async def answers(self, job: Job, progress: CallProgress) -> list[Answered]:
        """Every answer, in the order that one run gives them, once all shares are answered."""
        from distributed import Event

        topic = f"multillm-benchmark-{uuid4().hex}"
        shares = [job.share(number, self.servers) for number in range(self.servers)]
        self._client.subscribe_topic(topic, SharesProgress(progress).take)
        try:
            work = [(backend, share, topic) for backend, share in zip(self._backends, shares, strict=True)]
            found = await self._each(_answers, work, Event(topic, client=self._client))
        finally:
            self._client.unsubscribe_topic(topic)
            with CancelScope(shield=True):
                await asyncio.to_thread(_merge, job, shares)
        return job.in_order([answered for answers in found for answered in answers])

    async def _each(
        self, function: Callable[..., Any], work: Sequence[tuple[Any, ...]], stop: Event | None = None
    ) -> list[Any]:
        """A function on the workers, each piece of work preferably on its own; waits for all before it raises.

        When it is cancelled it sets the event, at which the function is to end.
        """
        futures: list[Future[Any]] = [
            self._client.submit(
                function,
                *arguments,
                workers=[self._workers[number % len(self._workers)]],
                allow_other_workers=True,
                pure=False,
                key=f"benchmark{function.__name__}-{number + 1}-{uuid4().hex}",
            )
            for number, arguments in enumerate(work)
        ]
        try:
            return await asyncio.to_thread(_results, futures)
        except asyncio.CancelledError:
            with CancelScope(shield=True):
                await asyncio.to_thread(_end, futures, stop)
            raise


def _results(futures: Sequence[Future[Any]]) -> list[Any]:
    """What came of all, once none is at work any more."""
    from distributed import KilledWorker, wait

    wait(futures)
    try:
        return [future.result() for future in futures]
    except KilledWorker as error:
        raise BackendUnavailable(
            f"every worker that took a share over was lost ({error}); run the same again: it goes on where it stopped"
        ) from None


def _end(futures: Sequence[Future[Any]], stop: Event | None) -> None:
    """Have what is at work end, and wait for it: Dask by itself drops a running task's result, but lets it run on."""
    from distributed import wait

    if stop is not None:
        stop.set()
    wait(futures)
    if stop is not None:
        stop.clear()


def _served(backend: str | Backend, pool: Pool) -> Served:
    """On a worker: which backend answers, by which models."""
    with start_blocking_portal() as portal:
        return portal.call(Here(backend).served, pool)


def _answers(backend: str | Backend, share: Job, topic: str) -> list[Answered]:
    """On a worker: every answer of a share, unless the event that is named as the topic is set before."""
    from distributed import Event

    if not (share.folder / MANIFEST).is_file():
        raise BenchmarkError(f"a worker does not see {share.folder}; give out=, a folder that all workers share")
    stop = Event(topic)
    with WorkerProgress(topic, share.journal) as told, start_blocking_portal() as portal:
        answers = portal.start_task_soon(Here(backend).answers, share, told)
        while not wait([answers], LOOK_S).done:
            if stop.is_set():
                raise BenchmarkError("the benchmark was stopped where it was called")
        return answers.result()


def _merge(job: Job, shares: Sequence[Job]) -> None:
    """Add to the job's journal what is new in those of its shares; a crash leaves it as it was before, or whole."""
    whole = job.folder / job.journal
    lines: dict[bytes, None] = {}
    for path in (whole, *(share.folder / share.journal for share in shares)):
        if path.is_file():
            mend(path)
            lines |= dict.fromkeys(path.read_bytes().splitlines(keepends=True))
    with replacing(whole) as unfinished:
        append_line(unfinished, b"".join(lines).decode())


def _described(served: Served) -> str:
    name, models = served
    return f"{name}: " + ", ".join(f"{label} {model}" for label, model in models.items())
