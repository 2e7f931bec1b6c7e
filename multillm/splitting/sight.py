"""What a prompt shows before its clauses are read: at first sight each of them alone, at a closer look all together."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from multillm.splitting.cutting import Stretch
from multillm.splitting.facts import Fact
from multillm.splitting.pieces import NOTHING, Piece, occurring

__all__ = ["glance", "look"]

LONGEST = 12
MOST_STRETCHES = 12
MOST_CANDIDATES = 8
MOST_STEPS = 12
STEP = 8
STRETCHES_READ = 24
PIECES_READ = 100
LOWEST, HIGHEST = -8, 16


def glance(pieces: Sequence[Piece], stretch: Stretch) -> list[Fact]:
    """What a stretch shows at first sight, what tells most first."""
    _, begin, last, joint = stretch
    opening, second, third, fourth, *_ = *pieces[begin : min(last, begin + 4)], NOTHING, NOTHING, NOTHING, NOTHING
    return [
        ("glance word", joint, stretch.item, opening.kind, opening.text),
        ("glance", opening.kind, second.kind, third.kind, joint),
        ("glance fourth", fourth.text),
        ("glance length", min(last - begin, LONGEST), joint),
    ]


def look(pieces: Sequence[Piece], glances: Sequence[Sequence[Fact]], margins: Sequence[float]) -> list[Fact]:
    """What a prompt shows of holding several requests.

    Parameters
    ----------
    pieces : sequence of Piece
        Its words and marks; the first hundred are read.
    glances : sequence of sequence of Fact
        What each of its stretches, two or more, shows at first sight; the first fact of the first 24 is read.
    margins : sequence of float
        By how much each may open a request at first sight.
    """
    second, likeliest = sorted(margins)[-2:]
    return [
        *occurring(pieces[:PIECES_READ]),
        *dict.fromkeys([facts[0] for facts in glances[:STRETCHES_READ]]),
        ("candidates", min(sum(margin > 0 for margin in margins), MOST_CANDIDATES)),
        ("stretches", min(len(glances), MOST_STRETCHES)),
        ("pieces", min(len(pieces) // STEP, MOST_STEPS)),
        ("likeliest", _halves(likeliest)),
        ("second", _halves(second)),
    ]


def _halves(margin: float) -> int:
    return max(LOWEST, min(floor(2 * margin), HIGHEST))
