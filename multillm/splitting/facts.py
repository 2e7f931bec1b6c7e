"""What a text shows, and how much it weighs: linear models over readable facts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["Fact", "Weights", "features", "read_model", "read_weights"]

Fact = tuple[object, ...] | str
"""Something that is shown: its name and its values, what tells most first; or the one feature that it switches on."""

REMEMBERED = 100_000


def features(facts: Iterable[Fact]) -> list[str]:
    """Names of the features that facts switch on, each as often as they do.

    A fact switches on one feature for each of its values, together with those before it: ``("asked", "question",
    "comma")`` is ``asked question`` and ``asked question comma``, so that what is rare falls back on what is not.
    """
    return [name for fact in facts for name in _names(fact)]


def _names(fact: Fact) -> Iterator[str]:
    if isinstance(fact, str):
        yield fact
        return
    name = str(fact[0])
    for value in fact[1:]:
        name = f"{name} {value}"
        yield name


class Weights:
    """A logistic regression over features.

    Parameters
    ----------
    content : mapping
        weights (mapping of str to float) and threshold (float).

    Attributes
    ----------
    weights : mapping of str to float
        The log-odds that each feature adds.
    threshold : float
        What the sum has to exceed.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.weights: Mapping[str, float] = content["weights"]
        self.threshold: float = content["threshold"]
        self._sums = _Sums(self.weights)

    def margin(self, facts: Iterable[Fact]) -> float:
        """By how much the sum of the weights of some facts exceeds the threshold."""
        return self.sum(facts) - self.threshold

    def sum(self, facts: Iterable[Fact]) -> float:
        """Sum of the weights of some facts."""
        return sum(map(self._sums.__getitem__, facts))


class _Sums(dict[Fact, float]):
    """What each fact adds, worked out when it is first asked for."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.weights = weights

    def __missing__(self, fact: Fact) -> float:
        if len(self) >= REMEMBERED:
            self.clear()
        weights = self.weights
        added = self[fact] = sum([weights[name] for name in _names(fact) if name in weights])
        return added


@cache
def read_model(name: str) -> Mapping[str, Any]:
    """Content of a model file beside this one, as its training script wrote it."""
    content: dict[str, Any] = json.loads(Path(__file__).with_name(name).read_text("utf-8"))
    return content


@cache
def read_weights(name: str, part: str) -> Weights:
    """One of the models in a model file."""
    return Weights(read_model(name)[part])
