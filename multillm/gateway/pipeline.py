"""The whole pipeline as a model of LiteLLM's proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any
from urllib.parse import quote

from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import GenericStreamingChunk, Usage

from multillm.errors import MultillmError
from multillm.gateway.conversation import read_request
from multillm.gateway.refusals import refusals
from multillm.gateway.sections import Sections
from multillm.orchestration.events import RunEvent, RunFinished, SubTaskDone, TextPiece
from multillm.orchestration.orchestrator import Orchestrator
from multillm.orchestration.results import RunResult

__all__ = ["Pipeline"]


class Pipeline(CustomLLM):
    """Answers chats by splitting the last message and routing its parts.

    Parameters
    ----------
    orchestrator : Orchestrator
        Runs the prompts. Its client stays open from the first request until the event loop ends.

    Notes
    -----
    What was decided is told in the field ``multillm`` of the response (of the last chunk of a stream), and in
    headers ``x-multillm-*`` of a response that is not streamed.
    """

    def __init__(self, orchestrator: Orchestrator) -> None:
        super().__init__()
        self._orchestrator = orchestrator
        self._open: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}

    async def acompletion(  # type: ignore[override]  # called by keyword; the rest is of no use here
        self,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        model_response: Any,
        optional_params: Mapping[str, Any],
        **_: object,
    ) -> Any:
        """The merged answer to a chat, in the ``ModelResponse`` that LiteLLM has begun."""
        with refusals(model):
            prompt, options = read_request(messages, optional_params)
            self._keep_open()
            result = await self._orchestrator.handle(prompt, options)
            _raise_if_all_failed(result)
        choice = model_response.choices[0]
        choice.message.content, choice.finish_reason = result.merged, _finish_reason(result)
        model_response.usage = Usage(**_usage(result))
        model_response.multillm = _told(result)
        model_response._hidden_params |= {"additional_headers": _headers(result), "response_cost": result.cost_units}
        return model_response

    async def astreaming(  # type: ignore[override]  # the same
        self, model: str, messages: Sequence[Mapping[str, Any]], optional_params: Mapping[str, Any], **_: object
    ) -> AsyncIterator[GenericStreamingChunk]:
        """The merged answer to a chat, as it is written."""
        with refusals(model):
            prompt, options = read_request(messages, optional_params)
            self._keep_open()
            async with aclosing(self._orchestrator.stream(prompt, options)) as events:
                async for chunk in _chunks(events):
                    yield chunk

    def _keep_open(self) -> None:
        """Hold the client open for as long as the event loop lasts, which cancels its tasks at its end."""
        loop = asyncio.get_running_loop()
        if loop not in self._open:
            self._open[loop] = loop.create_task(self._hold())
            self._open[loop].add_done_callback(lambda _: self._open.pop(loop))

    async def _hold(self) -> None:
        with suppress(MultillmError):  # each run meets the same error, and tells it
            async with self._orchestrator:
                await asyncio.Event().wait()


async def _chunks(events: AsyncIterator[RunEvent]) -> AsyncGenerator[GenericStreamingChunk, None]:
    """The text of a run as chunks; none before there is an answer, so that a run without any fails as a whole."""
    sections, text, answered = Sections(), "", False
    async for event in events:
        if isinstance(event, RunFinished):
            _raise_if_all_failed(event.result)
            yield _last_chunk(text, event.result)
            return
        text += sections.text(event)
        answered = (
            answered
            or isinstance(event, TextPiece)
            or (isinstance(event, SubTaskDone) and event.result.completion is not None)
        )
        if text and answered:
            yield GenericStreamingChunk(text=text, is_finished=False, finish_reason="", usage=None, index=0)
            text = ""


def _last_chunk(text: str, result: RunResult) -> GenericStreamingChunk:
    return GenericStreamingChunk(
        text=text,
        is_finished=True,
        finish_reason=_finish_reason(result),
        usage=_usage(result),  # type: ignore[typeddict-item]  # LiteLLM reads a cost that its type does not tell
        index=0,
        provider_specific_fields={"multillm": _told(result)},
    )


def _raise_if_all_failed(result: RunResult) -> None:
    if len(result.failed) == len(result.results) and (error := result.results[0].error):
        raise error


def _finish_reason(result: RunResult) -> str:
    return "length" if any(sub.status == "truncated" for sub in result.results) else "stop"


def _usage(result: RunResult) -> dict[str, Any]:
    """Tokens of all calls that were answered, and the cost, which LiteLLM takes from here when it streams."""
    completions = [sub.completion for sub in result.results if sub.completion]
    read, written = sum(done.input_tokens for done in completions), sum(done.output_tokens for done in completions)
    tokens = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return {**tokens, "cost": result.cost_units}


def _told(result: RunResult) -> dict[str, Any]:
    """What was decided and what came of it."""
    return {
        "run_id": result.run_id,
        "backend": result.backend,
        "total_ms": result.total_ms,
        "cost_units": result.cost_units,
        "partial": result.partial,
        "sub_tasks": [sub.to_row() for sub in result.results],
    }


def _headers(result: RunResult) -> dict[str, str]:
    labels = (sub.completion.label if sub.completion else "" for sub in result.results)
    return {
        "x-multillm-run-id": result.run_id,
        "x-multillm-labels": ",".join(quote(label, safe=":/. -_") for label in labels),
        "x-multillm-failed": str(len(result.failed)),
        "x-multillm-cost-units": f"{result.cost_units:.9g}",
    }
