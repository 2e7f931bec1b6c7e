"""Whole columns of prompts at once."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pandas as pd

from multillm.errors import InputError
from multillm.partitions import by_partition, is_partitioned
from multillm.splitting import Splitter, get_splitter

__all__ = ["split_many"]

CHUNK = 50_000


def split_many(prompts: pd.Series, splitter: str | Splitter = "structural", *, chunk: int = CHUNK) -> pd.DataFrame:
    """Split a column of prompts.

    Each distinct prompt of a chunk is split once.

    Parameters
    ----------
    prompts : Series of str
        The prompts; of Dask too.
    splitter : str or Splitter, default "structural"
        Which splitter.
    chunk : int, default 50_000
        Prompts held at once.

    Returns
    -------
    DataFrame
        One row for each sub-task, indexed as `prompts`: subtask (int64, from 0), text (str),
        start and end (int64, characters), depends_on (tuple of int), context (str).
        For a Series of Dask a lazy DataFrame of Dask, with the same partitions; errors are raised when it is computed.

    Raises
    ------
    InputError
        If a prompt is missing or empty.
    """
    if is_partitioned(prompts):
        return by_partition(split_many, prompts, pd.Series(["Define entropy."]), splitter=splitter, chunk=chunk)
    if prompts.isna().any():
        raise InputError(
            f"{int(prompts.isna().sum())} of {len(prompts)} prompts are missing; drop them or fill them first"
        )
    chosen = get_splitter(splitter)
    parts = [_split(prompts.iloc[start : start + chunk], chosen) for start in range(0, max(1, len(prompts)), chunk)]
    return pd.concat(parts)


def _split(prompts: pd.Series, splitter: Splitter) -> pd.DataFrame:
    listed = prompts.tolist()
    known = {prompt: splitter.split(prompt) for prompt in dict.fromkeys(listed)}
    found = [known[prompt] for prompt in listed]
    counts = np.fromiter(map(len, found), dtype=np.int64, count=len(found))
    tasks = list(chain.from_iterable(found))
    return pd.DataFrame(
        {
            "subtask": np.arange(len(tasks)) - np.repeat(np.cumsum(counts) - counts, counts),
            "text": pd.Series([task.text for task in tasks], dtype=object),
            "start": np.fromiter((task.start for task in tasks), dtype=np.int64, count=len(tasks)),
            "end": np.fromiter((task.end for task in tasks), dtype=np.int64, count=len(tasks)),
            "depends_on": pd.Series([task.depends_on for task in tasks], dtype=object),
            "context": pd.Series([task.context for task in tasks], dtype=object),
        }
    ).set_axis(prompts.index.repeat(counts))
