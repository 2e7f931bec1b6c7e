"""Quality learnt from ratings: the posterior in closed form, exploring above a floor, replay from the store."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

import multillm as ml
from multillm.errors import EstimatorError
from tests.scripted import ScriptedBackend, echo

POOL = ml.load_pool("reference", environ={})
LABELS = POOL.registry.labels
TYPES = ("documentation", "code_generation", "reasoning")
Rated = tuple[str, str, float, float]

ratings = st.lists(
    st.tuples(st.sampled_from(LABELS), st.sampled_from(TYPES), st.floats(0, 1), st.floats(0, 1)), max_size=15
)


def profile(task_type: str = "documentation", complexity: float = 0.25, text: str = "Explain it.") -> ml.TaskProfile:
    return ml.TaskProfile(ml.SubTask(text, 0, len(text)), ml.TaskType(task_type), complexity, 3)


def taught(rated: Sequence[Rated], **options: float | bool | None) -> ml.BetaQuality:
    posterior = ml.BetaQuality(POOL.registry, **options)  # type: ignore[arg-type]
    for label, task_type, complexity, quality in rated:
        posterior.update(label, profile(task_type, complexity), quality)
    return posterior


def rows(rated: Sequence[Rated], shuffled: Sequence[int] | None = None) -> pd.DataFrame:
    """The rows that a store would hold."""
    frame = pd.DataFrame(rated, columns=["served_label", "task_type", "complexity", "quality"])
    frame["tier"] = [str(ml.ComplexityTier.of(each)) for each in frame["complexity"]]
    return frame if shuffled is None else frame.iloc[list(shuffled)]


@settings(max_examples=40)
@given(ratings, st.floats(0, 1), st.floats(0, 50))
def test_the_posterior_is_the_closed_form(rated: list[Rated], complexity: float, weight: float) -> None:
    posterior = taught(rated, weight=weight)
    for task_type in TYPES:
        asked = profile(task_type, complexity)
        found = posterior.quality(asked, POOL.registry.models)
        for spec, quality in zip(POOL.registry, found, strict=True):
            got = [q for label, kind, _, q in rated if (label, kind) == (spec.label, task_type)]
            if weight + len(got) == 0:
                assert quality is None
            else:
                expected = (weight * spec.quality(complexity) + sum(got)) / (weight + len(got))
                assert quality == pytest.approx(expected, abs=1e-8)


@settings(max_examples=40)
@given(ratings, st.randoms(use_true_random=False), st.booleans())
def test_without_forgetting_neither_order_nor_batches_matter(rated: list[Rated], chance: object, tiers: bool) -> None:
    order = list(range(len(rated)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    one_by_one = taught(rated, tiers=tiers)
    at_once = ml.BetaQuality(POOL.registry, tiers=tiers).update_many(rows(rated, order))
    pd.testing.assert_frame_equal(one_by_one.to_frame(), at_once.to_frame(), check_exact=True)


@settings(max_examples=40)
@given(ratings, st.floats(0.5, 50))
def test_forgetting_halves_what_lies_a_half_life_back(rated: list[Rated], half_life: float) -> None:
    frame = taught(rated, half_life=half_life).to_frame()
    for row in frame.to_dict("records"):
        label, task_type = row["label"], row["task_type"]
        of_kind = [(one, q) for one, kind, _, q in rated if kind == task_type]
        weights = [2.0 ** (-age / half_life) * (one == label) for age, (one, _) in enumerate(reversed(of_kind))]
        assert row["n"] == pytest.approx(sum(weights), abs=1e-6)
        summed = sum(w * q for w, (_, q) in zip(weights, reversed(of_kind), strict=True))
        assert row["rated"] * row["n"] == pytest.approx(summed, abs=1e-6)


@settings(max_examples=40)
@given(ratings)
def test_a_very_long_half_life_forgets_nothing_and_a_very_short_one_keeps_the_last(rated: list[Rated]) -> None:
    forever, long = taught(rated).to_frame(), taught(rated, half_life=1e12).to_frame()
    pd.testing.assert_frame_equal(forever, long, atol=1e-6, rtol=0)
    last = {(kind, label): q for label, kind, _, q in rated}
    newest = {kind: label for label, kind, _, _ in rated}
    short = taught(rated, half_life=0.01, weight=1.0).to_frame()
    for row in short.itertuples():
        is_newest = newest[str(row.task_type)] == row.label
        assert row.n == pytest.approx(float(is_newest), abs=1e-9)
        if is_newest:
            assert row.rated == pytest.approx(last[str(row.task_type), str(row.label)], abs=1e-6)


def test_without_ratings_the_curves_decide_and_without_weight_nothing_is_known() -> None:
    curves, fresh = ml.CurveQuality(), ml.BetaQuality(POOL.registry)
    for complexity in (0.1, 0.5, 0.9):
        asked = profile(complexity=complexity)
        assert fresh.quality(asked, POOL.registry.models) == pytest.approx(curves.quality(asked, POOL.registry.models))
    blank = ml.BetaQuality(POOL.registry, weight=0)
    blank.update("model::heavy", profile(), 0.5)
    assert blank.quality(profile(), POOL.registry.models) == [None, None, None, 0.5]
    assert blank.quality(profile("reasoning"), POOL.registry.models) == [None] * 4
    decision = ml.TaskRouter(POOL.registry, POOL.policy, blank).route(profile())
    assert {str(c.rejection) for c in decision.candidates if c.label != "model::heavy"} == {"unknown quality"}


def test_a_model_that_is_not_of_the_pool_is_unknown_until_rated() -> None:
    posterior = ml.BetaQuality(POOL.registry)
    new = POOL.registry["model::light"].model_copy(update={"label": "new"})
    assert posterior.quality(profile(), [new]) == [None]
    posterior.update("new", profile(), 0.75)
    assert posterior.quality(profile(), [new]) == [0.75]
    assert posterior.to_frame()["prior"].isna().all()


def test_the_table_has_credible_intervals() -> None:
    [row] = taught([("model::heavy", "reasoning", 0.5, q) for q in (1.0, 0.5, 0.0)]).to_frame().to_dict("records")
    a, b = 10 * 0.95 + 1.5, 10 * 0.05 + 1.5
    expected = [3, 0.5, 0.5, 0.95, a / (a + b), *stats.beta(a, b).interval(0.95)]
    found = [row[name] for name in ("n", "complexity", "rated", "prior", "quality", "low", "high")]
    assert found == pytest.approx(expected)


@settings(max_examples=40)
@given(ratings, st.none() | st.floats(1, 20), st.booleans())
def test_a_stored_or_pickled_posterior_is_the_same(rated: list[Rated], half_life: float | None, tiers: bool) -> None:
    options: dict[str, float | bool | None] = {"half_life": half_life, "tiers": tiers}
    posterior, more = taught(rated, **options), ("model::heavy", "documentation", 0.25, 0.5)
    with TemporaryDirectory() as folder:
        loaded = ml.BetaQuality.load(posterior.save(Path(folder) / "posterior"))
    for again in (loaded, pickle.loads(pickle.dumps(posterior))):
        again.update("model::heavy", profile(), 0.5)
        assert repr(again) == repr(taught([*rated, more], **options))
        pd.testing.assert_frame_equal(again.to_frame(), taught([*rated, more], **options).to_frame(), check_exact=True)


def test_what_cannot_be_learnt_from_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    posterior = taught([("model::heavy", "reasoning", 0.5, 1.0)])
    before = posterior.to_frame()
    with pytest.raises(EstimatorError, match=r"quality is 1.5; allowed is 0..1"):
        posterior.update("model::heavy", profile(), 1.5)
    with pytest.raises(EstimatorError, match="quality is 7"):
        posterior.update_many(rows([("model::heavy", "reasoning", 0.5, 0.5), ("model::heavy", "reasoning", 0.5, 7.0)]))
    with pytest.raises(EstimatorError, match="no column served_label, tier"):
        posterior.rebuild(pd.DataFrame({"task_type": [], "complexity": [], "quality": []}))
    pd.testing.assert_frame_equal(posterior.to_frame(), before)
    for wrong in ({"weight": -1}, {"weight": np.nan}, {"half_life": 0}):
        with pytest.raises(EstimatorError, match="allowed"):
            ml.BetaQuality(POOL.registry, **wrong)
    table = ml.Outcomes(
        pd.DataFrame({"prompt_id": ["a"], "model": "m", "quality": 1.0}), pd.DataFrame({"prompt_id": ["a"]})
    )
    with pytest.raises(EstimatorError, match="holds a MeanQuality"):
        ml.BetaQuality.load(ml.MeanQuality().fit(table).save(tmp_path / "mean"))


WRONG = st.sampled_from(
    [
        {"quality": 1.5}, {"quality": -0.1}, {"quality": "good"}, {"complexity": None}, {"complexity": np.nan},
        {"complexity": pd.NA}, {"complexity": 1.01}, {"complexity": "high"}, {"served_label": 7}, {"task_type": None},
        {"tier": None},
    ]
)  # fmt: skip


@settings(max_examples=60)
@given(ratings, ratings.filter(bool), WRONG, st.integers(0), st.none() | st.floats(1, 20), st.booleans())
def test_an_error_changes_nothing(
    known: list[Rated],
    more: list[Rated],
    wrong: dict[str, object],
    at: int,
    half_life: float | None,
    tiers: bool,
) -> None:
    options: dict[str, float | bool | None] = {"half_life": half_life, "tiers": tiers}
    posterior, frame = taught(known, **options), rows(more).astype(object)
    [(column, value)] = wrong.items()
    cells = [value if place == at % len(frame) else one for place, one in enumerate(frame[column])]
    frame = frame.assign(**{column: pd.Series(cells, index=frame.index, dtype=object)})
    for learn in (posterior.update_many, posterior.rebuild):
        with pytest.raises(EstimatorError, match=f"{column} is .*; allowed is"):
            learn(frame)
        assert repr(posterior) == repr(taught(known, **options))
        pd.testing.assert_frame_equal(posterior.to_frame(), taught(known, **options).to_frame(), check_exact=True)


@pytest.mark.parametrize("label", [None, np.nan, 7])
def test_a_rating_of_no_model_is_refused(label: object) -> None:
    posterior = ml.BetaQuality(POOL.registry)
    with pytest.raises(EstimatorError, match="served_label is"):
        posterior.update(label, profile(), 0.5)  # type: ignore[arg-type]
    with pytest.raises(EstimatorError, match="complexity is nan"):
        posterior.update(LABELS[0], replace(profile(), complexity=np.nan), 0.5)
    assert posterior.ratings == len(posterior.to_frame()) == 0


def test_threads_may_learn_and_ask_at_once() -> None:
    posterior = ml.BetaQuality(POOL.registry)

    def learn() -> None:
        for place in range(300):
            posterior.update(LABELS[place % 4], profile(), 0.1)
            assert None not in posterior.quality(profile(), POOL.registry.models)

    threads = [threading.Thread(target=learn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert posterior.ratings == 1200
    assert posterior.to_frame()["n"].tolist() == [300.0] * 4
    assert posterior.to_frame()["rated"].tolist() == pytest.approx([0.1] * 4, abs=1e-9)


@settings(max_examples=40)
@given(ratings, st.sampled_from(TYPES), st.floats(0, 1), st.floats(0.05, 0.95), st.integers(0, 2**31))
def test_a_model_below_the_floor_is_never_explored(
    rated: list[Rated], task_type: str, complexity: float, confidence: float, seed: int
) -> None:
    posterior, policy = taught(rated), POOL.policy.model_copy(update={"overrides": {}})
    thompson = ml.ThompsonQuality(posterior, policy, seed=seed, confidence=confidence)
    asked = profile(task_type, complexity)
    decision = ml.TaskRouter(POOL.registry, policy, thompson).route(asked)
    successes, failures, _ = posterior.beta(asked, LABELS)
    threshold = policy.threshold(asked.task_type)
    reaching = {}
    for label, a, b in zip(LABELS, successes, failures, strict=True):
        good = float(b == 0) if a * b == 0 else stats.beta(a, b).sf(threshold)
        reaching[label] = good - confidence
    open_to_choice = {c.label for c in decision.candidates if c.rejection is None}
    assert all(reaching[label] > -1e-6 for label in open_to_choice)  # only those that reach it so surely
    fit_for_type = {spec.label for spec in POOL.registry if asked.task_type in spec.task_types}
    assert all(reaching[label] < 1e-6 for label in fit_for_type - open_to_choice)  # and all of those, whatever is drawn
    if open_to_choice:
        assert decision.label in open_to_choice


def test_draws_follow_the_posterior() -> None:
    posterior = taught([("model::heavy", "reasoning", 0.5, 1.0), ("model::heavy", "reasoning", 0.5, 0.0)] * 3)
    thompson = ml.ThompsonQuality(posterior, ml.Policy(thresholds={}, default_threshold=0.0))
    heavy = [POOL.registry["model::heavy"]]
    drawn = [thompson.quality(profile("reasoning", 0.5, f"prompt {n}"), heavy)[0] for n in range(2000)]
    a, b, _ = posterior.beta(profile("reasoning", 0.5), ["model::heavy"])
    assert stats.kstest(np.array(drawn, float), stats.beta(a[0], b[0]).cdf).pvalue > 0.01


def test_a_draw_depends_on_seed_ratings_text_and_label_alone() -> None:
    posterior, policy = ml.BetaQuality(POOL.registry), ml.Policy(thresholds={}, default_threshold=0.0)
    thompson = ml.ThompsonQuality(posterior, policy)
    models = POOL.registry.models
    first = thompson.quality(profile(), models)
    assert thompson.quality(profile(), models) == first
    assert list(reversed(thompson.quality(profile(), models[::-1]))) == first
    assert len(set(first)) == 4
    assert ml.ThompsonQuality(posterior, policy, seed=1).quality(profile(), models) != first
    assert thompson.quality(profile(text="Explain that."), models) != first
    posterior.update("model::heavy", profile("reasoning"), 1.0)
    assert thompson.quality(profile(), models) != first
    with pytest.raises(EstimatorError, match="confidence is 1"):
        ml.ThompsonQuality(posterior, policy, confidence=1.0)


async def served(store: ml.FeedbackStore, thompson: ml.ThompsonQuality, prompts: Sequence[str]) -> list[str]:
    """Run prompts through the whole pipeline, rate every answer, learn from it before the next; the labels called."""
    orchestrator = ml.Orchestrator(POOL, ScriptedBackend(echo), store=store, quality=thompson)
    labels = []
    async with orchestrator:
        for prompt in prompts:
            run = await orchestrator.handle(prompt)
            frame = store.frame(run_id=run.run_id)
            for place, row in zip(frame.index, frame.itertuples(), strict=True):
                quality = {"model::light": 0.2}.get(str(row.served_label), 0.9)
                store.rate(str(place), quality, source="reader")
                decision = run.results[frame["subtask_index"].loc[place]].decision
                thompson.posterior.update(str(row.served_label), decision.profile, quality)
                labels.append(str(row.served_label))
    return labels


async def test_a_posterior_is_rebuilt_from_the_store_to_the_last_bit_and_decides_the_same(url: str) -> None:
    prompts = [f"Explain what the word number {n} means." for n in range(12)]
    for half_life in (None, 5.0):
        live = ml.BetaQuality(POOL.registry, half_life=half_life)
        thompson = ml.ThompsonQuality(live, POOL.policy, seed=3)
        with ml.FeedbackStore(url) as store:
            before = len(store.frame())
            labels = await served(store, thompson, prompts)
            frame = store.frame().iloc[before:]
        again = ml.BetaQuality(POOL.registry, half_life=half_life).rebuild(frame)
        pd.testing.assert_frame_equal(again.to_frame(), live.to_frame(), check_exact=True)
        replayed = ml.ThompsonQuality(ml.BetaQuality(POOL.registry, half_life=half_life), POOL.policy, seed=3)
        orchestrator = ml.Orchestrator(POOL, ScriptedBackend(echo), store=None, quality=replayed)
        decided = []
        for prompt, row in zip(prompts, frame.index, strict=True):
            decided += [decision.label for decision in orchestrator.plan(prompt)]
            replayed.posterior.update_many(frame.loc[[row]])
        assert decided == labels
        assert len(set(labels)) > 1


def test_a_rating_that_comes_late_or_is_changed_is_taken_in_by_rebuilding(url: str) -> None:
    call = ml.FeedbackRecord("run", 0, "Why?", "reasoning", 0.5, "model::heavy", 1, served_label="model::heavy")
    fallback = replace(call, served_label="model::balanced", fallback_reason="busy")
    lost = replace(call, served_label=None, error_type="CompletionTimeout")
    with ml.FeedbackStore(url, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as store:
        first, second, _ = store.record([call, fallback, lost])
        posterior = ml.BetaQuality(POOL.registry).rebuild(store.frame())
        assert posterior.ratings == 0
        store.rate(second, 0.4, "reader")
        assert posterior.rebuild(store.frame()).to_frame()["label"].tolist() == ["model::balanced"]
        store.rate(first, 0.0, "reader")
        store.rate(first, 1.0, "a second reader")
        rebuilt = posterior.rebuild(store.frame()).to_frame()
    assert rebuilt["label"].tolist() == ["model::balanced", "model::heavy"]
    assert rebuilt["rated"].tolist() == pytest.approx([0.4, 1.0])
    assert posterior.ratings == 2
