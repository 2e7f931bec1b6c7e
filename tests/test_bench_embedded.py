"""A benchmark of the embedded pool: a real model, whose answers a rerun must repeat word for word."""

import json
from pathlib import Path
from typing import Any

import pytest

import multillm as ml
from multillm.resources import data_dir

PROMPTS, MOST_TOKENS = 32, 16
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every tenth prompt of the core set, to be answered briefly."""
    lines = (data_dir() / "prompts" / "core.jsonl").read_text("utf-8").splitlines()
    chosen = [_brief(json.loads(lines[n * len(lines) // PROMPTS])) for n in range(PROMPTS)]
    path = tmp_path_factory.mktemp("prompts") / "brief.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in chosen), "utf-8")
    return path


def _brief(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "max_output_tokens": min(MOST_TOKENS, record["max_output_tokens"])}


@pytest.fixture(scope="module")
def benchmark(prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ml.Benchmark, Path]:
    out = tmp_path_factory.mktemp("run")
    made = ml.run_benchmark("embedded", prompts, "embedded", out=out, run_code=True, progress=False)
    return made, out


def test_the_embedded_pool_is_benchmarked(benchmark: tuple[ml.Benchmark, Path]) -> None:
    made, _ = benchmark
    overall = made.figures.set_index("task_type").loc["all"]
    assert overall["prompts"] == overall["scored"] == PROMPTS
    assert overall["lost"] == 0
    assert overall["tokens_per_s"] > 0
    assert made.manifest.models["model::smollm2"].digest is not None
    assert made.rows["generation_s"].notna().all()
    assert made.outcomes.models == ("model::smollm2",)


def test_a_rerun_of_the_manifest_repeats_every_answer(benchmark: tuple[ml.Benchmark, Path], prompts: Path) -> None:
    _, out = benchmark
    again = ml.reproduce_benchmark(out / "manifest.json", prompts=prompts, progress=False)
    assert again.exact
    assert again.changed().empty
    checks = again.to_frame().set_index("check")
    assert checks.loc["same answers", "after"] == 1.0
    assert checks.loc["quality", "met"]
    assert again.differences() == {}
