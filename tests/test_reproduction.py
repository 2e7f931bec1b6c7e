"""The tables of results: made anew by one command, the same each time, for no data but the ones named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import multillm as ml
from multillm.cli import app
from multillm.reproduction import EXPERIMENTS, REGRETS, reproduce

MODELS = ("mixtral-8x7b-instruct-v0.1", "gpt-4-1106-preview")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """RouteLLM's layout: sums that both models can do, long proofs that only the strong one can."""
    rng = np.random.default_rng(2)
    hard = rng.random(90) < 0.5
    chance = np.where(hard[:, None], [0.1, 0.9], [0.8, 0.85])
    frame = pd.DataFrame((rng.random((90, 2)) < chance).astype(float), columns=MODELS).assign(
        prompt_id=[f"p{row}" for row in range(90)],
        prompt=[
            f"prove theorem {row} and explain every step of it at length" if each else f"add {row} and 4"
            for row, each in enumerate(hard)
        ],
        bench=np.where(np.arange(90) < 60, "gsm8k", "mmlu"),
        domain="one",
    )
    place = tmp_path_factory.mktemp("public")
    frame.to_parquet(place / "routellm_pair.parquet")
    return place


@pytest.fixture(scope="module")
def out(folder: Path) -> Path:
    return made(folder, "one")


def made(folder: Path, name: str) -> Path:
    place = folder / name
    place.mkdir()
    reproduce(folder, place, only=["gsm8k"], seeds=(1, 2), today=lambda: date(2026, 1, 2))
    return place


@pytest.mark.slow
def test_a_table_is_the_same_each_time_and_says_how_it_came_about(folder: Path, out: Path) -> None:
    again = made(folder, "two")
    names = sorted(path.name for path in out.iterdir())
    assert names == ["README.md", "differences.csv", "figures.csv"]
    assert all((out / name).read_bytes() == (again / name).read_bytes() for name in names)
    told = (out / "README.md").read_text("utf-8")
    digest = ml.load_outcomes("routellm", folder / "routellm_pair.parquet").filter(task_types=["gsm8k"]).sha256()
    for fact in ("60 prompts", "seed 1, 2", "5 folds by prompt", "scikit-learn", "2026-01-02", digest):
        assert fact in told


def test_figures_are_means_over_the_seeds_with_peers_and_baselines_beside(folder: Path, out: Path) -> None:
    figures = pd.read_csv(out / "figures.csv")
    routers = {"learned", "knn", "clusters", "reference", "litellm", "prompt length", "oracle", "random"}
    assert set(figures["router"]) == routers
    outcomes = ml.load_outcomes("routellm", folder / "routellm_pair.parquet").filter(task_types=["gsm8k"])
    each = [
        ml.evaluate({"learned": ml.LearnedQuality()}, outcomes, seed=seed, perturbation=0)
        .estimate("learned", "apgr")
        .value
        for seed in (1, 2)
    ]
    [found] = figures[(figures["router"] == "learned") & (figures["figure"] == "apgr")].to_dict("records")
    [length] = figures[(figures["router"] == "prompt length") & (figures["figure"] == "apgr")].to_dict("records")
    assert found["value"] == pytest.approx(np.mean(each), abs=1e-5)
    assert [found["least"], found["greatest"]] == pytest.approx(sorted(each), abs=1e-5)
    assert (figures["low"] <= figures["value"]).all()
    assert (figures["n"] == 60).all()
    differences = pd.read_csv(out / "differences.csv")
    [less] = differences[differences["router"] == "learned"].to_dict("records")
    assert less["value"] == pytest.approx(found["value"] - length["value"], abs=1e-5)


def test_tables_of_regret_stand_beside_and_leave_the_others_alone(folder: Path, out: Path) -> None:
    before = (out / "README.md").read_bytes()
    written = reproduce(folder, out, only=["regret-routellm-tasks"], today=lambda: date(2026, 1, 2))
    assert [path.name for path in written] == ["regret.md", "regret.csv"]
    assert (out / "README.md").read_bytes() == before
    told = (out / "regret.md").read_text("utf-8")
    for fact in ("68 prompts", "20 seeds (0 to 19)", "benchmark 22", "2 by task_type", "2026-01-02", "| thompson |"):
        assert fact in told
    table = pd.read_csv(out / "regret.csv")
    assert set(table["prompts"]) == {17, 34, 51, 68}
    assert set(table["experiment"]) == {"regret-routellm-tasks"}
    assert (table["low"] <= table["value"]).all()
    oracle = table[(table["strategy"] == "oracle") & (table["measure"] == "utility")]
    assert (oracle["value"] <= 0).all()  # nothing gets more than the oracle


def test_a_set_that_is_not_there_or_an_experiment_that_is_none_is_named(folder: Path) -> None:
    (folder / "llmrouterbench_all").touch()
    (folder / "llmrouterbench.parquet").touch()
    with pytest.raises(ml.DatasetUnavailable, match="neither a folder llmrouter nor a file"):
        reproduce(folder, folder, only=["llmrouter"])
    with pytest.raises(ml.ConfigurationError, match="no experiment is called fame; choose from gsm8k"):
        CliRunner().invoke(
            app, ["reproduce", "fame", "--data", str(folder), "--out", str(folder)], catch_exceptions=False
        )


def test_every_model_without_a_cost_has_a_stated_price() -> None:
    priced = [experiment for experiment in EXPERIMENTS if experiment.prices]
    assert {experiment.data for experiment in priced} == {"llmrouter"}
    outcomes = ml.Outcomes(
        pd.DataFrame({"prompt_id": "a", "model": list(priced[0].prices), "quality": 1.0}),
        pd.DataFrame({"prompt_id": ["a"], "prompt": ["Why?"]}),
    )
    assert priced[0].outcomes(outcomes).cost_unit == "1e9 parameters"
    assert {each.data for each in REGRETS if each.costs} == {"llmrouter", "routellm"}
