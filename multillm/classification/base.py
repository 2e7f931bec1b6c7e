"""What every classifier offers."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from multillm.tasks import SubTask, TaskProfile

__all__ = ["Classifier"]


@runtime_checkable
class Classifier(Protocol):
    """Tells the task type and complexity of a sub-task."""

    name: str

    def classify(self, subtask: SubTask) -> TaskProfile:
        """Profile of a sub-task."""
        ...
