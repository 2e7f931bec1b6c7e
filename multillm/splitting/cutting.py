"""A masked prompt cut wherever a new request could begin."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from multillm.splitting.base import ITEM_MARK, ITEM_NOUN, ITEM_ORDINAL
from multillm.splitting.lexicon import words
from multillm.splitting.pieces import CONJUNCTIONS, LINE, NOTHING, PARAGRAPH, Piece, Text

__all__ = ["Stretch", "cut"]

ITEM = re.compile(
    rf"(?:{ITEM_MARK}|\#+|\[[ x]?\]|(?:{ITEM_ORDINAL})[:,)]"
    rf"|(?:{ITEM_NOUN})\.?\s*(?:\d{{1,2}}|[a-h]|one|two|three|four|five)[.:)])\s+",
    re.IGNORECASE,
)
LINE_JOINTS = frozenset(["begin", "paragraph", "line", "colon", "number"])
ITEM_JOINTS = LINE_JOINTS | {"stop"}
LONGER: Mapping[str, tuple[str, ...]] = {
    "as": ("well", "as"), "after": ("that",), "followed": ("by",), "along": ("with",), "together": ("with",)
}  # fmt: skip
ABBREVIATIONS = words("vs etc dr mr mrs ms prof no fig eq approx cf pp st inc ltd al")
LANGUAGES = words("in to for with of")
NO_INITIALS = frozenset("ai")
CLOSERS = frozenset("\"')]”’")
ASIDE = 80
FULL = attrgetter("full")


class Stretch(NamedTuple):
    """Where a clause stands.

    Attributes
    ----------
    first, begin, last : int
        Its first piece, the first one after the mark of an item, and the one after its last.
    joint : str
        What stands before it: "begin", "stop", "comma" and so on.
    """

    first: int
    begin: int
    last: int
    joint: str

    @property
    def item(self) -> bool:
        """Whether it opens an item of a list."""
        return self.begin > self.first


def cut(masked: str, text: Text) -> list[Stretch]:
    """The clauses of a masked prompt, in order, bare marks between them left out.

    Parameters
    ----------
    masked : str
        Prompt with what is protected overwritten.
    text : Text
        Its pieces.
    """
    cutter = _Cutter(masked, text)
    for place in [place for place, piece in enumerate(text.pieces) if piece.notable]:
        if place >= cutter.resume:
            cutter.look_at(place)
    cutter.cut(len(text.pieces), len(text.pieces), "end")
    return cutter.found


class _Cutter:
    """Goes through the places where a clause may end."""

    def __init__(self, masked: str, text: Text) -> None:
        self.masked, self.text = masked, text
        self.pieces, self.ends = text
        self.found: list[Stretch] = []
        self.joint = "begin"
        self.resume = 0
        self._begin(0, self.joint)

    def _begin(self, place: int, joint: str) -> None:
        """Begin a clause, after the mark of an item if it has one."""
        self.first = self.begin = place
        if (
            joint in ITEM_JOINTS
            and place < len(self.ends)
            and self.pieces[place].itemises
            and (item := ITEM.match(self.masked, self.text.start(place)))
        ):
            self.begin = bisect_right(self.ends, item.end(), place)
            self.resume = max(self.resume, self.begin)

    def cut(self, last: int, place: int, joint: str) -> None:
        """End a clause before one place and begin the next at another; what holds no word is passed over."""
        if any(map(FULL, self.pieces[self.begin : last])):
            self.found.append(Stretch(self.first, self.begin, last, self.joint))
            self.joint = joint
        elif joint in LINE_JOINTS and self.joint != "begin":
            self.joint = joint
        self._begin(place, joint)

    def look_at(self, place: int) -> None:
        """End a clause before or after a piece, if it makes a joint."""
        piece = self.pieces[place]
        if place and (joint := _joint_before(self.pieces, place)):
            self.cut(place, place, joint)
            if place < self.begin:
                return
        if piece.text == "(" and piece.gap:
            self.resume = _end_of_aside(self.pieces, place)
        elif piece.mark and not (piece.text == "." and _is_abbreviated(self.pieces, place)):
            following = place + 1
            while following < len(self.pieces) and _closes(self.pieces[following]):
                following += 1
            begun = self.pieces[following] if following < len(self.pieces) else NOTHING
            if 0 < begun.gap < LINE or (begun.text and not begun.gap and piece.tight):
                self.cut(following if piece.mark == "stop" else place, following, piece.mark)


def _joint_before(pieces: Sequence[Piece], place: int) -> str:
    """What a piece joins to what stands before it; a line may break before a conjunction as before any word."""
    piece = pieces[place]
    joins = piece.text in CONJUNCTIONS and _follow(pieces, place, LONGER.get(piece.text, ()))
    if piece.gap >= LINE and not (joins and piece.gap == LINE and not pieces[place - 1].mark):
        return "paragraph" if piece.gap == PARAGRAPH else "line"
    if not piece.gap or piece.mark:
        return ""
    if piece.text in CONJUNCTIONS:
        return "conjunction" if joins else ""
    number = place + (piece.text == "(")
    return "number" if _counts(pieces[number : number + 3]) else ""


def _follow(pieces: Sequence[Piece], place: int, longer: Sequence[str]) -> bool:
    return [piece.text for piece in pieces[place + 1 : place + 1 + len(longer)]] == list(longer)


def _counts(pieces: Sequence[Piece]) -> bool:
    """Whether "1)" or "b)" and a word follow."""
    if len(pieces) < 3:
        return False
    number, bracket, word = pieces
    return number.counts and bracket.text == ")" and word.word and word.gap > 0


def _closes(piece: Piece) -> bool:
    return not piece.gap and piece.text in CLOSERS


def _is_abbreviated(pieces: Sequence[Piece], place: int) -> bool:
    """Whether a full stop closes an abbreviation or an initial rather than a sentence."""
    word = pieces[place - 1].text if place else ""
    if len(word) == 1 and word.isalpha() and word not in NO_INITIALS:
        return place < 2 or pieces[place - 2].text not in LANGUAGES
    return word in ABBREVIATIONS


def _end_of_aside(pieces: Sequence[Piece], place: int) -> int:
    """The place after a bracket that closes on the same line, or the next one if none does."""
    for at in range(place + 1, min(place + ASIDE, len(pieces))):
        if pieces[at].text == ")":
            return at + 1
        if pieces[at].text == "(" or pieces[at].gap >= LINE:
            break
    return place + 1
