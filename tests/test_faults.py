"""Whatever a server does: a right answer, or an error that says what was tried and what to do."""

import asyncio

import pytest

import multillm as ml
from multillm.testing import Fault
from tests.contracts import own_threads
from tests.faults import PROMPT, RETRIES, RIGHT, Case, Left, Seen, When, busy, observe

KINDS: dict[Fault, type[ml.CompletionError]] = {
    Fault.TIMEOUT: ml.CompletionTimeout,
    Fault.HANG: ml.CompletionTimeout,
    Fault.DRIP: ml.CompletionTimeout,
    Fault.ENDLESS: ml.CompletionTimeout,
    Fault.OVERFLOW: ml.ContextOverflow,
    Fault.EMPTY: ml.EmptyCompletion,
}


IN_WORDS = {Fault.TIMEOUT}
"""Told by a status before a stream begins, and by nothing but words within it."""
SLOW = {Fault.HANG, Fault.DRIP, Fault.ENDLESS}


def late(seen: Seen) -> int:
    """Attempts that came to no end in time, though the fault does not slow them: the machine was busy elsewhere."""
    return 0 if seen.case.fault in SLOW else _timeouts(seen)


def _timeouts(seen: Seen) -> int:
    return sum("no whole answer" in (attempt.error or "") for attempt in seen.attempts)


def wrong(seen: Seen) -> list[str]:
    """What is not as it must be."""
    case, done, error = seen.case, seen.result.completion, seen.result.error
    checks = {
        "in time": seen.elapsed_s < case.call_s,
        "never asks a model below the threshold": seen.asked_weak == 0,
        "closes its connections": seen.closed,
        "one row": len(seen.rows) == 1,
        "an answer where there is one to be had": (done is not None) == case.serves or late(seen) > 0,
        "what was heard is what was answered": not done or seen.heard in {None, done.text},
    }
    if case.fault is not Fault.DIE:  # what is refused cannot be counted by who refuses it
        unsent = len(seen.attempts) - seen.sent
        checks["every request is an attempt"] = unsent >= 0
        checks["every attempt is a request, but for those that came too late"] = unsent <= _timeouts(seen)
    checks |= _of_row(seen) | _of_answer(done) | _of_error(seen, error)
    return [name for name, holds in checks.items() if not holds]


def _of_row(seen: Seen) -> dict[str, bool]:
    row, done, error = seen.rows[0], seen.result.completion, seen.result.error
    served = done.label if done else None
    failed = type(error).__name__ if error else None
    return {
        "the row's attempts": row["attempts"] == len(seen.attempts),
        "the row's labels": row["asked_label"] == "mid" and _known(row["served_label"]) == served,
        "the row's error": _known(row["error_type"]) == failed,
        "the row's fallback": (_known(row["fallback_reason"]) is not None) == (served == "strong"),
    }


def _known(value: object) -> object:
    return value if isinstance(value, str) else None


def _of_answer(done: ml.Completion | None) -> dict[str, bool]:
    if done is None:
        return {}
    return {
        "the right answer": done.text == RIGHT,
        "the last attempt served": done.attempts[-1].error is None and done.attempts[-1].label == done.label,
        "all others say why not": all(attempt.error for attempt in done.attempts[:-1]),
    }


def _of_error(seen: Seen, error: ml.MultillmError | None) -> dict[str, bool]:
    if error is None:
        return {}
    case, text = seen.case, str(error)
    count = len(error.attempts) if isinstance(error, ml.CompletionError) else 0
    return {
        "the type of the error": type(error) is kind_of(case) or late(seen) > 0,
        "names the group": text.startswith("mid gave no answer") and getattr(error, "label", "") == "mid",
        "names the deployment": f"mid on {case.provider}/mid" in text,
        "names the attempts": f"{count} call" in text and 1 <= count <= RETRIES + 1,
        "names the remedy": "to mend it" in text,
        "is one line": "\n" not in text and "Traceback" not in text,
    }


def kind_of(case: Case) -> type[ml.CompletionError]:
    """The type of the error that the fault ends in."""
    told = case.when.streamed and case.fault in IN_WORDS
    return ml.CompletionError if told else KINDS.get(case.fault, ml.CompletionError)


@pytest.mark.parametrize("provider", ["ollama_chat", "openai"])
@pytest.mark.parametrize("left", Left)
@pytest.mark.parametrize("when", When)
async def test_every_fault_ends_in_a_right_answer_or_a_telling_error(when: When, left: Left, provider: str) -> None:
    threads = own_threads()
    seen = await observe([Case(fault, when, left, provider, busy()) for fault in Fault])
    told = {str(each.case.fault): (failed, str(each)) for each in seen if (failed := wrong(each))}
    assert not told
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert own_threads() <= threads


def test_the_prompt_is_for_the_middle_one() -> None:
    pool = Case(Fault.BUSY, When.FIRST, Left.UPWARD).pool()
    [decision] = ml.Orchestrator(pool, store=None).plan(PROMPT)
    assert (decision.label, decision.fallbacks) == ("mid", ("strong",))
