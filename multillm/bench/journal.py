"""A benchmark's journal: a recording that is answered from first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from multillm.backends import BackendStatus, Recorded, RecordedFailure, RecordingClient, read_recording
from multillm.completion import Client, Completion, CompletionRequest
from multillm.errors import CompletionError, ContextOverflow, EmptyCompletion
from multillm.pool import Pool

__all__ = ["MODELS_OWN", "Journal", "Lent", "Limited"]

MODELS_OWN = (EmptyCompletion, ContextOverflow)
"""Failures that are the model's doing, and would be the same again; all others are the transport's."""


class Journal:
    """Client that answers what its recording holds, and has everything else answered and recorded.

    So a run that was cut off, begun again, repeats nothing. A failure of the transport is no answer: it is
    tried again. What the model itself did, such as answering with no text, stands.

    Before the first call to a model that is not in the recording comes a warm-up, so that loading the model, which
    may have been put out of memory since, is in no other call's latency.

    Parameters
    ----------
    client : Client
        Who answers what is not in the recording; closed by whoever opened it.
    path : Path
        The recording; see `multillm.backends.RecordingClient`.
    warm_up : CompletionRequest
        The call that warms a model up, whatever its label.
    name : str
        Name of the backend that opened the client.
    earlier : Path, optional
        Another recording that is answered from, where this one holds no answer, and not written to.
    """

    def __init__(
        self, client: Client, path: Path, warm_up: CompletionRequest, name: str, earlier: Path | None = None
    ) -> None:
        self.name = name
        self._recorder = RecordingClient(client, path)
        self._warm_up = warm_up
        self._warm: set[str] = set()
        self._warming = asyncio.Lock()
        self._held = (_answered(earlier) if earlier else {}) | _answered(path)

    def warm_up(self, label: str) -> CompletionRequest:
        """The call that warms a model up."""
        return replace(self._warm_up, label=label)

    async def complete(self, request: CompletionRequest) -> Completion:
        """What came of the request, from the recording or, once recorded, from the client."""
        if request.key not in self._held:
            await self._warmed(request.label)
        held = self._held.get(request.key)
        if held is None:
            return await self._ask(request)
        if isinstance(held, RecordedFailure):
            raise held.error()
        return replace(held, request=request)

    async def _warmed(self, label: str) -> None:
        """See that a model has had its warm-up since the journal was opened; one that fails is left to fail again."""
        async with self._warming:
            if label not in self._warm:
                self._warm.add(label)
                with suppress(CompletionError):
                    await self._ask(self.warm_up(label))

    async def _ask(self, request: CompletionRequest) -> Completion:
        """What comes of the request now, whatever the recording holds."""
        try:
            completion = await self._recorder.complete(request)
        except CompletionError as error:
            if isinstance(error, MODELS_OWN):
                self._held[request.key] = RecordedFailure.of(request, error)
            raise
        self._held[request.key] = completion
        return completion

    async def aclose(self) -> None:
        """Nothing is held open."""


def _answered(path: Path) -> dict[str, Recorded]:
    """What a recording holds but for failures of the transport; nothing if there is none."""
    held = read_recording(path) if path.is_file() else {}
    return {
        key: recorded
        for key, recorded in held.items()
        if isinstance(recorded, Completion) or isinstance(recorded.error(), MODELS_OWN)
    }


class Limited:
    """Client that makes so many calls at once; what a call waits is part of its latency.

    Parameters
    ----------
    client : Client
        Who answers; closed by whoever opened it.
    at_once : int
        Most calls at once.
    clock : callable, optional
        Time in seconds.
    """

    def __init__(self, client: Client, at_once: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self._client = client
        self._slots = asyncio.Semaphore(at_once)
        self._clock = clock

    async def complete(self, request: CompletionRequest) -> Completion:
        """The client's answer, once there is a slot free."""
        began = self._clock() if self._slots.locked() else None
        async with self._slots:
            waited_s = 0.0 if began is None else self._clock() - began
            done = await self._client.complete(request)
        if done.replayed or not waited_s:
            return done
        return replace(done, queue_s=(done.queue_s or 0.0) + waited_s, latency_s=done.latency_s + waited_s)

    async def aclose(self) -> None:
        """Nothing is held open."""


class Lent:
    """Backend that hands out a journal which is already open.

    Parameters
    ----------
    journal : Journal
        What is handed out.
    """

    def __init__(self, journal: Journal) -> None:
        self.name = journal.name
        self._journal = journal

    async def check(self, pool: Pool) -> BackendStatus:
        """It is open."""
        return BackendStatus(self.name, True, f"An open journal over the backend {self.name}.")

    async def open(self, pool: Pool) -> Client:
        """The journal."""
        return self._journal
