"""LLMRouterBench: 33 models on 21 data sets, one JSON file per data set, split and model."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from multillm.datasets.base import PublicDataset
from multillm.errors import OutcomesError
from multillm.outcomes import Outcomes

__all__ = ["LLMROUTERBENCH", "read_llmrouterbench"]

ARCHIVE = "bench-release.tar.gz"


def read_llmrouterbench(path: Path) -> Outcomes:
    """Outcomes from ``<data set>/<split>/<model>/<timestamp>.json`` below a folder, or from the origin's archive.

    Of several runs of a model the newest counts; demonstration runs are left out. A score that the origin lacks is
    missing here (its own loader makes it 0), and so are the costs of a run whose every cost is 0.
    """
    archive = path / ARCHIVE if (path / ARCHIVE).is_file() else path
    runs: dict[tuple[str, str, str], tuple[str, dict[str, Any]]] = {}
    for name, run in _runs(archive):
        key = (run["dataset_name"], run["split"], run["model_name"])
        if not run.get("demo", False) and name >= runs.get(key, ("", {}))[0]:
            runs[key] = (name, run)
    if not runs:
        raise OutcomesError(f"{path} holds no result file <data set>/<split>/<model>/<timestamp>.json")
    rows = pd.concat([_rows(run) for _, run in runs.values()], ignore_index=True)
    prompts = rows.drop_duplicates("prompt_id", ignore_index=True)
    return Outcomes(rows, prompts, name="llmrouterbench", cost_unit="USD")


def _runs(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """File name (which begins or ends with its time) and content of every run."""
    if path.is_file():
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.name.endswith(".json") else None
                if file is not None:
                    yield from _run(PurePosixPath(member.name), file.read())
    else:
        for result in sorted(path.rglob("*.json")):
            yield from _run(PurePosixPath(result.as_posix()), result.read_bytes())


def _run(path: PurePosixPath, content: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        run = json.loads(content)
    except ValueError as error:
        raise OutcomesError(f"{path} is not readable as JSON: {error}") from None
    if isinstance(run, dict) and isinstance(run.get("records"), list) and len(path.parts) > 3:
        dataset, split, model = path.parts[-4:-1]
        yield path.name, {"dataset_name": dataset, "split": split, "model_name": model, **run}


def _rows(run: dict[str, Any]) -> pd.DataFrame:
    records = pd.DataFrame(run["records"])
    place = f"{run['dataset_name']}/{run['split']}/"
    cost = pd.to_numeric(records.get("cost", pd.Series(np.nan, records.index)))
    return pd.DataFrame(
        {
            "prompt_id": place + records["index"].astype(str),
            "model": run["model_name"],
            "quality": pd.to_numeric(records["score"]),
            "cost": cost if (cost > 0).any() else np.nan,
            "input_tokens": records.get("prompt_tokens"),
            "output_tokens": records.get("completion_tokens"),
            "prompt": records["prompt"].map(lambda text: text if isinstance(text, str) else json.dumps(text)),
            "task_type": run["dataset_name"],
            "group": run["dataset_name"],
        }
    ).drop_duplicates("prompt_id")


LLMROUTERBENCH = PublicDataset(
    name="llmrouterbench",
    title="21 data sets, scores and tokens of 20 models of about 7B and 13 flagship models, US dollars of the latter",
    licence="MIT",
    citation="Li et al., LLMRouterBench: A Massive Benchmark and Unified Framework for LLM Routing, arXiv:2601.07206 "
    "(2026)",
    source="https://github.com/ynulihao/LLMRouterBench",
    base_url="https://huggingface.co/datasets/NPULH/LLMRouterBench/resolve/main/",
    files={ARCHIVE: None},
    read=read_llmrouterbench,
)
