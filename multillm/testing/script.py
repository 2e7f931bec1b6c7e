"""How one model of the server behaves."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from multillm.errors import ConfigurationError
from multillm.testing.fault import Fault

__all__ = ["Script", "tokens"]

TOKEN = re.compile(r"\s*\S+|\s+$")


@dataclass
class Script:
    """How one model behaves: what it answers, how fast, and what goes wrong when.

    Faults come first from `faults`, one a call, in order; once those are used up, each call meets at
    most one of `rates`, drawn with the server's generator. ``faults=itertools.repeat(Fault.BUSY)`` is
    a model that never serves. A script given to two models is one sequence that both draw from.

    Attributes
    ----------
    answer : str or callable
        The answer, or what makes it from the prompt.
    faults : iterable of Fault or None
        What happens at the first call, the second, and so on; None for a call that goes well.
    rates : mapping of Fault to float
        Probability (0..1) of each fault at every later call; together at most 1.
    after_tokens : int
        Tokens of a streamed answer that are sent before the fault happens; 0 for none. Faults that
        have an HTTP status then come as an error in the stream. An answer that is not streamed
        knows no tokens: `Fault.CUT` and its like come in its middle, all others before it.
    load_s : float
        Time to load the model, at the first call.
    prompt_s : float
        Time to read the prompt.
    token_s : float
        Time for each token.
    slots : int or None
        Answers written at once, further calls wait in line; None for no limit.
    queue : int
        Longest line; calls beyond it meet `Fault.BUSY`.
    retry_after_s : float
        What a rate limit tells the caller to wait.
    drip_s : float
        Time between two bytes of `Fault.DRIP`.
    down_s : float
        How long the server stays away after `Fault.DIE`.
    huge_bytes : int
        Size of a `Fault.HUGE` answer.
    context_tokens : int
        Context window; a longer prompt is refused where the caller asks Ollama not to cut it.
    finish_reason : str
        ``stop``, or ``length`` for an answer cut short by its budget.
    counts : bool
        Whether token counts and durations are told.
    message : mapping
        Further fields of the answer's message, such as ``thinking``.
    """

    answer: str | Callable[[str], str] = "An answer."
    faults: Iterable[Fault | None] = ()
    rates: Mapping[Fault, float] = field(default_factory=dict)
    after_tokens: int = 0
    load_s: float = 0.0
    prompt_s: float = 0.0
    token_s: float = 0.0
    slots: int | None = None
    queue: int = 512
    retry_after_s: float = 1.0
    drip_s: float = 0.05
    down_s: float = 0.5
    huge_bytes: int = 64_000_000
    context_tokens: int = 4096
    finish_reason: str = "stop"
    counts: bool = True
    message: Mapping[str, str] = field(default_factory=dict)
    _left: Iterator[Fault | None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        total = sum(self.rates.values())
        if min(self.rates.values(), default=0.0) < 0.0 or total > 1.0 + 1e-9:
            rates = {str(fault): rate for fault, rate in self.rates.items()}
            raise ConfigurationError(f"rates is {rates}; allowed are probabilities that add up to at most 1")
        self._left = iter(self.faults)

    def next_fault(self, rng: random.Random) -> Fault | None:
        """What happens at the next call; None if it goes well."""
        for fault in self._left:
            return fault
        if not self.rates:
            return None
        drawn = rng.random()
        for fault, rate in self.rates.items():
            drawn -= rate
            if drawn < 0.0:
                return fault
        return None

    def answer_to(self, prompt: str) -> str:
        """The answer to a prompt."""
        return self.answer if isinstance(self.answer, str) else self.answer(prompt)


def tokens(text: str) -> list[str]:
    """The text in pieces of one word each, white space kept: put together, they are the text."""
    return TOKEN.findall(text)
