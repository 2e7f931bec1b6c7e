"""Sentences, lines and list items of a masked prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

__all__ = ["Opening", "Sentence", "is_abbreviated", "sentences"]


class Opening(StrEnum):
    """What stands before a sentence."""

    START = "start"
    WRAP = "wrap"
    STOP = "stop"
    SEMICOLON = "semicolon"
    LINE = "line"
    PARAGRAPH = "paragraph"
    ITEM = "item"


class Sentence(NamedTuple):
    """A stretch of the prompt between two full joints.

    Attributes
    ----------
    start, end : int
        Where it stands, white space at its ends included, its closing mark left out.
    opening : Opening
        What stands before it.
    asks : bool
        Whether a question mark closes it.
    """

    start: int
    end: int
    opening: Opening
    asks: bool


FULL_JOINT = (
    r"(?P<item>\n\s*(?:[-*•\u2013]|\(?\d{1,2}[.)]|\(?[a-z][.)])[ \t]+(?=\S))"
    r"|(?P<stop>(?<![.?!])[.?!]++[\"')\]]*+(?=\s|\Z))|(?P<semicolon>;(?=\s|\Z))"
    r"|(?P<paragraph>\n[ \t]*\n\s*)|(?P<line>\n)"
)
NUMBER = r"(?<=[\s:;,])(?:\(?(?:\d|[a-h]|i{1,3})\)|[1-9]\.)[ \t]+(?=[A-Za-z])"
JOINT = re.compile(rf"(?=[.?!;\n])(?:{FULL_JOINT})")
NUMBERED_JOINT = re.compile(rf"(?P<inline>{NUMBER})|{FULL_JOINT}")
NUMBERED = re.compile(NUMBER)
FIRST_NUMBER = re.compile(r"(?:\A|(?<=[\s:;,]))(?:\(?[1ai]\)|1\.)[ \t]")
FIRST_ITEM = re.compile(r"\s*(?:[-*•\u2013]|\(?\d{1,2}[.)]|\(?[a-z][.)])[ \t]+(?=\S)")
ABBREVIATED = re.compile(
    r"(?:\b(?i:e\.g|i\.e|vs|etc|dr|mr|mrs|ms|prof|no|fig|eq|approx|cf|pp?|st|inc|ltd|al)"
    r"|(?<![\w.'’])(?:[B-HJ-Z](?<!in [CDR])(?<!to [CDR])|[cv]))\Z"
)
OPENINGS = {
    "item": Opening.ITEM,
    "inline": Opening.ITEM,
    "stop": Opening.STOP,
    "semicolon": Opening.SEMICOLON,
    "paragraph": Opening.PARAGRAPH,
    "line": Opening.WRAP,
}
LONGEST_BRACKET = 200
RANK = {opening: rank for rank, opening in enumerate(Opening)}


def sentences(masked: str) -> Iterator[Sentence]:
    """Sentences in order; of several joints in a row the strongest counts."""
    start, opening = 0, Opening.START
    if match := FIRST_ITEM.match(masked):
        start, opening = match.end(), Opening.ITEM
    for match in (NUMBERED_JOINT if _is_numbered(masked) else JOINT).finditer(masked):
        joint, after = match.span()
        if joint < start:
            continue
        name = match.lastgroup or ""
        mark = match[0].strip()
        if name == "stop" and mark == "." and is_abbreviated(masked, joint):
            continue
        if name == "semicolon" and _is_in_brackets(masked, max(start, joint - LONGEST_BRACKET), joint):
            continue
        if masked[start:joint].strip():
            yield Sentence(start, joint, opening, "?" in mark)
            opening = Opening.LINE if name == "line" and masked[joint - 1] == ":" else OPENINGS[name]
        elif name == "line" and opening in (Opening.STOP, Opening.SEMICOLON):
            opening = Opening.LINE
        else:
            opening = max(opening, OPENINGS[name], key=RANK.__getitem__)
        start = after
    if masked[start:].strip():
        yield Sentence(start, len(masked), opening, asks=False)


def is_abbreviated(masked: str, stop: int) -> bool:
    """Whether a full stop closes an abbreviation or an initial rather than a sentence."""
    return masked[stop] == "." and ABBREVIATED.search(masked, max(0, stop - 8), stop) is not None


def _is_in_brackets(masked: str, start: int, end: int) -> bool:
    return masked.rfind("(", start, end) > masked.rfind(")", start, end)


def _is_numbered(masked: str) -> bool:
    """Whether a sentence counts its parts: "1) ... 2) ..."."""
    if ")" not in masked and "2." not in masked:
        return False
    return FIRST_NUMBER.search(masked) is not None and NUMBERED.search(masked) is not None
