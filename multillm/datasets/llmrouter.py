"""LLMRouter's preprocessed set: nine open models on fourteen tasks."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from multillm.datasets.base import PublicDataset
from multillm.datasets.wide import read_wide
from multillm.errors import OutcomesError
from multillm.outcomes import Outcomes

__all__ = ["LLMROUTER", "read_llmrouter"]

COMMIT = "4e7a796942ce26e9d5f2b93191c7c2585c99c2e3"
SCORES = "data/dcrouter_preprocessed/{}.json"
TASKS = "data/example_data/query_data/default_query_{}.jsonl"
SPLITS = ("train", "test")


def read_llmrouter(path: Path) -> Outcomes:
    """Outcomes from a copy of the origin's folder, or from a wide table of the same.

    Prompts that stand more than once, within or across the origin's splits, are kept once. Costs are missing.
    """
    if path.is_file():
        return read_wide(path, "llmrouter")
    records = [
        {"prompt_id": f"{split}-{row:05d}", "prompt": record["question"], **record["scores"]}
        for split in SPLITS
        if (path / SCORES.format(split)).is_file()
        for row, record in enumerate(json.loads((path / SCORES.format(split)).read_text("utf-8")))
    ]
    if not records:
        raise OutcomesError(f"{path} holds none of {', '.join(SCORES.format(split) for split in SPLITS)}")
    frame = pd.DataFrame(records).drop_duplicates("prompt", ignore_index=True)
    tasks = _tasks(path)
    prompts = frame[["prompt_id", "prompt"]].assign(task_type=frame["prompt"].map(tasks).to_numpy())
    quality = frame.drop(columns=["prompt_id", "prompt"]).astype(float)
    return Outcomes.from_matrices(prompts.assign(group=prompts["task_type"]), quality, name="llmrouter")


def _tasks(path: Path) -> dict[str, str]:
    """Task by prompt, where the origin's files of queries name it."""
    files = [path / TASKS.format(split) for split in SPLITS]
    lines = [line for file in files if file.is_file() for line in file.read_text("utf-8").split("\n") if line.strip()]
    return {query["query"]: query["task_name"] for query in map(json.loads, lines)}


LLMROUTER = PublicDataset(
    name="llmrouter",
    title="Fourteen tasks, quality 0..1 of nine open models of 7B to 70B; no costs",
    licence="MIT",
    citation="Feng et al., LLMRouter: An Open-Source Library for LLM Routing (2025)",
    source="https://github.com/ulab-uiuc/LLMRouter",
    base_url=f"https://raw.githubusercontent.com/ulab-uiuc/LLMRouter/{COMMIT}/",
    files={
        SCORES.format("train"): "sha256:ad3ae70149998f02cbf0dd4557ccb6afcf365ac9391b7371329ffc22201e90e3",
        SCORES.format("test"): "sha256:fbb6d3e3f62c7018e5446d3154cc05812d3124381f774738e9f0bac5bff79c79",
        TASKS.format("train"): "sha256:f1b2e3281dc3f9e082016812e1a778ca30e9828c7e58fa0a9f6dc52350ad4b8c",
        TASKS.format("test"): "sha256:0fdf4b4236fb81c1a673a01950fb974e02599c83164b0e7832888aefaa490e27",
    },
    read=read_llmrouter,
)
