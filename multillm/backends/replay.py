"""Answers from a recording: the same run again, without any model."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from multillm.backends.base import BackendStatus
from multillm.completion import Attempt, Client, Completion, CompletionRequest
from multillm.errors import BackendUnavailable, ConfigurationError, RecordingMissing
from multillm.pool import Pool

__all__ = ["RecordingClient", "ReplayBackend"]

PROMPT_SHOWN = 60


class RecordingClient:
    """Passes requests on to a client and writes every answer to a file, one JSON line each.

    A line holds request and answer and nothing else: no address, no key.

    Parameters
    ----------
    client : Client
        Who answers.
    path : str or Path
        JSON Lines file; what is in it already stays.
    """

    def __init__(self, client: Client, path: str | Path) -> None:
        self._client = client
        self.path = Path(path)
        self._lock = threading.Lock()

    async def complete(self, request: CompletionRequest) -> Completion:
        """The client's answer, once it is on disk."""
        completion = await self._client.complete(request)
        line = json.dumps({"key": request.key, **asdict(completion)}, ensure_ascii=False) + "\n"
        with self._lock:
            self._append(line.encode())
        return completion

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.aclose()

    def _append(self, line: bytes) -> None:
        """One write per line, so that processes can share the file and a crash cuts none in two."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


class ReplayBackend:
    """Answers as recorded, times included; needs neither server nor LiteLLM.

    Parameters
    ----------
    path : str or Path
        Recording, as `RecordingClient` writes it. Of several answers to a request the last counts.
    """

    name = "replay"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"ReplayBackend({str(self.path)!r})"

    async def check(self, pool: Pool) -> BackendStatus:
        """Look whether the recording can be read. Never raises."""
        try:
            answers = _read(self.path)
        except (BackendUnavailable, ConfigurationError) as error:
            return BackendStatus(self.name, False, str(error), remedies=(_how_to_record(self.path),))
        served = {answer.request.label: f"{answer.model} (recorded)" for answer in answers.values()}
        mapping = {label: served.get(label, "nothing recorded") for label in pool.registry.labels}
        return BackendStatus(self.name, True, f"{self.path} holds {len(answers)} recorded answers.", mapping)

    async def open(self, pool: Pool) -> _ReplayClient:  # a recording serves what it holds
        """A client that answers from the recording.

        Raises
        ------
        BackendUnavailable
            If there is no such file.
        ConfigurationError
            If a line of it is not a recorded answer.
        """
        return _ReplayClient(self.path, _read(self.path))


class _ReplayClient:
    def __init__(self, path: Path, answers: Mapping[str, Completion]) -> None:
        self._path = path
        self._answers = answers

    async def complete(self, request: CompletionRequest) -> Completion:
        """The recorded answer; its request is the one asked.

        Raises
        ------
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
        return replace(answer, request=request)

    async def aclose(self) -> None:
        """Nothing is held."""


def _how_to_record(path: Path) -> str:
    return f"record it: RecordingClient(await backend.open(pool), {str(path)!r})"


def _read(path: Path) -> dict[str, Completion]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BackendUnavailable(f"the recording {path} cannot be read ({error})") from None
    answers = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            key, answer = _parsed(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigurationError(
                f"{path}, line {number} is no recorded answer ({type(error).__name__}: {error}); "
                "mend the line or record the file anew"
            ) from None
        answers[key] = answer
    return answers


def _parsed(row: dict[str, Any]) -> tuple[str, Completion]:
    key = row.pop("key")
    asked = row.pop("request")
    request = CompletionRequest(
        **{**asked, "messages": tuple(asked["messages"]), "fallbacks": tuple(asked.get("fallbacks", ()))}
    )
    if key != request.key:
        raise ValueError(f"the key {key:.12}... does not belong to its request")
    attempts = tuple(Attempt(**attempt) for attempt in row.pop("attempts"))
    return key, Completion(**{**row, "request": request, "attempts": attempts, "replayed": True})
