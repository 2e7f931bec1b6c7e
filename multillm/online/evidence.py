"""Ratings as evidence: counted and added up for each model and kind of sub-task."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd

from multillm.errors import EstimatorError
from multillm.metrics.bootstrap import Figures

__all__ = ["Evidence", "Kind", "RatedCall", "learn", "rated_calls"]

Kind = tuple[str, str]
"""Task type, and complexity tier where tiers are kept apart."""
Evidence = dict[Kind, dict[str, Figures]]
"""By kind and label: how many ratings, the sum of their quality, the sum of their complexity."""

GRAIN = 2.0**30


class RatedCall(NamedTuple):
    """What one answer was worth; the fields are named as the columns of a feedback store."""

    served_label: str
    task_type: str
    tier: str
    complexity: float
    quality: float

    def check(self) -> None:
        """Raise an EstimatorError unless there are three names and two figures within 0..1."""
        for name in ("served_label", "task_type", "tier"):
            if not isinstance(found := getattr(self, name), str):
                raise EstimatorError(f"{name} is {found!r}; allowed is a string: name what was rated")
        for name, remedy in (
            ("quality", "scale the ratings first"),
            ("complexity", "leave the call out or classify its prompt"),
        ):
            found = getattr(self, name)
            if not (isinstance(found, Real | np.bool_) and 0.0 <= float(found) <= 1.0):
                raise EstimatorError(f"{name} is {found}; allowed is 0..1: {remedy}")


def rated_calls(feedback: pd.DataFrame) -> list[RatedCall]:
    """The answered calls that have a quality, in order."""
    if absent := [column for column in RatedCall._fields if column not in feedback]:
        raise EstimatorError(f"feedback has no column {', '.join(absent)}; pass what FeedbackStore.frame() returns")
    known = feedback[feedback["quality"].notna() & feedback["served_label"].notna()]
    return [RatedCall(*row) for row in known[list(RatedCall._fields)].itertuples(index=False, name=None)]


def learn(evidence: Evidence, ratings: Sequence[RatedCall], decay: float, *, tiers: bool) -> int:
    """Add ratings to the evidence, all or, if one of them is not allowed, none; how many there were."""
    for rating in ratings:
        rating.check()
    for label, task_type, tier, complexity, quality in ratings:
        of_kind = evidence.setdefault((task_type, tier if tiers else ""), {})
        if decay < 1.0:
            of_kind |= {known: decay * found for known, found in of_kind.items()}
        added = np.round(np.array([1.0, quality, complexity]) * GRAIN) / GRAIN
        of_kind[label] = of_kind.get(label, 0.0) + added
    return len(ratings)
