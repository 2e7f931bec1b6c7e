"""RouterBench: eleven models on eight benchmarks, with US dollars per prompt."""

from __future__ import annotations

from pathlib import Path

from multillm.datasets.base import PublicDataset
from multillm.datasets.wide import read_wide
from multillm.errors import OutcomesError
from multillm.outcomes import Outcomes

__all__ = ["ROUTERBENCH", "read_routerbench"]

FILE = "routerbench_0shot.pkl"


def read_routerbench(path: Path) -> Outcomes:
    """Outcomes from the origin's pickle, a CSV or parquet file of the same columns, or a folder with one of them."""
    if path.is_file():
        return read_wide(path, "routerbench")
    found = sorted(file for suffix in ("parquet", "csv", "pkl") for file in path.glob(f"routerbench*.{suffix}"))
    if not found:
        raise OutcomesError(f"{path} holds no routerbench*.pkl, .csv or .parquet")
    return read_wide(found[0], "routerbench")


ROUTERBENCH = PublicDataset(
    name="routerbench",
    title="Zero-shot answers of 11 models to eight benchmarks, quality 0..1 and US dollars per prompt",
    licence="none stated by the origin",
    citation="Hu et al., RouterBench: A Benchmark for Multi-LLM Routing System, arXiv:2403.12031 (2024)",
    source="https://huggingface.co/datasets/withmartian/routerbench",
    base_url="https://huggingface.co/datasets/withmartian/routerbench/resolve/main/",
    files={FILE: None},
    read=read_routerbench,
)
