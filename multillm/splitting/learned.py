"""Which request needs the product of an earlier one, by weights learned from labelled prompts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from multillm.splitting.dependencies import LOOKBACK, pointed_at, readings
from multillm.splitting.evidence import of_earlier, of_later, of_pair
from multillm.splitting.outline import Request
from multillm.splitting.readings import Leaves, Reading

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


@cache
def load_weights() -> Mapping[str, Any]:
    """The weights that come with the package, as `multillm.splitting.train` wrote them."""
    content: dict[str, Any] = json.loads(Path(__file__).with_name("dependencies.json").read_text("utf-8"))
    return content


def dependencies(prompt: str, requests: Sequence[Request]) -> list[tuple[int, ...]]:
    r"""For each request the indices of the earlier ones whose product it uses.

    A request needs an earlier one if :math:`\sum_k w_k > \theta` over the features :math:`k` of
    the two, with the weights and the threshold of a logistic regression.
    """
    content = load_weights()
    weight, threshold = content["weights"].get, content["threshold"]
    found: list[list[int]] = [[] for _ in requests]
    for later, earlier, features in pairs(prompt, requests):
        if sum(weight(name, 0.0) for name in features) > threshold:
            found[later].append(earlier)
    return [tuple(each) for each in found]


def pairs(prompt: str, requests: Sequence[Request]) -> Iterator[Pair]:
    """Each request with each of the few before it."""
    before: list[Reading] = []
    rules: list[tuple[int, ...]] = []
    of_each: list[list[str]] = []
    known: set[str] = set()
    for later, (reading, joint) in enumerate(readings(prompt, requests)):
        reach = range(max(0, later - LOOKBACK), later)
        rules.append(pointed_at(before, rules, reading, joint))
        near = next((place for place in reversed(reach) if before[place].leaves is not Leaves.NOTHING), -1)
        new = not reading.named <= known
        features = list(of_later(reading, joint)) if later else []
        for earlier in reach:
            pointed = "here" if earlier in rules[later] else "elsewhere" if rules[later] else "nowhere"
            of_both = of_pair(before[earlier], reading, later - earlier, near=earlier == near, new=new, pointed=pointed)
            yield Pair(later, earlier, [*features, *of_each[earlier], *of_both])
        before.append(reading)
        of_each.append(list(of_earlier(reading)))
        known |= reading.content
