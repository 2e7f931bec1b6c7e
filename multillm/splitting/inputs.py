"""Which paragraphs, lines and lists of a prompt are given to be worked on, although nothing encloses them."""

from __future__ import annotations

import re

from multillm.splitting.heads import Kind, read_head
from multillm.splitting.lexicon import TEXT_VERBS, words

__all__ = ["GIVEN_NOUNS", "announces_input", "given_paragraphs", "points_at_list"]

GIVEN_NOUNS = words("""
abstract answer answers article bio bullets caption chat clause clauses code command comment comments complaint config
contract conversation copy csv data description diff document dialogue draft email emails entries error essay events
exchange facts feedback file function function's items json letter line lines list log logs mail manuscript message
messages method minutes note notes numbers output page paragraph passage paragraphs piece poem post program prompt
quote quotes recipe records regex report response results review reviews script sentence sentences snippet speech
statement statements story stub survey table text texts thread ticket tickets trace traceback transcript tweet tweets
words yaml
""")
POINTER = re.compile(
    r"\b(?:(?:this|these|the\s+following|following)\s+(?:[\w'’-]+\s+){0,3}?([\w'’]+)|(?:below|pasted|underneath|hereunder|as\s+follows)\b"
    r"|at\s+the\s+(?:end|bottom)\b)",
    re.IGNORECASE,
)
LIST_POINTER = re.compile(r"\b(?:these|following|below|listed|(?:the|this|my|our)\s+(?:list|items|notes|points|bullets))\b", re.IGNORECASE)
OBJECTLESS = words("in into to for as please concisely briefly below using with . :")
PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
OPENING = 200
CLOSING = 300


def announces_input(masked: str, start: int, end: int) -> bool:
    """Whether a paragraph points at a text that is given, or has a verb that works on texts and no object."""
    for match in POINTER.finditer(masked, max(start, end - CLOSING), end):
        if match[1] is None or match[1].lower() in GIVEN_NOUNS:
            return True
    head = read_head(masked, max(start, masked.rfind("\n", start, end) + 1), end)
    return head.verb in TEXT_VERBS and head.after in OBJECTLESS


def given_paragraphs(masked: str) -> list[tuple[int, int]]:
    """Paragraphs after one that announces them, up to one that opens with a request of its own."""
    found = []
    start, announced = 0, False
    for match in [*PARAGRAPH.finditer(masked), None]:
        end = match.start() if match else len(masked)
        head = read_head(masked, start, min(end, start + OPENING)) if announced else None
        if head is not None and head.kind is Kind.STATEMENT:
            found.append((start, end))
        else:
            announced = announces_input(masked, start, end)
        start = match.end() if match else end
    return found


def points_at_list(masked: str, start: int, end: int) -> bool:
    """Whether a sentence works on a list that is given."""
    return LIST_POINTER.search(masked, max(start, end - CLOSING), end) is not None
