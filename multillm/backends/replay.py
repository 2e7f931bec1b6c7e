"""Answers from a recording: the same run again, without any model."""

from __future__ import annotations

import asyncio
import math
import re
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from multillm.backends.base import BackendStatus, ServedModel
from multillm.backends.recorded import Recorded, RecordedFailure, append_line, line_of, mend, read_recording
from multillm.completion import Client, Completion, CompletionRequest
from multillm.errors import BackendUnavailable, CompletionError, ConfigurationError, RecordingMissing
from multillm.listening import listener
from multillm.pool import Pool
from multillm.resources import data_dir

__all__ = ["RecordingClient", "ReplayBackend"]

PROMPT_SHOWN = 60
WORD = re.compile(r"\s*\S+|\s+")


class RecordingClient:
    """Passes requests on to a client and writes what came of each to a file, one JSON line each.

    A line holds request and answer, or request and failure, and nothing else: no address, no key. A new file can be
    read by its owner alone.

    Parameters
    ----------
    client : Client
        Who answers.
    path : str or Path
        JSON Lines file; what is in it already stays, but for a last line that a crash cut short.
    """

    def __init__(self, client: Client, path: str | Path) -> None:
        self._client = client
        self.path = Path(path)
        self._lock = threading.Lock()
        mend(self.path)

    async def complete(self, request: CompletionRequest) -> Completion:
        """The client's answer, once it is on disk.

        Raises
        ------
        CompletionError
            If the client has none; the failure is on disk too.
        BackendUnavailable
            If it cannot be written, as on a full disk; what was recorded before stays whole.
        """
        try:
            completion = await self._client.complete(request)
        except CompletionError as error:
            self._keep(RecordedFailure.of(request, error))
            raise
        self._keep(completion)
        return completion

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.aclose()

    def _keep(self, recorded: Recorded) -> None:
        line = line_of(recorded)
        with self._lock:
            append_line(self.path, line)


class ReplayBackend:
    """Answers and fails as recorded, times included; needs neither server nor LiteLLM.

    Parameters
    ----------
    path : str or Path
        Recording, as `RecordingClient` writes it, or the name of one that comes with multillm. Of several answers to
        a request the last counts.
    speed : float, default infinity
        How many times faster than recorded the answers come; 1.0 lets them take as long as they took.

    Raises
    ------
    ConfigurationError
        If the speed is not above 0.
    """

    name = "replay"

    def __init__(self, path: str | Path, speed: float = math.inf) -> None:
        if not speed > 0:
            raise ConfigurationError(f"speed is {speed}; allowed is a number above 0, 1.0 for the recorded times")
        shipped = data_dir() / "recordings" / f"{path}.jsonl"
        self.path = shipped if shipped.is_file() else Path(path)
        self.speed = speed

    def __repr__(self) -> str:
        return f"ReplayBackend({str(self.path)!r})"

    async def check(self, pool: Pool) -> BackendStatus:
        """Look whether the recording can be read. Never raises."""
        try:
            answers = read_recording(self.path)
        except (BackendUnavailable, ConfigurationError) as error:
            return BackendStatus(self.name, False, str(error), remedies=(_how_to_record(self.path),))
        served = {
            answer.request.label: f"{answer.model} (recorded)"
            for answer in answers.values()
            if isinstance(answer, Completion)
        }
        mapping = {label: served.get(label, "nothing recorded") for label in pool.registry.labels}
        return BackendStatus(self.name, True, f"{self.path} holds {len(answers)} recorded answers.", mapping)

    async def identify(self, pool: Pool) -> Mapping[str, ServedModel]:
        """The model that was recorded for each label; the recording does not tell more of it.

        Raises
        ------
        BackendUnavailable, ConfigurationError
            As for `open`.
        """
        answers = [a for a in read_recording(self.path).values() if isinstance(a, Completion)]
        served = {answer.label: answer.model for answer in answers}
        return {label: ServedModel(served[label], "recording") for label in pool.registry.labels if label in served}

    async def open(self, pool: Pool) -> _ReplayClient:  # a recording serves what it holds
        """A client that answers from the recording.

        Raises
        ------
        BackendUnavailable
            If there is no such file.
        ConfigurationError
            If a line of it is not a recorded answer.
        """
        return _ReplayClient(self.path, read_recording(self.path), self.speed)


class _ReplayClient:
    def __init__(self, path: Path, answers: Mapping[str, Recorded], speed: float) -> None:
        self._path = path
        self._answers = answers
        self._speed = speed

    async def complete(self, request: CompletionRequest) -> Completion:
        """The recorded answer; its request is the one asked.

        Raises
        ------
        CompletionError
            If that is what was recorded.
        RecordingMissing
            If the recording has none.
        """
        answer = self._answers.get(request.key)
        if answer is None:
            asked = " ".join(request.messages[-1]["content"].split())[:PROMPT_SHOWN] if request.messages else ""
            raise RecordingMissing(
                f"{self._path} holds no answer of {request.label} to {asked!r} with these settings; "
                f"{_how_to_record(self._path)}"
            )
        if isinstance(answer, RecordedFailure):
            raise answer.error()
        await self._take_time(answer)
        return replace(answer, request=request)

    async def _take_time(self, answer: Completion) -> None:
        """The time that the answer took, and its course as far as somebody listens."""
        told = listener()
        if told is not None and answer.fallback_reason is not None:
            told.fell_back(answer.request.label, answer.label, answer.fallback_reason)
        if told is None or not told.wants_text:
            await asyncio.sleep(answer.latency_s / self._speed)
            return
        words = WORD.findall(answer.text)
        writing_s = min(answer.latency_s, answer.generation_s or 0.0)
        await asyncio.sleep((answer.latency_s - writing_s) / self._speed)
        for word in words:
            await asyncio.sleep(writing_s / len(words) / self._speed)
            told.piece(answer.label, word)

    async def aclose(self) -> None:
        """Nothing is held."""


def _how_to_record(path: Path) -> str:
    return f"record it: RecordingClient(await backend.open(pool), {str(path)!r})"
