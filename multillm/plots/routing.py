"""What the figures of routing start from: a router, a sub-task, and its decision at every complexity."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from multillm.errors import ConfigurationError
from multillm.pool import Pool, load_pool
from multillm.router import RoutingDecision, TaskRouter
from multillm.tasks import SubTask, TaskProfile, TaskType

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Source", "Task", "is_sub_task", "over_complexity", "profile_of", "router_of"]

Source = str | Path | Pool | TaskRouter
Task = str | TaskType | TaskProfile | RoutingDecision

STEPS = 401


def router_of(source: Source) -> TaskRouter:
    """The router, or that of a pool given by name, file or object."""
    if isinstance(source, TaskRouter):
        return source
    pool = source if isinstance(source, Pool) else load_pool(source)
    return TaskRouter(pool.registry, pool.policy)


def is_sub_task(task: Task) -> bool:
    """Whether it is a sub-task, with a complexity of its own, and no mere task type."""
    return isinstance(task, TaskProfile | RoutingDecision)


def profile_of(task: Task) -> TaskProfile:
    """The classified sub-task, or one that is nothing but its type."""
    if isinstance(task, RoutingDecision):
        return task.profile
    if isinstance(task, TaskProfile):
        return task
    try:
        return TaskProfile(SubTask("", 0, 0), TaskType(task), 0.0, 1)
    except ValueError:
        raise ConfigurationError(f"no task type is called {task!r}; choose one of {', '.join(TaskType)}") from None


def over_complexity(router: TaskRouter, profile: TaskProfile) -> tuple[NDArray[np.float64], list[RoutingDecision]]:
    """Complexities from 0 to 1, and the decision for the same sub-task at each."""
    complexity = np.linspace(0.0, 1.0, STEPS)
    return complexity, [router.route(replace(profile, complexity=float(value))) for value in complexity]
