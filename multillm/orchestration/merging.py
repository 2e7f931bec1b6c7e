"""From the answers of the sub-tasks to one document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multillm.orchestration.results import SubTaskResult
    from multillm.router import RoutingDecision

__all__ = ["ending", "heading", "merge"]


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
    return "\n\n".join(heading(n, result.decision) + _body(result) for n, result in enumerate(results, 1))


def heading(n: int, decision: RoutingDecision) -> str:
    """What stands above the answer to one of several sub-tasks, counted from 1."""
    text = " ".join(decision.profile.text.split())
    return f"## {n}. {text[:1].upper()}{text[1:]}\n\n"


def ending(result: SubTaskResult) -> str:
    """What follows the text of an answer: an end to its last code fence, a note if it was cut short or is missing.

    An open code fence would swallow what follows.
    """
    done = result.completion
    if done is None:
        quoted = "\n> ".join(str(result.error).splitlines())
        return f"> **Not answered.** {quoted}"
    fences = sum(line.strip().startswith("```") for line in done.text.splitlines())
    cut = f"\n\n> **Cut short** at the budget of {done.request.max_output_tokens} tokens." if done.truncated else ""
    return "\n```" * (fences % 2) + cut


def _body(result: SubTaskResult) -> str:
    return (result.completion.text.strip() if result.completion else "") + ending(result)
