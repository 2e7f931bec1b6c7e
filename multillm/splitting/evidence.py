"""What speaks for and against a request's need of an earlier one: readable features of the two."""

from __future__ import annotations

import re
from collections.abc import Iterator

from multillm.splitting.dependencies import SIGNS, points_back, writes_up
from multillm.splitting.heads import Kind
from multillm.splitting.lexicon import (
    CHANGING_VERBS,
    JUDGING_VERBS,
    MAKING_VERBS,
    MEASURING_VERBS,
    REPAIRING_VERBS,
    STEP_VERBS,
    TELLING_VERBS,
    TEXT_VERBS,
    WH_WORDS,
    words,
)
from multillm.splitting.nouns import PREPOSITIONS
from multillm.splitting.readings import STEM, Reading

__all__ = ["Evidence"]

CLASSES = {
    "making": MAKING_VERBS,
    "changing": CHANGING_VERBS,
    "telling": TELLING_VERBS,
    "judging": JUDGING_VERBS,
    "measuring": MEASURING_VERBS,
    "repairing": REPAIRING_VERBS,
    "text": TEXT_VERBS,
    "step": STEP_VERBS,
}
TOLD_WORDS = words("""
it its them their they this that these those each every both all any a an the you your same one ones per which such
another other new result results so based from for with into on if accordingly her him everything whole version
""")
MARKER = re.compile(r"\b(?:then|after|afterwards|once|finally|also|and|plus)\b|[;.?\n,→]", re.IGNORECASE)
COLLECTIVE = re.compile(
    r"\b(?:everything|it\s+all|all\s+(?:of\s+)?(?:this|that|it|these|those|them)|the\s+(?:whole|lot)|your\s+answers)\b"
)
DEMONSTRATIVE = re.compile(
    r"(?:\b(?:of|for|from|to|in|on|with|by|about|at|into|as|using|around|against)|\A\w+)\s+(?:that|this)\s+[a-z]"
    r"|\b(?:those|these)\s+[a-z]"
)
LENGTHS = ((3, "tiny"), (5, "short"), (9, "middling"))
FAR = 3
MOST_SHARED = 3


class Evidence:
    """What a request shows of needing others and of being needed.

    Parameters
    ----------
    reading : Reading
        The request.
    joint : str
        What stands between it and the one before.

    Attributes
    ----------
    reading : Reading
        The request.
    as_later, as_earlier : list of str
        Features that hold whatever the other request is.
    """

    def __init__(self, reading: Reading, joint: str) -> None:
        self.reading = reading
        self.classes = _classes(reading)
        self.how = _how(reading)
        self.as_later = list(_of_later(reading, self.classes, joint))
        self.as_earlier = [f"leaves {reading.leaves.name.lower()}", *(f"left class {name}" for name in self.classes)]

    def with_earlier(self, earlier: Evidence, distance: int, *, near: bool, new: bool, pointed: str) -> Iterator[str]:
        """Features of this request and an earlier one together.

        Parameters
        ----------
        earlier : Evidence
            The earlier one.
        distance : int
            How many places lie between them, 1 for neighbours.
        near : bool
            Whether no request between them leaves anything behind.
        new : bool
            Whether this one points at a noun that no request before it has.
        pointed : str
            Where the rules take this one to point: "here", "elsewhere" or "nowhere".
        """
        place = "near" if near else "far"
        yield f"distance {min(distance, FAR)}"
        yield f"place {place}"
        yield f"rules {pointed}"
        yield f"{self.how} to {earlier.reading.leaves.name.lower()}"
        yield f"{self.how} {place}"
        for one in earlier.classes:
            for other in self.classes:
                yield f"{one} then {other}"
        if new:
            yield f"names new {place}"
        yield from _shared(earlier.reading, self.reading)


def _classes(reading: Reading) -> list[str]:
    if reading.head.kind is Kind.QUESTION:
        return ["asking"]
    return [name for name, verbs in CLASSES.items() if reading.head.verb in verbs] or ["other"]


def _how(reading: Reading) -> str:
    """How a request may point back."""
    if COLLECTIVE.search(reading.text):
        return "collective"
    if DEMONSTRATIVE.search(reading.text):
        return "demonstrative"
    if points_back(reading.tokens, reading.head.verb in JUDGING_VERBS):
        return "pronoun"
    return "definite" if reading.named else "bare"


def _of_later(reading: Reading, classes: list[str], joint: str) -> Iterator[str]:
    tokens = reading.tokens
    yield f"verb {reading.head.verb}"
    yield f"object {_object(tokens)}"
    for name in classes:
        yield f"class {name}"
    for word in TOLD_WORDS.intersection(tokens[1:]):
        yield f"word {word}"
    for name, sign in SIGNS.items():
        if sign.stands_in(reading):
            yield f"sign {name}"
    if writes_up(reading):
        yield "sign writing up"
    yield next((f"length {name}" for most, name in LENGTHS if len(tokens) < most), "length long")
    marker = MARKER.search(joint)
    yield f"joint {marker[0].lower()}" if marker else "joint none"


def _object(tokens: list[str]) -> str:
    following = tokens[1] if len(tokens) > 1 else ""
    if not following[:1].isalnum():
        return "none"
    if following in TOLD_WORDS:
        return following
    if following in PREPOSITIONS:
        return "prepositional"
    return "clause" if following in WH_WORDS else "bare"


def _shared(earlier: Reading, later: Reading) -> Iterator[str]:
    """What the words of two requests have in common."""
    if later.named:
        if earlier.stands_for(later.named, later):
            yield "names product"
        if not later.named.isdisjoint(earlier.content):
            yield "names shared"
    shared = len(earlier.content & later.content)
    if shared:
        yield f"shares {min(shared, MOST_SHARED)}"
    if not earlier.stems.isdisjoint(noun[:STEM] for noun in later.content - earlier.content):
        yield "shares stem"
