"""What speaks for and against a request's need of an earlier one: words of the two that point back or agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from multillm.splitting.facts import Fact
from multillm.splitting.heads import Head
from multillm.splitting.pieces import POINTERS, Piece, occurring
from multillm.splitting.verbs import verb_classes

__all__ = ["Evidence"]

MOST_WORDS = 24
TOLD = 15
POINTING = 18
PHRASE = 3
FEW = 3
MANY = 6
STEPS = 8
OPENING = 8
MOST_NEARER = 2


class Evidence:
    """A request as the others of its prompt see it.

    Parameters
    ----------
    head : Head
        How it opens.
    pieces : sequence of Piece
        Its pieces, from its head on.
    joint : sequence of Piece
        Those between it and the request before; none if it is the first.

    Attributes
    ----------
    classes : tuple of str
        What kinds of verb open it.
    told : list of Piece
        Its first words.
    words : list of str
        Their texts.
    stems : set of str
        How those that say something begin, in the singular.
    pointers : list of (str, list of str)
        Words that may point at something known, each with how the words after it begin.
    named : list of str
        How the first word after each pointer begins, if it says something.
    """

    def __init__(self, head: Head, pieces: Iterable[Piece], joint: Sequence[Piece]) -> None:
        self.head = head
        self.classes = verb_classes(head)
        self.told = told = [piece for piece in pieces if piece.word][:MOST_WORDS]
        self.words = [piece.text for piece in told]
        self.stems = {piece.stem for piece in told if piece.stem}
        self.pointers = [
            (piece.text, [noun.stem for noun in told[place : place + PHRASE] if noun.stem])
            for place, piece in enumerate(told[:POINTING], 1)
            if piece.text in POINTERS
        ]
        self.named = list(dict.fromkeys([noun for _, nouns in self.pointers for noun in nouns[:1]]))
        self.joint = joint

    @cached_property
    def as_earlier(self) -> list[Fact]:
        """What it shows of being needed by another, whichever that is."""
        return [("earlier has", word) for word in dict.fromkeys(self.words[:OPENING])]

    def as_later(self) -> list[Fact]:
        """What it shows of needing another, whichever that is."""
        _, second, third, *_ = *self.words, "", "", ""
        return [
            ("verb", self.head.verb, second, third),
            ("length", min(len(self.words) // 2, STEPS), self.head.kind.value),
            *occurring(self.told[1:TOLD]),
            *[("joined", word) for word in dict.fromkeys(piece.text for piece in self.joint)],
        ]

    def with_each(self, before: Sequence[Evidence]) -> list[list[Fact]]:
        """What it and each of the few requests before it show together."""
        shared = [len(self.stems & earlier.stems) for earlier in before]
        return [self._with(before, place, shared) for place in range(len(before))]

    def _with(self, before: Sequence[Evidence], place: int, shared: Sequence[int]) -> list[Fact]:
        """What it shows together with one of those before it, given how many words it shares with each."""
        earlier, between = before[place], before[place + 1 :]
        far = bool(between)
        new = len(self.stems) - shared[place]
        pointed = dict.fromkeys([(word, _where(nouns, earlier, between)) for word, nouns in self.pointers])
        return [
            ("verbs", earlier.head.verb, self.head.verb),
            ("new", min(new, MANY), far),
            ("both point", bool(earlier.pointers), bool(self.pointers), far),
            ("nearer", min(sum(each > shared[place] for each in shared), MOST_NEARER), min(shared[place], FEW)),
            ("only", shared[place] > 0 and sum(map(bool, shared)) == 1),
            *earlier.as_earlier,
            *[("named", noun, earlier.head.verb) for noun in self.named],
            *[("named by", f"{name} {noun}", far) for noun in self.named for name in earlier.classes],
            *[("points", word, where, far) for word, where in pointed],
            *[("points at", f"{name} {word}", where) for word, where in pointed for name in earlier.classes],
        ]


def _where(nouns: Sequence[str], earlier: Evidence, between: Sequence[Evidence]) -> str:
    """Where the nouns after a pointer were named: in the earlier request, in one between, or in neither."""
    if not nouns:
        return "bare"
    if not earlier.stems.isdisjoint(nouns):
        return "here"
    return "new" if all(other.stems.isdisjoint(nouns) for other in between) else "between"
