"""Public data sets: made-up files in each origin's layout, read as the real ones are."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from multillm.datasets import DATASETS, load_outcomes
from multillm.datasets.base import PublicDataset, download
from multillm.datasets.routellm import read_routellm
from multillm.errors import DatasetUnavailable, OutcomesError


@pytest.fixture
def routellm(tmp_path: Path) -> Path:
    folder = tmp_path / "evals"
    (folder / "mmlu" / "responses").mkdir(parents=True)
    (folder / "gsm8k").mkdir()
    (folder / "mmlu" / "responses" / "mmlu_astronomy.csv").write_text(
        "prompt,org/weak,strong\nHow far?,True,True\nSeen before?,False,True\nHow far?,True,True\n"
    )
    (folder / "mmlu" / "contaminated_prompts.jsonl").write_text(json.dumps({"eval_prompt": "Seen before?"}) + "\n")
    (folder / "gsm8k" / "gsm8k_responses.csv").write_text(
        'prompt,org/weak,strong,org/weak_response,strong_response\n"Two, and two?",False,True,5,4\n'
    )
    return folder


def test_routellm_is_read_without_its_contaminated_and_repeated_prompts(routellm: Path) -> None:
    outcomes = load_outcomes("routellm", routellm)
    assert outcomes.prompts["prompt"].tolist() == ["Two, and two?", "How far?"]
    assert outcomes.prompts["task_type"].tolist() == ["gsm8k", "mmlu"]
    assert outcomes.prompts["group"].tolist() == ["gsm8k", "astronomy"]
    assert outcomes.models == ("org/weak", "strong")
    np.testing.assert_array_equal(outcomes.quality_matrix(), [[0.0, 1.0], [1.0, 1.0]])
    assert outcomes.cost_matrix().isna().all(axis=None)
    assert outcomes.licence == "Apache-2.0"
    assert "2406.18665" in outcomes.citation


WIDE = pd.DataFrame(
    {
        "sample_id": ["arc.1", "arc.2", "arc.2"],
        "prompt": ["Which?", "Why?", "Why ?"],
        "eval_name": ["arc", "arc", "arc"],
        "m/one": [1.0, np.nan, 0.25],
        "two": [0.0, 1.0, np.nan],
        "m/one|model_response": ["A", "B", "C"],
        "two|model_response": ["A", "B", "C"],
        "m/one|total_cost": [0.001, np.nan, 0.004],
        "two|total_cost": [0.02, 0.03, np.nan],
        "oracle_model_to_route_to": ["m/one", "two", "two"],
    }
)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "pkl"])
def test_routerbench_is_read_in_every_form_it_comes_in(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"routerbench_0shot.{suffix}"
    if suffix == "parquet":
        WIDE.to_parquet(path)
    elif suffix == "csv":
        WIDE.to_csv(path, index=False)
    else:
        text = WIDE.select_dtypes(exclude="number").columns
        plain = WIDE.astype(dict.fromkeys(text, object))
        plain.set_axis(pd.Index(list(WIDE), dtype=object), axis=1).to_pickle(path)
    for place in (path, tmp_path):
        outcomes = load_outcomes("routerbench", place)
        assert outcomes.models == ("m/one", "two")
        np.testing.assert_array_equal(outcomes.quality_matrix(), [[1.0, 0.0], [0.25, 1.0]])
        np.testing.assert_array_equal(outcomes.cost_matrix(), [[0.001, 0.02], [0.004, 0.03]])
        assert (outcomes.cost_unit, outcomes.prompts["group"].tolist()) == ("USD", ["arc", "arc"])


class Hostile:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


def test_nothing_in_a_pickle_is_executed(tmp_path: Path) -> None:
    path, target = tmp_path / "routerbench_0shot.pkl", tmp_path / "made by the pickle"
    path.write_bytes(pickle.dumps(Hostile(target)))
    with pytest.raises(OutcomesError, match="to_parquet"):
        load_outcomes("routerbench", path)
    assert not target.exists()
    path.write_bytes(pickle.dumps(["no", "frame"]))
    with pytest.raises(OutcomesError, match="holds a list"):
        load_outcomes("routerbench", path)
    path.write_bytes(b"no pickle at all")
    with pytest.raises(OutcomesError, match="is not read"):
        load_outcomes("routerbench", path)


def test_llmrouter_keeps_a_prompt_of_both_splits_once_and_takes_its_task_from_the_queries(tmp_path: Path) -> None:
    scores = tmp_path / "data" / "dcrouter_preprocessed"
    queries = tmp_path / "data" / "example_data" / "query_data"
    scores.mkdir(parents=True)
    queries.mkdir(parents=True)
    first, second = (
        {"question": "One?", "scores": {"a": 0.0, "b": 0.5}},
        {"question": "Two?", "scores": {"b": 1, "a": 0}},
    )
    (scores / "train.json").write_text(json.dumps([{**first, "cluster_id": 3}]))
    (scores / "test.json").write_text(json.dumps([second, first]))
    (queries / "default_query_test.jsonl").write_text(json.dumps({"task_name": "arithmetic", "query": "Two?"}) + "\n")
    outcomes = load_outcomes("llmrouter", tmp_path)
    assert outcomes.prompts["prompt_id"].tolist() == ["train-00000", "test-00000"]
    assert outcomes.prompts["task_type"].fillna("unknown").tolist() == ["unknown", "arithmetic"]
    np.testing.assert_array_equal(outcomes.quality_matrix(), [[0.0, 0.5], [0.0, 1.0]])


def run(model: str, score: float | None, cost: float, **more: object) -> dict[str, object]:
    record = {"index": 1, "origin_query": "2+2?", "prompt": "Question: 2+2?", "score": score, "cost": cost}
    record |= {"prompt_tokens": 9, "completion_tokens": 2}
    return {"dataset_name": "sums", "split": "test", "model_name": model, "records": [record], **more}


@pytest.mark.parametrize("packed", [False, True])
def test_llmrouterbench_takes_the_newest_run_of_each_model_and_no_score_is_no_zero(
    tmp_path: Path, packed: bool
) -> None:
    runs = {
        "sums/test/big/big_20250101_000000.json": run("big", 0.0, 0.002),
        "sums/test/big/big_20250201_000000.json": run("big", 1.0, 0.003),
        "sums/test/big/big_20250301_000000.json": run("big", 0.0, 0.1, demo=True),
        "sums/test/small/small_20250101_000000.json": run("small", None, 0.0),
    }
    path = tmp_path / "bench-release.tar.gz"
    if packed:
        with tarfile.open(path, "w:gz") as archive:
            for name, content in runs.items():
                data = json.dumps(content).encode()
                member = tarfile.TarInfo(f"results/bench/{name}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    else:
        for name, content in runs.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(json.dumps(content))
    outcomes = load_outcomes("llmrouterbench", tmp_path)
    assert outcomes.prompts["prompt_id"].tolist() == ["sums/test/1"]
    rows = outcomes.rows.set_index("model")
    np.testing.assert_array_equal(rows.loc[["big", "small"], "quality"], [1.0, np.nan])
    np.testing.assert_array_equal(rows.loc[["big", "small"], "cost"], [0.003, np.nan])
    np.testing.assert_array_equal(rows["output_tokens"], [2.0, 2.0])


def test_routerarena_reads_grades_dollars_and_tokens_and_a_failed_call_has_no_quality(tmp_path: Path) -> None:
    answer = {
        "global_index": "AIME_112",
        "question": "Solve.",
        "llm_selected": "small",
        "token_usage": {"input_tokens": 5, "output_tokens": 7},
        "success": True,
        "evaluation_result": {"score": -0.25, "inference_cost": 0.001},
    }
    failed = answer | {"global_index": "MMLU_Pro_7", "success": False, "evaluation_result": None}
    (tmp_path / "small.jsonl").write_text("\n".join(map(json.dumps, (answer, failed))))
    outcomes = load_outcomes("routerarena", tmp_path)
    assert outcomes.prompts["group"].tolist() == ["AIME", "MMLU_Pro"]
    np.testing.assert_array_equal(outcomes.rows["quality"], [0.0, np.nan])
    np.testing.assert_array_equal(outcomes.rows["cost"], [0.001, np.nan])
    (tmp_path / "small.jsonl").write_text("{not json")
    with pytest.raises(OutcomesError, match=r"small\.jsonl, line 1"):
        load_outcomes("routerarena", tmp_path)


@pytest.mark.parametrize("name", DATASETS)
def test_a_folder_without_the_origin_files_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutcomesError, match=tmp_path.name):
        load_outcomes(name, tmp_path)
    with pytest.raises(DatasetUnavailable, match="https://"):
        load_outcomes(name, tmp_path / "absent")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_broken_wide_table_is_refused_by_its_name(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"broken.{suffix}").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OutcomesError, match=f"broken.{suffix} is not readable as {suffix}"):
        load_outcomes("routerbench", tmp_path / f"broken.{suffix}")


def test_an_unknown_set_is_refused_with_what_there_is() -> None:
    with pytest.raises(OutcomesError, match="routellm, routerbench, llmrouter, llmrouterbench, routerarena"):
        load_outcomes("routerbanch")


@pytest.fixture
def origin(routellm: Path) -> Iterator[PublicDataset]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(routellm))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sums = {
        str(file.relative_to(routellm)): f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
        for file in routellm.rglob("*.*")
        if file.is_file()
    }
    terms = {"title": "t", "licence": "l", "citation": "c", "source": "s"}
    yield PublicDataset(
        "small", base_url=f"http://127.0.0.1:{server.server_port}/", files=sums, read=read_routellm, **terms
    )
    server.shutdown()
    server.server_close()


def test_a_download_is_checked_and_kept_so_the_origin_may_go_away(
    origin: PublicDataset, routellm: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    assert len(origin.read(download(origin, cache))) == 2
    for file in origin.files:
        (routellm / file).unlink()
    assert len(origin.read(download(origin, cache))) == 2


def test_a_download_that_is_not_what_was_expected_is_refused(
    origin: PublicDataset, routellm: Path, tmp_path: Path
) -> None:
    (routellm / "gsm8k" / "gsm8k_responses.csv").write_text("prompt,a,b\nchanged,1,1\n")
    with pytest.raises(DatasetUnavailable, match="gsm8k_responses"):
        download(origin, tmp_path / "cache")


def test_without_the_origin_the_error_says_where_to_put_the_file(origin: PublicDataset, tmp_path: Path) -> None:
    gone = PublicDataset(**{**vars(origin), "base_url": "http://127.0.0.1:9/"})
    with pytest.raises(DatasetUnavailable, match="by hand") as refused:
        download(gone, tmp_path / "cache")
    assert str(tmp_path / "cache") in str(refused.value)
