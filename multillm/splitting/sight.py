"""What clauses show before they are read: at first sight each alone, at a closer look beside its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

from multillm.splitting.cutting import Stretch
from multillm.splitting.facts import Fact
from multillm.splitting.pieces import NOTHING, Piece, occurring

__all__ = ["glance", "look"]

LONG = 12
OPENING = 8
MOST_LEFT = 6


def glance(pieces: Sequence[Piece], stretch: Stretch) -> list[Fact]:
    """What a stretch shows at first sight."""
    _, begin, last, joint = stretch
    opening, second, third, fourth, *_ = *pieces[begin : min(last, begin + 4)], NOTHING, NOTHING, NOTHING, NOTHING
    return [
        ("glance", opening.kind, second.kind, third.kind, joint),
        ("glance word", joint, stretch.item, opening.kind, opening.text),
        ("glance fourth", fourth.text),
        ("glance length", min(last - begin, LONG), joint),
    ]


def look(pieces: Sequence[Piece], stretches: Sequence[Stretch], place: int) -> list[Fact]:
    """What one of the stretches of a prompt shows at a closer look, beside what it did at first sight."""
    _, begin, last, joint = stretches[place]
    opening = pieces[begin : min(last, begin + OPENING)]
    kind, left = opening[0].kind, len(stretches) - place
    facts: list[Fact] = [
        ("opening", joint, *[piece.text for piece in opening[:3]]),
        ("left", min(left, MOST_LEFT), joint),
        *occurring(opening[1:]),
    ]
    if place:
        facts.append(("after", stretches[place - 1].joint, joint, kind))
    if left > 1:
        following = stretches[place + 1]
        word = pieces[following.begin].text
        facts += [("before joint", following.joint, joint, kind), ("before word", word, following.joint)]
    return facts
