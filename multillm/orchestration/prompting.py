"""From a sub-task to the chat messages that a model sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from multillm.tasks import SubTask

__all__ = ["build_messages"]


def build_messages(subtask: SubTask, upstream: Sequence[tuple[str, str]] = ()) -> tuple[Mapping[str, str], ...]:
    """Messages that ask for one sub-task and nothing else.

    Parameters
    ----------
    subtask : SubTask
        What is asked.
    upstream : sequence of (str, str)
        Text and answer of each sub-task it depends on. Answers are material to work on;
        they are fenced off from the request, which comes last.

    Returns
    -------
    tuple of mapping
        One user message: shared context, earlier answers, request.
    """
    parts = [subtask.context] if subtask.context else []
    parts += [f'Result of "{request}":\n<result>\n{answer.strip()}\n</result>' for request, answer in upstream]
    return ({"role": "user", "content": "\n\n".join([*parts, subtask.text])},)
