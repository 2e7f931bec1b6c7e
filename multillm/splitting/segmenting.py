"""Which clauses of a prompt open a request and which go on with it, by weights learned from labelled prompts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from multillm.splitting.clauses import Clause, glance
from multillm.splitting.cutting import Stretch, cut
from multillm.splitting.facts import Fact, Weights, read_weights
from multillm.splitting.heads import Request
from multillm.splitting.pieces import NOTHING, Text
from multillm.splitting.surroundings import Surroundings, beside

__all__ = ["clauses", "of_continuation", "of_opening", "openings", "requests", "weights"]

FEW = 3
MOST = 6
REACH = 12
NEAR = 4
PARTED = frozenset(["stop", "line", "paragraph"])


def weights(part: str) -> Weights:
    """One of the models that come with the package: "glance", "opening" or "continuation"."""
    return read_weights("segments.json", part)


def of_opening(found: Sequence[Clause], place: int, asked: Sequence[int]) -> list[Fact]:
    """What speaks for and against a clause opening a request, given those before it that do.

    Parameters
    ----------
    found : sequence of Clause
        All clauses.
    place : int
        The one in question.
    asked : sequence of int
        Those before it that open a request.
    """
    clause, last = found[place], place + 1 == len(found)
    kind, joint = clause.kind, clause.joint
    if not asked:
        return [("nothing asked", last, kind, joint)]
    latest = found[asked[-1]]
    distance = place - asked[-1]
    facts: list[Fact] = [
        ("asked", kind, joint, latest.kind, latest.joint),
        ("asked item", latest.item, clause.item, joint),
        ("asked before verb", clause.head.verb, latest.kind, joint),
        ("asked distance", min(distance, FEW), kind, joint),
        ("asked times", min(len(asked), FEW), kind, joint),
        ("asked kinds", latest.first.kind, clause.first.kind, joint),
        *[("asked does", name, other, joint) for name in latest.classes for other in clause.classes],
    ]
    if distance > 1:
        between = found[max(asked[-1], place - NEAR) : place]
        parted = any(each.joint in PARTED for each in between[1:])
        facts += [("parted", parted, joint, kind), ("since", between[-1].kind, between[-1].joint, joint, kind)]
    return facts


def of_continuation(found: Sequence[Clause], latest: int, place: int, stop: int) -> list[Fact]:
    """What speaks for and against a clause going on with the request before it.

    Parameters
    ----------
    found : sequence of Clause
        All clauses.
    latest, place, stop : int
        Where that request opens, the clause, and where the next request opens.
    """
    clause, opening = found[place], found[latest]
    kind, joint = clause.kind, clause.joint
    between = {each.joint for each in found[max(latest, place - REACH) + 1 : place + 1]}
    later = stop < len(found)
    return [
        *clause.words(),
        *beside(found, place),
        ("distance", min(place - latest, MOST)),
        ("later", later, joint, kind),
        ("next asks", place + 1 == stop and later, joint, kind),
        ("paragraph between", "paragraph" in between),
        ("line between", not between.isdisjoint(["paragraph", "line"]), opening.item),
        ("of", opening.kind, kind, joint),
        ("of item", opening.item, clause.item, joint),
    ]


def requests(masked: str, text: Text) -> list[Request]:
    """Requests of a masked prompt, in order; none if it holds one at most.

    Clause by clause, from the first: one that may open a request at first sight does if the weights of what it and its
    surroundings show and of what has been asked before it reach the threshold; those after it go on with it until one
    is weighed to stand outside.
    """
    stretches = cut(masked, text)
    first_sight = weights("glance")
    places = [place for place, stretch in enumerate(stretches) if first_sight.margin(glance(text.pieces, stretch)) > 0]
    if len(places) < 2:
        return []
    found = clauses(masked, text, stretches)
    asked = openings(found, places, weights("opening"))
    if len(asked) < 2:
        return []
    ends = _ends(found, asked, weights("continuation"))
    return [Request(found[place].head, found[place].head.start, end) for place, end in zip(asked, ends, strict=True)]


def clauses(masked: str, text: Text, stretches: Sequence[Stretch]) -> list[Clause]:
    """The clauses that stand in some stretches."""
    befores = [NOTHING, *[text.pieces[stretch.last - 1] for stretch in stretches]]
    return [Clause(masked, text, stretch, before) for stretch, before in zip(stretches, befores, strict=False)]


def openings(found: Sequence[Clause], places: Iterable[int], weights: Weights) -> list[int]:
    """Those of some places whose clauses open a request."""
    surroundings = Surroundings(found)
    asked: list[int] = []
    for place in places:
        if weights.margin(surroundings.facts(place) + of_opening(found, place, asked)) > 0:
            asked.append(place)
    return asked


def _ends(found: Sequence[Clause], places: Sequence[int], weights: Weights) -> Iterator[int]:
    """Where each request ends, in characters."""
    for latest, stop in pairwise([*places, len(found)]):
        end = found[latest].end
        for place in range(latest + 1, stop):
            if weights.margin(of_continuation(found, latest, place, stop)) < 0:
                break
            end = found[place].end
        yield end
