"""RouteLLM's evaluation sets: MMLU and GSM8K answered by a weak and a strong model."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pandas as pd

from multillm.datasets.base import PublicDataset
from multillm.datasets.wide import read_wide
from multillm.errors import OutcomesError
from multillm.outcomes import Outcomes

__all__ = ["ROUTELLM", "read_routellm"]

COMMIT = "0b64fdafe049e596a3f5657c219329f24af24198"


def read_routellm(path: Path) -> Outcomes:
    """Outcomes from the folder ``routellm/evals`` of the origin, or from a wide table of the same.

    Prompts that the origin names as contaminated, and repeated ones, are left out. Costs are missing: the origin
    counts calls of the strong model, which `Outcomes.with_costs` can state.
    """
    if path.is_file():
        return read_wide(path, "routellm")
    tables = {("gsm8k", "gsm8k"): path / "gsm8k" / "gsm8k_responses.csv"}
    for file in sorted((path / "mmlu" / "responses").glob("mmlu_*.csv")):
        tables["mmlu", file.stem.removeprefix("mmlu_")] = file
    parts = [_read(path, bench, group, file) for (bench, group), file in tables.items() if file.is_file()]
    if not parts:
        raise OutcomesError(f"{path} holds neither gsm8k/gsm8k_responses.csv nor mmlu/responses/mmlu_*.csv")
    frame = pd.concat(parts, ignore_index=True).drop_duplicates(["task_type", "prompt"], ignore_index=True)
    columns = ["prompt_id", "prompt", "task_type", "group"]
    return Outcomes.from_matrices(frame[columns], frame.drop(columns=columns).astype(float), name="routellm")


def _read(folder: Path, bench: str, group: str, file: Path) -> pd.DataFrame:
    """One file of answers without its contaminated prompts."""
    frame = pd.read_csv(file)
    contaminated = folder / bench / "contaminated_prompts.jsonl"
    if contaminated.is_file():
        frame = frame[~frame["prompt"].isin(pd.read_json(contaminated, lines=True)["eval_prompt"])]
    models = [name for name in map(str, frame) if name != "prompt" and not name.endswith("_response")]
    ids = [f"{group}-{row:05d}" for row in frame.index]
    return frame[["prompt", *models]].assign(prompt_id=ids, task_type=bench, group=group)


ROUTELLM = PublicDataset(
    name="routellm",
    title="MMLU (57 subjects) and GSM8K, 0/1 correctness of Mixtral 8x7B and GPT-4 Turbo, decontaminated; no costs",
    licence="Apache-2.0",
    citation="Ong et al., RouteLLM: Learning to Route LLMs with Preference Data, arXiv:2406.18665 (2024)",
    source="https://github.com/lm-sys/RouteLLM",
    base_url=f"https://raw.githubusercontent.com/lm-sys/RouteLLM/{COMMIT}/routellm/evals/",
    files=dict(
        line.split() for line in (files("multillm.datasets") / "routellm.sha256").read_text("utf-8").splitlines()
    ),
    read=read_routellm,
)
