"""Whole columns of prompts at once."""

from __future__ import annotations

import pandas as pd

from multillm.errors import InputError
from multillm.splitting import Splitter, get_splitter
from multillm.tasks import SubTask

__all__ = ["split_many"]

CHUNK = 50_000
COLUMNS = ["subtask", "text", "start", "end", "depends_on", "context"]


def split_many(prompts: pd.Series, splitter: str | Splitter = "structural", *, chunk: int = CHUNK) -> pd.DataFrame:
    """Split a column of prompts.

    Each distinct prompt of a chunk is split once.

    Parameters
    ----------
    prompts : Series of str
        The prompts.
    splitter : str or Splitter, default "structural"
        Which splitter.
    chunk : int, default 50_000
        Prompts held at once.

    Returns
    -------
    DataFrame
        One row for each sub-task, indexed as `prompts`: subtask (int64, from 0), text (str),
        start and end (int64, characters), depends_on (tuple of int), context (str).

    Raises
    ------
    InputError
        If a prompt is missing or empty.
    """
    if prompts.isna().any():
        raise InputError(
            f"{int(prompts.isna().sum())} of {len(prompts)} prompts are missing; drop them or fill them first"
        )
    chosen = get_splitter(splitter)
    parts = [_split(prompts.iloc[start : start + chunk], chosen) for start in range(0, max(1, len(prompts)), chunk)]
    return pd.concat(parts)


def _split(prompts: pd.Series, splitter: Splitter) -> pd.DataFrame:
    known: dict[str, list[SubTask]] = {}
    index, rows = [], []
    for label, prompt in zip(prompts.index, prompts.tolist(), strict=True):
        tasks = known.get(prompt)
        if tasks is None:
            tasks = known[prompt] = splitter.split(prompt)
        for number, task in enumerate(tasks):
            index.append(label)
            rows.append((number, task.text, task.start, task.end, task.depends_on, task.context))
    frame = pd.DataFrame(rows, columns=COLUMNS, index=pd.Index(index, name=prompts.index.name))
    return frame.astype({"subtask": "int64", "start": "int64", "end": "int64"})
