"""What a prompt shows before its clauses are read: at first sight each of them alone, at a closer look all together."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from multillm.splitting.cutting import Stretch
from multillm.splitting.facts import Fact
from multillm.splitting.pieces import NOTHING, Piece, occurring

__all__ = ["glance", "look"]

LONG = 12
SEEN = 24
READ = 100
MOST = 8
STEP = 8
LOWEST, HIGHEST = -8, 16


def glance(pieces: Sequence[Piece], stretch: Stretch) -> list[Fact]:
    """What a stretch shows at first sight, what tells most first."""
    _, begin, last, joint = stretch
    opening, second, third, fourth, *_ = *pieces[begin : min(last, begin + 4)], NOTHING, NOTHING, NOTHING, NOTHING
    return [
        ("glance word", joint, stretch.item, opening.kind, opening.text),
        ("glance", opening.kind, second.kind, third.kind, joint),
        ("glance fourth", fourth.text),
        ("glance length", min(last - begin, LONG), joint),
    ]


def look(pieces: Sequence[Piece], glances: Sequence[Sequence[Fact]], margins: Sequence[float]) -> list[Fact]:
    """What a prompt shows of holding several requests.

    Parameters
    ----------
    pieces : sequence of Piece
        Its words and marks.
    glances : sequence of sequence of Fact
        What each of its stretches, two or more, shows at first sight; the first of it counts.
    margins : sequence of float
        By how much each may open a request at first sight.
    """
    second, likeliest = sorted(margins)[-2:]
    return [
        *occurring(pieces[:READ]),
        *dict.fromkeys([facts[0] for facts in glances[:SEEN]]),
        ("candidates", min(sum(margin > 0 for margin in margins), MOST)),
        ("stretches", min(len(glances), LONG)),
        ("pieces", min(len(pieces) // STEP, LONG)),
        ("likeliest", _halves(likeliest)),
        ("second", _halves(second)),
    ]


def _halves(margin: float) -> int:
    return max(LOWEST, min(floor(2 * margin), HIGHEST))
