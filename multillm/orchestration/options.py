"""What the caller of one run asks for beside the prompt."""

from __future__ import annotations

import reprlib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from multillm.errors import InputError
from multillm.tasks import estimate_tokens

__all__ = ["Message", "RunOptions"]

STRICT = ConfigDict(frozen=True, extra="forbid")


class Message(BaseModel):
    """An earlier message of a conversation."""

    model_config = STRICT

    role: Literal["system", "user", "assistant"]
    """Whose it is."""
    content: str
    """Its text."""


class RunOptions(BaseModel):
    """What one run does differently from the pool's settings; None: as the pool says.

    Raises
    ------
    InputError
        If an option is not known, or its value not allowed.

    Examples
    --------
    >>> RunOptions(history=[{"role": "system", "content": "Answer in French."}], temperature=0.2).calls
    {'temperature': 0.2}
    """

    model_config = STRICT

    history: tuple[Message, ...] = ()
    """Earlier messages, each with ``role`` (``system``, ``user`` or ``assistant``) and ``content``: instructions,
    questions and answers. Every model sees them before its sub-task; they are neither split nor classified."""
    temperature: float | None = Field(default=None, ge=0.0, le=2.0, allow_inf_nan=False)
    """Sampling temperature."""
    seed: int | None = None
    """Seed of the sampling where the server takes one."""
    max_output_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of all answers together, shared out evenly among the sub-tasks."""

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            name = ".".join(str(part) for part in fault["loc"])
            raise InputError(f"{name:.200} is {reprlib.repr(fault['input']):.80}: {fault['msg']}") from None

    @property
    def messages(self) -> list[dict[str, str]]:
        """The history as a model gets it."""
        return [message.model_dump() for message in self.history]

    @property
    def history_tokens(self) -> int:
        """Length of the history, estimated."""
        return sum(estimate_tokens(message.content) for message in self.history)

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
