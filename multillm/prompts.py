"""Benchmark prompts: what models are asked, and what a right answer is held against."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multillm.cautious import is_file
from multillm.errors import InputError
from multillm.gold import COMPLEXITY
from multillm.resources import data_dir
from multillm.tasks import TaskType

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CANARY", "BenchmarkPrompt", "load_prompts", "prompts_frame", "prompts_hash"]

CANARY = "multillm benchmark prompts: not for training, canary f9787a81-c3cf-4ec8-aa34-4061e2eff4e3"
"""Stands in every shipped line; a model that can complete it has seen the prompts."""
FIELDS = {"id", "prompt", "task_type", "complexity", "grader", "expected", "max_output_tokens", "parts", "canary"}
REQUIRED = ("id", "prompt", "complexity", "max_output_tokens")
GRADED = ("task_type", "grader", "expected")


@dataclass(frozen=True, slots=True)
class BenchmarkPrompt:
    """A prompt whose answer can be checked.

    Attributes
    ----------
    prompt_id : str
        Stable name.
    prompt : str
        What the model is asked.
    task_type : TaskType
        Kind of deliverable; of a compound prompt, that of its first part.
    complexity : str
        ``low``, ``medium`` or ``high``; `multillm.gold.COMPLEXITY` gives the numbers.
    grader : str
        Name of a grader in `multillm.grading.GRADERS`; ``parts`` for a compound prompt.
    expected : mapping of str to object
        What the grader needs, such as ``answer``, ``pattern``, ``schema``, ``tests`` or ``facts``;
        in shipped prompts also ``reference``, an answer that earns full marks.
    max_output_tokens : int
        Tokens within which a right answer can be finished.
    parts : tuple of BenchmarkPrompt
        Of a compound prompt, one graded prompt for each sub-task, in order, its text an exact span
        of the whole; empty for a single one.
    """

    prompt_id: str
    prompt: str
    task_type: TaskType
    complexity: str
    grader: str
    expected: Mapping[str, Any]
    max_output_tokens: int
    parts: tuple[BenchmarkPrompt, ...] = ()

    @property
    def kind(self) -> str:
        """``compound`` if it has parts, else ``single``."""
        return "compound" if self.parts else "single"

    def __repr__(self) -> str:
        return (
            f"BenchmarkPrompt({self.prompt_id!r}, {self.kind}, {self.task_type}, {self.complexity}, "
            f"{self.grader}, {self.prompt!r:.60})"
        )


def load_prompts(source: str | Path = "core") -> tuple[BenchmarkPrompt, ...]:
    """Benchmark prompts of a shipped set or a file.

    Parameters
    ----------
    source : str or Path, default "core"
        ``"core"`` for the set that comes with multillm, or a path of JSON lines: ``id``, ``prompt``,
        ``complexity``, ``max_output_tokens`` and either ``task_type``, ``grader`` and ``expected``,
        or ``parts``, a list of at least two such records without parts of their own.

    Returns
    -------
    tuple of BenchmarkPrompt
        In file order.

    Raises
    ------
    InputError
        If the file is missing, empty or not UTF-8, or a line breaks the format; names file, line and fault.
    """
    shipped = data_dir() / "prompts" / f"{source}.jsonl"
    path = shipped if is_file(shipped) else Path(source)
    if not is_file(path):
        raise InputError(f"no benchmark prompts at {str(source)!r}; give 'core' or a JSON lines file")
    try:
        lines = path.read_text("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8") from None
    prompts: list[BenchmarkPrompt] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            prompt = _prompt(json.loads(line))
            if prompt.prompt_id in seen:
                raise ValueError(f"id {prompt.prompt_id!r} stands in line {seen[prompt.prompt_id]} too; ids are unique")
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError(f"{path}, line {number}: not a benchmark prompt: {error}") from None
        seen[prompt.prompt_id] = number
        prompts.append(prompt)
    if not prompts:
        raise InputError(f"{path}: there is no prompt in it; give at least one line")
    return tuple(prompts)


def prompts_hash(prompts: Iterable[BenchmarkPrompt]) -> str:
    """SHA-256, in hexadecimal, over the prompts and what they are held against, in order."""
    canonical = json.dumps([asdict(prompt) for prompt in prompts], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def prompts_frame(prompts: Sequence[BenchmarkPrompt]) -> pd.DataFrame:
    """Prompts as a table.

    Returns
    -------
    DataFrame
        One row for each prompt: prompt_id, prompt, kind, task_type, complexity (0.2, 0.5 or 0.8), grader,
        max_output_tokens.
    """
    import pandas as pd

    rows = [
        (p.prompt_id, p.prompt, p.kind, str(p.task_type), COMPLEXITY[p.complexity], p.grader, p.max_output_tokens)
        for p in prompts
    ]
    columns = ["prompt_id", "prompt", "kind", "task_type", "complexity", "grader", "max_output_tokens"]
    return pd.DataFrame(rows, columns=columns)


def _prompt(record: object) -> BenchmarkPrompt:
    if not isinstance(record, dict):
        raise TypeError(f"the line holds a {type(record).__name__}; an object is wanted")
    parts = _parts(record)
    for key in (*REQUIRED, *(() if parts else GRADED)):
        if key not in record:
            raise ValueError(f"the key {key!r} is missing")
    if unknown := sorted(set(record) - FIELDS):
        raise ValueError(f"unknown key {unknown[0]!r}; allowed: {', '.join(sorted(FIELDS))}")
    if record["complexity"] not in tuple(COMPLEXITY):
        raise ValueError(f"complexity is {record['complexity']!r}; allowed: {', '.join(COMPLEXITY)}")
    return BenchmarkPrompt(
        _text(record, "id"),
        _text(record, "prompt"),
        parts[0].task_type if parts else TaskType(record["task_type"]),
        record["complexity"],
        "parts" if parts else _text(record, "grader"),
        {} if parts else _mapping(record, "expected"),
        _positive(record, "max_output_tokens"),
        parts,
    )


def _parts(record: Mapping[str, Any]) -> tuple[BenchmarkPrompt, ...]:
    listed = record.get("parts", [])
    if not isinstance(listed, list) or len(listed) == 1:
        raise ValueError("parts must be a list of at least two prompts; leave it out for a single one")
    parts = tuple(_prompt(part) for part in listed)
    for part in parts:
        if part.parts:
            raise ValueError(f"part {part.prompt_id!r} has parts of its own; one level is allowed")
        if part.prompt not in record.get("prompt", ""):
            raise ValueError(f"the text of part {part.prompt_id!r} is not a span of the prompt")
    return parts


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record[key]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key} is {value!r}; a text is wanted")
    return value


def _mapping(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record[key]
    if not isinstance(value, dict):
        raise TypeError(f"{key} is {value!r:.60}; an object is wanted")
    return value


def _positive(record: Mapping[str, Any], key: str) -> int:
    value = record[key]
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{key} is {value!r}; a whole number from 1 is wanted")
    return value
