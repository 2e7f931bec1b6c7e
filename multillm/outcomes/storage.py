"""Outcome tables as files: one parquet or CSV file holds rows, prompts and metadata."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from multillm.errors import OutcomesError
from multillm.files import replacing
from multillm.outcomes.schema import MEASURES

__all__ = ["read_table", "write_table"]

HEADER = "# multillm outcomes "


def write_table(frame: pd.DataFrame, metadata: Mapping[str, str], path: Path) -> None:
    """Store a frame and its metadata; the suffix says how."""
    text = json.dumps(dict(metadata), ensure_ascii=False)
    if path.suffix == ".parquet":
        table = pa.Table.from_pandas(frame, preserve_index=False)
        with replacing(path) as unfinished:
            pq.write_table(table.replace_schema_metadata({b"multillm": text.encode()}), unfinished)
    elif path.suffix == ".csv":
        with replacing(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
            file.write(f"{HEADER}{text}\n")
            frame.to_csv(file, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    else:
        raise OutcomesError(f"{path} ends in {path.suffix!r}; an outcome table is stored as .parquet or .csv")


def read_table(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Frame and metadata of a file that `write_table` stored."""
    if not path.is_file():
        raise OutcomesError(f"{path} is not there")
    try:
        frame, metadata = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    except (ValueError, OSError, pa.ArrowException) as error:  # what pandas, json and the codecs raise, and pyarrow
        if isinstance(error, OutcomesError):
            raise
        raise OutcomesError(f"{path} is not readable as {path.suffix.removeprefix('.')}: {error}") from None
    if not isinstance(metadata, dict):
        raise OutcomesError(f"{path} has no metadata of an outcome table; store it by Outcomes.write")
    return frame, metadata


def _read_parquet(path: Path) -> tuple[pd.DataFrame, Any]:
    table = pq.read_table(path)
    table.validate(full=True)
    metadata = (table.schema.metadata or {}).get(b"multillm")
    if metadata is None:
        raise OutcomesError(f"{path} is parquet but no outcome table of multillm; use load_outcomes for public sets")
    return table.to_pandas(), json.loads(metadata)


def _read_csv(path: Path) -> tuple[pd.DataFrame, Any]:
    with path.open(encoding="utf-8", newline="") as file:
        header = file.readline()
        if not header.startswith(HEADER):
            raise OutcomesError(f"{path} does not start with {HEADER!r}; it is no outcome table of multillm")
        frame = pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""])
    numbers = frame.columns.intersection([*MEASURES, "complexity"])
    return frame.astype(dict.fromkeys(numbers, float)), json.loads(header.removeprefix(HEADER))
