"""Prompts written by hand, from ``data/prompts/written``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import yaml

from multillm.promptgen.records import Record, choice, code, exact, facts, number, pattern, schema, tests
from multillm.resources import data_dir
from multillm.tasks import TaskType

__all__ = ["source", "written"]

Entry = Mapping[str, Any]


def source(name: str) -> Any:
    """Content of a file of hand-written prompts."""
    return yaml.safe_load((data_dir() / "prompts" / "written" / f"{name}.yaml").read_text("utf-8"))


def written(random: Random) -> Iterator[tuple[str, Record]]:
    """Level and record of every prompt that was written by hand."""
    for level, entries in source("qa_simple").items():
        yield from ((level, _question(entry, random)) for entry in entries)
    for level, entries in source("code_generation").items():
        yield from ((level, code(TaskType.CODE_GENERATION, entry["ask"], entry)) for entry in entries)
    for level, groups in source("code_review").items():
        yield from ((level, record) for record in _reviews(groups, random))
    for level, groups in source("documentation").items():
        yield from ((level, record) for record in _documents(groups, random))
    summaries = source("summarisation")
    for level, entries in summaries.pop("headlines").items():
        yield from ((level, _headline(entry, random)) for entry in entries)
    for level, entries in summaries.items():
        yield from ((level, _summary(entry)) for entry in entries)


def _question(entry: Entry, random: Random) -> Record:
    if "number" in entry:
        return number(TaskType.QA_SIMPLE, entry["ask"], entry["number"])
    if "right" in entry:
        return choice(TaskType.QA_SIMPLE, entry["ask"], entry["right"], entry["wrong"], random)
    return exact(TaskType.QA_SIMPLE, entry["ask"], entry.get("answers") or [entry["answer"]])


def _headline(entry: Entry, random: Random) -> Record:
    ask = f"Which headline sums up this text best?\n\n{entry['text']}"
    return choice(TaskType.SUMMARISATION, ask, entry["right"], entry["wrong"], random)


def _summary(entry: Entry) -> Record:
    ask = f"Summarise this text in at most {entry['words']} words.\n\n{entry['text'].strip()}"
    return facts(TaskType.SUMMARISATION, ask, entry, 96)


def _reviews(groups: Mapping[str, list[Entry]], random: Random) -> Iterator[Record]:
    kind = TaskType.CODE_REVIEW
    for entry in groups["result"]:
        value = tests(entry["code"], [entry["call"]])[0]["returns"]
        ask = f"Read this Python code.\n\n{_block(entry['code'])}\n\nWhat does the call `{entry['call']}` return?"
        yield number(kind, ask, value) if isinstance(value, int) else exact(kind, ask, [value])
    for entry in groups["choice"]:
        ask = f"Review this Python code. What is wrong with it?\n\n{_block(entry['code'])}"
        yield choice(kind, ask, entry["right"], entry["wrong"], random)
    for entry in groups["line"]:
        numbered = "\n".join(f"{n}: {line}" for n, line in enumerate(entry["code"].splitlines(), 1))
        ask = f"This Python function {entry['says']}. In which line is the mistake?\n\n{_block(numbered)}\n\n"
        yield number(kind, ask.rstrip() + "\n\nGive the line number.", entry["line"])
    for entry in groups["fix"]:
        ask = f"Review this Python function: it {entry['says']}. Correct it.\n\n{_block(entry['code'])}"
        yield code(kind, ask, entry)


def _documents(groups: Mapping[str, list[Entry]], random: Random) -> Iterator[Record]:
    kind = TaskType.DOCUMENTATION
    for entry in groups["describe"]:
        ask = f"{entry['ask']} Use at most {entry['words']} words."
        ask += f"\n\n{_block(entry['code'])}" if "code" in entry else ""
        yield facts(kind, ask, entry, 128)
    for entry in groups["schema"]:
        yield schema(kind, entry["ask"], entry["schema"], entry["reference"], 256)
    for entry in groups["pattern"]:
        yield pattern(kind, entry["ask"], entry)
    for entry in groups["choice"]:
        ask = f"Which docstring describes this Python function?\n\n{_block(entry['code'])}"
        yield choice(kind, ask, entry["right"], entry["wrong"], random)


def _block(code_text: str) -> str:
    return f"```python\n{code_text}\n```"
