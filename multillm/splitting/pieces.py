"""A masked prompt as words and marks, each with what is known of it wherever it stands."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from multillm.splitting.base import FILLER, ITEM_NOUN, ITEM_ORDINAL
from multillm.splitting.lexicon import (
    AUXILIARIES,
    CONSTRAINT_VERBS,
    DELIVERABLES,
    DETERMINERS,
    FUNCTION_WORDS,
    PREPOSITIONS,
    REQUEST_VERBS,
    STEP_VERBS,
    WH_WORDS,
    words,
)

__all__ = ["CONJUNCTIONS", "LINE", "NOTHING", "PARAGRAPH", "POINTERS", "Piece", "Text", "occurring", "read"]

PIECE = re.compile(
    rf"\s{{0,40}}(?:[^\W_][\w'’-]{{0,40}}|[-=]>|<-|>>|--|[.…?!]{{1,40}}|{FILLER}{{1,400}}|[^\s\w]|_)|\s{{1,40}}"
)
LINE, PARAGRAPH = 2, 3
REMEMBERED = 50_000
CLASSES: Sequence[tuple[str, frozenset[str]]] = (
    ("wh", WH_WORDS),
    ("auxiliary", AUXILIARIES),
    ("person", words("i we he she they it you there")),
    ("request", REQUEST_VERBS),
    ("step", STEP_VERBS),
    ("constraint", CONSTRAINT_VERBS),
    ("deliverable", DELIVERABLES),
    ("determiner", DETERMINERS),
    ("preposition", PREPOSITIONS),
    ("function", FUNCTION_WORDS),
)
CLASS_OF: Mapping[str, str] = {word: name for name, members in reversed(CLASSES) for word in members}
ENDINGS = ("ing", "ed", "ly", "s")
POINTERS = words("the that this these those your its their each both all every it them his her our my any")
NO_CONTENT = FUNCTION_WORDS | PREPOSITIONS | POINTERS
SHORT = 4
STEM = 5
COUNTING = words("b c d e f g h ii iii iv v vi vii viii")
ITEM_BEGINS = re.compile(rf"\W|\d{{1,2}}|[a-z]|[ivx]{{2,4}}|{ITEM_ORDINAL}|(?:{ITEM_NOUN})(?:\d{{1,2}}|[a-h])?")
CONJUNCTIONS = words("and then plus also but so or as after followed along together")
MARKS = {";": "semicolon", ":": "colon", ",": "comma", "—": "dash"}
DASHES = frozenset("-–+&/|→←>") | {"->", "=>", "<-", ">>", "--"}
TIGHT = frozenset(";—")


class Piece(NamedTuple):
    """A word or a mark, the white space before it included.

    Attributes
    ----------
    text : str
        Lower-cased, without the white space.
    white : int
        Characters of white space before it.
    gap : int
        What they are: 0 for none, 1, `LINE` or `PARAGRAPH`.
    kind : str
        Class of the word or the mark.
    mark : str
        The joint that it may make with what follows: "stop", "comma" and so on.
    tight : bool
        Whether it makes one without white space after it.
    full : bool
        Whether a clause may consist of it: a word or something protected.
    word : bool
        Whether it is one.
    has : str
        The feature of a text that it occurs in.
    stem : str
        How the singular of a longer word begins; empty for those that only build sentences.
    counts : bool
        Whether it may number an item of a list.
    itemises : bool
        Whether the mark of an item may begin with it.
    notable : bool
        Whether a clause may end or begin at it.
    """

    text: str
    white: int
    gap: int
    kind: str
    mark: str
    tight: bool
    full: bool
    word: bool
    has: str
    stem: str
    counts: bool
    itemises: bool
    notable: bool


class Text(NamedTuple):
    """The pieces of a text and where each ends, in characters."""

    pieces: list[Piece]
    ends: list[int]

    def start(self, place: int) -> int:
        """Where a piece begins, in characters, the white space before it left out."""
        return (self.ends[place - 1] if place else 0) + self.pieces[place].white

    def within(self, start: int, end: int) -> list[Piece]:
        """The pieces that end after one place and begin before another, in characters."""
        first = bisect_right(self.ends, start)
        return self.pieces[first : bisect_left(self.ends, end, first) + 1]


def read(masked: str) -> Text:
    """A text cut into pieces; none is longer than 400 characters."""
    raw = PIECE.findall(masked)
    return Text(list(map(_piece, raw)), list(accumulate(map(len, raw))))


def occurring(pieces: Iterable[Piece]) -> Iterable[str]:
    """The features of a text that some pieces occur in, each once."""
    return dict.fromkeys([piece.has for piece in pieces])


@lru_cache(maxsize=REMEMBERED)
def _piece(raw: str) -> Piece:
    text = raw.strip().lower()
    white = len(raw) - len(raw.lstrip())
    gap = _gap(raw[:white])
    mark = _mark(text, gap)
    word = text[:1].isalnum()
    stem = _singular(text)[:STEM] if word and len(text) >= SHORT and text not in NO_CONTENT else ""
    counts = text.isdigit() or text in COUNTING
    return Piece(
        text=text,
        white=white,
        gap=gap,
        kind=_kind(text),
        mark=mark,
        tight=text in TIGHT or (mark == "stop" and text.startswith("..")),
        full=word or text[:1] == FILLER,
        word=word,
        has=f"has {text}",
        stem=stem,
        counts=counts,
        itemises=ITEM_BEGINS.fullmatch(text) is not None,
        notable=bool(mark) or gap >= LINE or text == "(" or counts or text in CONJUNCTIONS,
    )


def _gap(white: str) -> int:
    lines = white.count("\n")
    return min(lines + 1, PARAGRAPH) if white else 0


def _mark(text: str, gap: int) -> str:
    if text[:1] and text[0] in ".…?!":
        return "stop"
    return "dash" if gap and text in DASHES else MARKS.get(text, "")


def _kind(word: str) -> str:
    if not word:
        return "none"
    if found := CLASS_OF.get(word):
        return found
    if word[0] == FILLER:
        return "protected"
    if not word[0].isalpha():
        return "number" if word[0].isdigit() else "mark"
    return next((ending for ending in ENDINGS if word.endswith(ending)), "word")


def _singular(word: str) -> str:
    """A noun in the singular, by its ending."""
    word = word.removesuffix("'s").removesuffix("’s")
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word if word.endswith(("ss", "is", "us")) else word.removesuffix("s")


NOTHING = _piece("")
"""What stands where there is no further piece."""
