"""Which request needs the product of an earlier one, by weights learned from labelled prompts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from multillm.splitting.evidence import Evidence
from multillm.splitting.facts import Fact, read_weights
from multillm.splitting.heads import Request
from multillm.splitting.pieces import Text

__all__ = ["Pair", "dependencies", "pairs"]

LOOKBACK = 6
WINDOW = 240
NEAR = 30


class Pair(NamedTuple):
    """Two requests of a prompt, one of which may need the other.

    Attributes
    ----------
    later, earlier : int
        Their places.
    facts : list of Fact
        What speaks for and against.
    """

    later: int
    earlier: int
    facts: list[Fact]


def dependencies(text: Text, requests: Sequence[Request]) -> list[tuple[int, ...]]:
    r"""For each request the indices of the earlier ones whose product it uses.

    A request needs an earlier one if :math:`\sum_k w_k > \theta` over the features :math:`k` of
    the two, with the weights and the threshold of a logistic regression. The threshold is the
    log-odds of the cut-off that `multillm.splitting.train.choose_cutoff` took, less the intercept.
    """
    weights = read_weights("dependencies.json", "model")
    found: list[list[int]] = [[] for _ in requests]
    for later, earlier, facts in pairs(text, requests):
        if weights.margin(facts) > 0:
            found[later].append(earlier)
    return [tuple(each) for each in found]


def pairs(text: Text, requests: Sequence[Request]) -> Iterator[Pair]:
    """Each request with each of the few before it."""
    seen: list[Evidence] = []
    end = 0
    for later, (head, start, stop) in enumerate(requests):
        joint = text.within(max(end, start - NEAR), start) if later else []
        evidence = Evidence(head, text.within(start, min(stop, start + WINDOW)), joint)
        alone = evidence.as_later() if later else []
        for earlier in range(max(0, later - LOOKBACK), later):
            of_both = evidence.with_earlier(seen[earlier], seen[earlier + 1 :])
            yield Pair(later, earlier, alone + of_both)
        seen.append(evidence)
        end = stop
