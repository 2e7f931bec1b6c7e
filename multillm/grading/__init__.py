"""Graders: small functions ``(prompt, answer) -> Score`` that hold an answer against what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from multillm.errors import ConfigurationError
from multillm.grading.base import Grader, Score
from multillm.grading.coverage import facts
from multillm.grading.extract import without_echo
from multillm.grading.programs import code
from multillm.grading.structured import json_schema
from multillm.grading.text import choice, exact, number, regex
from multillm.prompts import BenchmarkPrompt

__all__ = ["GRADERS", "Grader", "Score", "grade"]

MOST_CHARACTERS = 20_000
NEEDS_SANDBOX = frozenset({"code"})
GRADERS: Mapping[str, Grader] = MappingProxyType(
    {grader.__name__: grader for grader in (choice, code, exact, facts, json_schema, number, regex)}
)
"""Grader for each name that a prompt may give."""


def grade(prompt: BenchmarkPrompt, answer: str, *, run_code: bool = False) -> Score:
    """How good an answer is.

    What stands beyond the first 20,000 characters of an answer is not read.

    Parameters
    ----------
    prompt : BenchmarkPrompt
        What was asked, and what is expected.
    answer : str
        What the model wrote; of a compound prompt, the whole merged document.
    run_code : bool, default False
        Whether generated code may run, in the sandbox of `multillm.grading.sandbox`.

    Returns
    -------
    Score
        Of a compound prompt, the mean over its parts, each held against the whole answer; unscored if any
        part is unscored.

    Raises
    ------
    ConfigurationError
        If the prompt names a grader that does not exist.
    InputError
        If the prompt lacks what its grader needs.
    """
    answer = answer[:MOST_CHARACTERS]
    if prompt.parts:
        return _mean(prompt, answer, run_code)
    if prompt.grader not in GRADERS:
        raise ConfigurationError(
            f"prompt {prompt.prompt_id!r} names the grader {prompt.grader!r}; allowed: {', '.join(GRADERS)}"
        )
    if prompt.grader in NEEDS_SANDBOX and not run_code:
        return Score(None, "running generated code is not allowed; pass run_code=True to run it in the sandbox")
    return GRADERS[prompt.grader](prompt, without_echo(prompt.prompt, answer))


def _mean(prompt: BenchmarkPrompt, answer: str, run_code: bool) -> Score:
    heard = without_echo(prompt.prompt, answer)
    for part in prompt.parts:
        heard = without_echo(part.prompt, heard)
    scores = [(part.prompt_id, grade(part, heard, run_code=run_code)) for part in prompt.parts]
    reasons = "; ".join(f"{name}: {score.reason}" for name, score in scores if score.reason)
    values = [score.value for _, score in scores if score.value is not None]
    if len(values) < len(scores):
        return Score(None, reasons)
    return Score(sum(values) / len(values), reasons or None)
