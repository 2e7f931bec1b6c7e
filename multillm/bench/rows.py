"""From the answers of a benchmark to its rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from multillm.completion import Completion
from multillm.gold import COMPLEXITY
from multillm.grading import Score
from multillm.prompts import BenchmarkPrompt

__all__ = [
    "COLUMNS",
    "MEASURED",
    "ROUTED",
    "SPLIT",
    "WARM_UP",
    "Answered",
    "seconds_of_machine",
    "served_s",
    "to_rows",
    "typed_rows",
]

ROUTED = "routed"
"""Name that the routed pipeline has among the models."""
MEASURED, WARM_UP = "measured", "warm-up"
HOUR_S = 3600.0
SPLIT = ("queue_s", "load_s", "prompt_s", "generation_s")
TEXTS = ("prompt_id", "model", "phase", "kind", "task_type", "reason", "error", "finish_reason", "served", "answer")
COUNTS = ("repeat", "calls", "input_tokens", "output_tokens")
FIGURES = (
    "complexity",
    "quality",
    "latency_s",
    *SPLIT,
    "machine_s",
    "tokens_per_s",
    "cost_units",
    "cost_usd",
    "price_usd",
)
COLUMNS = (
    *("prompt_id", "model", "phase", "repeat", "kind", "task_type", "complexity", "quality", "reason", "error"),
    *("finish_reason", "served", "calls", "latency_s", *SPLIT, "machine_s", "tokens_per_s", "input_tokens"),
    *("output_tokens", "cost_units", "cost_usd", "price_usd", "answer"),
)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one prompt, asked of one model or put through the pipeline.

    Attributes
    ----------
    prompt : BenchmarkPrompt
        What was asked.
    model : str
        Label, or ``routed``.
    phase : str
        ``measured``, or ``warm-up`` for what stays out of every figure.
    repeat : int
        Which time, from 0.
    text : str
        The answer; empty if there is none.
    completions : tuple of Completion
        The calls that were answered; for the pipeline one for each sub-task.
    latency_s : float or None
        Seconds to the whole answer, as `served_s` counts them.
    error : str or None
        Why there is no whole answer.
    lost : bool
        Whether that was a failure of the transport, which leaves nothing to grade.
    score : Score or None
        How good it is; None where it is lost.
    """

    prompt: BenchmarkPrompt
    model: str
    phase: str
    repeat: int
    text: str
    completions: tuple[Completion, ...]
    latency_s: float | None
    error: str | None = None
    lost: bool = False
    score: Score | None = None


def to_rows(answers: Iterable[Answered], usd_per_hour: float) -> pd.DataFrame:
    """One row for each answer.

    Parameters
    ----------
    answers : iterable of Answered
        In the order that the rows are to have.
    usd_per_hour : float
        Shadow price of the machine, in US dollars per hour.

    Returns
    -------
    DataFrame
        Columns as in `Benchmark.to_frame`.
    """
    return typed_rows(pd.DataFrame([_row(answer, usd_per_hour) for answer in answers]))


def typed_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of `to_rows`, in order and each of its type."""
    return frame.reindex(columns=list(COLUMNS)).astype(
        {
            **dict.fromkeys(TEXTS, "string"),
            **dict.fromkeys(COUNTS, "Int64"),
            **dict.fromkeys(FIGURES, "float64"),
        }
    )


def served_s(completion: Completion) -> float:
    """Seconds from request to whole answer, retries and loading included, without the wait for a free slot.

    That wait depends on what else was asked at the time, which is another thing when answers come from a journal.
    """
    return max(0.0, completion.latency_s - (completion.queue_s or 0.0))


def seconds_of_machine(completion: Completion) -> float:
    """Seconds that the model worked on a call: reading the prompt and writing the answer, not loading or waiting.

    Where the server does not tell, all of `served_s`.
    """
    if completion.generation_s is not None:
        return (completion.prompt_s or 0.0) + completion.generation_s
    return served_s(completion)


def _row(answer: Answered, usd_per_hour: float) -> dict[str, object]:
    prompt, done, score = answer.prompt, answer.completions, answer.score
    generation_s = _sum([completion.generation_s for completion in done])
    output_tokens = _sum([completion.output_tokens for completion in done])
    return {
        "prompt_id": prompt.prompt_id,
        "model": answer.model,
        "phase": answer.phase,
        "repeat": answer.repeat,
        "kind": prompt.kind,
        "task_type": str(prompt.task_type),
        "complexity": COMPLEXITY[prompt.complexity],
        "quality": score.value if score else None,
        "reason": score.reason if score else None,
        "error": answer.error,
        "finish_reason": _worst(done),
        "served": ", ".join(dict.fromkeys(completion.label for completion in done)) or None,
        "calls": len(done),
        "latency_s": answer.latency_s,
        **{name: _sum([getattr(completion, name) for completion in done]) for name in SPLIT},
        "machine_s": _sum([seconds_of_machine(completion) for completion in done]),
        "tokens_per_s": output_tokens / generation_s if output_tokens and generation_s else None,
        "input_tokens": _sum([completion.input_tokens for completion in done]),
        "output_tokens": output_tokens,
        "cost_units": _sum([completion.cost_units for completion in done]),
        "cost_usd": _sum([completion.cost_usd for completion in done]),
        "price_usd": _sum([_price(completion, usd_per_hour) for completion in done]),
        "answer": answer.text,
    }


def _price(completion: Completion, usd_per_hour: float) -> float:
    """The provider's price or, for a model without one, the shadow price of the machine's time."""
    if completion.cost_usd is not None:
        return completion.cost_usd
    return seconds_of_machine(completion) * usd_per_hour / HOUR_S


def _worst(completions: Sequence[Completion]) -> str | None:
    reasons = [completion.finish_reason for completion in completions]
    return next((reason for reason in reasons if reason != "stop"), reasons[0] if reasons else None)


def _sum(values: Sequence[float | None]) -> float | None:
    """The sum; None if there is nothing or something in it is unknown."""
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
