"""Labelled prompts: what should be split where, into what."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from multillm.cautious import is_file
from multillm.errors import InputError
from multillm.resources import data_dir
from multillm.tasks import SubTask, TaskType

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COMPLEXITY", "AnnotatedSplitter", "GoldPrompt", "GoldSubTask", "gold_frame", "load_gold"]

PARTS = ("train", "test", "second_pass", "independent_pass", "independent_pass_2")
COMPLEXITY = {"low": 0.2, "medium": 0.5, "high": 0.8}
"""Complexity (0..1) that stands for a labelled level."""


@dataclass(frozen=True, slots=True)
class GoldSubTask:
    """A sub-task as labelled.

    Attributes
    ----------
    text : str
        Exact span of the prompt: ``prompt[start:end]``.
    start, end : int
        Position of the span, in characters.
    task_type : TaskType
        Kind of deliverable.
    complexity : str
        ``low``, ``medium`` or ``high``.
    depends_on : tuple of int
        Indices of the sub-tasks whose answers this one needs.
    """

    text: str
    start: int
    end: int
    task_type: TaskType
    complexity: str
    depends_on: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GoldPrompt:
    """A labelled prompt.

    Attributes
    ----------
    prompt_id : str
        Name of the prompt.
    topic : str
        What it is about; a topic is in one part only.
    kind : str
        ``compound`` (several sub-tasks), ``trap`` (one, with words that tempt to split) or ``plain`` (one).
    prompt : str
        The text.
    subtasks : tuple of GoldSubTask
        In prompt order.
    """

    prompt_id: str
    topic: str
    kind: str
    prompt: str
    subtasks: tuple[GoldSubTask, ...]

    def __repr__(self) -> str:
        return f"GoldPrompt({self.prompt_id!r}, {self.kind}, {len(self.subtasks)} sub-tasks, {self.prompt!r:.60})"


class AnnotatedSplitter:
    """Splits prompts as somebody labelled them; how far annotators agree bounds how well a splitter can do.

    Parameters
    ----------
    gold : iterable of GoldPrompt
        The labels.
    """

    name = "annotated"

    def __init__(self, gold: Iterable[GoldPrompt]) -> None:
        self._labels = {prompt.prompt: prompt.subtasks for prompt in gold}

    def split(self, prompt: str) -> list[SubTask]:
        """The sub-tasks that were labelled.

        Raises
        ------
        InputError
            If the prompt was not labelled.
        """
        if prompt not in self._labels:
            raise InputError(
                f"no labels for the prompt {prompt!r:.60}; {len(self._labels)} others were labelled: score those alone"
            )
        return [SubTask(task.text, task.start, task.end, task.depends_on) for task in self._labels[prompt]]


def load_gold(source: str | Path = "train") -> list[GoldPrompt]:
    """Labelled prompts of a part or a file.

    Parameters
    ----------
    source : str or Path, default "train"
        ``"train"``, ``"test"``, or ``"second_pass"``, ``"independent_pass"`` and ``"independent_pass_2"``, which label
        prompts of the two again, for the files that come with multillm; or a path of JSON lines: ``id``, ``prompt``,
        ``subtasks`` (``text``, ``task_type``, ``complexity``, ``depends_on``) and, optionally, ``topic`` and ``kind``.

    Returns
    -------
    list of GoldPrompt
        In file order.

    Raises
    ------
    InputError
        If the file is missing or a line breaks the format; names line and fault.
    """
    shipped = data_dir() / "gold" / f"{source}.jsonl"
    path = shipped if is_file(shipped) else Path(source)
    if not is_file(path):
        raise InputError(
            f"no labelled prompts at {str(source)!r}; give {', '.join(map(repr, PARTS))} or a JSON lines file"
        )
    prompts = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if line.strip():
            try:
                prompts.append(_prompt(json.loads(line)))
            except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
                raise InputError(
                    f"{path}, line {number}: not a labelled prompt: {type(error).__name__}: {error}"
                ) from None
    return prompts


def gold_frame(source: str | Path = "train") -> pd.DataFrame:
    """Labelled sub-tasks as a table.

    Parameters
    ----------
    source : str or Path, default "train"
        As for `load_gold`.

    Returns
    -------
    DataFrame
        One row for each sub-task: prompt_id, topic, kind, prompt, text, task_type, complexity (0.2, 0.5 or 0.8).
    """
    import pandas as pd

    rows = [
        (p.prompt_id, p.topic, p.kind, p.prompt, task.text, str(task.task_type), COMPLEXITY[task.complexity])
        for p in load_gold(source)
        for task in p.subtasks
    ]
    return pd.DataFrame(rows, columns=["prompt_id", "topic", "kind", "prompt", "text", "task_type", "complexity"])


def _prompt(record: dict[str, object]) -> GoldPrompt:
    prompt = str(record["prompt"])
    tasks: list[GoldSubTask] = []
    end = 0
    listed = record["subtasks"]
    if not isinstance(listed, list) or not listed:
        raise ValueError("subtasks must be a list with at least one entry")
    for entry in listed:
        start = prompt.index(entry["text"], end)
        end = start + len(entry["text"])
        if entry["complexity"] not in COMPLEXITY:
            raise ValueError(f"complexity is {entry['complexity']!r}; allowed: {', '.join(COMPLEXITY)}")
        needs = tuple(int(index) for index in entry.get("depends_on", ()))
        if any(not 0 <= index < len(tasks) for index in needs):
            raise ValueError(f"depends_on is {needs}; it may only name earlier sub-tasks")
        tasks.append(GoldSubTask(entry["text"], start, end, TaskType(entry["task_type"]), entry["complexity"], needs))
    kind = str(record.get("kind") or ("compound" if len(tasks) > 1 else "plain"))
    return GoldPrompt(str(record["id"]), str(record.get("topic", "")), kind, prompt, tuple(tasks))
