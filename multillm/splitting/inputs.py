"""Which paragraphs and lines of a prompt are given to be worked on, although nothing encloses them."""

from __future__ import annotations

import re

from multillm.splitting.base import FILLER
from multillm.splitting.heads import Kind, read_head
from multillm.splitting.lexicon import TEXT_VERBS, words

__all__ = ["GIVEN_NOUNS", "announces_input", "given_paragraphs"]

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
    r"""\b(?:
        (?:this|these|the\s+following|following)\s+(?:[\w'’-]+\s+){0,3}?([\w'’]+)  # "Shorten this rather long email"
        | (?:below|pasted|underneath|hereunder|as\s+follows)\b                     # "Shorten what is pasted"
        | at\s+the\s+(?:end|bottom)\b                                              # "Shorten the text at the bottom"
    )""",
    re.IGNORECASE | re.VERBOSE,
)
ABOVE = re.compile(r"\b(?:the\s+above(?:\s+([\w'’]+))?|([\w'’]+)\s+above)\b", re.IGNORECASE)
OBJECTLESS = words("in into to for as please concisely briefly below using with . :")
PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
SENTENCE_END = re.compile(r"[.?!]\s")
WORDING = re.compile(
    r"""\b(?:
        tone | style | wording | language | grammar | spelling | punctuation  # "Correct the spelling"
        | (?:this|these|the\s+following)(?:\s+[\w'’-]+){0,3}                  # "Shorten this text a little"
    )\b
    (?!\s+(?:plan|code|function))                                             # but not "Check this plan"
    """,
    re.IGNORECASE | re.VERBOSE,
)
BELOW = re.compile(r"\b(?:below|the\s+following|pasted|underneath)\b", re.IGNORECASE)
SHORTENING = re.compile(
    r"""\b(?:
        gist | summary | tl;?dr | translation  # "Gist in two lines"
        | (?:key|main)\s+(?:points?|ideas?)    # "Main points, please"
        | takeaways?                           # "Takeaways?"
    )\b
    (?!\s+(?:of|from|for)\b)                   # but not "Summary of the French Revolution"
    [^.:?!\n]{0,40}\W*\Z""",
    re.IGNORECASE | re.VERBOSE,
)
FEWEST_SENTENCES = 2
OPENING = 200
CLOSING = 300


def announces_input(masked: str, start: int, end: int) -> bool:
    """Whether a paragraph points at a text that is given, or has a verb that works on texts and no object."""
    for match in POINTER.finditer(masked, max(start, end - CLOSING), end):
        if match[1] is None or match[1].lower() in GIVEN_NOUNS:
            return True
    line = max(start, masked.rfind("\n", start, end) + 1)
    if SHORTENING.search(masked, line, min(end, line + CLOSING)):
        return True
    head = read_head(masked, line, end)
    return head.verb in TEXT_VERBS and head.after in OBJECTLESS


def given_paragraphs(masked: str) -> list[tuple[int, int]]:
    """Paragraphs after one that announces them, up to one that opens with a request of its own.

    If the last paragraph works on "the text above", all before it.
    """
    found: list[tuple[int, int]] = []
    if masked.count("\n\n") == 1 and (only := _only_input(masked)):
        return [only]
    start, announced = 0, False
    for match in PARAGRAPH.finditer(masked):
        announced = _add_input(masked, start, match.start(), announced, found)
        start = match.end()
    if start and _works_on_above(masked, start):
        return [(0, start)]
    _add_input(masked, start, len(masked), announced, found)
    return found


def _add_input(masked: str, start: int, end: int, announced: bool, found: list[tuple[int, int]]) -> bool:
    """Note what of a paragraph is given, and tell whether the next one may be."""
    if announced and _states(masked, start, end):
        found.append((start, end))
        return True
    line = masked.find("\n", start, end) + 1
    opens = 0 < line < end and masked[line].isupper()
    if opens and announces_input(masked, start, line - 1) and _states(masked, line, end):
        found.append((line, end))
        return True
    return announces_input(masked, start, end)


def _only_input(masked: str) -> tuple[int, int] | None:
    """The second of two paragraphs, if the first wants a text to work on and nothing else can be it."""
    match = PARAGRAPH.search(masked)
    if match is None or FILLER in masked or not _asks_for_text(masked, match.start()):
        return None
    first = read_head(masked, match.end(), len(masked))
    if first.start > match.end() or len(SENTENCE_END.findall(masked, match.end())) < FEWEST_SENTENCES:
        return None
    return match.end(), len(masked)


def _asks_for_text(masked: str, end: int) -> bool:
    """Whether a first paragraph points at a text below it, or is one sentence that works on a text."""
    if BELOW.search(masked, max(0, end - CLOSING), end):
        return True
    head = read_head(masked, 0, end)
    if head.verb not in TEXT_VERBS or SENTENCE_END.search(masked, 0, end):
        return False
    return head.after in OBJECTLESS or WORDING.search(masked, 0, end) is not None


def _states(masked: str, start: int, end: int) -> bool:
    return read_head(masked, start, min(end, start + OPENING)).kind in (Kind.STATEMENT, Kind.CONSTRAINT)


def _works_on_above(masked: str, start: int) -> bool:
    """Whether a last paragraph opens with a request that works on the text above it."""
    head = read_head(masked, start, len(masked))
    if head.kind not in (Kind.REQUEST, Kind.QUESTION):
        return False
    above = ABOVE.search(masked, start, start + OPENING)
    if above is None:
        return False
    noun = (above[1] or above[2] or "").lower()
    return noun in GIVEN_NOUNS or (above[2] is None and head.verb in TEXT_VERBS)
