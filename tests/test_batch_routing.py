"""Whole tables routed at once choose what the router chooses row by row."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import multillm as ml
from multillm.batch_routing import route_many
from multillm.router import RoutingRule

TYPES = tuple(ml.TaskType)


def gold_texts() -> pd.Series:
    return pd.Series([task.text for prompt in ml.load_gold("test") for task in prompt.subtasks])


def one_by_one(router: ml.TaskRouter, profiles: Sequence[ml.TaskProfile]) -> pd.DataFrame:
    decisions = [router.route(profile) for profile in profiles]
    rows = [(d.label, d.chosen.quality, d.chosen.cost, d.utility, str(d.rule)) for d in decisions]
    frame = pd.DataFrame(rows, columns=["label", "quality", "cost", "utility", "rule"])
    return frame.astype({"quality": float, "cost": float, "utility": float})


def as_columns(profiles: Sequence[ml.TaskProfile]) -> pd.DataFrame:
    rows = [(str(p.task_type), p.complexity, p.input_tokens, p.text) for p in profiles]
    return pd.DataFrame(rows, columns=["task_type", "complexity", "input_tokens", "text"])


def assert_same(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    plain = found.astype({"label": object, "rule": object}).reset_index(drop=True)
    pd.testing.assert_frame_equal(plain, wanted, check_exact=True, check_dtype=False)


class OwnQuality:
    """An estimator that knows nothing of tables."""

    def quality(self, profile: ml.TaskProfile, models: Sequence[ml.ModelSpec]) -> list[float | None]:
        return [None if spec.rank == 1 else min(1.0, len(profile.text) / 100 * spec.rank / 4) for spec in models]


class OwnCost:
    """Dear models cost more for long sub-tasks."""

    def cost(self, profile: ml.TaskProfile, models: Sequence[ml.ModelSpec]) -> list[float]:
        return [spec.cost_per_1k * profile.input_tokens / 50 for spec in models]


@pytest.mark.parametrize("pool", ["default", "reference"])
@pytest.mark.parametrize("quality", [None, ml.ConstantQuality({"model::medium": 0.8}), OwnQuality()])
@pytest.mark.parametrize("cost", [None, OwnCost()])
def test_a_classified_column_is_routed_as_row_by_row(
    pool: str, quality: ml.QualityEstimator | None, cost: ml.CostEstimator | None
) -> None:
    loaded = ml.load_pool(pool)
    router = ml.TaskRouter(loaded.registry, loaded.policy, quality, cost)
    texts = gold_texts()
    columns = ml.classify_many(texts).assign(text=texts)
    assert_same(route_many(columns, router, chunk=100), one_by_one(router, [ml.classify(text) for text in texts]))


def test_an_estimator_learnt_from_outcomes_is_asked_for_whole_tables() -> None:
    texts, rng = gold_texts(), np.random.default_rng(0)
    labels = ml.load_pool("reference").registry.labels
    prompts = pd.DataFrame({"prompt_id": texts.index.astype(str), "prompt": texts})
    quality = pd.DataFrame(rng.random((len(texts), 3)), columns=list(labels[1:]))
    outcomes = ml.Outcomes.from_matrices(prompts, quality)
    router = ml.TaskRouter(quality=ml.NeighbourQuality().fit(outcomes))
    profiles = [ml.classify(text) for text in texts[:40]]
    assert_same(route_many(as_columns(profiles), router), one_by_one(router, profiles))
    with pytest.raises(ml.EstimatorError, match="give the table a column text"):
        route_many(as_columns(profiles).drop(columns="text"), router)
    with pytest.raises(ml.EstimatorError, match="oracle"):
        route_many(as_columns(profiles), ml.TaskRouter(quality=ml.OracleQuality(outcomes).fit(outcomes)))


shares = st.integers(0, 4).map(lambda quarters: quarters / 4)


@st.composite
def routers(draw: st.DrawFn) -> ml.TaskRouter:
    """Pools of few distinct figures, so that ties, misses and full windows are common."""
    models = [
        {
            "label": f"m{place}",
            "model": f"ollama_chat/m{place}",
            "rank": draw(st.integers(1, 3)),
            "cost_per_1k": draw(shares),
            "quality": {"intercept": draw(shares), "slope": draw(st.sampled_from([-0.5, 0.0, 0.5]))},
            "context_tokens": 1000 if place == 0 else draw(st.sampled_from([10, 1000])),
            "task_types": draw(st.sets(st.sampled_from(TYPES), min_size=1)),
            "fallback_only": place > 0 and draw(st.booleans()),
        }
        for place in range(draw(st.integers(1, 4)))
    ]
    forced = st.sampled_from(["heaviest", *(str(model["label"]) for model in models)])
    policy = ml.Policy(
        beta=draw(shares),
        alpha=draw(shares),
        thresholds=draw(st.dictionaries(st.sampled_from(TYPES), shares)),
        overrides=draw(st.dictionaries(st.sampled_from(TYPES), forced, max_size=2)),
    )
    known = draw(st.dictionaries(st.sampled_from([str(model["label"]) for model in models]), shares))
    quality = ml.ConstantQuality(known) if draw(st.booleans()) else None
    return ml.TaskRouter(ml.Registry.model_validate({"models": models}), policy, quality)


profiles = st.builds(
    ml.TaskProfile, st.just(ml.SubTask("do it", 0, 5)), st.sampled_from(TYPES), shares, st.sampled_from([1, 10, 11])
)


@given(routers(), st.lists(profiles, min_size=1, max_size=8))
def test_any_router_decides_the_same_for_tables(router: ml.TaskRouter, tasks: list[ml.TaskProfile]) -> None:
    assert_same(route_many(as_columns(tasks), router, chunk=3), one_by_one(router, tasks))


def test_rows_keep_their_index_and_no_rows_give_none() -> None:
    columns = ml.classify_many(pd.Series(["Define entropy.", "Define energy."], index=[7, 7]))
    routed = route_many(columns)
    assert list(routed.index) == [7, 7]
    assert set(routed["rule"]) == {str(RoutingRule.UTILITY)}
    assert list(route_many(columns.iloc[:0]).columns) == list(routed.columns)


def test_what_cannot_be_routed_is_named() -> None:
    columns = ml.classify_many(pd.Series(["Define entropy."]))
    with pytest.raises(ml.InputError, match="no column 'input_tokens'"):
        route_many(columns.drop(columns="input_tokens"))
    with pytest.raises(ml.InputError, match="1 of 1 values of complexity are missing"):
        route_many(columns.assign(complexity=np.nan))
    with pytest.raises(ml.InputError, match="'poetry' is no task type; choose one of documentation"):
        route_many(columns.assign(task_type="poetry"))
    with pytest.raises(ml.RoutingError, match="200,000 tokens of context; the largest window"):
        route_many(columns.assign(input_tokens=200_000))
    with pytest.raises(ml.InputError, match="give the table a column text"):
        route_many(columns, ml.TaskRouter(quality=OwnQuality()))
