"""Why a model call failed: which error it is, in one safe line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from multillm.completion import Attempt
from multillm.errors import CompletionError, CompletionTimeout, ContextOverflow, EmptyCompletion

__all__ = ["Failure", "Redactor", "failure_of"]

LONGEST_TEXT = 240
SHORTEST_SECRET = 6
OVERFLOW = re.compile(r"context (?:length|size|window)|exceed_context_size", re.IGNORECASE)
PREFIXES = re.compile(r"^(?:(?:litellm\.)?[\w.]+Error: |litellm\.[\w.]+: |\w+Exception - |Error code: \d+ - )+")
RETRY_NOTE = re.compile(r"\s*(?:LiteLLM Retried: .*|Received Model Group=.*|Deployment Info: .*)$", re.DOTALL)
KEY_SHAPES = re.compile(
    r"(?:\bsk-[\w-]{6,}|(?<=bearer )[\w.~+/=-]{6,}|(?<=api_key=)[^\s&\"']+|(?<=://)[^/\s:@]+:[^/\s@]+(?=@))",
    re.IGNORECASE,
)
REMEDIES: dict[type[CompletionError], str] = {
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


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a model group did not serve.

    Attributes
    ----------
    kind : type of CompletionError
        Error to raise if nothing else serves.
    text : str
        What happened, in one line without keys.
    """

    kind: type[CompletionError]
    text: str

    def error(self, label: str, attempts: Sequence[Attempt]) -> CompletionError:
        """The error that tells the caller: label, deployments, number of calls, last failure, remedy."""
        tried = ", ".join(dict.fromkeys(f"{attempt.label} on {attempt.model}" for attempt in attempts))
        calls = f"{len(attempts)} call{'' if len(attempts) == 1 else 's'} to {tried}" if attempts else "no call made"
        message = f"{label} gave no answer after {calls}; last failure: {self.text}; to mend it, {REMEDIES[self.kind]}"
        return self.kind(message, label=label, attempts=attempts)


def failure_of(error: BaseException, redact: Redactor, answered: object = None) -> Failure:
    """Read an exception of LiteLLM, by the name of its class and its text.

    Parameters
    ----------
    error : BaseException
        What was raised.
    redact : Redactor
        Takes the keys out.
    answered : object, optional
        What the server had answered, if it did: an error in it says more than the exception.
    """
    cooling = getattr(error, "cooldown_time", None)
    if cooling is not None:
        return Failure(CompletionError, f"left out for {cooling:g} s after earlier failures (calls.cooldown_s)")
    text = _told(answered) or str(error)
    return Failure(_kind(type(error).__name__, text), one_line(text, redact) or type(error).__name__)


def one_line(text: str, redact: Redactor) -> str:
    """The gist of an error's text: one line, no keys, no traceback."""
    text = RETRY_NOTE.sub("", text.partition("\nTraceback")[0]).strip()
    text = PREFIXES.sub("", text)
    text = _told(text) or text
    return redact(" ".join(text.split()))[:LONGEST_TEXT]


def _kind(name: str, text: str) -> type[CompletionError]:
    if "Timeout" in name:
        return CompletionTimeout
    overflow = name == "ContextWindowExceededError" or (name == "BadRequestError" and OVERFLOW.search(text))
    return ContextOverflow if overflow else CompletionError


def _told(answered: object) -> str:
    """The error that a server's answer states, or nothing."""
    if isinstance(answered, str):
        try:
            answered = json.loads(answered)
        except ValueError:
            return ""
    error = answered.get("error") if isinstance(answered, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    return error if isinstance(error, str) else ""
