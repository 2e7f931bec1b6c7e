"""One model call: what was asked, what served it, how long it took."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from multillm.quantities import Amount, Count
from multillm.rendering import completion_html

__all__ = ["Attempt", "Client", "Completion", "CompletionRequest"]

BYTES_PER_TOKEN = 3  # cautious: real text has more
TEMPLATE_TOKENS = 64


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """What is asked of a model group.

    Attributes
    ----------
    label : str
        Model group to call first.
    messages : tuple of mapping
        Chat messages, each with ``role`` and ``content``.
    max_output_tokens : int
        Most tokens the answer may have.
    fallbacks : tuple of str
        Model groups to call, in order, if the first one fails.
    temperature : float
        Sampling temperature.
    seed : int or None
        Seed of the sampling; None for a new one each call.
    limit_s : float or None
        Longest time for the whole call, waits, retries and fallbacks included; None for no limit.
    """

    label: str
    messages: tuple[Mapping[str, str], ...]
    max_output_tokens: int
    fallbacks: tuple[str, ...] = ()
    temperature: float = 0.3
    seed: int | None = None
    limit_s: float | None = None

    @property
    def most_input_tokens(self) -> int:
        """More tokens than the messages have, whatever the tokenizer."""
        return sum(
            len(message["content"].encode(errors="replace")) // BYTES_PER_TOKEN + TEMPLATE_TOKENS
            for message in self.messages
        )

    @property
    def key(self) -> str:
        """SHA-256 over all that shapes the answer; fallbacks and time limit do not."""
        shaping = {
            "label": self.label,
            "messages": [dict(message) for message in self.messages],
            "max_output_tokens": self.max_output_tokens,
            "temperature": self.temperature,
            "seed": self.seed,
        }
        return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to one deployment.

    Attributes
    ----------
    label : str
        Model group called.
    model : str
        LiteLLM model string of the deployment.
    error : str or None
        Why it failed; None for the attempt that served.
    """

    label: str
    model: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer and how it came about. What a backend does not report is None, never 0.

    Attributes
    ----------
    request : CompletionRequest
        What was asked.
    text : str
        The answer.
    label : str
        Model group that served; differs from ``request.label`` after a fallback.
    model : str
        LiteLLM model string of the deployment that served.
    finish_reason : str
        ``stop`` if the model came to its end, ``length`` if the budget cut it short.
    attempts : tuple of Attempt
        Every call made, the one that served last.
    fallback_reason : str or None
        Why the label asked for did not serve; None if it did.
    latency_s : float
        From the request to the whole answer, waits and retries included.
    queue_s, load_s, prompt_s, generation_s : float or None
        Time waiting for a free slot, loading the model, reading the prompt and writing the answer,
        in the attempt that served.
    input_tokens, output_tokens : int
        Length of prompt and answer.
    tokens_measured : bool
        True if the server counted the tokens; False if they are estimated from the text.
    cost_units : float
        Price of the answer in the pool's cost units.
    cost_usd : float or None
        Price in US dollars where LiteLLM's price map has the model; None for local models.
    replayed : bool
        True if the answer, its times included, comes from a recording.
    """

    request: CompletionRequest
    text: str
    label: str
    model: str
    finish_reason: str
    attempts: tuple[Attempt, ...]
    latency_s: Amount
    input_tokens: Count
    output_tokens: Count
    tokens_measured: bool
    cost_units: Amount
    fallback_reason: str | None = None
    queue_s: Amount | None = None
    load_s: Amount | None = None
    prompt_s: Amount | None = None
    generation_s: Amount | None = None
    cost_usd: Amount | None = None
    replayed: bool = False

    @property
    def truncated(self) -> bool:
        """Whether the output budget cut the answer short."""
        return self.finish_reason == "length"

    def __repr__(self) -> str:
        cut = ", truncated" if self.truncated else ""
        return (
            f"Completion({self.text!r:.60}, {self.label} on {self.model}, "
            f"{self.output_tokens} tokens, {self.latency_s:.2f} s{cut})"
        )

    def _repr_html_(self) -> str:
        return completion_html(self)


@runtime_checkable
class Client(Protocol):
    """Calls models. Usable from one event loop; `aclose` leaves no task and no socket behind."""

    async def complete(self, request: CompletionRequest) -> Completion:
        """The answer to a request.

        Raises
        ------
        CompletionError
            If the label asked for and every fallback failed.
        """
        ...

    async def aclose(self) -> None:
        """Release everything that the client holds."""
        ...
