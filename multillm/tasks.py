"""What the pipeline passes along: sub-tasks and their profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from multillm.markup import facts_html
from multillm.rendering import profile_html

__all__ = ["ComplexityTier", "SubTask", "TaskProfile", "TaskType", "estimate_tokens"]

CHARACTERS_PER_TOKEN = 4
LOW_BELOW = 0.35
MEDIUM_BELOW = 0.65


class TaskType(StrEnum):
    """Kind of deliverable that a sub-task asks for."""

    DOCUMENTATION = "documentation"
    CODE_GENERATION = "code_generation"
    CODE_REVIEW = "code_review"
    REASONING = "reasoning"
    QA_SIMPLE = "qa_simple"
    SUMMARISATION = "summarisation"
    OTHER = "other"


class ComplexityTier(StrEnum):
    """How hard a sub-task is, in three levels."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"

    @classmethod
    def of(cls, complexity: float) -> ComplexityTier:
        """Tier of a complexity: LOW < 0.35 <= MEDIUM < 0.65 <= HIGH."""
        if complexity < LOW_BELOW:
            return cls.LOW
        return cls.MEDIUM if complexity < MEDIUM_BELOW else cls.HIGH


def estimate_tokens(text: str) -> int:
    """Tokens of a text, estimated at four characters each and never below one."""
    return len(text) // CHARACTERS_PER_TOKEN or 1


@dataclass(frozen=True, slots=True)
class SubTask:
    """One deliverable of a prompt.

    Attributes
    ----------
    text : str
        Exact span of the prompt: ``prompt[start:end]``.
    start, end : int
        Position of the span, in characters.
    depends_on : tuple of int
        Indices of the sub-tasks whose answers this one needs.
    context : str
        Words of the prompt outside every span that this sub-task needs too.
    """

    text: str
    start: int
    end: int
    depends_on: tuple[int, ...] = ()
    context: str = ""

    def __repr__(self) -> str:
        needs = f", depends_on={list(self.depends_on)}" if self.depends_on else ""
        return f"SubTask({self.text!r}, {self.start}:{self.end}{needs})"

    def to_row(self) -> dict[str, object]:
        """The sub-task as a row of a table."""
        return {
            "sub_task": self.text,
            "start": self.start,
            "end": self.end,
            "depends_on": self.depends_on,
            "context": self.context,
        }

    def _repr_html_(self) -> str:
        needs = ", ".join(str(needed + 1) for needed in self.depends_on)
        span = f"characters {self.start} to {self.end}"
        return facts_html("SubTask", {"text": self.text, "span": span, "needs": needs, "context": self.context})


@dataclass(frozen=True, slots=True)
class TaskProfile:
    """A classified sub-task.

    Attributes
    ----------
    subtask : SubTask
        What was classified.
    task_type : TaskType
        Kind of deliverable.
    complexity : float
        How hard it is, 0..1.
    input_tokens : int
        Length of the sub-task, estimated.
    confidence : float or None
        Probability that the type is right; None where the classifier has no such estimate.
    signals : mapping of str to float
        What the classifier went by, and how much each piece counted.
    """

    subtask: SubTask
    task_type: TaskType
    complexity: float
    input_tokens: int
    confidence: float | None = None
    signals: Mapping[str, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Text of the sub-task."""
        return self.subtask.text

    @property
    def tier(self) -> ComplexityTier:
        """Complexity tier."""
        return ComplexityTier.of(self.complexity)

    def __repr__(self) -> str:
        return (
            f"TaskProfile({self.text!r}, {self.task_type}, "
            f"complexity={self.complexity:.3f} {self.tier}, {self.input_tokens} tokens)"
        )

    def to_row(self) -> dict[str, object]:
        """The profile as a row of a table."""
        return {
            "sub_task": self.text,
            "task_type": str(self.task_type),
            "confidence": self.confidence,
            "complexity": self.complexity,
            "tier": str(self.tier),
            "input_tokens": self.input_tokens,
            "depends_on": self.subtask.depends_on,
        }

    def _repr_html_(self) -> str:
        return profile_html(self)
