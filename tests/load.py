"""Many compound prompts against a server on which a fifth of all calls goes wrong."""

import re
from collections.abc import Iterator

import multillm as ml
from multillm.testing import Fault, Script
from tests.pools import small_pool

MODELS = ("light", "balanced", "heavy")
MARK = re.compile(r"case \d+[ab]")
RATES = {
    Fault.BUSY: 0.03,
    Fault.BROKEN: 0.03,
    Fault.RATE_LIMITED: 0.02,
    Fault.TIMEOUT: 0.01,
    Fault.RESET: 0.02,
    Fault.CUT: 0.02,
    Fault.TRUNCATED: 0.02,
    Fault.MALFORMED: 0.01,
    Fault.ERROR_BODY: 0.01,
    Fault.EMPTY: 0.01,
    Fault.HANG: 0.01,
    Fault.ENDLESS: 0.005,
    Fault.DRIP: 0.005,
}
"""A fifth of all calls."""


def prompts(count: int) -> Iterator[str]:
    """Compound prompts, each of two sub-tasks that say which they are."""
    for n in range(count):
        yield f"Explain what a mutex is in case {n}a AND implement a spinlock in C for case {n}b."


def script(prompt_s: float = 0.0) -> Script:
    """A model that answers with the mark of what it was asked."""
    return Script(
        answer=lambda prompt: f"Answer for {' '.join(MARK.findall(prompt))}.",
        rates=RATES,
        prompt_s=prompt_s,
        retry_after_s=0.05,
    )


def pool(timeout_s: float) -> ml.Pool:
    """Three models that may all take any of the prompts."""
    calls = {"timeout_s": timeout_s, "num_retries": 3, "retry_wait_s": 0.02, "cooldown_s": 0.5, "max_parallel": 64}
    return small_pool(*MODELS, calls=calls)


def answers_fit(result: ml.RunResult) -> bool:
    """Whether every answer is the one to its own sub-task."""
    return all(
        sub.completion is not None and MARK.findall(sub.completion.text) == MARK.findall(sub.decision.profile.text)
        for sub in result.results
        if sub.status != "failed"
    )
