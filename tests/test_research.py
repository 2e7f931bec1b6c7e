"""The commands that evaluate and tune: what they print, the files they leave, what they refuse."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import multillm as ml
from multillm.cli import app

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
    assert names(out, "png") == ["cost_quality", "gain_recovered"]
    assert names(out, "csv") == ["by_task_type", "cost_quality", "figures", "gain_recovered"]
    assert set(pd.read_parquet(out / "figures.parquet")["router"]) >= {"knn", "oracle", "random", *LABELS}


def test_tune_leaves_a_pool_that_routes(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "tuned"
    limits = ("--objective", "quality", "--constraint", "0.6", "--folds", "2")
    printed = run("tune", str(table), *limits, "--pool", "reference", "--out", str(out))
    assert "held out" in printed
    pool = ml.load_pool(out / "tuned.yaml", environ={})
    assert pool.registry.labels == LABELS
    router = ml.TaskRouter(pool.registry, pool.policy)
    assert router.route(ml.classify("add the numbers 3 and 4", "reference")).label == "model::light"
    assert names(out, "png") == ["front"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--router", "magic"), "no router is called magic; choose from learned"),
        (("--by", "colour"), "--by is 'colour'; choose prompt or group"),
    ],
)
def test_what_is_not_allowed_is_refused(table: Path, arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(ml.ConfigurationError, match=words):
        CliRunner().invoke(app, ["evaluate", str(table), *arguments], catch_exceptions=False)


def test_an_unknown_objective_is_refused(table: Path) -> None:
    with pytest.raises(ml.ConfigurationError, match="choose quality, cost or arena"):
        CliRunner().invoke(app, ["tune", str(table), "--objective", "fame"], catch_exceptions=False)
