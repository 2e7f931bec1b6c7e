"""Grader of generated Python code: calls with known results, run in the sandbox."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from multillm.errors import SandboxUnavailable
from multillm.grading.base import Score, wanted
from multillm.grading.extract import fenced
from multillm.grading.sandbox import evaluate
from multillm.prompts import BenchmarkPrompt

__all__ = ["code", "code_of", "same"]

CODE_LINE = re.compile(
    r"(?:def|class|import|from|async def|if|elif|else|for|while|try|except|finally|with|return)\b"
    r"|[@#)\]}]|\w[\w.\[\], ]*=[^=]"
)
FIRST_LINE = re.compile(r"^(?:def |class |import |from \w+ import|@\w|async def )", re.M)


def code(prompt: BenchmarkPrompt, answer: str) -> Score:
    """A Python function or class, by what its calls return.

    ``expected``: ``name``, what must be defined; ``tests``, a list of ``call``, an expression, with ``returns``, its
    value as `multillm.grading.sandbox.evaluate` gives it, or ``raises``, the name of an exception. All or nothing:
    1 if every call comes out right, else 0, since a function that always answers the same passes some. Values are
    compared as Python does, tuples as lists, floats to nine digits. Where no sandbox can be had, it is unscored.
    """
    tests = wanted(prompt, "tests")
    found = code_of(answer, wanted(prompt, "name"))
    if found is None:
        return Score(0.0, f"no code that defines {prompt.expected['name']!r}")
    try:
        result = evaluate(found, [test["call"] for test in tests])
    except SandboxUnavailable as error:
        return Score(None, str(error))
    for test, outcome in zip(tests, result.outcomes, strict=False):
        if not _right(test, outcome):
            shown = json.dumps(outcome.get("value", outcome.get("raised", "nothing")))
            return Score(0.0, f"{test['call']:.80} gave {shown:.80}")
    if len(result.outcomes) < len(tests):
        return Score(0.0, f"{tests[len(result.outcomes)]['call']:.80}: the code {result.ended}")
    return Score(1.0)


def code_of(answer: str, name: str) -> str | None:
    """The code of an answer that defines a name, or None.

    The first fenced block that defines it, with the blocks before it that are Python or untagged; without a fence,
    the lines from the first that begins like code to the last that is indented or begins like code.
    """
    definition = re.compile(
        rf"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+{re.escape(name)}\b|^{re.escape(name)}[ \t]*=", re.M
    )
    blocks = [text for tag, text in fenced(answer) if tag in {"", "python", "py", "python3"}]
    for position, block in enumerate(blocks):
        if definition.search(block):
            return "\n".join(blocks[: position + 1])
    start = FIRST_LINE.search(answer)
    if start is None or not definition.search(answer, start.start()):
        return None
    lines = []
    for line in answer[start.start() :].splitlines():
        if line.strip() and line[0] not in " \t" and not CODE_LINE.match(line):
            break
        lines.append(line)
    text = "\n".join(lines)
    return text if definition.search(text) else None


def _right(test: dict[str, Any], outcome: Any) -> bool:
    if "raises" in test:
        return bool(outcome.get("raised") == test["raises"])
    return "value" in outcome and same(test["returns"], outcome["value"])


def same(expected: Any, given: Any) -> bool:
    """Whether two encoded values are equal: floats to nine digits, ``True`` equal to 1, as in Python."""
    if isinstance(expected, list) and isinstance(given, list):
        return len(expected) == len(given) and all(map(same, expected, given))
    if isinstance(expected, dict) and isinstance(given, dict):
        return expected.keys() == given.keys() and all(same(expected[key], given[key]) for key in expected)
    if isinstance(expected, float) and isinstance(given, (int, float)):
        return math.isclose(expected, given, rel_tol=1e-9, abs_tol=1e-9)
    return type(expected) in (type(given), bool, int) and bool(expected == given)
