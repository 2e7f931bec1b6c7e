"""What speaks for and against a request's need of an earlier one: words of the two that point back or agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache

from multillm.splitting.facts import Fact
from multillm.splitting.heads import Head
from multillm.splitting.lexicon import FUNCTION_WORDS, PREPOSITIONS, words
from multillm.splitting.pieces import LINE, PARAGRAPH, Piece
from multillm.splitting.verbs import verb_classes

__all__ = ["Evidence"]

POINTERS = words("the that this these those your its their each both all every it them his her our my any")
NO_CONTENT = FUNCTION_WORDS | PREPOSITIONS | POINTERS
MOST_WORDS = 24
TOLD = 15
POINTING = 18
PHRASE = 3
FEW = 3
MANY = 6
SHORT = 4
STEM = 5
STEPS = 8
OPENING = 8
SIZES = 4
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
    words : list of str
        Its first words.
    content, stems : set of str
        The longer of them, in the singular, but for those that only build sentences, and their beginnings.
    pointers : list of (str, list of str)
        Words that may point at something known, each with the words after it.
    """

    def __init__(self, head: Head, pieces: Iterable[Piece], joint: Sequence[Piece]) -> None:
        self.head = head
        self.classes = verb_classes(head)
        self.words = [piece.text for piece in pieces if piece.word][:MOST_WORDS]
        self.content = {_singular(word) for word in self.words if len(word) >= SHORT and word not in NO_CONTENT}
        self.stems = {word[:STEM] for word in self.content}
        self.pointers = list(_pointers(self.words[: POINTING + PHRASE]))
        self.joint = joint

    @cached_property
    def as_earlier(self) -> list[Fact]:
        """What it shows of being needed by another, whichever that is."""
        return [("earlier has", word) for word in dict.fromkeys(self.words[:OPENING])]

    def as_later(self) -> list[Fact]:
        """What it shows of needing another, whichever that is."""
        _, second, third, *_ = *self.words, "", "", ""
        kind = self.head.kind.value
        gap = max((piece.gap for piece in self.joint), default=0)
        return [
            ("verb", self.head.verb, second, third),
            ("kind", kind, self.words[0] if self.words else ""),
            ("length", min(len(self.words) // 2, STEPS), kind),
            ("apart", gap >= LINE, gap == PARAGRAPH, kind),
            ("pointing", bool(self.pointers), self.classes[0]),
            *[("has", word) for word in dict.fromkeys(self.words[1:TOLD])],
            *[("joined", word) for word in dict.fromkeys(piece.text for piece in self.joint)],
        ]

    def with_each(self, before: Sequence[Evidence]) -> list[list[Fact]]:
        """What it and each of the few requests before it show together."""
        shared = [sum(word[:STEM] in earlier.stems for word in self.content) for earlier in before]
        return [self._with(before, place, shared) for place in range(len(before))]

    def _with(self, before: Sequence[Evidence], place: int, shared: Sequence[int]) -> list[Fact]:
        """What it shows together with one of those before it, given how many words it shares with each."""
        earlier, between = before[place], before[place + 1 :]
        far = bool(between)
        other = self.content - earlier.content
        alike = [word for word in other if word[:STEM] in earlier.stems]
        pointed = [(word, _where(phrase, earlier, between)) for word, phrase in self.pointers]
        return [
            ("left", earlier.classes[0], self.classes[0]),
            ("verbs", earlier.head.verb, self.head.verb),
            ("alike", min(len(alike), FEW), far),
            ("new", min(len(other) - len(alike), MANY), far),
            ("both point", bool(earlier.pointers), bool(self.pointers), far),
            ("nearer", min(sum(each > shared[place] for each in shared), MOST_NEARER), min(shared[place], FEW)),
            ("only", shared[place] > 0 and sum(map(bool, shared)) == 1),
            ("sizes", min(len(earlier.words) // 4, SIZES), min(len(self.words) // 4, SIZES)),
            *earlier.as_earlier,
            *[("points", where, word, far) for word, where in pointed],
            *[("points at", name, word, where) for word, where in pointed for name in earlier.classes],
        ]


def _pointers(told: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    for place, word in enumerate(told[:POINTING]):
        if word in POINTERS:
            yield word, [noun for noun in told[place + 1 : place + 1 + PHRASE] if noun not in POINTERS]


def _where(phrase: Sequence[str], earlier: Evidence, between: Sequence[Evidence]) -> str:
    """Where the nouns after a pointer were named: in the earlier request, in one between, or in neither."""
    if not phrase:
        return "bare"
    if _names(earlier, phrase):
        return "here"
    return "between" if any(_names(other, phrase) for other in between) else "new"


def _names(request: Evidence, phrase: Sequence[str]) -> bool:
    longer = [_singular(noun) for noun in phrase if len(noun) >= SHORT]
    return any(noun in request.content or noun[:STEM] in request.stems for noun in longer)


@lru_cache(maxsize=10_000)
def _singular(word: str) -> str:
    """A noun in the singular, by its ending."""
    word = word.removesuffix("'s").removesuffix("’s")
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word if word.endswith(("ss", "is", "us")) else word.removesuffix("s")
