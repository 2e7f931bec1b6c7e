"""Grader of JSON answers."""

from __future__ import annotations

import json
import re
from typing import Any

from multillm.errors import InputError
from multillm.grading.base import Score, wanted
from multillm.grading.extract import fenced
from multillm.prompts import BenchmarkPrompt

__all__ = ["json_schema", "json_values"]

MOST_FAILED = 100
"""Brackets that begin no JSON after which no further one is tried."""


def json_schema(prompt: BenchmarkPrompt, answer: str) -> Score:
    """A JSON value that keeps a schema.

    ``expected``: ``schema``, a JSON Schema (draft 2020-12); fixed values stand in it as ``const``. What counts are
    the fenced blocks that are JSON or, without one, every outermost object or array in the text. One that keeps the
    schema is right; where several are given, all must keep it, so that trying out variants earns nothing;
    with ``among: true``, for a part of a compound prompt, one of them is enough.
    Comments, trailing commas and single quotes are not JSON.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError, best_match

    schema = wanted(prompt, "schema")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise InputError(f"prompt {prompt.prompt_id!r}: its schema is not valid: {error.message}") from None
    values = json_values(answer)
    if not values:
        return Score(0.0, "no JSON in the answer")
    validator = Draft202012Validator(schema)
    fault: Any = next(
        (best_match(validator.iter_errors(value)) for value in values if not validator.is_valid(value)), None
    )
    if prompt.expected.get("among") and any(map(validator.is_valid, values)):
        return Score(1.0)
    return Score(1.0) if fault is None else Score(0.0, f"{fault.json_path}: {fault.message:.120}")


def json_values(answer: str) -> list[Any]:
    """Every JSON object or array of an answer: of its fenced blocks, else of its text."""
    blocks = [
        found for tag, block in fenced(answer) if tag in {"", "json", "jsonc", "json5"} for found in _within(block)
    ]
    return blocks or _within(answer)


def _within(text: str) -> list[Any]:
    decoder = json.JSONDecoder()
    found = []
    end = failed = 0
    for start in re.finditer(r"[{\[]", text):
        if start.start() >= end and failed < MOST_FAILED:
            try:
                value, end = decoder.raw_decode(text, start.start())
                found.append(value)
            except (ValueError, RecursionError):
                failed += 1
    return found
