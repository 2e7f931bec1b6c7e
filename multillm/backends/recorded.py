"""The format of a recording: one JSON line for each request, with its answer or its failure."""

from __future__ import annotations

import errno
import json
import os
import warnings
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from multillm import errors
from multillm.completion import Attempt, Completion, CompletionRequest
from multillm.errors import BackendUnavailable, CompletionError, ConfigurationError

__all__ = ["Recorded", "RecordedFailure", "append_line", "line_of", "mend", "read_recording"]


@dataclass(frozen=True, slots=True)
class RecordedFailure:
    """A request that got no answer.

    Attributes
    ----------
    request : CompletionRequest
        What was asked.
    kind : str
        Class of the error.
    message : str
        Its text.
    attempts : tuple of Attempt
        Every call made.
    """

    request: CompletionRequest
    kind: str
    message: str
    attempts: tuple[Attempt, ...]

    @classmethod
    def of(cls, request: CompletionRequest, error: CompletionError) -> RecordedFailure:
        """What is kept of an error."""
        return cls(request, type(error).__name__, str(error), error.attempts)

    def error(self) -> CompletionError:
        """The error, to be raised again."""
        kind: type[CompletionError] = getattr(errors, self.kind)
        return kind(self.message, label=self.request.label, attempts=self.attempts)


Recorded = Completion | RecordedFailure

REQUEST = TypeAdapter(CompletionRequest)
ANSWER = TypeAdapter(Completion)
FAILURE = TypeAdapter(RecordedFailure)


def line_of(recorded: Recorded) -> str:
    """The line that holds an answer or a failure: request and result and nothing else, no address, no key."""
    return json.dumps({"key": recorded.request.key, **asdict(recorded)}) + "\n"


def append_line(path: Path, line: str) -> None:
    """Put a line on disk, in one write, so that processes can share the file and a crash cuts at most the last one.

    Raises
    ------
    BackendUnavailable
        If it cannot be written whole, as on a full disk; then the file is as before.
    """
    try:
        _append(path, line.encode())
    except OSError as error:
        raise BackendUnavailable(
            f"the recording {path} cannot be written ({error}); free space or give another path, and run the same again"
        ) from None


def _append(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        written = os.write(descriptor, content)
        if written < len(content):  # the system says why only to those who ask for the rest
            end = os.lseek(descriptor, 0, os.SEEK_CUR)
            if os.fstat(descriptor).st_size == end:
                os.ftruncate(descriptor, end - written)
            raise OSError(errno.ENOSPC, f"only {written:,} of {len(content):,} bytes could be written")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def mend(path: Path) -> None:
    """Make the end of a recording fit to be appended to: a last line that a crash cut short goes, with a warning."""
    content = path.read_bytes() if path.is_file() else b""
    whole = content.rfind(b"\n") + 1
    if whole == len(content):
        return
    if _is_torn(path, content[whole:]):
        with path.open("r+b") as file:
            file.truncate(whole)
    else:
        append_line(path, "\n")


def read_recording(path: Path) -> dict[str, Recorded]:
    """Answers and failures by the key of their request; of several to one request the last counts.

    A last line that a crash cut short is not counted; a warning says so.

    Raises
    ------
    BackendUnavailable
        If the file cannot be read.
    ConfigurationError
        If a line is no recorded answer; names file and line.
    """
    try:
        *lines, last = path.read_bytes().split(b"\n")
    except OSError as error:
        raise BackendUnavailable(f"the recording {path} cannot be read ({error})") from None
    if last and not _is_torn(path, last):
        lines.append(last)
    answers = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            recorded = _parsed(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ConfigurationError(
                f"{path}, line {number} is no recorded answer ({type(error).__name__}: {error}); "
                "mend the line or record the file anew"
            ) from None
        answers[recorded.request.key] = recorded
    return answers


def _is_torn(path: Path, last: bytes) -> bool:
    """Whether a line without its line feed lacks more than that; warns if so."""
    try:
        json.loads(last)
    except (ValueError, RecursionError):
        told = f"{path}: the last line ({len(last)} bytes) has no end and is not counted; a crash cut it short"
        warnings.warn(told, RuntimeWarning, stacklevel=4)
        return True
    return False


def _parsed(row: dict[str, Any]) -> Recorded:
    """The line's content, every field of its declared type."""
    key, asked = row.pop("key"), row.pop("request")
    REQUEST.validate_python(asked)
    request = CompletionRequest(
        **{**asked, "messages": tuple(asked["messages"]), "fallbacks": tuple(asked.get("fallbacks", ()))}
    )
    if key != request.key:
        raise ValueError(f"the key {key:.12}... does not belong to its request")
    if surplus := set(row) - {field.name for field in fields(RecordedFailure if "kind" in row else Completion)}:
        raise ValueError(f"there are no fields {', '.join(sorted(surplus))}")
    if "kind" not in row:
        return ANSWER.validate_python({**row, "request": request, "replayed": True})
    kind = getattr(errors, str(row["kind"]), None)
    if not (isinstance(kind, type) and issubclass(kind, CompletionError)):
        raise ValueError(f"{row['kind']!r} is no failure of a call")
    return FAILURE.validate_python({**row, "request": request})
