"""What a grader is and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from multillm.errors import InputError
from multillm.prompts import BenchmarkPrompt

__all__ = ["Grader", "Score", "wanted"]


@dataclass(frozen=True, slots=True)
class Score:
    """How good an answer is.

    Attributes
    ----------
    value : float or None
        From 0 (wrong) to 1 (right); None for an answer that could not be graded, never 0 for it.
    reason : str or None
        Why there is no value, or why it is below 1; None for full marks.
    """

    value: float | None
    reason: str | None = None


Grader = Callable[[BenchmarkPrompt, str], Score]
"""Grades an answer; what it raises is the prompt's fault, never the answer's."""


def wanted(prompt: BenchmarkPrompt, key: str) -> Any:
    """What the prompt expects under a key.

    Raises
    ------
    InputError
        If the prompt lacks the key.
    """
    expected: Mapping[str, Any] = prompt.expected
    if key not in expected:
        raise InputError(
            f"prompt {prompt.prompt_id!r}: its grader {prompt.grader!r} needs expected[{key!r}]; "
            f"there is {', '.join(sorted(expected)) or 'nothing'}"
        )
    return expected[key]
