"""What every splitter offers."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from multillm.errors import InputError
from multillm.tasks import SubTask

__all__ = ["FILLER", "ITEM_MARK", "ITEM_NOUN", "ITEM_ORDINAL", "Splitter", "check_prompt", "trimmed"]

FILLER = "\u2592"
"""What stands for a protected character."""

ITEM_MARK = r"(?:[-*•\u2013]|\(?\d{1,2}[.):]|\(?(?i:[a-z]|[ivx]{2,4})[.)])"
"""Pattern of what stands before an item of a list: a bullet, a number, a letter."""

ITEM_ORDINAL = "first|second|third|fourth|fifth|one|two|three|four|five"
ITEM_NOUN = "part|task|exercise|ex|question|q|step|item|problem|section"
"""Patterns of words that number one: "First: ...", "Part 2: ..."."""


@runtime_checkable
class Splitter(Protocol):
    """Turns a prompt into sub-tasks.

    Spans are exact substrings in prompt order, disjoint, at least one;
    the same prompt always gives the same spans.
    """

    name: str

    def split(self, prompt: str) -> list[SubTask]:
        """Sub-tasks of a prompt."""
        ...


def check_prompt(prompt: str) -> str:
    """The prompt itself, if there is something in it.

    Raises
    ------
    InputError
        If it is not text or holds nothing but white space.
    """
    if not isinstance(prompt, str):
        raise InputError(
            f"the prompt is a {type(prompt).__name__}; it must be text: pass a str, decoded if it came as bytes"
        )
    if not prompt or prompt.isspace():
        raise InputError("the prompt is empty; it must hold at least one word: pass the text of the request")
    return prompt


def trimmed(prompt: str, start: int, end: int, strip: str | None = None) -> tuple[int, int]:
    """The span ``start:end`` without white space, or the characters of `strip`, at its ends."""
    piece = prompt[start:end]
    start += len(piece) - len(piece.lstrip(strip))
    return start, start + len(piece.strip(strip))
