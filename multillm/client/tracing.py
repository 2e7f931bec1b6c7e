"""What LiteLLM reports of a call: every attempt, the server's own durations, the answer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multillm.client.failures import read_answer
from multillm.completion import Completion, CompletionRequest
from multillm.registry import ModelSpec
from multillm.tasks import estimate_tokens
from multillm.telemetry import run_context

__all__ = ["Served", "Timings", "Trace"]

NS = 1e-9
MS = 1e-3
TAIL_BYTES = 16_384
LONGEST = 1e18


@dataclass(frozen=True, slots=True)
class Timings:
    """Durations as the server measured them; None where it reports none.

    Attributes
    ----------
    waited_s : float or None
        Time in the server's own queue.
    load_s, prompt_s, generation_s : float or None
        Time loading the model, reading the prompt, writing the answer.
    """

    waited_s: float | None = None
    load_s: float | None = None
    prompt_s: float | None = None
    generation_s: float | None = None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Timings:
        """Read the durations of Ollama (nanoseconds) or of llama.cpp's server (milliseconds)."""
        if "total_duration" in answer:
            return cls._of_ollama(answer)
        timings = answer.get("timings")
        if isinstance(timings, Mapping):
            return cls(
                prompt_s=_times(timings.get("prompt_ms"), MS), generation_s=_times(timings.get("predicted_ms"), MS)
            )
        return cls()

    @classmethod
    def _of_ollama(cls, answer: Mapping[str, Any]) -> Timings:
        """Ollama says how long it took in all; what is not load, prompt or answer was spent waiting for a slot."""
        total, load, prompt, generation = (
            _times(answer.get(f"{name}_duration"), NS) for name in ("total", "load", "prompt_eval", "eval")
        )
        waited = None if total is None else max(0.0, total - (load or 0.0) - (prompt or 0.0) - (generation or 0.0))
        return cls(waited, load, prompt, generation)


def _times(value: object, unit: float) -> float | None:
    """A duration in seconds; None for what a server cannot have measured."""
    return value * unit if isinstance(value, int | float) and 0 <= value < LONGEST else None


class Trace:
    """Follows one call to one deployment; LiteLLM calls it at every step.

    Attributes
    ----------
    most_bytes : int
        Longest answer that is read.
    metadata : dict
        Carried by LiteLLM to its callbacks.
    called : bool
        Whether LiteLLM made a call at all.
    answered : object
        The server's answer as LiteLLM tells it.
    on_its_way : bool
        Whether the request has been sent.
    broken : Exception or None
        What broke the connection.
    status : int or None
        HTTP status of the answer; None where there is none yet, or where another transport carries it.
    streamed : bool
        Whether the answer is streamed, and its end to be kept.
    begun : bool
        Whether text of the answer was told to a listener.
    tail : bytes
        The last of a streamed answer as it came over the wire.
    limit_s : float
        Longest time from sending the request to the whole answer.
    timeout : asyncio.Timeout or None
        Ends the call.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.metadata: dict[str, Any] = {f"multillm_{name}": value for name, value in run_context().items()}
        self.called = False
        self.answered: object = None
        self.on_its_way = False
        self.broken: Exception | None = None
        self.status: int | None = None
        self.streamed = False
        self.begun = False
        self.tail = b""
        self.limit_s = math.inf
        self.timeout: asyncio.Timeout | None = None

    def sent(self) -> None:
        """Note that the request is on its way: its time begins, and it counts, whatever LiteLLM tells of it."""
        self.on_its_way = self.called = True
        if self.timeout is not None and not self.timeout.expired():
            self.timeout.reschedule(asyncio.get_running_loop().time() + self.limit_s)

    def read(self, chunk: bytes) -> None:
        """Keep the end of a streamed answer."""
        if self.streamed:
            self.tail = (self.tail + chunk)[-TAIL_BYTES:]

    def __call__(self, details: Mapping[str, Any]) -> None:
        """Note one step of LiteLLM's call."""
        event = details.get("log_event_type")
        if event == "pre_api_call":
            self.called = True
        elif event == "post_api_call":
            self.answered = details.get("original_response")

    def answer(self) -> Mapping[str, Any]:
        """The server's answer as it came; empty if it was not JSON."""
        return read_answer(self.answered)


@dataclass(frozen=True, slots=True)
class Served:
    """An answer on its way to becoming a `Completion`.

    Attributes
    ----------
    request : CompletionRequest
        What was asked.
    spec : ModelSpec
        The model that served, with its price.
    response : object
        LiteLLM's response.
    answer : mapping
        The server's own answer.
    waited_s : float
        Time until the client had a slot free.
    cost_usd : float or None
        Price in US dollars, where it has one.
    """

    request: CompletionRequest
    spec: ModelSpec
    response: Any
    answer: Mapping[str, Any]
    waited_s: float
    cost_usd: float | None

    def completion(self, **rest: Any) -> Completion:
        """The completion; `rest` are its fields that the answer does not tell."""
        choice = self.response.choices[0]
        text = choice.message.content
        timings = Timings.of(self.answer)
        counted = self._counted(text)
        input_tokens, output_tokens = counted or self._estimated(text)
        return Completion(
            request=self.request,
            text=text,
            label=self.spec.label,
            finish_reason=choice.finish_reason or "unknown",
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            tokens_measured=counted is not None,
            cost_units=self.spec.cost_per_1k * output_tokens / 1000,
            queue_s=self.waited_s + (timings.waited_s or 0.0),
            load_s=timings.load_s,
            prompt_s=timings.prompt_s,
            generation_s=timings.generation_s,
            cost_usd=self.cost_usd,
            **rest,
        )

    def _counted(self, text: str) -> tuple[int, int] | None:
        """Tokens as the server counted them. LiteLLM fills gaps in an Ollama answer with guesses, so ask the answer.

        Counts beyond what a model can have read, and beyond what it was allowed or seen to write, are no counts.
        """
        if "done" in self.answer:
            counts = self.answer.get("prompt_eval_count"), self.answer.get("eval_count")
        else:
            usage = getattr(self.response, "usage", None)
            counts = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
        most = (
            self.spec.context_tokens + self.request.most_input_tokens,
            self.request.max_output_tokens + len(text),
        )
        plausible = [n for n, limit in zip(counts, most, strict=True) if type(n) is int and 0 < n <= limit]
        return (plausible[0], plausible[1]) if len(plausible) == 2 else None

    def _estimated(self, text: str) -> tuple[int, int]:
        return sum(estimate_tokens(message["content"]) for message in self.request.messages), estimate_tokens(text)
