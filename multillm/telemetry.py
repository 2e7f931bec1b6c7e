"""Spans of OpenTelemetry, and the run that a piece of work belongs to. Costs next to nothing where nobody listens.

Attributes are named by OpenTelemetry's conventions for generative AI where these have a name
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/, in development), else ``multillm.*``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from multillm.completion import Completion, CompletionRequest
from multillm.errors import CompletionError, MultillmError

__all__ = ["Span", "bind", "bound", "content_wanted", "run_context", "span", "traced_call"]

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
CAPTURING = frozenset(["true", "span_only", "event_only", "span_and_event"])
PROVIDERS = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "ollama_chat": "ollama",
    "vertex_ai": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""The conventions' name of a provider by LiteLLM's, where they differ."""

_CONTEXT: ContextVar[Mapping[str, str | int]] = ContextVar("_CONTEXT", default={})  # noqa: B039  # never changed


def run_context() -> dict[str, str | int]:
    """``run_id`` and ``subtask_index`` of the work going on, as the feedback store names them; empty outside a run."""
    return dict(_CONTEXT.get())


def bind(**context: str | int) -> None:
    """Say what the rest of this task belongs to."""
    _CONTEXT.set({**_CONTEXT.get(), **context})


@contextmanager
def bound(**context: str | int) -> Iterator[None]:
    """Say what the work inside belongs to."""
    token = _CONTEXT.set({**_CONTEXT.get(), **context})
    try:
        yield
    finally:
        _CONTEXT.reset(token)


def content_wanted(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether prompts and answers may be told, by OpenTelemetry's own switch for it."""
    return environ.get(CAPTURE, "").lower() in CAPTURING


class Span:
    """What is told of a piece of work.

    Parameters
    ----------
    told : opentelemetry.trace.Span or None
        None tells nobody.
    """

    def __init__(self, told: Any = None) -> None:
        self._told = told

    @property
    def heard(self) -> bool:
        """Whether somebody listens."""
        return self._told is not None and self._told.is_recording()

    def set(self, attributes: Mapping[str, object]) -> None:
        """Add attributes; those that are None are left out."""
        if self._told is not None:
            self._told.set_attributes({name: value for name, value in attributes.items() if value is not None})

    def event(self, name: str, attributes: Mapping[str, str]) -> None:
        """Add what happened at a moment."""
        if self._told is not None:
            self._told.add_event(name, dict(attributes))

    def fail(self, error: BaseException) -> None:
        """Mark the work as failed."""
        if self._told is not None:
            from opentelemetry.trace import Status, StatusCode

            self._told.set_attribute("error.type", type(error).__name__)
            self._told.set_status(Status(StatusCode.ERROR, str(error)))


UNHEARD = Span()


@contextmanager
def span(name: str, attributes: Mapping[str, object] | None = None, *, calling: bool = False) -> Iterator[Span]:
    """Tell of the work inside, if a tracer provider is set up.

    Parameters
    ----------
    name : str
        What is done; the same for every run.
    attributes : mapping, optional
        What is known before.
    calling : bool, default False
        Whether the work is a call to another process.
    """
    tracer = _tracer()
    if tracer is None:
        yield UNHEARD
        return
    from opentelemetry.trace import SpanKind

    kind = SpanKind.CLIENT if calling else SpanKind.INTERNAL
    with tracer.start_as_current_span(name, kind=kind, record_exception=False, set_status_on_exception=False) as told:
        made = Span(told)
        made.set({f"multillm.{key}": value for key, value in run_context().items()})
        made.set(attributes or {})
        try:
            yield made
        except BaseException as error:
            made.fail(error)
            raise


def _tracer() -> Any:
    """OpenTelemetry's tracer; None if nobody has set up a provider, which nobody has who has not imported it."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    provider = trace.get_tracer_provider()
    return None if isinstance(provider, trace.ProxyTracerProvider) else _tracer_of(provider)


@lru_cache(maxsize=1)
def _tracer_of(provider: Any) -> Any:
    from importlib.metadata import version

    return provider.get_tracer("multillm", version("multillm"))


async def traced_call(request: CompletionRequest, answer: Awaitable[Completion]) -> Completion:
    """The answer to a request, told of as one call: its failed attempts are events of it."""
    with span(f"chat {request.label}", _asked(request), calling=True) as told:
        try:
            completion = await answer
        except MultillmError as error:
            if isinstance(error, CompletionError) and told.heard:
                _tell_attempts(told, [(attempt.model, attempt.error) for attempt in error.attempts])
            raise
        if told.heard:
            _tell_attempts(told, [(attempt.model, attempt.error) for attempt in completion.attempts])
            told.set(_answered(completion))
            if content_wanted():
                told.set(_content(completion))
        return completion


def _asked(request: CompletionRequest) -> dict[str, object]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": request.label,
        "gen_ai.request.max_tokens": request.max_output_tokens,
        "gen_ai.request.temperature": request.temperature,
        "gen_ai.request.seed": request.seed,
    }


def _answered(completion: Completion) -> dict[str, object]:
    provider = completion.model.partition("/")[0]
    measured = completion.tokens_measured
    return {
        "gen_ai.provider.name": PROVIDERS.get(provider, provider),
        "gen_ai.response.model": completion.model,
        "gen_ai.response.finish_reasons": (completion.finish_reason,),
        "gen_ai.usage.input_tokens": completion.input_tokens if measured else None,
        "gen_ai.usage.output_tokens": completion.output_tokens if measured else None,
        "multillm.served_label": completion.label,
        "multillm.fallback_reason": completion.fallback_reason,
        "multillm.cost_units": completion.cost_units,
        "multillm.cost_usd": completion.cost_usd,
        "multillm.replayed": completion.replayed,
    }


def _content(completion: Completion) -> dict[str, object]:
    """Prompt and answer, in the conventions' form."""
    asked = [_message(message["role"], message["content"]) for message in completion.request.messages]
    answer = {**_message("assistant", completion.text), "finish_reason": completion.finish_reason}
    return {"gen_ai.input.messages": json.dumps(asked), "gen_ai.output.messages": json.dumps([answer])}


def _message(role: str, content: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def _tell_attempts(told: Span, attempts: Sequence[tuple[str, str | None]]) -> None:
    for model, error in attempts:
        if error is not None:
            told.event("multillm.attempt_failed", {"gen_ai.response.model": model, "multillm.error": error})
