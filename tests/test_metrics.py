"""Metrics against published figures, analytic cases and brute force."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from multillm import metrics
from multillm.metrics.curve import hull_cost, hull_quality

Floats = npt.NDArray[np.float64]


@pytest.mark.parametrize(
    ("accuracy", "usd_per_1k", "published"),
    [(72.82, 0.22, 71.87), (78.14, 0.30, 76.12), (77.18, 0.30, 75.30), (76.40, 0.18, 75.27), (78.51, 0.4905, 75.75)],
)
def test_the_arena_score_is_the_published_one_within_the_rounding_of_its_inputs(
    accuracy: float, usd_per_1k: float, published: float
) -> None:
    half = 0.00005 if usd_per_1k == 0.4905 else 0.005
    least = 100 * metrics.arena_score((accuracy - 0.005) / 100, usd_per_1k + half)
    most = 100 * metrics.arena_score((accuracy + 0.005) / 100, usd_per_1k - half)
    assert least - 0.005 <= published <= most + 0.005
    assert most - least < 0.08


def test_the_arena_score_is_one_at_the_cheapest_and_best_and_unknown_without_a_cost() -> None:
    assert metrics.arena_score(1.0, 0.0044) == pytest.approx(1.0)
    assert metrics.arena_score(1.0, 200.0) == 0.0
    assert np.isnan(metrics.arena_score(0.9, np.nan))
    assert np.isnan(metrics.arena_score(0.9, 0.0))


points = st.integers(1, 9).flatmap(
    lambda k: st.tuples(
        arrays(float, k, elements=st.integers(0, 12).map(float)),
        arrays(float, k, elements=st.integers(0, 8).map(lambda q: q / 8)),
    )
)


def by_brute_force(budget: float, cost: Floats, quality: Floats) -> float:
    """The best quality of any mixture of two points that costs no more than the budget."""
    best = 0.0
    for (c, q), (d, r) in itertools.product(zip(cost, quality, strict=True), repeat=2):
        if c <= budget:
            part = 1.0 if d <= budget else (budget - c) / (d - c)
            best = max(best, q, (1 - part) * q + part * r)
    return best


@given(points, st.floats(-1.0, 14.0))
def test_the_hull_is_the_best_mixture_of_two_points_at_every_budget(
    curve: tuple[Floats, Floats], budget: float
) -> None:
    assert hull_quality(np.array(budget), *curve) == pytest.approx(by_brute_force(budget, *curve), abs=1e-9)


@given(points)
def test_the_hull_rises_and_is_concave(curve: tuple[Floats, Floats]) -> None:
    cost, quality = metrics.hull(*curve)
    assert (np.diff(cost) > 0).all()
    assert (np.diff(quality) > 0).all()
    assert (np.diff(np.diff(quality) / np.diff(cost)) < 1e-12).all()


@given(points)
def test_the_cost_of_a_quality_is_where_the_hull_has_it(curve: tuple[Floats, Floats]) -> None:
    cost, quality = curve
    for floor in np.linspace(quality.min(), quality.max(), 5):
        found = hull_cost(float(floor), cost, quality)
        assert hull_quality(np.array(found), cost, quality) >= floor - 1e-9
        assert found <= cost[quality >= floor].min() + 1e-9
    assert np.isnan(hull_cost(float(quality.max()) + 0.1, cost, quality))


@given(points, st.integers(0, 6), st.integers(1, 9))
def test_aiq_is_the_area_under_the_brute_force_hull(curve: tuple[Floats, Floats], low: int, width: int) -> None:
    high = low + width
    corners = np.unique(np.concatenate([curve[0][(curve[0] > low) & (curve[0] < high)], [low, high]]))
    area = 0.0
    for left, right in itertools.pairwise(corners):
        start, end = (by_brute_force(float(x), *curve) for x in (left + 1e-9, right))
        area += (right - left) * (start + end) / 2
        if start == 0 and left < curve[0].min():
            area -= (right - left) * end / 2
    assert metrics.aiq(*curve, low, high) == pytest.approx(area / width, abs=1e-6)


def test_aiq_of_known_shapes() -> None:
    cost, quality = np.array([1.0, 3.0]), np.array([0.4, 0.8])
    assert metrics.aiq(cost, quality, 1, 3) == pytest.approx(0.6)
    assert metrics.aiq(cost, quality, 1, 5) == pytest.approx(0.7)
    assert metrics.aiq(np.array([3.0]), np.array([0.8]), 1, 3) == 0.0
    assert metrics.aiq(np.array([1.0]), np.array([0.8]), 1, 3) == pytest.approx(0.8)
    assert np.isnan(metrics.aiq(cost, quality, 2, 2))
    assert metrics.aiq_published_code(cost, quality, 3.0) == pytest.approx(0.4)
    np.testing.assert_allclose(metrics.aiq(np.stack([cost, cost]), np.stack([quality, quality / 2]), 1, 3), [0.6, 0.3])


def test_the_zero_router_leaves_out_what_a_mixture_beats() -> None:
    cost, quality = metrics.zero_router(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.2, 0.3, 0.8, 0.7]))
    assert cost.tolist() == [1.0, 3.0]
    assert quality.tolist() == [0.2, 0.8]


def test_willingness_runs_from_always_the_cheapest_to_always_the_best() -> None:
    predicted, cost = np.array([[0.5, 0.9], [0.7, 0.7]]), np.array([1.0, 3.0])
    np.testing.assert_array_equal(metrics.choose(predicted, cost, 0.0), [[1, 0], [1, 0]])
    np.testing.assert_array_equal(metrics.choose(predicted, cost, np.inf), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(metrics.choose(predicted, cost, 5.0), [[0.5, 0.5], [1, 0]])
    np.testing.assert_array_equal(metrics.choose(predicted, cost, 4.9), [[1, 0], [1, 0]])
    np.testing.assert_array_equal(metrics.choose(predicted, np.ones(2), np.inf), [[0, 1], [0.5, 0.5]])
    grid = metrics.willingness_grid(cost)
    assert (grid[0], grid[-1]) == (0.0, np.inf)
    assert (np.diff(grid) > 0).all()
    assert metrics.willingness_grid(np.ones(3)).tolist() == [0.0, np.inf]


def test_a_curve_over_willingness_spends_and_gets_in_expectation() -> None:
    quality, cost = np.array([[0.0, 1.0]]), np.array([[1.0, 5.0]])
    spent, got = metrics.trade_off(
        np.array([[0.5, 0.5]]), np.array([1.0, 1.0]), quality, cost, np.array([0.0, 1.0, np.inf])
    )
    np.testing.assert_array_equal(spent, [[3.0, 3.0, 3.0]])
    np.testing.assert_array_equal(got, [[0.5, 0.5, 0.5]])


scored = st.integers(2, 12).flatmap(
    lambda n: st.tuples(
        arrays(float, n, elements=st.integers(0, 3).map(float)),
        arrays(float, n, elements=st.sampled_from([0.0, 0.5, 1.0])),
        arrays(float, n, elements=st.sampled_from([0.0, 0.5, 1.0])),
    ).filter(lambda case: case[2].sum() > case[1].sum())
)


few = st.integers(2, 5).flatmap(
    lambda n: st.tuples(
        arrays(float, n, elements=st.integers(0, 2).map(float)),
        arrays(float, n, elements=st.sampled_from([0.0, 0.5, 1.0])),
        arrays(float, n, elements=st.sampled_from([0.0, 0.5, 1.0])),
    ).filter(lambda case: case[2].sum() > case[1].sum())
)


@given(few)
def test_apgr_is_its_mean_over_every_order_of_tied_prompts(case: tuple[Floats, Floats, Floats]) -> None:
    score, weak, strong = case
    orders = [np.array(order) / 100 for order in itertools.permutations(range(len(score)))]
    areas = [float(metrics.apgr(score + order, weak, strong)) for order in orders]
    assert float(metrics.apgr(score, weak, strong)) == pytest.approx(float(np.mean(areas)))


@given(scored)
def test_routing_at_random_has_apgr_one_half_and_cpt_equal_to_its_target(case: tuple[Floats, Floats, Floats]) -> None:
    _, weak, strong = case
    nothing = np.zeros(len(weak))
    assert metrics.apgr(nothing, weak, strong) == pytest.approx(0.5)
    assert metrics.cpt(nothing, weak, strong, 0.3) == pytest.approx(0.3)


@given(scored)
def test_the_oracle_score_has_the_highest_apgr_and_its_reverse_the_lowest(case: tuple[Floats, Floats, Floats]) -> None:
    score, weak, strong = case
    best, worst = (float(metrics.apgr(sign * (strong - weak), weak, strong)) for sign in (1.0, -1.0))
    assert worst - 1e-9 <= float(metrics.apgr(score, weak, strong)) <= best + 1e-9
    assert best + worst == pytest.approx(1.0)


def test_pgr_by_hand() -> None:
    score, weak, strong = np.array([3.0, 2.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 1.0, 1.0, 0.0])
    share, pgr = metrics.pgr_curve(score, weak, strong)
    np.testing.assert_allclose(share, [0, 0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(pgr, [0, 1, 1, 2, 1])
    assert metrics.apgr(score, weak, strong) == pytest.approx((0.5 + 1 + 1.5 + 1.5) / 4)
    assert metrics.cpt(score, weak, strong, 0.5) == pytest.approx(0.125)
    assert np.isnan(metrics.apgr(score, strong, weak))
    assert np.isnan(metrics.cpt(score, strong, weak, 0.5))


@given(scored, st.integers(0, 1000))
def test_weights_count_prompts_as_repetition_does(case: tuple[Floats, Floats, Floats], seed: int) -> None:
    counts = metrics.resample(len(case[0]), 3, np.random.default_rng(seed))
    weights = counts.astype(float)
    for row in range(4):
        repeated = [np.repeat(values, counts[row]) for values in case]
        for figure in (metrics.apgr, lambda s, w, t, weights=None: metrics.cpt(s, w, t, 0.8, weights)):
            np.testing.assert_allclose(figure(*case, weights)[row], figure(*repeated), equal_nan=True, atol=1e-9)


QUALITY = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.5, 0.0, 1.0]])
COST = np.array([[1.0, 2.0, 9.0], [1.0, 2.0, 9.0], [1.0, 2.0, 9.0], [1.0, 2.0, 9.0]])


def test_the_oracle_takes_the_cheapest_of_the_best_and_is_optimal_in_every_way() -> None:
    choice = metrics.oracle_choice(QUALITY, COST)
    np.testing.assert_array_equal(choice, [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]])
    assert metrics.optimal_selection(choice, QUALITY, COST) == 1.0
    assert metrics.optimal_cost(choice, QUALITY, COST) == 1.0
    assert metrics.optimal_accuracy(choice, QUALITY) == 1.0


def test_optimality_by_hand() -> None:
    middle = np.tile([0.0, 1.0, 0.0], (4, 1))
    assert metrics.optimal_selection(middle, QUALITY, COST) == 0.5
    assert metrics.optimal_cost(middle, QUALITY, COST) == pytest.approx((1 + 2) / (2 + 2))
    assert metrics.optimal_accuracy(middle, QUALITY) == pytest.approx(2 / 3)
    wrong = np.tile([0.0, 0.0, 1.0], (1, 1))
    assert np.isnan(metrics.optimal_selection(wrong, QUALITY[:1], COST[:1]))


def test_the_data_set_oracle_takes_one_model_for_each_data_set() -> None:
    choice = metrics.dataset_oracle(QUALITY, COST, ["a", "a", "b", "b"])
    np.testing.assert_array_equal(choice, [[0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])


def test_relative_figures() -> None:
    assert metrics.relative_gain(np.array(0.6), np.array(0.5)) == pytest.approx(0.2)
    assert metrics.gap_to_oracle(np.array(0.6), np.array(0.8)) == pytest.approx(0.25)
    assert np.isnan(metrics.relative_gain(np.array(0.6), np.array(0.0)))


def test_savings_are_against_the_reference_and_unknown_where_its_quality_is_not_kept() -> None:
    cost, quality = np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.76, 0.79])
    assert metrics.cost_save(cost, quality, 4.0, 0.8, share=0.95) == pytest.approx(0.5)
    assert metrics.cost_save(cost, quality, 2.0, 0.79) == pytest.approx(-1.0)
    assert np.isnan(metrics.cost_save(cost, quality, 4.0, 0.8))


@given(points)
def test_nothing_beats_a_point_of_the_pareto_front(curve: tuple[Floats, Floats]) -> None:
    cost, quality = curve
    beaten = [
        any((c <= x and q >= y) and (c < x or q > y) for c, q in zip(cost, quality, strict=True))
        for x, y in zip(cost, quality, strict=True)
    ]
    front = metrics.pareto_front(cost, quality)
    assert front.tolist() == [not lost for lost in beaten]
    assert metrics.pareto_distance(cost[front], quality[front], cost[front], quality[front]) == 0.0


def test_the_distance_to_the_front_does_not_depend_on_the_cost_unit() -> None:
    near = metrics.pareto_distance(np.array([2.0]), np.array([0.5]), np.array([1.0, 4.0]), np.array([0.5, 1.0]))
    assert near == pytest.approx(0.25)
    cents = metrics.pareto_distance(np.array([200.0]), np.array([0.5]), np.array([100.0, 400.0]), np.array([0.5, 1.0]))
    assert cents == pytest.approx(near)


def test_robustness_counts_flips_and_a_repeated_tie_is_none() -> None:
    before = np.array([[1.0, 0.0], [0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])
    after = np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0], [0.5, 0.5]])
    assert metrics.robustness(before, after) == pytest.approx((0 + 1 + 1 + 0.5) / 4)


@given(st.text(max_size=80), st.integers(0, 99))
def test_a_perturbed_prompt_is_the_same_for_the_same_seed_and_untouched_at_rate_zero(text: str, seed: int) -> None:
    assert metrics.perturb(text, np.random.default_rng(seed), rate=0.0) == text
    once, again = (metrics.perturb(text, np.random.default_rng(seed), rate=0.5) for _ in range(2))
    assert once == again
    assert [sign for sign in once if sign.isdigit()] == [sign for sign in text if sign.isdigit()]


def test_a_slip_changes_a_long_prompt() -> None:
    assert metrics.perturb("Explain what a mutex is", np.random.default_rng(0), rate=0.2) != "Explain what a mutex is"


def test_the_bootstrap_interval_is_that_of_the_binomial() -> None:
    values = np.repeat([1.0, 0.0], [300, 700])
    rng = np.random.default_rng(1)
    estimate = metrics.bootstrap(lambda w: metrics.weighted_mean(values, w), len(values), rng, replicates=2000)
    half = 1.96 * np.sqrt(0.3 * 0.7 / 1000)
    assert estimate.value == pytest.approx(0.3)
    assert estimate.low == pytest.approx(0.3 - half, abs=0.004)
    assert estimate.high == pytest.approx(0.3 + half, abs=0.004)
    assert repr(estimate).endswith("(n=1,000)")


def test_groups_drawn_whole_widen_the_interval_of_what_they_share() -> None:
    values = np.repeat(np.arange(10) % 2.0, 50)
    groups = np.repeat(np.arange(10), 50)
    alone, together = (
        metrics.bootstrap(lambda w: metrics.weighted_mean(values, w), 500, np.random.default_rng(0), groups=grouping)
        for grouping in (None, groups)
    )
    assert together.high - together.low > 4 * (alone.high - alone.low)
    drawn = metrics.resample(500, 20, np.random.default_rng(0), groups).reshape(21, 10, 50)
    assert (drawn == drawn[:, :, :1]).all()


def test_a_difference_of_two_routers_on_the_same_prompts_is_paired() -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(0, 2, 400).astype(float)
    second = first.copy()
    second[:8] = 1.0
    paired = metrics.bootstrap(lambda w: metrics.weighted_mean(second - first, w), 400, rng)
    assert paired.high - paired.low < 0.04
    assert paired.low >= 0.0


def test_an_undefined_figure_has_no_interval() -> None:
    estimate = metrics.bootstrap(lambda w: np.full(len(w), np.nan), 5, np.random.default_rng(0), replicates=10)
    assert np.isnan([estimate.value, estimate.low, estimate.high]).all()
