"""Which request needs the product of an earlier one, by weights learned from labelled prompts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from multillm.splitting.evidence import Evidence
from multillm.splitting.facts import Fact, read_weights
from multillm.splitting.heads import Request
from multillm.splitting.pieces import Text

__all__ = ["Later", "dependencies", "later_requests"]

LOOKBACK = 6
WINDOW = 240
NEAR = 30
FAR = 4


class Later(NamedTuple):
    """A request that may need the product of an earlier one of its prompt.

    Attributes
    ----------
    place : int
        Which it is.
    alone : list of Fact
        What speaks for and against its needing any.
    together : list of (int, list of Fact)
        Each of the few before it, and what speaks for and against its needing that one.
    """

    place: int
    alone: list[Fact]
    together: list[tuple[int, list[Fact]]]


def dependencies(text: Text, requests: Sequence[Request]) -> list[tuple[int, ...]]:
    r"""For each request the indices of the earlier ones whose product it uses.

    A request needs an earlier one if :math:`\sum_k w_k > \theta` over the features :math:`k` of
    the two, with the weights and the threshold of a logistic regression. The threshold is the
    log-odds of the cut-off that `multillm.splitting.train.choose_cutoff` took, less the intercept.
    """
    weights = read_weights("dependencies.json", "model")
    found: list[tuple[int, ...]] = [() for _ in requests]
    for place, alone, together in later_requests(text, requests):
        margin = weights.margin(alone)
        found[place] = tuple([earlier for earlier, facts in together if margin + weights.sum(facts) > 0])
    return found


def later_requests(text: Text, requests: Sequence[Request]) -> Iterator[Later]:
    """Each request but the first, with the few before it."""
    seen: list[Evidence] = []
    end = 0
    for place, (head, start, stop) in enumerate(requests):
        joint = text.within(max(end, start - NEAR), start) if place else []
        evidence = Evidence(head, text.within(start, min(stop, start + WINDOW)), joint)
        if place:
            first, last = max(0, place - LOOKBACK), place + 1 == len(requests)
            together = [
                (earlier, [("distance", min(place - earlier, FAR), earlier == 0, last), *facts])
                for earlier, facts in enumerate(evidence.with_each(seen[first:]), first)
            ]
            yield Later(place, evidence.as_later(), together)
        seen.append(evidence)
        end = stop
