"""Which request needs the product of an earlier one, by weights learned from labelled prompts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from multillm.splitting.dependencies import LOOKBACK, pointed_at, readings
from multillm.splitting.evidence import Evidence
from multillm.splitting.outline import Request
from multillm.splitting.readings import Leaves, Reading
from multillm.splitting.weights import read_weights, weigh

__all__ = ["Pair", "dependencies", "load_weights", "pairs"]


class Pair(NamedTuple):
    """Two requests of a prompt, one of which may need the other.

    Attributes
    ----------
    later, earlier : int
        Their places.
    features : list of str
        What speaks for and against.
    """

    later: int
    earlier: int
    features: list[str]


def load_weights() -> Mapping[str, Any]:
    """The weights that come with the package, as `multillm.splitting.train` wrote them."""
    return read_weights("dependencies.json")


def dependencies(prompt: str, requests: Sequence[Request]) -> list[tuple[int, ...]]:
    r"""For each request the indices of the earlier ones whose product it uses.

    A request needs an earlier one if :math:`\sum_k w_k > \theta` over the features :math:`k` of
    the two, with the weights and the threshold of a logistic regression. The threshold is the
    log-odds of the cut-off that `multillm.splitting.train.choose_cutoff` took, less the intercept.
    """
    content = load_weights()
    weights, threshold = content["weights"], content["threshold"]
    found: list[list[int]] = [[] for _ in requests]
    for later, earlier, features in pairs(prompt, requests):
        if weigh(weights, features) > threshold:
            found[later].append(earlier)
    return [tuple(each) for each in found]


def pairs(prompt: str, requests: Sequence[Request]) -> Iterator[Pair]:
    """Each request with each of the few before it."""
    before: list[Evidence] = []
    earlier_readings: list[Reading] = []
    rules: list[tuple[int, ...]] = []
    known: set[str] = set()
    for later, (reading, joint) in enumerate(readings(prompt, requests)):
        reach = range(max(0, later - LOOKBACK), later)
        rules.append(pointed_at(earlier_readings, rules, reading, joint))
        evidence = Evidence(reading, joint or " " * bool(later))
        near = next((place for place in reversed(reach) if earlier_readings[place].leaves is not Leaves.NOTHING), -1)
        new = not reading.named <= known
        for earlier in reach:
            other = before[earlier]
            pointed = "here" if earlier in rules[later] else "elsewhere" if rules[later] else "nowhere"
            of_both = evidence.with_earlier(other, later - earlier, near=earlier == near, new=new, pointed=pointed)
            yield Pair(later, earlier, evidence.as_later + other.as_earlier + of_both)
        before.append(evidence)
        earlier_readings.append(reading)
        known |= evidence.content
