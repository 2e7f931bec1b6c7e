"""What speaks for and against a request's need of an earlier one: readable features of the two."""

from __future__ import annotations

import re

from multillm.splitting.dependencies import SIGNS, Sign, points_back, writes_up
from multillm.splitting.lexicon import JUDGING_VERBS, WH_WORDS, words
from multillm.splitting.nouns import NOUN_ENDS, PREPOSITIONS, singular
from multillm.splitting.readings import Reading
from multillm.splitting.verbs import verb_classes

__all__ = ["Evidence"]

TOLD_WORDS = words("""
it its them their they this that these those each every both all any a an the you your same one ones per which such
another other new result results so based from for with into on if accordingly her him everything whole version
""")
MARKER = re.compile(r"\b(?:then|after|afterwards|once|finally|also|and|plus)\b|[;.?\n,→]", re.IGNORECASE)
COLLECTIVE = Sign(
    words("everything all whole lot answers"),
    re.compile(
        r"\b(?:everything|it\s+all|all\s+(?:of\s+)?(?:this|that|it|these|those|them)|the\s+(?:whole|lot)|your\s+answers)\b"
    ),
)
DEMONSTRATIVE = Sign(
    words("that this those these"),
    re.compile(
        r"(?:\b(?:of|for|from|to|in|on|with|by|about|at|into|as|using|around|against)|\A\w+)\s+(?:that|this)\s+[a-z]"
        r"|\b(?:those|these)\s+[a-z]"
    ),
)
LENGTHS = ("tiny",) * 3 + ("short",) * 2 + ("middling",) * 4 + ("long",)
FAR = 3
SHORT = 4
STEM = 5
MOST_SHARED = 3


class Evidence:
    """What a request shows of needing others and of being needed.

    Parameters
    ----------
    reading : Reading
        The request.
    joint : str
        What stands between it and the one before; nothing if it is the first.

    Attributes
    ----------
    classes : list of str
        What kinds of verb open it.
    content, stems : set of str
        Its longer words, in the singular, but for those that only build sentences, and their beginnings.
    how : str
        How it may point back.
    as_later, as_earlier : list of str
        Features that hold whatever the other request is.
    """

    def __init__(self, reading: Reading, joint: str) -> None:
        self.reading = reading
        self.classes = verb_classes(reading.head)
        self.content = {singular(word) for word in reading.words if len(word) >= SHORT and word not in NOUN_ENDS}
        self.stems = {word[:STEM] for word in self.content}
        self.as_earlier = [f"leaves {reading.leaves.name.lower()}", *[f"left class {name}" for name in self.classes]]

        self.how = _how(reading) if joint else ""
        self.as_later = _of_later(reading, self.classes, self.how, joint) if joint else []

    def with_earlier(self, earlier: Evidence, distance: int, *, near: bool, new: bool, pointed: str) -> list[str]:
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
        found = [
            f"distance {min(distance, FAR)}",
            f"place {place}",
            f"rules {pointed}",
            f"{self.how} to {earlier.reading.leaves.name.lower()}",
            f"{self.how} {place}",
        ]
        found += [f"{one} then {other}" for one in earlier.classes for other in self.classes]
        if new:
            found.append(f"names new {place}")
        if self.reading.named:
            if earlier.reading.stands_for(self.reading.named, self.reading):
                found.append("names product")
            if not self.reading.named.isdisjoint(earlier.content):
                found.append("names shared")
        shared = len(earlier.content & self.content)
        if shared:
            found.append(f"shares {min(shared, MOST_SHARED)}")
        if not earlier.stems.isdisjoint([noun[:STEM] for noun in self.content - earlier.content]):
            found.append("shares stem")
        return found


def _how(reading: Reading) -> str:
    """How a request may point back."""
    if COLLECTIVE.stands_in(reading):
        return "collective"
    if DEMONSTRATIVE.stands_in(reading):
        return "demonstrative"
    if points_back(reading.tokens, reading.head.verb in JUDGING_VERBS):
        return "pronoun"
    return "definite" if reading.named else "bare"


def _of_later(reading: Reading, classes: list[str], how: str, joint: str) -> list[str]:
    tokens = reading.tokens
    marker = MARKER.search(joint)
    following = _object(tokens)
    found = [
        f"verb {reading.head.verb}",
        f"object {following}",
        f"{how}, object {following}",
        f"length {LENGTHS[min(len(tokens), len(LENGTHS) - 1)]}",
        f"joint {marker[0].lower()}" if marker else "joint none",
    ]
    found += [f"class {name}" for name in classes]
    found += [f"word {word}" for word in TOLD_WORDS.intersection(tokens[1:])]
    found += [f"sign {name}" for name, sign in SIGNS.items() if sign.stands_in(reading)]
    if writes_up(reading):
        found.append("sign writing up")
    return found


def _object(tokens: list[str]) -> str:
    following = tokens[1] if len(tokens) > 1 else ""
    if not following[:1].isalnum():
        return "none"
    if following in TOLD_WORDS:
        return following
    if following in PREPOSITIONS:
        return "prepositional"
    return "clause" if following in WH_WORDS else "bare"
