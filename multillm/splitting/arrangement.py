"""What the clauses that open a request show as a whole: how many they are, and whether all that are alike do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from multillm.splitting.clauses import Clause
from multillm.splitting.facts import Fact
from multillm.splitting.heads import ASKING

__all__ = ["arrangement"]

CLAUSES_READ = 40
MOST = 6
MANY = 8
FEW = 4

Key = tuple[object, ...]


def arrangement(found: Sequence[Clause], places: Sequence[int]) -> list[Fact]:
    """What a choice of clauses shows as a whole.

    Parameters
    ----------
    found : sequence of Clause
        All clauses of a prompt; whether those that are alike open a request is told of the first forty.
    places : sequence of int
        Those that open a request, in order, two or more.
    """
    first, opened = places[0], frozenset(places)
    later = [(clause, place in opened) for place, clause in enumerate(found[:CLAUSES_READ]) if place > first]
    joints = sorted({found[place].joint for place in places[1:]})
    return [
        ("count", min(len(places), MOST), min(len(found), MANY)),
        ("joints", *joints),
        ("kinds of joint", len(joints), min(len(places), MOST)),
        *[("joint", *key, *share) for key, share in _shares(((c.joint, c.item), opens) for c, opens in later)],
        *[("kind", *key, share[0]) for key, share in _shares(((c.kind,), opens) for c, opens in later)],
        *[("asks", *key, *share) for key, share in _shares(((c.kind in ASKING, c.asks), opens) for c, opens in later)],
    ]


def _shares(clauses: Iterable[tuple[Key, bool]]) -> list[tuple[Key, tuple[str, int]]]:
    """For each kind of clause whether all, some or none open a request, and how many there are."""
    seen: dict[Key, list[bool]] = {}
    for key, opens in clauses:
        seen.setdefault(key, []).append(opens)
    return [(key, (_share(each), min(len(each), FEW))) for key, each in seen.items()]


def _share(opens: Sequence[bool]) -> str:
    return "all" if all(opens) else "some" if any(opens) else "none"
