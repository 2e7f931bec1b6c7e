"""Grader of summaries and documentation: which of the facts that must be told are told, in few words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from multillm.errors import InputError
from multillm.grading.base import Score, wanted
from multillm.grading.extract import FENCE, plain
from multillm.prompts import BenchmarkPrompt

__all__ = ["facts"]

COPIED_FROM = 25
"""Characters from which on a line of the answer that stands in the question counts as copied."""


def facts(prompt: BenchmarkPrompt, answer: str) -> Score:
    """Share of the facts that an answer tells, less what it says too much.

    ``expected``: ``facts``, a list of regular expressions, a fact being told where its own is found at the start of
    a word, and not inside a number (case does not count); ``point: true`` where the first fact is the point, without
    which the others earn nothing; ``max_words``, the length
    asked for, optional: up to 1.25 times of it nothing is lost, at twice of it and beyond all is lost, linear
    between, so that repeating the source is no summary; ``forbidden``, a list of expressions that mark a false
    statement, each of which takes one fact away. Lines copied from the question do not count.
    """
    told = _told(prompt.prompt, FENCE.sub("", answer) if prompt.expected.get("prose") else answer)
    listed = _patterns(prompt, wanted(prompt, "facts"))
    missing = [pattern for pattern in listed if not pattern.search(told)]
    false = sum(bool(pattern.search(told)) for pattern in _patterns(prompt, prompt.expected.get("forbidden", ())))
    if prompt.expected.get("point") and listed[0] in missing:
        return Score(0.0, "the point is missing")
    share = max(0.0, (len(listed) - len(missing) - false) / len(listed))
    words = len(told.split())
    value = share * _brevity(words, prompt.expected.get("max_words"))
    if value == 1:
        return Score(1.0)
    faults = [f"{len(missing)} of {len(listed)} facts missing"] if missing else []
    faults += [f"{false} false"] if false else []
    faults += [f"{words} words"] if value < share else []
    return Score(round(value, 4), ", ".join(faults))


def _told(question: str, answer: str) -> str:
    asked = {line for raw in question.splitlines() if len(line := _bare(raw)) >= COPIED_FROM}
    text = "\n".join(line for line in answer.splitlines() if _bare(line) not in asked)
    return re.sub(r"(?<=\d),(?=\d{3}\b)", "", plain(text))


def _bare(line: str) -> str:
    return " ".join(line.split()).casefold()


def _brevity(words: int, most: int | None) -> float:
    if most is None:
        return 1.0
    return min(1.0, max(0.0, (2 * most - words) / (0.75 * most)))


def _patterns(prompt: BenchmarkPrompt, expressions: Sequence[str]) -> list[re.Pattern[str]]:
    try:
        return [re.compile(rf"(?<!\w)(?:{text})(?!\d)", re.I) for text in expressions]
    except re.error as error:
        raise InputError(f"prompt {prompt.prompt_id!r}: {error.pattern!r} is not a valid pattern: {error}") from None
