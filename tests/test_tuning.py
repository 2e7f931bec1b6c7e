"""Tuning: constraints, held-out figures beside fitted ones, pools that route as they were tuned."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from multillm.errors import OutcomesError
from multillm.outcomes import Outcomes
from multillm.pool import load_pool
from multillm.router import TaskRouter
from multillm.tasks import SubTask, TaskProfile, TaskType
from multillm.tuning import TunedPolicy, tune

LABELS = ("model::light", "model::balanced", "model::heavy")
COST = (0.05, 0.35, 1.0)


def outcomes(n: int = 300, seed: int = 0, unit: str = "cost units") -> Outcomes:
    """The light model's quality falls with complexity, the heavy one's does not."""
    rng = np.random.default_rng(seed)
    complexity = rng.random(n)
    chance = np.clip(np.stack([1 - 1.2 * complexity, 0.9 - 0.4 * complexity, np.full(n, 0.9)], axis=1), 0, 1)
    prompts = pd.DataFrame(
        {
            "prompt_id": [f"p{row}" for row in range(n)],
            "prompt": [f"text {row}" for row in range(n)],
            "task_type": np.where(rng.random(n) < 0.5, "reasoning", "qa_simple"),
            "complexity": complexity,
            "group": [f"g{row % 6}" for row in range(n)],
        }
    )
    quality = pd.DataFrame((rng.random((n, 3)) < chance).astype(float), columns=LABELS)
    return Outcomes.from_matrices(
        prompts, quality, pd.DataFrame(np.tile(COST, (n, 1)), columns=LABELS), name="made up", cost_unit=unit
    )


@pytest.fixture(scope="module")
def tuned() -> TunedPolicy:
    return tune(outcomes(), "quality", 0.5, replicates=200, today=lambda: date(2026, 1, 2))


def test_the_budget_is_kept_on_the_fitting_side_and_the_held_out_figures_stand_beside(tuned: TunedPolicy) -> None:
    assert tuned.fitted_cost <= 0.5
    assert tuned.quality.n == 300
    assert tuned.cost.low <= tuned.cost.value <= tuned.cost.high
    assert tuned.quality.value == pytest.approx(tuned.fitted_quality, abs=0.06)
    assert "2026-01-02" in tuned.provenance["date"]
    assert "held out" in repr(tuned)


def test_a_tuned_policy_does_better_on_unseen_prompts_than_mixing_single_models_at_its_cost(tuned: TunedPolicy) -> None:
    means = outcomes().quality_matrix().mean()
    mixed = float(np.interp(tuned.cost.value, COST, means))
    assert tuned.quality.value > mixed + 0.02


def test_a_quality_floor_is_met_at_less_than_the_best_models_cost() -> None:
    found = tune(outcomes(), "cost", 0.8, replicates=20)
    assert found.fitted_quality >= 0.8
    assert found.fitted_cost < 0.8


def test_more_budget_never_gives_less_quality_on_the_fitting_side() -> None:
    qualities = [tune(outcomes(120), "quality", budget, replicates=5).fitted_quality for budget in (0.06, 0.3, 1.0)]
    assert qualities == sorted(qualities)


def test_the_front_has_no_beaten_policy(tuned: TunedPolicy) -> None:
    front = tuned.to_frame()
    assert (np.diff(front["cost"]) > 0).all()
    assert (np.diff(front["quality"]) > 0).all()
    assert {"cost_weight", "qa_simple", "reasoning"} <= set(front.columns)


def test_noise_is_not_sold_as_quality() -> None:
    table = outcomes(200)
    shuffled = table.rows.assign(quality=np.random.default_rng(0).permutation(table.rows["quality"]))
    found = tune(Outcomes(shuffled, table.prompts, cost_unit="x"), "quality", 1.0, replicates=200)
    assert found.quality.low < shuffled["quality"].mean() < found.quality.high + 0.03
    assert found.fitted_quality > found.quality.value - 0.02


def test_the_stored_pool_routes_as_it_was_tuned(tuned: TunedPolicy, tmp_path: Path) -> None:
    path = tuned.write(tmp_path / "tuned.yaml", load_pool("reference"))
    told = path.read_text("utf-8")
    for fact in (
        "# held out: cost",
        f"# sha256: {outcomes().sha256()}",
        "seed 0",
        "scikit-learn",
        "# date: 2026-01-02",
    ):
        assert fact in told
    pool = load_pool(path)
    router = TaskRouter(pool.registry, pool.policy)
    price = np.array(list(tuned.relative_cost.values()))
    for complexity in np.linspace(0, 1, 21):
        for kind in (TaskType.REASONING, TaskType.QA_SIMPLE):
            profile = TaskProfile(SubTask("x", 0, 1), kind, float(complexity), 1)
            quality = np.clip(tuned.estimator.lines_ @ [1.0, complexity], 0, 1)
            good = quality >= tuned.policy.threshold(kind)
            utility = np.where(good, tuned.policy.beta * quality - tuned.policy.alpha * price, -np.inf)
            expected = utility.argmax() if good.any() else quality.argmax()
            assert router.route(profile).label == LABELS[expected]


def test_a_small_cost_is_not_told_as_none() -> None:
    cents = outcomes(60).with_costs(dict(zip(LABELS, (1e-5, 2e-5, 9e-5), strict=True)), "USD")
    found = tune(cents, "quality", 1.0, replicates=20)
    assert f"cost {found.cost.value:.4g} [{found.cost.low:.4g}," in found.provenance["held out"]
    assert "0.000 [" not in found.provenance["held out"]


def test_a_pool_without_the_labels_is_refused() -> None:
    renamed = outcomes(60).rename({"model::light": "tiny"})
    with pytest.raises(OutcomesError, match="tiny"):
        tune(renamed, "quality", 1.0, replicates=5).pool(load_pool("reference"))


def test_what_cannot_be_met_is_said() -> None:
    with pytest.raises(OutcomesError, match="needs constraint"):
        tune(outcomes(60), "cost")
    with pytest.raises(OutcomesError, match="USD"):
        tune(outcomes(60), "arena")
    with pytest.raises(OutcomesError, match="the best quality is"):
        tune(outcomes(60), "cost", 1.0, replicates=5)
    with pytest.raises(OutcomesError, match="the best cost is"):
        tune(outcomes(60), "quality", 0.01, replicates=5)


def test_the_arena_objective_and_whole_groups_held_out() -> None:
    found = tune(outcomes(unit="USD"), "arena", by="group", folds=3, replicates=50)
    assert found.objective == "arena"
    assert "by group" in found.provenance["split"]
