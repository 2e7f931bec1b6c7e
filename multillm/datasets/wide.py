"""Tables with one row per prompt and one column per model, as RouterBench lays them out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from multillm.datasets.pickles import read_pickle
from multillm.errors import OutcomesError
from multillm.outcomes import Outcomes

__all__ = ["read_frame", "read_wide"]

COST = "|total_cost"
NAMES = {
    "prompt_id": ("prompt_id", "sample_id"),
    "prompt": ("prompt", "question"),
    "task_type": ("bench", "eval_name", "task_name"),
    "group": ("domain", "eval_name", "task_name"),
}


def read_frame(path: Path) -> pd.DataFrame:
    """A table from a ``.parquet``, ``.csv`` or ``.pkl`` file; nothing in a pickle is executed."""
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {
        ".parquet": pd.read_parquet,
        ".csv": pd.read_csv,
        ".pkl": read_pickle,
    }
    if path.suffix not in readers:
        raise OutcomesError(f"{path} ends in {path.suffix!r}; readable here: {', '.join(readers)}")
    try:
        return readers[path.suffix](path)
    except (ValueError, OSError) as error:
        if isinstance(error, OutcomesError):
            raise
        raise OutcomesError(f"{path} is not readable as {path.suffix.removeprefix('.')}: {error}") from None


def read_wide(path: Path, name: str) -> Outcomes:
    """Outcomes from a wide table.

    Columns ``<model>`` hold quality, ``<model>|total_cost`` US dollars, ``<model>|model_response`` is not read.
    Without cost columns every column of numbers is a model's quality. Rows with one prompt id are
    one prompt: the first value known counts.

    Parameters
    ----------
    path : Path
        A ``.parquet``, ``.csv`` or ``.pkl`` file.
    name : str
        What the table is called.
    """
    frame = read_frame(path)
    columns = {ours: next((theirs for theirs in known if theirs in frame), None) for ours, known in NAMES.items()}
    if columns["prompt"] is None:
        raise OutcomesError(f"{path} has no column prompt; it has {', '.join(map(str, frame.columns[:12]))}")
    frame = frame.groupby(columns["prompt_id"] or columns["prompt"], sort=False, as_index=False).first()
    priced = [str(column).removesuffix(COST) for column in frame if str(column).endswith(COST)]
    numbers = frame.select_dtypes(["number", "bool"]).columns
    models = priced or [column for column in numbers if "|" not in column and column not in NAMES]
    if not models or not set(models) <= set(frame.columns):
        raise OutcomesError(f"{path} has no column of numbers for a model; it has {', '.join(map(str, frame.columns))}")
    prompts = pd.DataFrame({ours: frame[theirs] for ours, theirs in columns.items() if theirs is not None})
    if columns["prompt_id"] is None:
        prompts["prompt_id"] = [f"{name}-{row:05d}" for row in range(len(frame))]
    cost = frame[[f"{model}{COST}" for model in priced]].set_axis(priced, axis=1) if priced else None
    quality = frame[models].astype(float)
    return Outcomes.from_matrices(prompts, quality, cost, name=name, cost_unit="USD" if priced else "")
