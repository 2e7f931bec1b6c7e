"""The vectorised sweep against a plain loop and against the live router."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from multillm.errors import OutcomesError
from multillm.learning import PromptQuality
from multillm.policy import Policy
from multillm.pool import load_pool
from multillm.registry import Registry
from multillm.router import TaskRouter
from multillm.sweep import sweep
from multillm.tasks import SubTask, TaskProfile, TaskType

Floats = npt.NDArray[np.float64]


def by_loop(predicted: Floats, price: Floats, threshold: float, weight: float) -> list[int]:
    """The model of each prompt: highest utility at or above the threshold, else highest expected quality."""
    chosen = []
    for expected in predicted:
        good = [model for model, quality in enumerate(expected) if quality >= threshold]
        if good:
            chosen.append(max(good, key=lambda model: (expected[model] - weight * price[model], -price[model])))
        else:
            chosen.append(max(range(len(price)), key=lambda model: (expected[model], -price[model])))
    return chosen


grids = st.tuples(st.integers(1, 8), st.integers(1, 5)).flatmap(
    lambda shape: st.tuples(
        arrays(float, shape, elements=st.integers(0, 16).map(lambda k: k / 16)),
        arrays(float, shape[1], elements=st.integers(1, 8).map(lambda k: k / 8)),
        arrays(float, shape, elements=st.integers(0, 4).map(float)),
        st.lists(st.sampled_from(["a", "b"]), min_size=shape[0], max_size=shape[0]),
    )
)


@given(grids)
def test_the_sweep_is_the_plain_loop_for_every_policy(case: tuple[Floats, Floats, Floats, list[str]]) -> None:
    predicted, price, quality, kinds = case
    cost = np.arange(quality.size, dtype=float).reshape(quality.shape)
    thresholds, weights = [0.0, 0.5, 0.8, 1.0], [0.0, 0.13, 0.71, 1.9, 40.0]
    swept = sweep(predicted, price, quality, cost, thresholds=thresholds, cost_weights=weights, task_types=kinds)
    prompts = np.arange(len(predicted))
    for t, threshold in enumerate(thresholds):
        for w, weight in enumerate(weights):
            chosen = by_loop(predicted, price, threshold, weight)
            for k, kind in enumerate(swept.task_types):
                of_kind = np.array(kinds) == kind
                assert swept.cost[k, t, w] == pytest.approx(cost[prompts, chosen][of_kind].sum())
                assert swept.quality[k, t, w] == pytest.approx(quality[prompts, chosen][of_kind].sum())
    frame = swept.to_frame()
    assert len(frame) == swept.policies == 20
    assert frame["quality"].iloc[0] == pytest.approx(swept.quality[:, 0, 0].sum() / len(predicted))


def test_a_policy_with_a_threshold_for_each_type_is_read_off_the_same_sums() -> None:
    rng = np.random.default_rng(0)
    predicted, price = rng.random((50, 3)), np.array([0.1, 0.5, 1.0])
    quality, cost = rng.random((50, 3)), rng.random((50, 3))
    kinds = np.where(np.arange(50) % 2, "odd", "even")
    swept = sweep(predicted, price, quality, cost, thresholds=[0.2, 0.9], cost_weights=[0.0, 0.5], task_types=kinds)
    spent, got = swept.outcome(np.array([[0, 1]]), np.array([1]))
    chosen = np.where(kinds == "even", by_loop(predicted, price, 0.2, 0.5), by_loop(predicted, price, 0.9, 0.5))
    assert got[0] == pytest.approx(quality[np.arange(50), chosen].mean())
    assert spent[0] == pytest.approx(cost[np.arange(50), chosen].mean())


class Table(PromptQuality):
    """Expected qualities by text."""

    def __init__(self, expected: dict[str, list[float]], labels: tuple[str, ...]) -> None:
        self.expected = expected
        self.models_ = labels

    def _fit(self, outcomes: object) -> None:
        """There is nothing to learn."""

    def _predict(self, prompts: object) -> Floats:
        return np.array([self.expected[text] for text in prompts["prompt"]])  # type: ignore[index]


def test_the_sweep_takes_what_the_live_router_takes() -> None:
    pool = load_pool("reference")
    registry = Registry(models=tuple(m.model_copy(update={"task_types": frozenset(TaskType)}) for m in pool.models))
    rng = np.random.default_rng(0)
    expected = {f"task {row}": rng.random(4).round(3).tolist() for row in range(40)}
    price = np.array([spec.cost_per_1k for spec in registry])
    for threshold, alpha in ((0.0, 0.4), (0.6, 0.4), (0.9, 0.05), (0.99, 1.0)):
        policy = Policy(alpha=alpha, beta=0.6, thresholds={}, default_threshold=threshold, overrides={})
        router = TaskRouter(registry, policy, quality=Table(expected, registry.labels))
        profiles = [TaskProfile(SubTask(text, 0, len(text)), TaskType.OTHER, 0.5, 3) for text in expected]
        live = [registry.labels.index(router.route(profile).label) for profile in profiles]
        marks = np.tile(np.arange(4.0), (40, 1)) * 5.0 ** np.arange(4)
        swept = sweep(
            np.array(list(expected.values())), price, marks, marks, thresholds=[threshold], cost_weights=[alpha / 0.6]
        )
        assert swept.quality[0, 0, 0] == pytest.approx(marks[np.arange(40), live].sum())


def test_a_sweep_over_missing_values_or_unordered_weights_is_refused() -> None:
    fine, gap = np.ones((2, 2)), np.array([[1.0, np.nan], [1.0, 1.0]])
    with pytest.raises(OutcomesError, match="complete"):
        sweep(fine, np.ones(2), gap, fine, thresholds=[0.5], cost_weights=[0.0])
    with pytest.raises(OutcomesError, match="ascend"):
        sweep(fine, np.ones(2), fine, fine, thresholds=[0.5], cost_weights=[1.0, 0.5])
