"""Why a model call failed: which error it is, in one safe line."""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from multillm.completion import Attempt
from multillm.errors import CompletionError, CompletionTimeout, ContextOverflow, DeadlineExceeded, EmptyCompletion

__all__ = ["Failure", "Redactor", "error_told", "failure_of", "one_line", "read_answer"]

LONGEST_TEXT = 240
SHORTEST_SECRET = 6
LONGEST_REST_S = 3600.0
"""A server that asks to be left alone for longer is asked again after an hour all the same: it may have lied."""
OF_THE_REQUEST = frozenset({400, 413, 422})
LASTING = OF_THE_REQUEST | {401, 403, 404, 405}
OVERFLOW = re.compile(r"context (?:length|size|window)|exceed_context_size", re.IGNORECASE)
PREFIXES = re.compile(
    r"^(?:(?:litellm\.)?[\w.]+Error: |litellm\.[\w.]+: |\w+Exception -(?: |$)|Error code: \d+(?: - |$))+"
)
NO_JSON = re.compile(r"\s*(?:<|\{\s*\}\s*$|$)")
"""A web page, or as good as nothing."""
MARKUP = re.compile(r"<[^<>]*>?|\{\s*\}")
RETRY_NOTE = re.compile(r"\s*(?:LiteLLM Retried: .*|Received Model Group=.*|Deployment Info: .*)$", re.DOTALL)
KEY_SHAPES = re.compile(
    r"(?:\bsk-[\w-]{6,}|(?<=bearer )[\w.~+/=-]{6,}|(?<=api_key=)[^\s&\"']+|(?<=://)[^/\s:@]+:[^/\s@]+(?=@))",
    re.IGNORECASE,
)
REMEDIES: dict[type[CompletionError], str] = {
    DeadlineExceeded: "allow more time (limits.subtask_s, limits.run_s), ask for less, or use a faster model",
    CompletionTimeout: "allow more time (calls.timeout_s), ask for a shorter answer, or add a fallback",
    ContextOverflow: "shorten the prompt, or route it to a model with a larger context window",
    EmptyCompletion: "raise the output budget, ask again, or add a fallback",
    CompletionError: "check that the server runs and has the model (multillm doctor), or add a fallback",
}


class Redactor:
    """Takes keys out of texts.

    Parameters
    ----------
    secrets : iterable of str
        Values that must never be shown. Anything of a key's usual shape goes as well.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """The text with ``***`` for every key."""
        known = self._known.sub("***", text) if self._known else text
        return KEY_SHAPES.sub("***", known)

    def clean_record(self, record: logging.LogRecord) -> bool:
        """Take keys out of a log record; a filter for loggers, which lets every record pass."""
        record.msg, record.args = self(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self(logging.Formatter().formatException(record.exc_info))
        return True


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a model group did not serve.

    Attributes
    ----------
    kind : type of CompletionError
        Error to raise if nothing else serves.
    text : str
        What happened, in one line without keys.
    passing : bool
        Whether the same deployment may do better if asked again.
    against_deployment : bool
        Whether it speaks against the deployment, not against the request.
    retry_after_s : float or None
        How long the server asked to be left alone.
    """

    kind: type[CompletionError]
    text: str
    passing: bool = True
    against_deployment: bool = True
    retry_after_s: float | None = None

    def error(self, label: str, attempts: Sequence[Attempt]) -> CompletionError:
        """The error that tells the caller: label, deployments, number of calls, last failure, remedy."""
        tried = ", ".join(dict.fromkeys(f"{attempt.label} on {attempt.model}" for attempt in attempts))
        calls = f"{len(attempts)} call{'' if len(attempts) == 1 else 's'} to {tried}" if attempts else "no call made"
        message = f"{label} gave no answer after {calls}; last failure: {self.text}; to mend it, {REMEDIES[self.kind]}"
        return self.kind(message, label=label, attempts=attempts)


def failure_of(
    error: BaseException,
    redact: Redactor,
    answered: object = None,
    broken: BaseException | None = None,
    status: int | None = None,
) -> Failure:
    """Read an exception of LiteLLM, by the name of its class and its text.

    Parameters
    ----------
    error : BaseException
        What was raised.
    redact : Redactor
        Takes the keys out.
    answered : object, optional
        What the server had answered, if it did: an error in it says more than the exception.
    broken : BaseException, optional
        What broke the connection, if that was it: providers' clients say no more than that it broke.
    status : int, optional
        HTTP status of the answer; told where the answer is a web page, or nothing, and says too little itself.
    """
    page = str(answered) if isinstance(answered, str) and NO_JSON.match(answered) else None
    text = error_told(answered) or str(broken or error) if page is None else page
    kind = _kind(type(error).__name__, text)
    code = getattr(error, "status_code", None)
    line = one_line(text, redact)
    if status is not None and NO_JSON.match(line):
        line = f"HTTP {status}, {' '.join(MARKUP.sub(' ', line).split()) or 'without a word'}"
    return Failure(
        kind,
        line or type(error).__name__,
        passing=kind is not ContextOverflow and code not in LASTING,
        against_deployment=kind is not ContextOverflow and code not in OF_THE_REQUEST,
        retry_after_s=_retry_after_s(error),
    )


def one_line(text: str, redact: Redactor) -> str:
    """The gist of an error's text: one line, no keys, no traceback."""
    text = RETRY_NOTE.sub("", text.partition("Traceback (most recent call last)")[0]).strip()
    text = PREFIXES.sub("", text)
    text = error_told(text) or text
    return redact(" ".join(text.split()))[:LONGEST_TEXT]


def read_answer(answered: object) -> Mapping[str, Any]:
    """What a server answered, as a mapping; empty if it was no JSON object."""
    if isinstance(answered, str | bytes):
        try:
            answered = json.loads(answered)
        except (ValueError, RecursionError):
            return {}
    return answered if isinstance(answered, Mapping) else {}


def _kind(name: str, text: str) -> type[CompletionError]:
    if "Timeout" in name:
        return CompletionTimeout
    refused = name in {"BadRequestError", "BrokenStream"}
    overflow = name == "ContextWindowExceededError" or (refused and OVERFLOW.search(text))
    return ContextOverflow if overflow else CompletionError


def _retry_after_s(error: BaseException) -> float | None:
    """Seconds of the ``Retry-After`` header, if the server sent one; a date in it is held against its own ``Date``."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    headers = getattr(error, "litellm_response_headers", None) or headers or {}
    told = str(headers.get("retry-after"))
    try:
        seconds = float(told)
    except ValueError:
        seconds = _between(str(headers.get("date")), told)
    return min(seconds, LONGEST_REST_S) if 0.0 <= seconds < math.inf else None


def _between(start: str, end: str) -> float:
    """Seconds from one date of HTTP to another; NaN if either is none."""
    try:
        return (parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds()
    except (ValueError, TypeError):
        return math.nan


def error_told(answered: object) -> str:
    """The error that a server's answer states, or nothing."""
    error = read_answer(answered).get("error")
    if isinstance(error, dict):
        error = error.get("message")
    return error if isinstance(error, str) else ""
