"""What the caller of one run asks for beside the prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from multillm.errors import InputError
from multillm.tasks import estimate_tokens

__all__ = ["RunOptions"]


class RunOptions(BaseModel):
    """What one run does differently from the pool's settings; None: as the pool says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    history: tuple[Mapping[str, str], ...] = ()
    """Earlier messages, each with ``role`` and ``content``: instructions, questions and answers. Every model sees
    them before its sub-task; they are neither split nor classified."""
    temperature: float | None = Field(default=None, ge=0.0, le=2.0, allow_inf_nan=False)
    """Sampling temperature."""
    seed: int | None = None
    """Seed of the sampling where the server takes one."""
    max_output_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of all answers together, shared out evenly among the sub-tasks."""

    @property
    def history_tokens(self) -> int:
        """Length of the history, estimated."""
        return sum(estimate_tokens(message["content"]) for message in self.history)

    @property
    def calls(self) -> dict[str, Any]:
        """The settings of calls that this run changes."""
        asked = {"temperature": self.temperature, "seed": self.seed}
        return {name: value for name, value in asked.items() if value is not None}

    def share(self, subtasks: int) -> int | None:
        """Most tokens for the answer to each sub-task; None for no limit.

        Raises
        ------
        InputError
            If there is not a token for each.
        """
        if self.max_output_tokens is None:
            return None
        if self.max_output_tokens < subtasks:
            raise InputError(
                f"max_output_tokens is {self.max_output_tokens} for {subtasks} sub-tasks; "
                f"allow at least {subtasks}, or ask for less at once"
            )
        return self.max_output_tokens // subtasks
