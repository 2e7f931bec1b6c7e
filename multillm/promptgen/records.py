"""From a task to a record of a prompt: wording, grader, room for the answer, an answer that is right."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from random import Random
from typing import Any

from multillm.grading.sandbox import Evaluated, evaluate
from multillm.tasks import TaskType

__all__ = ["Record", "choice", "code", "exact", "facts", "number", "pattern", "schema", "tests"]

Record = dict[str, Any]
LETTERS = "ABCD"


def _record(kind: TaskType, prompt: str, grader: str, tokens: int, expected: Mapping[str, Any]) -> Record:
    return {
        "prompt": prompt,
        "task_type": str(kind),
        "grader": grader,
        "expected": dict(expected),
        "max_output_tokens": tokens,
    }


def number(kind: TaskType, ask: str, answer: float, tokens: int = 48) -> Record:
    """A question with a number for an answer."""
    expected = {"answer": answer, "reference": str(answer)}
    return _record(kind, f"{ask} Reply with the number only.", "number", tokens, expected)


def exact(kind: TaskType, ask: str, answers: Sequence[str], rivals: Sequence[str] = ()) -> Record:
    """A question with a word or name for an answer, and what else could be answered."""
    expected = {"answers": list(answers), **({"rivals": list(rivals)} if rivals else {}), "reference": answers[0]}
    return _record(kind, f"{ask} Reply with the answer only, without a sentence.", "exact", 32, expected)


def choice(kind: TaskType, ask: str, right: str, wrong: Sequence[str], random: Random) -> Record:
    """A question with four options, in an order drawn at random."""
    texts = [str(right), *map(str, wrong)]
    random.shuffle(texts)
    options = dict(zip(LETTERS, texts, strict=True))
    answer = LETTERS[texts.index(str(right))]
    listed = "\n".join(f"{letter}) {text}" for letter, text in options.items())
    expected = {"answer": answer, "options": options, "reference": answer}
    return _record(kind, f"{ask}\n\n{listed}\n\nReply with the letter only.", "choice", 32, expected)


def pattern(kind: TaskType, ask: str, entry: Mapping[str, Any], tokens: int = 160) -> Record:
    """A text of a given form."""
    keys = ("pattern", "raw", "search", "reference")
    return _record(kind, ask, "regex", tokens, {key: entry[key] for key in keys if key in entry})


def schema(kind: TaskType, ask: str, wanted: Mapping[str, Any], reference: object, tokens: int = 160) -> Record:
    """A JSON value that keeps a schema."""
    text = reference if isinstance(reference, str) else json.dumps(reference)
    return _record(kind, ask, "json_schema", tokens, {"schema": wanted, "reference": text})


def facts(kind: TaskType, ask: str, entry: Mapping[str, Any], tokens: int) -> Record:
    """A text that must tell certain facts in few words."""
    expected = {"facts": entry["facts"], "max_words": entry["words"]}
    if entry.get("point"):
        expected["point"] = True
    if "untrue" in entry:
        expected["forbidden"] = entry["untrue"]
    return _record(kind, ask, "facts", tokens, expected | {"reference": entry["reference"]})


def code(kind: TaskType, ask: str, entry: Mapping[str, Any], tokens: int = 256) -> Record:
    """A Python function or class, with what its calls return as the entry's solution computes it."""
    expected = {
        "name": entry["name"],
        "tests": tests(entry["solution"], entry["calls"]),
        "reference": f"```python\n{entry['solution']}\n```",
    }
    return _record(kind, f"{ask}\n\nReply with the Python code only.", "code", tokens, expected)


def tests(solution: str, calls: Sequence[str]) -> list[Record]:
    """Each call with what it returns or raises.

    Raises
    ------
    ValueError
        If the solution does not come to its end.
    """
    result = _evaluated(solution, tuple(calls))
    if len(result.outcomes) < len(calls):
        raise ValueError(f"{calls[len(result.outcomes)]}: {result.ended}")
    return [
        {"call": call, "returns": outcome["value"]}
        if "value" in outcome
        else {"call": call, "raises": outcome["raised"]}
        for call, outcome in zip(calls, result.outcomes, strict=True)
    ]


@cache
def _evaluated(solution: str, calls: tuple[str, ...]) -> Evaluated:
    return evaluate(solution, calls)
