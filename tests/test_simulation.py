"""Simulated learning: regret in closed form, published bounds, exact small cases, and no peeping."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import betaln

import multillm as ml
from multillm.errors import EstimatorError, OutcomesError
from multillm.learning import LinearCurves, MeanQuality
from multillm.online import (
    STRATEGIES,
    EpsilonGreedy,
    Oracle,
    Refitted,
    Simulation,
    Static,
    Strategy,
    Thompson,
    simulate,
)
from multillm.online.simulation import _prepared, _stream
from multillm.online.stream import Stream

MODELS = ("light", "balanced", "heavy")
FLAT: dict[str, Strategy] = {"thompson": Thompson(prior=None, weight=2.0)}


def outcomes(n: int = 300, seed: int = 0) -> ml.Outcomes:
    """Questions that every model can answer, proofs that only the heavy one can."""
    rng = np.random.default_rng(seed)
    hard = rng.random(n) < 0.5
    chance = np.where(hard[:, None], [0.1, 0.4, 0.9], [0.85, 0.88, 0.9])
    prompts = pd.DataFrame({"prompt_id": np.arange(n).astype(str), "prompt": "text", "complexity": 0.3 + 0.4 * hard})
    prompts["task_type"] = np.where(hard, "reasoning", "qa_simple")
    quality = pd.DataFrame((rng.random((n, 3)) < chance).astype(float), columns=MODELS)
    cost = pd.DataFrame(rng.random((n, 3)) * [0.1, 0.7, 2.0], columns=MODELS)
    return ml.Outcomes.from_matrices(prompts, quality, cost, "made up", "cost units")


def bernoulli(chance: tuple[float, ...], n: int, seed: int = 0) -> ml.Outcomes:
    """A bandit: every prompt alike."""
    rng = np.random.default_rng(seed)
    prompts = pd.DataFrame({"prompt_id": np.arange(n).astype(str), "prompt": "x", "task_type": "other"})
    quality = pd.DataFrame(rng.random((n, len(chance))) < chance, columns=[f"arm {k}" for k in range(len(chance))])
    return ml.Outcomes.from_matrices(prompts.assign(complexity=0.5), quality.astype(float), name="bandit")


def stream_of(table: ml.Outcomes, benchmark: int = 50, willingness: float = 10.0, seeds: int = 3) -> Stream:
    prepared, kinds, _ = _prepared(table, willingness, "task_type", None)
    return _stream(prepared, kinds, benchmark=benchmark, willingness=willingness, replaced={}, seeds=range(seeds))


def rngs(count: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in range(count)]


@pytest.fixture(scope="module")
def found() -> Simulation:
    strategies = {**STRATEGIES, "always light": Static(LightOnly()), "thompson, floor": Thompson(floor=0.6)}
    return simulate(
        outcomes(),
        strategies,
        benchmark=60,
        willingness=10.0,
        seeds=range(6),
        checkpoints=8,
        today=lambda: date(2026, 1, 2),
    )


class LightOnly(MeanQuality):
    """Sure that the light model is perfect and the others are no good."""

    def _predict(self, prompts: pd.DataFrame) -> np.ndarray:
        return np.tile([1.0, 0.0, 0.0], (len(prompts), 1))


def test_the_oracle_regrets_nothing_and_everybody_else_something(found: Simulation) -> None:
    for measure in ("utility", "quality"):
        oracle = found.regret("oracle", "oracle", measure)
        assert (oracle.value, oracle.low, oracle.high, oracle.n) == (0.0, 0.0, 0.0, 6)
    for name in found.kinds:
        lost = found.curve(name)["value"].to_numpy()
        assert (np.diff(lost, prepend=0.0) >= -1e-9).all()  # per prompt, nothing is better than the oracle
    assert found.regret("best single model", "best model of each kind").value >= 0
    assert found.regret("thompson", "random").high < 0


def test_a_constant_strategy_has_the_regret_of_its_model(found: Simulation) -> None:
    table = outcomes()
    quality, cost = (table.matrix(measure).to_numpy(float) for measure in ("quality", "cost"))
    utility = quality - cost / 10.0
    lost = []
    for seed in range(6):
        late = np.random.default_rng([seed, 0]).permutation(300)[60:]
        lost.append((utility[late].max(axis=1) - utility[late, 0]).sum())
    assert found.regret("always light").value == pytest.approx(np.mean(lost))
    assert found.mean("always light", "cost").value < found.mean("static curves", "cost").value
    against_best = found.regret("always light", "best single model").value
    difference = found.regret("always light").value - found.regret("best single model").value
    assert against_best == pytest.approx(difference)


def test_every_figure_names_seeds_interval_data_and_date(found: Simulation) -> None:
    frame = found.to_frame()
    assert (frame["low"] <= frame["value"]).all()
    assert (frame["value"] <= frame["high"]).all()
    assert set(frame["n"]) == {6}
    assert found.n == 240
    assert frame["prompts"].max() == 240
    for fact in (
        "240 prompts",
        "6 seeds (0 to 5)",
        "2 by task_type",
        "scikit-learn",
        "2026-01-02",
        outcomes().sha256(),
    ):
        assert fact in found.provenance()
    assert list(found.table().columns)[:3] == ["kind", "quality", "cost, cost units"]
    last = frame[(frame["strategy"] == "thompson") & (frame["prompts"] == 240) & (frame["measure"] == "utility")]
    value = last.set_index("against")["value"]["oracle"]
    assert found.regret("thompson", prompts=240).value == pytest.approx(value)
    with pytest.raises(OutcomesError, match="totals were not taken after 7 prompts"):
        found.regret("thompson", prompts=7)
    with pytest.raises(OutcomesError, match="no strategy is called 'fame'"):
        found.regret("fame")


def test_a_seed_gives_the_same_whichever_others_run_beside_it() -> None:
    alone = simulate(outcomes(), benchmark=60, willingness=10.0, seeds=[4])
    beside = simulate(outcomes(), benchmark=60, willingness=10.0, seeds=[2, 4])
    for name in alone.totals:
        np.testing.assert_allclose(alone.totals[name][:, 0], beside.totals[name][:, 1], atol=1e-12)


@pytest.mark.parametrize(
    "strategy",
    [
        Static(),
        EpsilonGreedy(epsilon=0.2),
        Thompson(half_life=20),
        Thompson(floor=0.5),
        Refitted(LinearCurves(), first=60),
    ],
    ids=repr,
)
def test_nothing_is_seen_but_the_answers_of_what_was_chosen(strategy: Strategy) -> None:
    stream = stream_of(outcomes())
    chosen = strategy.choices(stream, rngs(3))
    taken = np.arange(3) == chosen[:, :, None]
    rng = np.random.default_rng(9)
    other = replace(
        stream,
        quality=np.where(taken, stream.quality, rng.random(stream.quality.shape)),
        cost=np.where(taken, stream.cost, rng.random(stream.cost.shape)),
        known={},
    )
    np.testing.assert_array_equal(strategy.choices(other, rngs(3)), chosen)
    assert (Oracle().choices(other, rngs(3)) != Oracle().choices(stream, rngs(3))).any()


def test_the_simulated_posterior_is_that_of_the_live_estimator() -> None:
    table = outcomes()
    stream = stream_of(table, seeds=1)
    strategy = EpsilonGreedy(prior=LinearCurves(), weight=4.0, half_life=30.0)
    chosen = strategy.choices(stream, rngs(1))[0]
    fitted = LinearCurves().fit(stream.benchmark(0))
    pool = ml.load_pool("reference", environ={}).registry
    specs = [
        spec.model_copy(update={"label": model, "quality": ml.QualityCurve(intercept=a, slope=b)})
        for spec, model, (a, b) in zip(pool, MODELS, fitted.lines_.tolist(), strict=False)
    ]
    live = ml.BetaQuality(specs, weight=4.0, half_life=30.0)
    spent, calls = 50 * stream.price[0], np.full(3, 50)
    for step, place in enumerate(stream.order[0]):
        prompt = stream.outcomes.prompts.iloc[place]
        profile = ml.TaskProfile(ml.SubTask("x", 0, 1), ml.TaskType(prompt["task_type"]), prompt["complexity"], 1)
        utility = np.array(live.quality(profile, specs), float) - spent / calls
        assert utility[chosen[step]] == pytest.approx(utility.max(), abs=1e-7)
        live.update(MODELS[chosen[step]], profile, stream.quality[0, step, chosen[step]])
        spent[chosen[step]] += stream.paid[0, step, chosen[step]]
        calls[chosen[step]] += 1


def test_a_model_below_the_floor_is_not_taken_while_another_reaches_it() -> None:
    stream = stream_of(outcomes(), benchmark=200, willingness=0.5)
    free, held = Thompson(weight=1000.0), Thompson(weight=1000.0, floor=0.7)
    hard = stream.context == stream.context.max()
    light = [strategy.choices(stream, rngs(3))[hard] == 0 for strategy in (free, held)]
    assert light[0].mean() > 0.5  # it is cheap
    assert not light[1].any()  # and no good


def test_thompson_on_a_small_bandit_has_its_exact_expected_regret() -> None:
    """Held against the expectation over every course that six steps on two Bernoulli arms can take."""
    chance, steps = (0.7, 0.4), 6

    def first_is_better(a: int, b: int, c: int, d: int) -> float:
        """P(X > Y) of Beta(a, b) and Beta(c, d), whole numbers, in closed form."""
        terms = (np.exp(betaln(c + i, b + d) - np.log(b + i) - betaln(1 + i, b) - betaln(c, d)) for i in range(a))
        return 1.0 - float(1.0 - sum(terms))

    @cache
    def lost(state: tuple[int, int, int, int], left: int) -> float:
        if left == 0:
            return 0.0
        p = first_is_better(*state)
        total = 0.0
        for arm, taken in ((0, p), (1, 1.0 - p)):
            for good, of_that in ((True, chance[arm]), (False, 1.0 - chance[arm])):
                after = list(state)
                after[2 * arm + (not good)] += 1
                total += taken * of_that * ((chance[0] - chance[arm]) + lost(tuple(after), left - 1))
        return total

    assert first_is_better(1, 1, 1, 1) == pytest.approx(0.5)
    x, y = stats.beta(3, 2), stats.beta(2, 4)
    grid = (np.arange(20000) + 0.5) / 20000
    assert first_is_better(3, 2, 2, 4) == pytest.approx((x.pdf(grid) * y.cdf(grid)).mean(), abs=1e-6)
    table = bernoulli(chance, steps * 3000)
    stream = stream_of(table, benchmark=0, willingness=np.inf, seeds=1)
    many = replace(
        stream, **{name: getattr(stream, name).reshape(3000, steps, *getattr(stream, name).shape[2:])
                   for name in ("order", "context", "quality", "cost")},
        benchmarked=np.empty((3000, 0), dtype=int), price=np.zeros((3000, 2)),
    )  # fmt: skip
    chosen = FLAT["thompson"].choices(many, rngs(3000))
    regret = np.array(chance)[0] - np.array(chance)[chosen]
    summed = regret.sum(axis=1)
    assert summed.mean() == pytest.approx(lost((1, 1, 1, 1), steps), abs=4 * summed.std() / np.sqrt(3000))


def test_thompsons_regret_grows_with_the_slope_of_lai_and_robbins() -> None:
    """Regret grows as ln T times the gap over the Kullback-Leibler divergence (Lai and Robbins, 1985), as Chapelle and
    Li (2011) found for Thompson sampling; uniform choice loses half the gap each time."""
    good, bad, n = 0.5, 0.4, 4000
    table = bernoulli((bad, good), n)
    found = simulate(table, FLAT, benchmark=0, seeds=range(16), checkpoints=8)
    pseudo = found.curve("thompson", "best single model")
    slope_of = bad * np.log(bad / good) + (1 - bad) * np.log((1 - bad) / (1 - good))
    bound = (good - bad) / slope_of
    early, late = (pseudo.set_index("prompts")["value"][at] for at in (500, 4000))
    assert 0.5 * bound < (late - early) / np.log(8.0) < 2.0 * bound
    assert found.regret("thompson", "random").high < 0
    assert late < 0.2 * found.regret("random", "best single model").value


def test_forgetting_pays_once_a_model_is_replaced() -> None:
    table = bernoulli((0.5, 0.8), 1500)
    strategies = {"remembers": FLAT["thompson"], "forgets": Thompson(prior=None, weight=2.0, half_life=100.0)}
    stable = simulate(table, strategies, benchmark=0, seeds=range(8))
    changed = simulate(table, strategies, benchmark=0, seeds=range(8), replaced={"arm 1": "arm 0", "arm 0": "arm 1"})
    assert stable.regret("forgets", "remembers").low > 0  # it has its price
    assert changed.regret("forgets", "remembers").high < 0
    assert "replaced arm 1 by arm 0" in changed.provenance()
    half = changed.steps[len(changed.steps) // 2 - 1]
    assert changed.regret("forgets", "remembers", prompts=int(half)).high > 0


def test_kinds_are_the_tables_own_or_told_by_a_classifier() -> None:
    table = outcomes(80)
    own = simulate(table, {}, benchmark=20, seeds=[0], willingness=10.0)
    assert own.facts["kinds of prompts"] == "2 by task_type"
    text = np.where(table.prompts["task_type"] == "reasoning", "Prove that it halts.", "What is the capital of Peru?")
    told = ml.Outcomes(table.rows, table.prompts.assign(prompt=text, task_type=None), cost_unit="cost units")
    found = simulate(told, {}, benchmark=20, seeds=[0], willingness=10.0, classifier="reference")
    assert str(found.facts["kinds of prompts"]).endswith("by reference classifier")
    kinds = {len(np.unique(_prepared(told, 10.0, "task_type", name)[1])) for name in (None, "learned")}
    assert kinds == {2}


def test_what_the_classifier_told_is_said() -> None:
    table = outcomes(80)
    assert not any("told" in fact for fact in simulate(table, {}, benchmark=20, seeds=[0]).facts)
    prompts = table.prompts.assign(group=["a", "b"] * 40)
    prompts.loc[:2, "task_type"] = None
    prompts.loc[:9, "complexity"] = np.nan
    holes = ml.Outcomes(table.rows, prompts, "holes", "cost units")
    found = simulate(holes, {}, benchmark=20, seeds=[0])
    assert "told by the learned classifier 3 kinds, 10 complexities" in found.provenance()
    found = simulate(holes, {}, benchmark=20, seeds=[0], classifier="reference")
    assert found.facts["told by the reference classifier"] == "80 kinds, 10 complexities"
    found = simulate(holes, {}, benchmark=20, seeds=[0], by="group")
    assert found.facts["kinds of prompts"] == "2 by group"
    assert found.facts["told by the learned classifier"] == "0 kinds, 10 complexities"
    prompts.loc[:1, "group"] = None
    with pytest.raises(OutcomesError, match="2 prompts of holes have no group"):
        simulate(ml.Outcomes(table.rows, prompts, "holes", "USD"), {}, benchmark=20, seeds=[0], by="group")


@pytest.mark.parametrize(
    ("strategy", "wrong"),
    [
        *((kind, wrong) for kind in (Thompson, EpsilonGreedy) for wrong in ({"weight": -1}, {"weight": np.inf})),
        (Thompson, {"half_life": 0}),
        (Thompson, {"floor": 1.1}),
        (Thompson, {"confidence": 1.0}),
        (EpsilonGreedy, {"epsilon": 2}),
        (EpsilonGreedy, {"epsilon": np.nan}),
        (partial(Refitted, LinearCurves()), {"epsilon": -0.1}),
        (partial(Refitted, LinearCurves()), {"first": 0}),
    ],
)
def test_a_strategy_is_told_at_once_what_it_may_not_be_given(
    strategy: Callable[..., Strategy], wrong: dict[str, float]
) -> None:
    [(name, value)] = wrong.items()
    with pytest.raises(EstimatorError, match=f"{name} is {value}; allowed"):
        strategy(**wrong)


def test_a_prior_worth_nothing_makes_every_model_a_half_until_it_is_tried() -> None:
    stream = stream_of(bernoulli((0.0, 1.0, 0.0), 60), benchmark=20, willingness=np.inf, seeds=1)
    assert EpsilonGreedy(weight=0.0).choices(stream, rngs(1)).tolist() == [[0] + [1] * 39]
    assert Thompson(weight=0.0, floor=0.5).choices(stream, rngs(1))[0, -20:].tolist() == [1] * 20


def test_incomplete_prompts_are_left_out_and_what_is_missing_is_named() -> None:
    table = outcomes(60)
    rows = table.rows.copy()
    rows.loc[0, "quality"] = np.nan
    holes = ml.Outcomes(rows, table.prompts, cost_unit="cost units")
    assert simulate(holes, {}, benchmark=20, seeds=[0]).n == 39
    free = ml.Outcomes(table.rows.drop(columns="cost"), table.prompts)
    for wrong, message in (
        ({"willingness": 2.0}, "has no costs; state them by with_costs"),
        ({"benchmark": 60}, "benchmark is 60; allowed are 0 to 59"),
        ({"seeds": [1, 1]}, "each once"),
        ({"replaced": {"light": "fame"}}, "replaced names fame; the models are light, balanced, heavy"),
        ({"by": "colour"}, "by is 'colour'; choose task_type or group"),
        ({"strategies": {"oracle": Static()}}, "oracle is the name of a baseline"),
        ({"benchmark": 0}, "nothing to be fitted to"),
    ):
        with pytest.raises(OutcomesError, match=message):
            simulate(free, **{"benchmark": 20, "seeds": [0], **wrong})  # type: ignore[arg-type]
    with pytest.raises(OutcomesError, match="no price known"):
        simulate(table, {}, benchmark=0, willingness=1.0)
    with pytest.raises(OutcomesError, match="nothing to be fitted to"):
        simulate(free, {"refitted": Refitted(LinearCurves())}, benchmark=0, seeds=[0])


def test_utilities_add_up_from_quality_and_cost(found: Simulation) -> None:
    for name, (utility, quality, cost) in found.totals.items():
        np.testing.assert_allclose(utility, quality - cost / 10.0, err_msg=name)
    assert [len(found.steps), *found.steps[[0, -1]]] == [8, 30, 240]
    assert all(a < b for a, b in itertools.pairwise(found.steps))
