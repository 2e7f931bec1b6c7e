"""Which clauses of a prompt open a request and which go on with it, by weights learned from labelled prompts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from multillm.splitting.clauses import Clause, clauses
from multillm.splitting.inputs import points_at_list
from multillm.splitting.outline import Request, outline
from multillm.splitting.weights import read_weights, weigh

__all__ = ["Context", "of_continuation", "of_opening", "requests", "settings"]

MOST = 6
FEW = 3
LEAST_CLAUSES = 2
REACH = 12
ONE_ANSWER = "one answer"


def settings() -> Mapping[str, Any]:
    """The weights that come with the package, as `multillm.splitting.train_segments` wrote them."""
    return read_weights("segments.json")


class Context:
    """What the clauses of a prompt show together.

    Parameters
    ----------
    masked : str
        Prompt with what is protected overwritten.
    found : list of Clause
        Its clauses.

    Attributes
    ----------
    clauses : list of Clause
        The same.
    by_rule : list of bool
        For each whether a request found by rule begins in it.
    ruled : int
        How many do, three for more.
    announced : bool
        Whether several things are announced.
    given : set of int
        Places of the items of lists that are taken as given.
    shown : list of list of str
        For each what it shows, whatever else is asked.
    """

    def __init__(self, masked: str, found: list[Clause]) -> None:
        self.clauses = found
        self.by_rule = _by_rule(self.clauses, outline(masked))
        self.ruled = min(sum(self.by_rule), FEW)
        self.announced = any(clause.announces for clause in self.clauses)
        self.given = _given_items(masked, self.clauses)
        self.shown = [[*clause.features(), *self._around(place)] for place, clause in enumerate(self.clauses)]

    def _around(self, place: int) -> Iterator[str]:
        """What the neighbours of a clause and the whole prompt show."""
        clause, kind, joint = self.clauses[place], self.clauses[place].kind, self.clauses[place].joint
        rule = self.by_rule[place]
        yield from (f"rule {rule}", f"rule {rule} of {self.ruled}", f"rule {rule} {kind} {joint}")
        if self.announced:
            yield from ("announced", f"announced {kind} {joint}")
        yield f"clauses {min(len(self.clauses), 8)}"
        if place:
            before = self.clauses[place - 1]
            yield from (f"after {before.kind}", f"after {before.kind} {kind} {joint}", f"after {before.joint} {joint}")
            yield f"after class {before.word_classes[0]} {clause.word_classes[0]} {joint}"
            yield from (f"after asks {before.asks} {joint}", f"after item {before.item} {clause.item}")
        else:
            yield "first"
        if place + 1 < len(self.clauses):
            following = self.clauses[place + 1]
            yield from (f"before {following.kind} {following.joint}", f"before {following.joint} {kind}")
        else:
            yield "last"


def of_opening(clause: Clause, asked: Sequence[Clause], distance: int, last: bool) -> Iterator[str]:
    """What speaks for and against a clause opening a request, given what has been asked before it.

    Parameters
    ----------
    clause : Clause
        The clause.
    asked : sequence of Clause
        Those before it that open a request.
    distance : int
        Clauses since the latest of them.
    last : bool
        Whether no clause follows.
    """
    kind, joint = clause.kind, clause.joint
    if not asked:
        yield from ("nothing asked", f"nothing asked {kind}", f"nothing asked, last {last}")
        return
    before = asked[-1]
    yield from (
        f"asked {joint} {kind}",
        f"asked {before.kind} {kind}",
        f"asked item {before.item} {clause.item} {joint}",
    )
    yield from (f"asked {before.joint} {joint} {kind}", f"asked verb {before.head.verb} {kind} {joint}")
    yield from (f"asked distance {min(distance, FEW)}", f"asked distance {distance == 1} {kind} {joint}")
    yield from (f"asked {min(len(asked), FEW)}", f"asked several {len(asked) > 1} {kind} {joint}")
    yield from (
        f"asked length {min(before.length, MOST)} {joint}",
        f"asked {before.kind} verb {clause.head.verb} {joint}",
    )
    yield f"asked class {before.word_classes[0]} {clause.word_classes[0]} {joint}"
    for name in before.classes:
        yield f"asked {name} back {clause.points_back} {kind}"
        yield from (f"asked {name} {other} {joint}" for other in clause.classes)


def of_continuation(found: Sequence[Clause], latest: int, place: int, later: bool, next_asks: bool) -> Iterator[str]:
    """What speaks for and against a clause going on with the request before it.

    Parameters
    ----------
    found : sequence of Clause
        All clauses.
    latest, place : int
        Where that request opens, and the clause.
    later : bool
        Whether a further request opens after it.
    next_asks : bool
        Whether the next clause does.
    """
    clause, opening = found[place], found[latest]
    kind, joint = clause.kind, clause.joint
    between = {each.joint for each in found[max(latest, place - REACH) + 1 : place + 1]}
    yield from (
        f"distance {min(place - latest, MOST)}",
        f"later {later} {joint} {kind}",
        f"next {next_asks} {joint} {kind}",
    )
    yield from (
        f"paragraph {'paragraph' in between}",
        f"line {not between.isdisjoint(['paragraph', 'line'])} {opening.item}",
    )
    yield from (f"of {opening.kind} {kind} {joint}", f"of {opening.item} {clause.item} {joint}")


def requests(masked: str) -> list[Request]:
    """Requests of a masked prompt, in order; none if it is a single clause.

    Clause by clause, from the first: one opens a request if its weights and those of what has been asked before it
    reach the threshold; those after it go on with it until one is weighed to stand outside. The weights are those of
    two logistic regressions; what the rules of `outline` find is one of the features. Items of a given list and
    clauses that only say what the answer looks like open nothing.
    """
    found = clauses(masked)
    if len(found) < LEAST_CLAUSES:
        return []
    content, context = settings(), Context(masked, found)
    places = _openings(context, content["opening"])
    if found[-1].shapes == ONE_ANSWER:
        places = places[:1]
    return [
        Request(found[place].head, max(found[place].head.start, found[place].begin), end)
        for place, end in zip(places, _ends(context, places, content["continuation"]), strict=True)
    ]


def _openings(context: Context, content: Mapping[str, Any]) -> list[int]:
    """Places of the clauses that open a request."""
    weights, threshold = content["weights"], content["threshold"]
    places: list[int] = []
    asked: list[Clause] = []
    for place, clause in enumerate(context.clauses):
        if place in context.given or (asked and clause.shapes):
            continue
        distance = place - places[-1] if places else 0
        given = of_opening(clause, asked, distance, place + 1 == len(context.clauses))
        if weigh(weights, context.shown[place]) + weigh(weights, given) > threshold:
            places.append(place)
            asked.append(clause)
    return places


def _ends(context: Context, places: Sequence[int], content: Mapping[str, Any]) -> Iterator[int]:
    """Where each request ends."""
    weights, threshold = content["weights"], content["threshold"]
    found = context.clauses
    for latest, stop in pairwise([*places, len(found)]):
        end = found[latest].end
        for place in range(latest + 1, stop):
            features = of_continuation(found, latest, place, stop < len(found), place + 1 == stop < len(found))
            if weigh(weights, context.shown[place]) + weigh(weights, features) < threshold:
                break
            end = found[place].end
        yield end


def _given_items(masked: str, found: Sequence[Clause]) -> set[int]:
    """Places of the clauses within lists that the clause before the first item takes as given."""
    given: set[int] = set()
    pointed = listing = False
    for place, clause in enumerate(found):
        if clause.item:
            if not listing:
                pointed = place > 0 and points_at_list(masked, found[place - 1].start, found[place - 1].end)
            listing = True
        elif clause.joint == "paragraph":
            listing = pointed = False
        if listing and pointed:
            given.add(place)
    return given


def _by_rule(found: Sequence[Clause], ruled: Sequence[Request]) -> list[bool]:
    """For each clause whether a request found by rule begins in it."""
    starts = iter([request.start for request in ruled])
    start = next(starts, None)
    opens = []
    for clause in found:
        opens.append(start is not None and start < clause.end)
        while start is not None and start < clause.end:
            start = next(starts, None)
    return opens
