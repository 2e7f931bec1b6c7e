"""A benchmark's journal: a recording that is answered from first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from multillm.backends import BackendStatus, RecordedFailure, RecordingClient, read_recording
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

    Parameters
    ----------
    client : Client
        Who answers what is not in the recording; closed by whoever opened it.
    path : Path
        The recording; see `multillm.backends.RecordingClient`.
    """

    def __init__(self, client: Client, path: Path) -> None:
        self._recorder = RecordingClient(client, path)
        held = read_recording(path) if path.is_file() else {}
        self._held = {
            key: recorded
            for key, recorded in held.items()
            if isinstance(recorded, Completion) or isinstance(recorded.error(), MODELS_OWN)
        }

    def __contains__(self, request: CompletionRequest) -> bool:
        return request.key in self._held

    async def complete(self, request: CompletionRequest) -> Completion:
        """What came of the request, from the recording or, once recorded, from the client."""
        held = self._held.get(request.key)
        if held is None:
            return await self.ask(request)
        if isinstance(held, RecordedFailure):
            raise held.error()
        return replace(held, request=request)

    async def ask(self, request: CompletionRequest) -> Completion:
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
    """Backend that hands out a client which is already open.

    Parameters
    ----------
    name : str
        Name of the backend that opened it.
    client : Client
        What is handed out.
    """

    def __init__(self, name: str, client: Client) -> None:
        self.name = name
        self._client = client

    async def check(self, pool: Pool) -> BackendStatus:
        """It is open."""
        return BackendStatus(self.name, True, f"An open client of the backend {self.name}.")

    async def open(self, pool: Pool) -> Client:
        """The client."""
        return self._client
