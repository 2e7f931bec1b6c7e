"""What the router decided for a sub-task, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from multillm.rendering import decision_html
from multillm.tasks import TaskProfile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Candidate", "Rejection", "RoutingDecision", "RoutingRule"]


class Rejection(StrEnum):
    """Why a model was not a candidate."""

    FALLBACK_ONLY = "fallback only"
    TASK_TYPE = "task type"
    CONTEXT_WINDOW = "context window"
    UNKNOWN_QUALITY = "unknown quality"
    THRESHOLD = "threshold"
    OVERRIDE = "override"


class RoutingRule(StrEnum):
    """What made the choice."""

    UTILITY = "highest utility"
    OVERRIDE = "override"
    HIGHEST_QUALITY = "highest quality, none reaches the threshold"


class Candidate(NamedTuple):
    """A model as the router saw it.

    Attributes
    ----------
    label : str
        Model group.
    quality : float or None
        Expected quality, 0..1; None where unknown.
    cost : float
        Expected cost on the scale of the utility.
    utility : float or None
        Weighted quality less weighted cost; None where the quality is unknown.
    rejection : Rejection or None
        Why it was left out; None if it was open to choice.
    detail : str
        The rejection in figures.
    """

    label: str
    quality: float | None
    cost: float
    utility: float | None
    rejection: Rejection | None = None
    detail: str = ""

    @property
    def reason(self) -> str:
        """The rejection in words and figures; empty if it was open to choice."""
        return f"{self.rejection}: {self.detail}" if self.rejection else ""


@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """What was chosen for a sub-task, what was rejected and why.

    Attributes
    ----------
    profile : TaskProfile
        The classified sub-task.
    label : str
        Model group chosen.
    rule : RoutingRule
        What made the choice.
    threshold : float
        Least acceptable quality, 0..1.
    candidates : tuple of Candidate
        Every model of the pool, in order of rank.
    fallbacks : tuple of str
        Labels to call if the chosen one fails: peers or upward, all at or above the threshold.
    max_output_tokens : int
        Most tokens the answer may have.
    """

    profile: TaskProfile
    label: str
    rule: RoutingRule
    threshold: float
    candidates: tuple[Candidate, ...]
    fallbacks: tuple[str, ...]
    max_output_tokens: int

    @property
    def chosen(self) -> Candidate:
        """The candidate chosen."""
        return next(candidate for candidate in self.candidates if candidate.label == self.label)

    @property
    def utility(self) -> float | None:
        """Utility of the candidate chosen."""
        return self.chosen.utility

    def to_dict(self) -> dict[str, object]:
        """The decision as plain values, ready for JSON."""
        profile, subtask = self.profile, self.profile.subtask
        return {
            "sub_task": subtask.text,
            "start": subtask.start,
            "end": subtask.end,
            "depends_on": list(subtask.depends_on),
            "context": subtask.context,
            "task_type": str(profile.task_type),
            "confidence": profile.confidence,
            "complexity": profile.complexity,
            "tier": str(profile.tier),
            "input_tokens": profile.input_tokens,
            "label": self.label,
            "utility": self.utility,
            "rule": str(self.rule),
            "threshold": self.threshold,
            "fallbacks": list(self.fallbacks),
            "max_output_tokens": self.max_output_tokens,
            "candidates": [{**candidate._asdict(), "role": self.role(candidate)} for candidate in self.candidates],
        }

    def to_frame(self) -> pd.DataFrame:
        """Every model with its figures, one row each.

        Returns
        -------
        DataFrame
            Indexed by label: quality, cost, utility (float64, missing where unknown),
            role (chosen, fallback 1.., open, rejected), reason (str, empty unless rejected).
        """
        import pandas as pd

        rows = [(c.label, c.quality, c.cost, c.utility, self.role(c), c.reason) for c in self.candidates]
        frame = pd.DataFrame(rows, columns=["label", "quality", "cost", "utility", "role", "reason"])
        return frame.astype({"quality": float, "cost": float, "utility": float}).set_index("label")

    def to_row(self) -> dict[str, object]:
        """The decision as a row of a table."""
        told = self.to_dict()
        shown = ("sub_task", "task_type", "complexity", "tier", "label", "utility", "rule", "depends_on")
        return {name: told[name] for name in shown}

    def role(self, candidate: Candidate) -> str:
        """What became of a candidate: chosen, fallback 1.., open or rejected."""
        if candidate.label == self.label:
            return "chosen"
        if candidate.label in self.fallbacks:
            return f"fallback {self.fallbacks.index(candidate.label) + 1}"
        return "rejected" if candidate.rejection else "open"

    def __repr__(self) -> str:
        utility = "U unknown" if self.utility is None else f"U={self.utility:+.4f}"
        return f"RoutingDecision({self.profile.text!r} -> {self.label}, {utility}, {self.rule})"

    def _repr_html_(self) -> str:
        return decision_html(self)
