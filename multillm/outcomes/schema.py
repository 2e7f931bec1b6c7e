"""The schema of an outcome table: columns, types, what each may hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from multillm.errors import OutcomesError

__all__ = ["MEASURES", "PROMPT_COLUMNS", "check", "typed"]

MEASURES = ("quality", "cost", "latency_s", "input_tokens", "output_tokens")
PROMPT_COLUMNS = ("prompt_id", "prompt", "task_type", "complexity", "group")


def typed(frame: pd.DataFrame, text: Sequence[str], numbers: Sequence[str], table: str) -> pd.DataFrame:
    """A copy with every column there and of its type; empty text is missing."""
    if "prompt_id" not in frame:
        raise OutcomesError(f"{table} has no column prompt_id; it has {', '.join(map(str, frame.columns))}")
    typed = frame.reindex(columns=[*text, *numbers]).reset_index(drop=True)
    for column in text:
        values = typed[column].astype(object)
        typed[column] = values.where(values.notna() & (values != ""), None).astype("str")
    for column in numbers:
        try:
            typed[column] = pd.to_numeric(typed[column]).astype(float)
        except (TypeError, ValueError):
            bad = pd.to_numeric(typed[column], errors="coerce").isna() & typed[column].notna()
            _refuse(typed, bad, column, table, "a number or missing")
    return typed


def check(rows: pd.DataFrame, prompts: pd.DataFrame, cost_unit: str) -> None:
    """Raise at the first row that breaks the schema."""
    for frame, table, columns in ((rows, "rows", ("prompt_id", "model")), (prompts, "prompts", ("prompt_id",))):
        for column in columns:
            _refuse(frame, frame[column].isna(), column, table, "text, never missing or empty")
        _refuse(frame, frame.duplicated(list(columns)), columns[-1], table, f"once for each {' and '.join(columns)}")
    for frame, table, column, high in (
        (rows, "rows", "quality", 1.0),
        (prompts, "prompts", "complexity", 1.0),
        *((rows, "rows", measure, np.finfo(float).max) for measure in MEASURES[1:]),
    ):
        allowed = "0..1 or missing" if high == 1.0 else "0 or more, finite, or missing"
        _refuse(frame, ~(frame[column].between(0.0, high) | frame[column].isna()), column, table, allowed)
    _refuse(rows, ~rows["prompt_id"].isin(prompts["prompt_id"]), "prompt_id", "rows", "an id that prompts has")
    _refuse(prompts, ~prompts["prompt_id"].isin(rows["prompt_id"]), "prompt_id", "prompts", "an id that rows has")
    if not cost_unit and rows["cost"].notna().any():
        raise OutcomesError("rows have costs but cost_unit is empty; say what they are counted in, such as USD")


def _refuse(frame: pd.DataFrame, bad: pd.Series[bool], column: str, table: str, allowed: str) -> None:
    if bad.any():
        row = int(np.argmax(bad.to_numpy()))
        raise OutcomesError(
            f"{table}, row {row}, column {column}: {_shown(frame[column].iloc[row])}; allowed: {allowed}"
        )


def _shown(value: object) -> str:
    return f"{value if isinstance(value, float) else repr(value)}"[:80]
