"""Which clauses of a prompt open a request and which go on with it, by weights learned from labelled prompts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import exp, inf, log1p
from operator import itemgetter
from typing import NamedTuple

from multillm.splitting.arrangement import arrangement
from multillm.splitting.clauses import Clause
from multillm.splitting.cutting import Stretch, cut
from multillm.splitting.facts import Fact, Weights, read_model, read_weights
from multillm.splitting.heads import Request
from multillm.splitting.pieces import NOTHING, Piece, Text
from multillm.splitting.sight import glance, look
from multillm.splitting.surroundings import Surroundings, beside

__all__ = [
    "NONE_ASKED",
    "best",
    "candidates",
    "clauses",
    "learned",
    "of_continuation",
    "of_opening",
    "openings",
    "requests",
]

SEVERAL = 2
FEW = 3
MOST = 6
REACH = 12
WIDTH = 4
HOPELESS = 2.5
"""How far below the likeliest choice, in log-likelihood, another is given up."""
NEAR = 4
LIKELIHOOD = itemgetter(0)
PARTED = frozenset(["stop", "line", "paragraph"])


class Asked(NamedTuple):
    """What has been asked up to a clause.

    Attributes
    ----------
    latest : int
        The last clause that opens a request.
    times : int
        How many do.
    before : Asked or None
        What had been asked up to the last one; None if nothing ever was.
    """

    latest: int
    times: int
    before: Asked | None

    def then(self, place: int) -> Asked:
        """The same and, after it, a request that another clause opens."""
        return Asked(place, self.times + 1, self)

    def places(self) -> list[int]:
        """The clauses that open a request, in order."""
        found: list[int] = []
        asked = self
        while asked.before:
            found.append(asked.latest)
            asked = asked.before
        return found[::-1]


Chosen = tuple[float, Asked]
Choice = tuple[float, list[int]]
NONE_ASKED = Asked(-1, 0, None)


def learned(part: str) -> Weights:
    """Weights of one of the decisions: "glance", "look", "opening", "arrangement", "several" or "continuation"."""
    return read_weights("segments.json", part)


def of_opening(found: Sequence[Clause], place: int, asked: Asked) -> list[Fact]:
    """What speaks for and against a clause opening a request, given those before it that do.

    Parameters
    ----------
    found : sequence of Clause
        All clauses.
    place : int
        The one in question.
    asked : Asked
        What has been asked before it.
    """
    clause, last = found[place], place + 1 == len(found)
    kind, joint = clause.kind, clause.joint
    if not asked.times:
        return [("nothing asked", last, kind, joint)]
    latest = found[asked.latest]
    facts: list[Fact] = [
        ("asked", kind, joint, latest.kind, latest.joint),
        ("asked item", latest.item, clause.item, joint),
        ("asked before verb", clause.head.verb, latest.kind, joint),
        ("asked times", min(asked.times, FEW), kind, joint),
        *[("asked does", f"{name} {other}", joint) for name in latest.classes for other in clause.classes],
    ]
    if place - asked.latest > 1:
        between = found[max(asked.latest, place - NEAR) : place]
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

    Of the clauses that may open a request at first sight the likeliest choices are found, by what each and its
    surroundings show and what has been asked before it; the one is taken that is best as a whole too, if the prompt is
    likely to hold several requests at all. The clauses after an opening go on with it until one is weighed to stand
    outside.
    """
    stretches = cut(masked, text)
    places, looks = candidates(text.pieces, stretches)
    if not places:
        return []
    found = clauses(masked, text, stretches)
    single, several = openings(found, places, learned("opening"))
    likelihood, asked, shown = best(found, several, learned("arrangement"))
    if not _several(looks, likelihood - single, shown):
        return []
    ends = _ends(found, asked, learned("continuation"))
    return [Request(found[place].head, found[place].head.start, end) for place, end in zip(asked, ends, strict=True)]


def candidates(pieces: Sequence[Piece], stretches: Sequence[Stretch]) -> tuple[list[int], float]:
    """Which clauses may open a request at first sight, and how likely several do, at a closer look.

    The latter is by how much the log-odds exceed those from which on a prompt is not passed over; no clause if they
    do not.
    """
    first_sight, closer_look = learned("glance"), learned("look")
    glances = [glance(pieces, stretch) for stretch in stretches]
    margins = list(map(first_sight.margin, glances))
    places = [place for place, margin in enumerate(margins) if margin > 0]
    if len(places) < SEVERAL:
        return [], -inf
    looks = closer_look.margin(look(pieces, glances, margins))
    return places if looks > 0 else [], looks


def clauses(masked: str, text: Text, stretches: Sequence[Stretch]) -> list[Clause]:
    """The clauses that stand in some stretches."""
    befores = [NOTHING, *[text.pieces[stretch.last - 1] for stretch in stretches]]
    return [Clause(masked, text, stretch, before) for stretch, before in zip(stretches, befores, strict=False)]


def openings(found: Sequence[Clause], places: Iterable[int], weights: Weights) -> tuple[float, list[Choice]]:
    """How likely one request at most opens in some places, and the likeliest choices of several, by beam search.

    Parameters
    ----------
    found : sequence of Clause
        All clauses of a prompt.
    places : iterable of int
        Those that may open a request, two or more.
    weights : Weights
        Of `of_opening` and what the clauses show whatever has been asked.

    Returns
    -------
    single : float
        Log-likelihood of the likeliest choice of one request at most.
    several : list of (float, list of int)
        Log-likelihoods and places of those of several, the likeliest first.
    """
    surroundings = Surroundings(found)
    few: list[Chosen] = [(0.0, NONE_ASKED)]
    several: list[Chosen] = []
    for place in places:
        shown = weights.margin(surroundings.facts(place))
        chosen: list[Chosen] = []
        for likelihood, asked in few + several:
            margin = shown + weights.sum(of_opening(found, place, asked))
            chosen.append((likelihood - log1p(exp(-margin)), asked.then(place)))
            chosen.append((likelihood - log1p(exp(margin)), asked))
        chosen.sort(key=LIKELIHOOD, reverse=True)
        few = [next(choice for choice in chosen if choice[1].times == times) for times in range(SEVERAL)]
        several = _promising([choice for choice in chosen if choice[1].times >= SEVERAL])
    return max(map(LIKELIHOOD, few)), [(likelihood, asked.places()) for likelihood, asked in several]


def _promising(chosen: list[Chosen]) -> list[Chosen]:
    """The likeliest choices, the hopeless ones left out."""
    return [choice for choice in chosen[:WIDTH] if choice[0] > chosen[0][0] - HOPELESS]


def best(found: Sequence[Clause], choices: Sequence[Choice], weights: Weights) -> tuple[float, list[int], list[Fact]]:
    """The one of some choices that is best by its likelihood and by what it shows as a whole, and what that is."""
    shown = [(likelihood, places, arrangement(found, places)) for likelihood, places in choices]
    return max(shown, key=lambda choice: choice[0] + weights.sum(choice[2])) if len(shown) > 1 else shown[0]


def _several(looks: float, log_ratio: float, shown: Iterable[Fact]) -> bool:
    """Whether a prompt holds several requests, by a closer look, the likelihood of its openings and what they show."""
    model = read_model("segments.json")["several"]
    return bool(model["looks"] * looks + model["log_ratio"] * log_ratio + learned("several").margin(shown) > 0)


def _ends(found: Sequence[Clause], places: Sequence[int], weights: Weights) -> Iterator[int]:
    """Where each request ends, in characters."""
    for latest, stop in pairwise([*places, len(found)]):
        end = found[latest].end
        for place in range(latest + 1, stop):
            if weights.margin(of_continuation(found, latest, place, stop)) < 0:
                break
            end = found[place].end
        yield end
