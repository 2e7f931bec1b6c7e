"""Estimators that learn from outcomes: conventions, storage, the bridge to the live router."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from multillm.classification import classify
from multillm.errors import EstimatorError
from multillm.learning import (
    ClusterQuality,
    FittedCurves,
    LearnedQuality,
    LinearCurves,
    LiteLLMComplexity,
    MeanQuality,
    NeighbourQuality,
    OracleQuality,
    PromptLength,
    PromptQuality,
    RandomQuality,
    ReferenceComplexity,
    load_estimator,
)
from multillm.outcomes import Outcomes
from multillm.pool import load_pool
from multillm.router import TaskRouter
from multillm.tasks import TaskType

LABELS = ("model::light", "model::balanced", "model::heavy")


def outcomes(n: int = 120, seed: int = 0) -> Outcomes:
    """Sums that the light model can do, proofs that only the heavy one can."""
    rng = np.random.default_rng(seed)
    sums = rng.random(n) < 0.5
    texts = [
        f"add the numbers {rng.integers(99)} and {rng.integers(99)}"
        if easy
        else f"prove theorem t{rng.integers(99)} and explain in detail every step of the long argument"
        for easy in sums
    ]
    chance = np.where(sums[:, None], [0.9, 0.92, 0.95], [0.1, 0.5, 0.9])
    quality = (rng.random((n, 3)) < chance).astype(float)
    prompts = pd.DataFrame(
        {
            "prompt_id": [f"p{row}" for row in range(n)],
            "prompt": texts,
            "task_type": np.where(sums, "qa_simple", "reasoning"),
            "complexity": np.where(sums, 0.1, 0.85) + rng.random(n) * 0.1,
        }
    )
    cost = pd.DataFrame(np.tile([0.05, 0.35, 1.0], (n, 1)), columns=LABELS)
    return Outcomes.from_matrices(prompts, pd.DataFrame(quality, columns=LABELS), cost, cost_unit="cost units")


ESTIMATORS: list[PromptQuality] = [
    MeanQuality(),
    RandomQuality(seed=3),
    PromptLength(characters=50),
    ReferenceComplexity(),
    FittedCurves(),
    FittedCurves(shape="isotonic", min_prompts=10),
    LinearCurves(),
    NeighbourQuality(neighbours=5),
    ClusterQuality(clusters=4, dimensions=8),
    LearnedQuality(kinds=4),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_every_estimator_predicts_a_quality_for_each_prompt_and_model(estimator: PromptQuality) -> None:
    table = outcomes()
    fitted = clone(estimator).fit(table)
    predicted = fitted.predict(table.prompts)
    assert predicted.shape == (120, 3)
    assert list(predicted.columns) == list(LABELS)
    assert predicted.to_numpy().min() >= 0.0
    assert predicted.to_numpy().max() <= 1.0
    assert fitted.predict(["What is 2 + 2?", ""]).shape == (2, 3)
    assert not hasattr(estimator, "models_")
    with pytest.raises(EstimatorError, match="not fitted"):
        clone(fitted).predict(["What is 2 + 2?"])


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_a_stored_estimator_predicts_the_same_to_the_last_bit(estimator: PromptQuality, tmp_path: Path) -> None:
    table = outcomes()
    fitted = clone(estimator).fit(table)
    again = load_estimator(fitted.save(tmp_path / "estimator"))
    assert repr(again) == repr(fitted)
    pd.testing.assert_frame_equal(again.predict(table.prompts), fitted.predict(table.prompts), check_exact=True)


@pytest.mark.parametrize(
    "estimator", [NeighbourQuality(neighbours=9), ClusterQuality(4, 8), FittedCurves(), LearnedQuality()], ids=repr
)
def test_what_is_learnt_carries_over_to_new_prompts(estimator: PromptQuality) -> None:
    fitted = clone(estimator).fit(outcomes(n=400))
    fresh = outcomes(n=100, seed=1)
    predicted = fitted.predict(fresh.prompts)
    easy = (fresh.prompts["task_type"] == "qa_simple").to_numpy()
    assert predicted.loc[easy, "model::light"].mean() > 0.8
    assert predicted.loc[~easy, "model::light"].mean() < 0.25


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_a_fitted_estimator_drives_the_live_router(estimator: PromptQuality) -> None:
    fitted = clone(estimator).fit(outcomes())
    pool = load_pool("reference")
    decision = TaskRouter(pool.registry, pool.policy, quality=fitted).route(classify("add the numbers 3 and 4"))
    quality = {candidate.label: candidate.quality for candidate in decision.candidates}
    assert quality["model::medium"] is None
    assert all(quality[label] is not None for label in LABELS)
    assert decision.label in LABELS


def test_the_router_with_learnt_quality_sends_sums_to_the_light_model_and_proofs_to_the_heavy_one() -> None:
    fitted = NeighbourQuality(neighbours=15).fit(outcomes(n=400))
    pool = load_pool("reference")
    router = TaskRouter(pool.registry, pool.policy, quality=fitted)
    sums = replace(classify("add the numbers 3 and 4"), task_type=TaskType.QA_SIMPLE)
    assert router.route(sums).label == "model::light"
    assert router.route(classify("design: prove theorem t7 and explain in detail every step")).label == "model::heavy"


def test_a_qualities_gap_teaches_nothing_and_an_unmeasured_model_is_refused() -> None:
    table = outcomes()
    gaps = table.rows.assign(quality=table.rows["quality"].where(np.arange(len(table.rows)) % 7 > 0))
    with_gaps = Outcomes(gaps, table.prompts, cost_unit="cost units")
    for estimator in ESTIMATORS:
        assert not clone(estimator).fit(with_gaps).predict(table.prompts).isna().any(axis=None)
    none = table.rows.assign(quality=table.rows["quality"].where(table.rows["model"] != "model::heavy"))
    with pytest.raises(EstimatorError, match="model::heavy"):
        MeanQuality().fit(Outcomes(none, table.prompts, cost_unit="cost units"))


def test_mean_quality_is_the_mean() -> None:
    table = outcomes()
    np.testing.assert_allclose(MeanQuality().fit(table).predict(["any"]).iloc[0], table.quality_matrix().mean())


def test_the_gain_of_a_stronger_model_grows_with_the_prompt_and_keeps_the_order_of_lengths() -> None:
    fitted = PromptLength().fit(outcomes())
    predicted = fitted.predict(["a" * length for length in (1, 10, 100, 1000, 10000)])
    assert (np.diff(predicted["model::heavy"] - predicted["model::light"]) > 0).all()


def test_fitted_curves_fall_with_complexity_where_the_measured_quality_does() -> None:
    fitted = FittedCurves(shape="isotonic", min_prompts=10_000).fit(outcomes(n=400))
    grid = pd.DataFrame({"prompt": "x", "task_type": "new", "complexity": np.linspace(0, 1, 11)})
    light = fitted.predict(grid)["model::light"].to_numpy()
    assert (np.diff(light) <= 1e-12).all()
    assert light[0] > 0.8
    assert light[-1] < 0.25


def test_a_random_estimate_depends_on_prompt_and_seed_only() -> None:
    table = outcomes()
    first, again = (RandomQuality(seed=1).fit(table).predict(["a", "b"]) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert not np.allclose(first.iloc[0], first.iloc[1])
    assert not np.allclose(first, RandomQuality(seed=2).fit(table).predict(["a", "b"]))


def test_the_oracle_knows_its_prompts_and_refuses_to_be_deployed(tmp_path: Path) -> None:
    table = outcomes()
    oracle = clone(OracleQuality(table)).fit(table.take(np.arange(60)))
    np.testing.assert_array_equal(oracle.predict(table.prompts), table.quality_matrix())
    with pytest.raises(EstimatorError, match="before the call"):
        oracle.quality(classify("What is 2 + 2?"), load_pool("reference").registry.models)
    with pytest.raises(EstimatorError, match="Outcomes"):
        oracle.save(tmp_path / "oracle")


def test_a_file_that_is_no_stored_estimator_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", header=np.array('{"format": "other"}'))
    np.savez(tmp_path / "pickled.npz", header=np.array([{"an": "object"}], dtype=object))
    for name in ("text", "other", "pickled", "absent"):
        with pytest.raises(EstimatorError, match=name):
            load_estimator(tmp_path / f"{name}.npz")


def test_litellms_score_orders_prompts_as_litellm_does() -> None:
    scorer = LiteLLMComplexity()
    easy, hard = scorer.difficulty(["What is 2+2?", "Implement a distributed lock manager step by step and prove it"])
    assert 0.0 < easy < 0.5 < hard < 1.0


def test_a_prompt_unlike_anything_seen_gets_the_models_means() -> None:
    table = outcomes(n=400)
    fitted = LearnedQuality().fit(table)
    foreign = fitted.predict(["Übersetze dieses Gedicht über den Mond ins Latein; " * 40 + "!!??;;::(){}[]"])
    assert foreign.iloc[0].tolist() == pytest.approx(table.quality_matrix().mean().tolist())


def test_what_was_not_measured_teaches_nothing_and_harms_nothing() -> None:
    table = outcomes(n=300)
    holed = table.rows.copy()
    holed.loc[(holed.index % 3 == 0) & (holed["prompt_id"].str[1:].astype(int) > 150), "quality"] = np.nan
    fitted = LearnedQuality(kinds=4).fit(Outcomes(holed, table.prompts, cost_unit="cost units"))
    predicted = fitted.predict(outcomes(n=80, seed=2).prompts)
    assert predicted.notna().all(axis=None)
    assert predicted["model::heavy"].mean() > predicted["model::light"].mean()


def test_the_reference_heuristic_is_the_reference_classifier_whatever_the_default_is() -> None:
    texts = [
        "Review the security of this class.",
        "What is a mutex?",
        "Compare two designs, then evaluate each of them.",
    ]
    expected = [classify(text, "reference").complexity for text in texts]
    assert expected != [classify(text).complexity for text in texts]
    assert ReferenceComplexity().difficulty(texts).tolist() == expected
