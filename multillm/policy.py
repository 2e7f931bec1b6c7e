"""What to trade: weights, thresholds, overrides and output budgets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from multillm.errors import ConfigurationError
from multillm.quantities import Share
from multillm.rendering import policy_html
from multillm.tasks import TaskProfile, TaskType

__all__ = ["HEAVIEST", "OutputBudget", "Policy"]

HEAVIEST = "heaviest"

Tokens = Annotated[int, Field(gt=0)]


class OutputBudget(BaseModel):
    """Most tokens an answer may have.

    By default as many as an answer of that task type needs to come to its end.
    With `prompt_multiple` the budget is that multiple of the sub-task's own
    length instead, as in the reference, which cuts most answers short.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by_type: Mapping[TaskType, Tokens] = {
        TaskType.DOCUMENTATION: 1024,
        TaskType.CODE_GENERATION: 1024,
        TaskType.CODE_REVIEW: 1024,
        TaskType.REASONING: 1024,
        TaskType.QA_SIMPLE: 256,
        TaskType.SUMMARISATION: 384,
    }
    """Tokens by task type."""
    default: Tokens = 768
    """Tokens for a task type that `by_type` does not name."""
    prompt_multiple: float | None = Field(default=None, gt=0.0, allow_inf_nan=False)
    """Budget as a multiple of the sub-task's estimated tokens; None for the budget by task type."""
    ceiling: Tokens = 2048
    """Most tokens, whatever the rule gives."""

    def tokens(self, profile: TaskProfile) -> int:
        """Most output tokens for a sub-task."""
        if self.prompt_multiple is not None:
            return min(self.ceiling, max(1, round(self.prompt_multiple * profile.input_tokens)))
        return min(self.ceiling, self.by_type.get(profile.task_type, self.default))


class Policy(BaseModel):
    r"""How quality is weighed against cost, and what is good enough.

    .. math:: U = \beta Q - \alpha C

    A model is good enough for a sub-task if Q reaches the threshold of its task type.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    beta: float = Field(default=0.60, ge=0.0, allow_inf_nan=False)
    """Weight of quality."""
    alpha: float = Field(default=0.40, ge=0.0, allow_inf_nan=False)
    """Weight of cost."""
    thresholds: Mapping[TaskType, Share] = {
        TaskType.SUMMARISATION: 0.55,
        TaskType.QA_SIMPLE: 0.55,
        TaskType.DOCUMENTATION: 0.60,
        TaskType.CODE_GENERATION: 0.72,
        TaskType.REASONING: 0.80,
        TaskType.CODE_REVIEW: 0.85,
    }
    """Least acceptable quality (0..1) by task type."""
    default_threshold: Share = 0.72
    """Least acceptable quality for a task type that `thresholds` does not name."""
    overrides: Mapping[TaskType, str] = {TaskType.CODE_REVIEW: HEAVIEST}
    """Label that a task type always goes to, or ``heaviest`` for the model of highest rank."""
    output_budget: OutputBudget = OutputBudget()
    """Most tokens an answer may have."""

    def check_labels(self, labels: Collection[str]) -> None:
        """See that every override names a label of the pool.

        Raises
        ------
        ConfigurationError
            If one does not.
        """
        for task_type, target in self.overrides.items():
            if target != HEAVIEST and target not in labels:
                raise ConfigurationError(
                    f"policy.overrides.{task_type} is {target!r}; allowed: {HEAVIEST}, {', '.join(labels)}"
                )

    def threshold(self, task_type: TaskType) -> float:
        """Least acceptable quality for a task type."""
        return self.thresholds.get(task_type, self.default_threshold)

    def utility(self, quality: float, cost: float) -> float:
        """Weighted quality less weighted cost."""
        return self.beta * quality - self.alpha * cost

    def __repr__(self) -> str:
        return f"Policy(U = {self.beta:g} Q - {self.alpha:g} C, {len(self.thresholds)} thresholds)"

    def _repr_html_(self) -> str:
        return policy_html(self, repr(self))
