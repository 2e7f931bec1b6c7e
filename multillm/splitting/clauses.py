"""The clauses of a prompt, and what each shows of itself."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

from multillm.splitting.cutting import Stretch
from multillm.splitting.facts import Fact
from multillm.splitting.heads import Head, Kind, read_head
from multillm.splitting.lexicon import DELIVERABLES, words
from multillm.splitting.pieces import NOTHING, Piece, Text, occurring
from multillm.splitting.verbs import verb_classes

__all__ = ["Clause"]

OPENING = 8
NO_WORDS = ("", "", "")
BACKWARD = words("""
it its them their that this those these your which whichever whatever one ones same both each former latter
""")
FINITE = words("""
is are was were am has have had does did isn't aren't wasn't can could will would should must may might goes comes says
said went got gets
""")
SIZES = (*range(6), *(5 + count // 6 for count in range(6, 31)))


class Clause:
    """A clause of a masked prompt.

    Parameters
    ----------
    masked : str
        Prompt with what is protected overwritten.
    text : Text
        Its pieces.
    stretch : Stretch
        Where the clause stands.
    before : Piece
        The piece before it.

    Attributes
    ----------
    start, end : int
        Where it stands, in characters.
    joint : str
        What stands before it.
    item : bool
        Whether it opens an item of a list.
    head : Head
        How it opens.
    kind : str
        What it does, as `Kind`.
    classes : tuple of str
        What kinds of verb open it.
    opening : list of Piece
        Its first pieces, from its head on.
    told : list of str
        Their texts.
    finite, fragment : bool
        Whether a finite verb is among them, and whether the clause is a statement that seems to have none.
    first : Piece
        The first of them.
    asks : bool
        Whether a question mark closes it.
    size : int
        How long it is, in steps that grow.
    """

    def __init__(self, masked: str, text: Text, stretch: Stretch, before: Piece) -> None:
        pieces, ends = text
        first, begin, last, self.joint = stretch
        self.start = text.start(first)
        self.end = ends[last - 1] if last < len(pieces) else len(masked)
        self.item = stretch.item
        self.before = before
        self.head: Head = read_head(masked, text.start(begin) if self.item else self.start, self.end)
        self.kind = self.head.kind.value
        self.classes = verb_classes(self.head)
        at = min(bisect_right(ends, self.head.start, begin), last)
        self.lead = pieces[begin].text if begin < at else ""
        self.opening = pieces[at : min(last, at + OPENING)]
        self.first = self.opening[0] if at < last else NOTHING
        self.size = SIZES[min(last - at, len(SIZES) - 1)]
        self.asks = "?" in pieces[last - 1].text or (last - begin > 1 and "?" in pieces[last - 2].text)
        self.told = [piece.text for piece in self.opening]
        self.finite = not FINITE.isdisjoint(self.told)
        self.fragment = (
            not self.finite
            and self.kind == Kind.STATEMENT
            and all(piece.kind != "person" for piece in self.opening[:3])
        )

    @cached_property
    def back(self) -> bool:
        """Whether one of its first words, but for the very first, may stand for something named before."""
        return not BACKWARD.isdisjoint(self.told[1:])

    def words(self) -> list[Fact]:
        """The words that it opens with."""
        told = self.told
        return [
            ("words", *told[:3], *NO_WORDS[len(told) :]),
            ("lead", self.lead or self.first.text, self.joint),
            ("verb", self.head.verb, self.back, self.joint),
            *occurring(self.opening[1:]),
        ]

    def facts(self) -> list[Fact]:
        """What else it shows, whatever stands around it."""
        kind, joint, item = self.kind, self.joint, self.item
        first, second, third, *_ = *self.opening, NOTHING, NOTHING, NOTHING
        deliverable = not DELIVERABLES.isdisjoint(self.told)
        return [
            ("kind", kind, joint, bool(self.lead), self.asks, item),
            ("kinds", first.kind, second.kind, third.kind),
            ("finite", self.finite, deliverable, joint, item),
            ("before", self.before.text, joint, first.kind),
        ]
