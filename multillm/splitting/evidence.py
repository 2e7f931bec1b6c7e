"""What speaks for and against a request's need of an earlier one: readable features of the two."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

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

__all__ = ["of_earlier", "of_later", "of_pair"]

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


def _classes(reading: Reading) -> Sequence[str]:
    return ("asking",) if reading.head.kind is Kind.QUESTION else _classes_of(reading.head.verb)


@lru_cache(maxsize=5_000)
def _classes_of(verb: str) -> Sequence[str]:
    return tuple(name for name, verbs in CLASSES.items() if verb in verbs) or ("other",)


def of_later(reading: Reading, joint: str) -> Iterator[str]:
    """What a request itself, and what joins it to the one before, shows of a need for any."""
    tokens = reading.tokens
    yield f"verb {reading.head.verb}"
    yield from (f"class {name}" for name in _classes(reading))
    yield from (f"word {word}" for word in sorted(TOLD_WORDS.intersection(tokens[1:])))
    yield next((f"length {name}" for most, name in LENGTHS if len(tokens) < most), "length long")
    yield from (f"sign {name}" for name, sign in SIGNS.items() if sign.stands_in(reading))
    if writes_up(reading):
        yield "sign writing up"
    marker = MARKER.search(joint)
    yield f"joint {marker[0].lower()}" if marker else "joint none"
    yield f"object {_object(tokens)}"


def _object(tokens: list[str]) -> str:
    following = tokens[1] if len(tokens) > 1 else ""
    if not following[:1].isalnum():
        return "none"
    if following in TOLD_WORDS:
        return following
    if following in PREPOSITIONS:
        return "prepositional"
    return "clause" if following in WH_WORDS else "bare"


def of_earlier(reading: Reading) -> Iterator[str]:
    """What a request shows of being needed."""
    yield f"leaves {reading.leaves.name.lower()}"
    yield from (f"left class {name}" for name in _classes(reading))


def of_pair(earlier: Reading, later: Reading, distance: int, *, near: bool, new: bool, pointed: str) -> Iterator[str]:
    """What the two show together.

    Parameters
    ----------
    earlier, later : Reading
        The two requests.
    distance : int
        How many places lie between them, 1 for neighbours.
    near : bool
        Whether no request between them leaves anything behind.
    new : bool
        Whether the later one points at a noun that no request before it has.
    pointed : str
        Where the rules take the later one to point: "here", "elsewhere" or "nowhere".
    """
    place = "near" if near else "far"
    yield f"distance {min(distance, FAR)}"
    yield f"place {place}"
    yield f"rules {pointed}"
    how = _how(later)
    yield f"{how} to {earlier.leaves.name.lower()}"
    yield f"{how} {place}"
    for one in _classes(earlier):
        yield from (f"{one} then {other}" for other in _classes(later))
    if later.named and earlier.stands_for(later.named, later):
        yield "names product"
    shared = len(earlier.content & later.content)
    if shared:
        yield f"shares {min(shared, MOST_SHARED)}"
    if not later.named.isdisjoint(earlier.content):
        yield "names shared"
    if any(noun[:STEM] in earlier.stems for noun in later.content - earlier.content if len(noun) >= STEM):
        yield "shares stem"
    if new:
        yield f"names new {place}"


def _how(later: Reading) -> str:
    """How a request may point back."""
    if COLLECTIVE.search(later.text):
        return "collective"
    if DEMONSTRATIVE.search(later.text):
        return "demonstrative"
    if points_back(later.tokens, later.head.verb in JUDGING_VERBS):
        return "pronoun"
    return "definite" if later.named else "bare"
