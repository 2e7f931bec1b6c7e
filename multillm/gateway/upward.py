"""Fallbacks that are good whatever the request, for a proxy that knows a model group and not the sub-task."""

from __future__ import annotations

from collections.abc import Sequence

from multillm.policy import Policy
from multillm.registry import Registry
from multillm.router import Candidate, Rejection, TaskRouter
from multillm.tasks import SubTask, TaskProfile, TaskType

__all__ = ["upward_fallbacks"]

STEPS = 100
NOT_GOOD = frozenset({Rejection.TASK_TYPE, Rejection.UNKNOWN_QUALITY, Rejection.THRESHOLD})


def upward_fallbacks(registry: Registry, policy: Policy) -> dict[str, list[str]]:
    """For each label the labels that may stand in for it, the nearest in rank first.

    A label stands in for another if it is not of lower rank and is good enough, at every complexity (in steps of
    0.01) and for every task type, wherever the other is.

    Parameters
    ----------
    registry : Registry
        The models.
    policy : Policy
        The thresholds.

    Returns
    -------
    dict of str to list of str
        Labels without any are left out.
    """
    router = TaskRouter(registry, policy)
    nothing = SubTask("", 0, 0)
    decided = [
        router.route(TaskProfile(nothing, task_type, step / STEPS, 1)).candidates
        for task_type in TaskType
        for step in range(STEPS + 1)
    ]
    good = {spec.label: _where_good(spec.label, decided) for spec in registry}
    fallbacks = {
        spec.label: [
            other.label
            for other in sorted(registry, key=lambda other: (other.fallback_only, other.rank))
            if other is not spec
            and (other.rank >= spec.rank or other.fallback_only)
            and good[spec.label] <= good[other.label]
        ]
        for spec in registry
    }
    return {label: targets for label, targets in fallbacks.items() if targets and good[label]}


def _where_good(label: str, decided: Sequence[Sequence[Candidate]]) -> set[int]:
    """Places at which a label reaches the threshold."""
    return {
        place
        for place, candidates in enumerate(decided)
        if next(c for c in candidates if c.label == label).rejection not in NOT_GOOD
    }
