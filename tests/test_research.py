"""The commands that evaluate and tune: what they print, the files they leave, what they refuse."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import multillm as ml
from multillm.cli import app
from multillm.learning import ROUTERS

LABELS = ("model::light", "model::heavy")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Sums that both models can do, proofs that only the dear one can."""
    rng = np.random.default_rng(5)
    easy = rng.random(80) < 0.5
    words = ["add the numbers 3 and 4" if each else "prove the theorem step by step in detail" for each in easy]
    prompts = pd.DataFrame(
        {
            "prompt_id": [f"p{n}" for n in range(80)],
            "prompt": words,
            "task_type": np.where(easy, "qa_simple", "reasoning"),
            "complexity": np.where(easy, 0.1, 0.9),
        }
    )
    chance = np.where(easy[:, None], [0.9, 0.95], [0.1, 0.9])
    quality = pd.DataFrame((rng.random((80, 2)) < chance).astype(float), columns=LABELS)
    cost = pd.DataFrame(np.tile([0.05, 1.0], (80, 1)), columns=LABELS)
    outcomes = ml.Outcomes.from_matrices(prompts, quality, cost, name="made up", cost_unit="cost units")
    return outcomes.write(tmp_path / "outcomes.parquet")


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments, catch_exceptions=False, env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.output


def names(folder: Path, ending: str) -> Sequence[str]:
    return sorted(path.stem for path in folder.glob(f"*.{ending}"))


def test_evaluate_prints_the_baselines_and_leaves_tables_and_figures(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    printed = run("evaluate", str(table), "--router", "knn", "--folds", "2", "--out", str(out))
    for words in ("knn", "best single model", "oracle", "80 prompts", "seed 0"):
        assert words in printed
    assert names(out, "png") == names(out, "svg") == ["cost_quality", "gain_recovered"]
    assert names(out, "csv") == names(out, "parquet") == ["by_task_type", "cost_quality", "figures", "gain_recovered"]
    figures = pd.read_parquet(out / "figures.parquet")
    assert set(figures["router"]) >= {"knn", "oracle", "random", *LABELS}
    pd.testing.assert_frame_equal(pd.read_csv(out / "figures.csv"), figures, check_dtype=False)
    assert "seed 0" in (out / "provenance.txt").read_text("utf-8")


def test_the_same_command_leaves_the_same_files(table: Path, tmp_path: Path) -> None:
    for out in ("one", "two"):
        run("evaluate", str(table), "--router", "length", "--folds", "2", "--out", str(tmp_path / out))
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_several_seeds_stand_apart_and_their_spread_below(table: Path, tmp_path: Path) -> None:
    settings = ("--router", "curves", "--folds", "2", "--seed", "3", "--seed", "4", "--out", str(tmp_path))
    printed = run("evaluate", str(table), *settings)
    assert "Values over 2 seeds" in printed
    figures = pd.read_parquet(tmp_path / "figures.parquet").set_index(["router", "figure", "seed"])["value"]
    spread = pd.read_parquet(tmp_path / "spread.parquet").set_index(["router", "figure"])
    by_seed = [figures["curves", "apgr", seed] for seed in (3, 4)]
    assert by_seed[0] != by_seed[1]
    found = [spread[column]["curves", "apgr"] for column in ("least", "mean", "greatest")]
    assert found == pytest.approx([min(by_seed), sum(by_seed) / 2, max(by_seed)])


def test_json_holds_what_the_table_holds_and_unknown_is_null(table: Path) -> None:
    [found] = json.loads(run("evaluate", str(table), "--router", "mean", "--folds", "2", "--json"))
    assert (found["n"], found["seed"], found["cost_unit"]) == (80, 0, "cost units")
    assert set(found["verdicts"]) == {"mean"}
    figures = {(row["router"], row["figure"]): row for row in found["figures"]}
    quality = ml.Outcomes.read(table).quality_matrix().mean()
    for label in LABELS:
        assert figures[label, "quality"]["value"] == pytest.approx(quality[label])
        assert figures[label, "quality"]["n"] == 80


@pytest.mark.parametrize("name", sorted(ROUTERS))
def test_every_router_is_at_hand_by_its_name(table: Path, name: str) -> None:
    [found] = json.loads(run("evaluate", str(table), "--router", name, "--folds", "2", "--json"))
    assert list(found["verdicts"]) == ["random router" if name == "random" else name]


def test_filters_keep_what_they_name(table: Path) -> None:
    settings = ("--router", "length", "--folds", "2", "--json")
    [found] = json.loads(run("evaluate", str(table), *settings, "--filter", "task_type=reasoning"))
    assert found["n"] == (ml.Outcomes.read(table).prompts["task_type"] == "reasoning").sum()
    [found] = json.loads(run("evaluate", str(table), *settings, "--filter", f"model={LABELS[0]}"))
    assert found["models"] == [LABELS[0]]


def test_tune_leaves_a_pool_that_routes(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "tuned"
    limits = ("--objective", "quality", "--constraint", "0.6", "--folds", "2")
    printed = run("tune", str(table), *limits, "--pool", "reference", "--out", str(out))
    for words in ("fitted", "held out", "cost units", "n=80", "seed 0"):
        assert words in printed
    pool = ml.load_pool(out / "tuned.yaml", environ={})
    assert pool.registry.labels == LABELS
    router = ml.TaskRouter(pool.registry, pool.policy)
    assert router.route(ml.classify("add the numbers 3 and 4", "reference")).label == "model::light"
    assert names(out, "png") == names(out, "svg") == names(out, "csv") == names(out, "parquet") == ["front"]


def test_without_a_pool_the_front_is_written_and_what_is_missing_is_said(table: Path, tmp_path: Path) -> None:
    printed = run("tune", str(table), "--constraint", "0.6", "--folds", "2", "--out", str(tmp_path / "tuned"))
    assert "no pool was written: --pool names one whose labels are model::light, model::heavy" in printed
    assert names(tmp_path / "tuned", "yaml") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("evaluate", "--router", "magic"), "no router is called magic; choose from learned"),
        (("evaluate", "--by", "colour"), "--by is 'colour'; choose prompt or group"),
        (("evaluate", "--filter", "colour=red"), "--filter is 'colour=red'"),
        (("evaluate", "--filter", "task_type"), "write KEY=VALUE"),
        (("tune", "--objective", "fame"), "choose quality, cost or arena"),
        (("tune", "--pool", "nowhere"), "no pool 'nowhere'"),
    ],
)
def test_what_is_not_allowed_is_refused(table: Path, arguments: tuple[str, ...], words: str) -> None:
    command, *settings = arguments
    with pytest.raises(ml.ConfigurationError, match=words):
        CliRunner().invoke(app, [command, str(table), *settings], catch_exceptions=False)


def test_a_pool_without_the_labels_is_refused_before_the_work(table: Path, tmp_path: Path) -> None:
    renamed = ml.Outcomes.read(table).rename({LABELS[0]: "tiny"}).write(tmp_path / "renamed.csv")
    with pytest.raises(ml.OutcomesError, match="pool reference has no tiny"):
        CliRunner().invoke(app, ["tune", str(renamed), "--pool", "reference"], catch_exceptions=False)


def test_a_folder_that_cannot_be_made_is_refused(table: Path) -> None:
    with pytest.raises(ml.ConfigurationError, match="cannot be made a folder"):
        CliRunner().invoke(app, ["evaluate", str(table), "--out", str(table)], catch_exceptions=False)


def test_an_error_is_one_line_and_exit_3(tmp_path: Path) -> None:
    (tmp_path / "broken.csv").write_bytes(b"\xff\xfe")
    command = [sys.executable, "-m", "multillm.cli", "evaluate", str(tmp_path / "broken.csv")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert "broken.csv is not readable as csv" in done.stderr
