"""From the answers of the sub-tasks to one document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multillm.orchestration.results import SubTaskResult

__all__ = ["merge"]


def merge(results: Sequence[SubTaskResult]) -> str:
    """One Markdown document from the results of all sub-tasks.

    Parameters
    ----------
    results : sequence of SubTaskResult
        In prompt order.

    Returns
    -------
    str
        The bare answer of a single sub-task; otherwise a section for each, headed by its text.
        A failed or truncated answer is marked as such.
    """
    if len(results) == 1:
        return _body(results[0])
    return "\n\n".join(f"## {n}. {_heading(result)}\n\n{_body(result)}" for n, result in enumerate(results, 1))


def _heading(result: SubTaskResult) -> str:
    text = " ".join(result.decision.profile.text.split())
    return text[:1].upper() + text[1:]


def _body(result: SubTaskResult) -> str:
    if result.completion is None:
        return f"> **Not answered.** {_quoted(str(result.error))}"
    if result.completion.truncated:
        limit = result.completion.request.max_output_tokens
        return f"{_closed(result.completion.text)}\n\n> **Cut short** at the budget of {limit} tokens."
    return _closed(result.completion.text)


def _quoted(text: str) -> str:
    """The text as the inside of a Markdown block quote."""
    return "\n> ".join(text.splitlines())


def _closed(answer: str) -> str:
    """The answer with its last code fence closed, so that it cannot swallow what follows."""
    fences = [line.strip() for line in answer.splitlines() if line.strip().startswith("```")]
    text = answer.strip()
    return f"{text}\n```" if len(fences) % 2 else text
