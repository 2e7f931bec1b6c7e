"""The two wire formats: Ollama's lines of JSON and OpenAI's server-sent events.

Paths, fields, status codes, error texts and units are those of a real Ollama server (0.24),
its OpenAI-compatible endpoint included.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

__all__ = ["CREATED", "ERROR_TEXTS", "Dialect", "Ollama", "OpenAI", "Usage"]

CREATED = "2026-11-22T23:28:48.043656201Z"
CREATED_EPOCH = 1795390128
ERROR_TEXTS = {
    400: "the input length exceeds the context length",
    408: "request timeout",
    429: "rate limit exceeded",
    500: "an error was encountered while running the model: unexpected EOF",
    503: "server busy, please try again.  maximum pending requests exceeded",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call took: tokens, and seconds by what they were spent on."""

    prompt_tokens: int
    output_tokens: int
    waited_s: float
    load_s: float
    prompt_s: float
    generation_s: float


class Dialect(Protocol):
    """How one API words answers and errors."""

    @property
    def model(self) -> str:
        """Name of the model, as the caller wrote it."""
        ...

    @property
    def json_type(self) -> str:
        """Content type of an answer in one piece."""
        ...

    @property
    def stream_type(self) -> str:
        """Content type of a streamed answer."""
        ...

    def error(self, status: int, text: str) -> Mapping[str, Any]:
        """Body of an error."""
        ...

    def whole(self, text: str, finish_reason: str, usage: Usage | None) -> Mapping[str, Any]:
        """An answer in one piece."""
        ...

    def piece(self, text: str) -> bytes:
        """A token of a streamed answer."""
        ...

    def end(self, finish_reason: str, usage: Usage | None) -> bytes:
        """End of a streamed answer."""
        ...

    def stream_error(self, status: int, text: str) -> bytes:
        """An error in the middle of a streamed answer."""
        ...


@dataclass(frozen=True, slots=True)
class Ollama:
    """``/api/chat`` and ``/api/generate``."""

    model: str
    generate: bool
    message: Mapping[str, str]

    json_type: ClassVar[str] = "application/json; charset=utf-8"
    stream_type: ClassVar[str] = "application/x-ndjson"

    def error(self, status: int, text: str) -> Mapping[str, Any]:
        """See `Dialect.error`."""
        return {"error": text}

    def whole(self, text: str, finish_reason: str, usage: Usage | None) -> Mapping[str, Any]:
        """See `Dialect.whole`."""
        return self._said(text) | self._closing(finish_reason, usage)

    def piece(self, text: str) -> bytes:
        """See `Dialect.piece`."""
        return _line(self._said(text) | {"done": False})

    def end(self, finish_reason: str, usage: Usage | None) -> bytes:
        """See `Dialect.end`."""
        return _line(self._said("") | self._closing(finish_reason, usage))

    def stream_error(self, status: int, text: str) -> bytes:
        """See `Dialect.stream_error`."""
        return _line(self.error(status, text))

    def _said(self, text: str) -> dict[str, Any]:
        head = {"model": self.model, "created_at": CREATED}
        if self.generate:
            return {**head, "response": text}
        return {**head, "message": {"role": "assistant", "content": text, **self.message}}

    def _closing(self, finish_reason: str, usage: Usage | None) -> dict[str, Any]:
        end: dict[str, Any] = {"done": True, "done_reason": finish_reason}
        if self.generate:
            end["context"] = [1, 2]
        if usage is None:
            return end
        total = usage.waited_s + usage.load_s + usage.prompt_s + usage.generation_s
        return end | {
            "total_duration": _ns(total),
            "load_duration": _ns(usage.load_s),
            "prompt_eval_count": usage.prompt_tokens,
            "prompt_eval_duration": _ns(usage.prompt_s),
            "eval_count": usage.output_tokens,
            "eval_duration": _ns(usage.generation_s),
        }


@dataclass(frozen=True, slots=True)
class OpenAI:
    """``/v1/chat/completions``."""

    model: str
    message: Mapping[str, str]

    json_type: ClassVar[str] = "application/json"
    stream_type: ClassVar[str] = "text/event-stream"

    def error(self, status: int, text: str) -> Mapping[str, Any]:
        """See `Dialect.error`."""
        kinds = {400: "invalid_request_error", 404: "not_found_error", 429: "rate_limit_error"}
        return {"error": {"message": text, "type": kinds.get(status, "api_error"), "param": None, "code": None}}

    def whole(self, text: str, finish_reason: str, usage: Usage | None) -> Mapping[str, Any]:
        """See `Dialect.whole`."""
        message = {"role": "assistant", "content": text, **self.message}
        choice = {"index": 0, "message": message, "finish_reason": finish_reason}
        return self._head("chat.completion") | {"choices": [choice]} | _counted(usage)

    def piece(self, text: str) -> bytes:
        """See `Dialect.piece`."""
        return self._chunk({"role": "assistant", "content": text, **self.message}, None)

    def end(self, finish_reason: str, usage: Usage | None) -> bytes:
        """See `Dialect.end`."""
        count = self._head("chat.completion.chunk") | {"choices": []} | _counted(usage)
        counted = _event(count) if usage else b""
        return self._chunk({"role": "assistant", "content": ""}, finish_reason) + counted + b"data: [DONE]\n\n"

    def stream_error(self, status: int, text: str) -> bytes:
        """See `Dialect.stream_error`."""
        return _event(self.error(status, text))

    def _head(self, kind: str) -> dict[str, Any]:
        head = {"id": "chatcmpl-1", "object": kind, "created": CREATED_EPOCH, "model": self.model}
        return head | {"system_fingerprint": "fp_ollama"}

    def _chunk(self, delta: Mapping[str, str], finish_reason: str | None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return _event(self._head("chat.completion.chunk") | {"choices": [choice]})


def _counted(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    total = usage.prompt_tokens + usage.output_tokens
    counts = {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.output_tokens, "total_tokens": total}
    return {"usage": counts}


def _line(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode() + b"\n"


def _event(content: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(content, separators=(",", ":")).encode() + b"\n\n"


def _ns(seconds: float) -> int:
    """Nanoseconds, at least one: Ollama leaves out a zero."""
    return max(1, int(seconds * 1e9))
