"""RouterArena's cached answers: one file of JSON lines per model."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from multillm.datasets.base import PublicDataset
from multillm.errors import OutcomesError
from multillm.outcomes import Outcomes

__all__ = ["ROUTERARENA", "read_routerarena"]

COMMIT = "4714a9ad73e897a1241e73a86c9297fed2e871d8"


def read_routerarena(path: Path) -> Outcomes:
    """Outcomes from the origin's folder ``cached_results``, or from one file of it.

    A call that failed, or that the origin has not graded, has no quality; a score beyond 0..1, which some of the
    origin's metrics give, is cut to it. The origin asks that no router be fitted
    on its data: use it to evaluate only.
    """
    files = [path] if path.is_file() else sorted(path.rglob("*.jsonl"))
    rows = pd.DataFrame([row for file in files for row in _rows(file)])
    if rows.empty:
        raise OutcomesError(f"{path} holds no <model>.jsonl with answers")
    rows["quality"] = pd.to_numeric(rows["quality"]).clip(0.0, 1.0)
    rows = rows.drop_duplicates(["prompt_id", "model"], keep="last", ignore_index=True)
    return Outcomes(rows, rows.drop_duplicates("prompt_id"), name="routerarena", cost_unit="USD")


def _rows(file: Path) -> list[dict[str, object]]:
    rows = []
    for number, line in enumerate(file.read_text("utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            answer = json.loads(line)
            graded = answer.get("evaluation_result") or {}
            tokens = answer.get("token_usage") or {}
            index = str(answer["global_index"])
            rows.append(
                {
                    "prompt_id": index,
                    "model": answer["llm_selected"],
                    "quality": graded.get("score") if answer.get("success", True) else None,
                    "cost": graded.get("inference_cost"),
                    "input_tokens": tokens.get("input_tokens"),
                    "output_tokens": tokens.get("output_tokens"),
                    "prompt": answer.get("question"),
                    "task_type": index.rpartition("_")[0] or index,
                    "group": index.rpartition("_")[0] or index,
                }
            )
        except (ValueError, KeyError, AttributeError) as error:
            raise OutcomesError(f"{file}, line {number}: no answer of RouterArena ({error!r:.80})") from None
    return rows


ROUTERARENA = PublicDataset(
    name="routerarena",
    title="Ten per cent of RouterArena (809 prompts), graded answers and US dollars of two models; to evaluate only",
    licence="Apache-2.0",
    citation="Lu et al., RouterArena: An Open Platform for Comprehensive Comparison of LLM Routers, arXiv:2510.00202 "
    "(2025)",
    source="https://github.com/RouteWorks/RouterArena",
    base_url=f"https://raw.githubusercontent.com/RouteWorks/RouterArena/{COMMIT}/cached_results/",
    files={
        "claude-3-haiku-20240307.jsonl": "sha256:9f5bed666a524d74e629091b57ef2fdf644181dcc1039ef44b44460f254d150a",
        "gemini-2.0-flash-001.jsonl": "sha256:5c2364f65a4c309bc531338672445894957a6465be71e31a21a6727028404c20",
    },
    read=read_routerarena,
)
