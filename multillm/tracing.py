"""What LiteLLM reports of a call: every attempt, the server's own durations, the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multillm.completion import Attempt, Completion, CompletionRequest
from multillm.failures import Redactor, one_line
from multillm.registry import ModelSpec
from multillm.tasks import estimate_tokens

__all__ = ["Served", "Timings", "Trace"]

NS = 1e-9
MS = 1e-3


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
    return value * unit if isinstance(value, int | float) else None


class Trace:
    """Follows the attempts at one model group; LiteLLM calls it at every step.

    LiteLLM sends again, unseen, what a broken connection swallowed: such a resend is
    part of the attempt.

    Parameters
    ----------
    label : str
        Model group that is called.
    redact : Redactor
        Takes keys out of error texts.
    """

    def __init__(self, label: str, redact: Redactor) -> None:
        self.label = label
        self.metadata: dict[str, Any] = {}
        self.answered: object = None
        self.on_its_way = False
        self._redact = redact
        self._models: list[str] = []
        self._errors: list[str] = []

    def __call__(self, details: Mapping[str, Any]) -> None:
        """Note one step of LiteLLM's call."""
        event = details.get("log_event_type")
        if event == "pre_api_call":
            if self._models:
                self._errors.append(self._last_error())
            provider = details.get("custom_llm_provider")
            model = str(details.get("model"))
            self._models.append(model if not provider or model.startswith(f"{provider}/") else f"{provider}/{model}")
            self.answered = None
        elif event == "post_api_call":
            self.answered = details.get("original_response")

    def attempts(self, model: str, error: str | None) -> list[Attempt]:
        """Every call made; `error` is the last one's, and `model` stands in if LiteLLM reported no call."""
        models = self._models or [model]
        errors: list[str | None] = [*self._errors, error]
        return [Attempt(self.label, *pair) for pair in zip(models, errors, strict=True)]

    @property
    def called(self) -> bool:
        """Whether a call was made at all."""
        return bool(self._models)

    def answer(self) -> Mapping[str, Any]:
        """The server's answer as it came; empty if it was not JSON."""
        answered = self.answered
        if isinstance(answered, str):
            try:
                answered = json.loads(answered)
            except ValueError:
                return {}
        return answered if isinstance(answered, Mapping) else {}

    def _last_error(self) -> str:
        """Error of the attempt before this one: what the server answered, else what LiteLLM noted."""
        error = self.answer().get("error")
        if isinstance(error, str):
            return one_line(error, self._redact)
        failed = self.metadata.get("previous_models") or ()
        noted = failed[-1] if failed else {}
        text = one_line(str(noted.get("exception_string", "")), self._redact)
        return text or str(noted.get("exception_type") or "unknown")


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
    """

    request: CompletionRequest
    spec: ModelSpec
    response: Any
    answer: Mapping[str, Any]
    waited_s: float

    def completion(self, **rest: Any) -> Completion:
        """The completion; `rest` are its fields that the answer does not tell."""
        choice = self.response.choices[0]
        text = choice.message.content
        timings = Timings.of(self.answer)
        counted = self._counted()
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
            **rest,
        )

    def _counted(self) -> tuple[int, int] | None:
        """Tokens as the server counted them. LiteLLM fills gaps in an Ollama answer with guesses, so ask the answer."""
        if "done" in self.answer:
            counts = self.answer.get("prompt_eval_count"), self.answer.get("eval_count")
        else:
            usage = getattr(self.response, "usage", None)
            counts = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
        return (int(counts[0]), int(counts[1])) if counts[0] and counts[1] else None

    def _estimated(self, text: str) -> tuple[int, int]:
        return sum(estimate_tokens(message["content"]) for message in self.request.messages), estimate_tokens(text)
