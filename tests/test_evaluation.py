"""Evaluation: nothing fitted on what is reported, baselines in every table, all of it repeatable."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from sklearn.base import clone

from multillm.errors import OutcomesError
from multillm.evaluation import FIGURES, Evaluation, assign_folds, evaluate
from multillm.evaluation.ranks import ranked_across, ranked_within
from multillm.learning import FittedCurves, MeanQuality, NeighbourQuality, OracleQuality, PromptQuality, RandomQuality
from multillm.metrics import apgr
from multillm.metrics.bootstrap import Figures
from multillm.outcomes import Outcomes

MODELS = ("small", "middle", "large")
COST = (1.0, 3.0, 10.0)


def table(n: int = 240, models: int = 3, *, unit: str = "USD", seed: int = 0) -> Outcomes:
    """Prompts of six subjects; in odd subjects only the larger models are good."""
    rng = np.random.default_rng(seed)
    subject = rng.integers(6, size=n)
    hard = subject % 2 == 1
    chance = np.where(hard[:, None], [0.2, 0.4, 0.9], [0.85, 0.8, 0.9])[:, :models]
    words = np.where(hard, "prove rigorously that the operator is compact", "name the colour of")
    prompts = pd.DataFrame(
        {
            "prompt_id": [f"p{row}" for row in range(n)],
            "prompt": [f"{text} case {row}" for row, text in enumerate(words)],
            "task_type": np.where(hard, "reasoning", "qa_simple"),
            "group": [f"subject {place}" for place in subject],
        }
    )
    quality = pd.DataFrame((rng.random((n, models)) < chance).astype(float), columns=MODELS[:models])
    cost = pd.DataFrame(np.tile(COST[:models], (n, 1)) * (0.9 + 0.2 * rng.random((n, 1))), columns=MODELS[:models])
    return Outcomes.from_matrices(prompts, quality, cost if unit else None, name="made up", cost_unit=unit)


def judged(router: PromptQuality, outcomes: Outcomes, **options: object) -> Evaluation:
    settings: dict[str, object] = {"replicates": 100, "today": lambda: date(2026, 1, 2)} | options
    return evaluate({"ours": router}, outcomes, **settings)  # type: ignore[arg-type]  # a mixed bag of settings


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return judged(NeighbourQuality(neighbours=20), table())


def test_every_baseline_stands_in_the_table(found: Evaluation) -> None:
    assert list(found.kinds) == [
        "ours", "prompt length", "oracle", "zero router, fitted", *MODELS, "best single model", "random", "zero router",
        "data-set oracle",
    ]  # fmt: skip
    assert list(evaluate(MeanQuality(), table(60), baselines=False, replicates=5).kinds) == ["MeanQuality()"]


def test_every_figure_has_its_interval_and_its_n(found: Evaluation) -> None:
    frame = found.to_frame()
    assert (frame["n"] == 240).all()
    assert set(frame["figure"]) <= set(FIGURES)
    known = frame[frame["value"].notna()]
    assert (known["low"] <= known["value"] + 1e-9).all()
    assert (known["value"] <= known["high"] + 1e-9).all()


def test_the_oracle_is_above_and_has_no_gap_to_itself(found: Evaluation) -> None:
    for router in ("ours", "prompt length", "random", "best single model", "data-set oracle"):
        assert found.estimate(router, "quality").value <= found.estimate("oracle", "quality").value
    assert found.estimate("oracle", "gap_to_oracle").value == pytest.approx(0.0)
    assert found.estimate("oracle", "optimal_selection").value == pytest.approx(1.0)
    assert found.estimate("oracle", "aiq").value > found.estimate("zero router", "aiq").value


def test_a_router_that_tells_hard_prompts_beats_the_zero_router_and_one_that_guesses_does_not(
    found: Evaluation,
) -> None:
    assert found.difference("ours", "zero router", "aiq").low > 0
    assert found.verdict("ours") in {"beats the best single model at equal cost", "no better shown at equal cost"}
    guessing = judged(RandomQuality(), table())
    assert guessing.difference("ours", "zero router", "aiq").high < 0
    assert guessing.verdict("ours") == "worse than the best single model at equal cost"


def test_the_cost_and_quality_of_a_single_model_are_its_means(found: Evaluation) -> None:
    quality, cost = table().quality_matrix().mean(), table().cost_matrix().mean()
    for model in MODELS:
        assert found.estimate(model, "quality").value == pytest.approx(quality[model])
        assert found.estimate(model, "cost").value == pytest.approx(cost[model])
    assert found.estimate("random", "quality").value == pytest.approx(quality.mean())
    assert found.best_single == quality.idxmax()


class Memory(PromptQuality):
    """Right on the prompts it was fitted on, wrong on all others."""

    def _fit(self, outcomes: Outcomes) -> None:
        self.seen_ = outcomes.quality_matrix().set_axis(outcomes.prompts["prompt"].to_numpy(str))

    def _predict(self, prompts: pd.DataFrame) -> Figures:
        return self.seen_.reindex(prompts["prompt"]).fillna(0.5).to_numpy(float)


@pytest.mark.parametrize("by", ["prompt", "group"])
def test_nothing_is_fitted_on_what_is_reported(by: str) -> None:
    learnt_by_heart = judged(Memory(), table(), by=by, perturbation=0)
    assert learnt_by_heart.estimate("ours", "quality").value < 0.8
    assert judged(OracleQuality(table()), table(), by=by).estimate("ours", "quality").value > 0.9


class Watching(MeanQuality):
    """Notes which groups each fit has seen and each prediction asks for."""

    log: ClassVar[list[tuple[str, set[str]]]] = []

    def _fit(self, outcomes: Outcomes) -> None:
        super()._fit(outcomes)
        Watching.log.append(("fit", set(outcomes.prompts["group"])))

    def _predict(self, prompts: pd.DataFrame) -> Figures:
        Watching.log.append(("predict", set(prompts["group"])))
        return super()._predict(prompts)


def test_by_group_whole_groups_are_held_out() -> None:
    Watching.log.clear()
    judged(Watching(), table(), by="group", folds=3, perturbation=0)
    fits, asked = Watching.log[::2], Watching.log[1::2]
    assert len(fits) == 3
    for (_, seen), (_, new) in zip(fits, asked, strict=True):
        assert not seen & new
    assert set().union(*(new for _, new in asked)) == {f"subject {place}" for place in range(6)}


class Favourite(PromptQuality):
    """Sets the large model's gain by the prompt's subject, on a scale that differs with what it was fitted on."""

    def _fit(self, outcomes: Outcomes) -> None:
        self.scale_ = float(outcomes.quality_matrix().to_numpy(float).mean())

    def _predict(self, prompts: pd.DataFrame) -> Figures:
        odd = prompts["group"].str[-1].astype(int).to_numpy() % 2
        return np.stack([np.full(len(odd), 0.1), 0.1 + self.scale_ * (0.1 + odd)], axis=1)


def test_with_whole_subjects_held_out_no_fold_has_a_scale_of_its_own() -> None:
    outcomes = table(400).filter(models=["small", "large"])
    weak, strong = outcomes.quality_matrix().to_numpy(float).T
    odd = np.array([float(group[-1]) % 2 for group in outcomes.prompts["group"]])
    length = np.array([float(len(text)) for text in outcomes.prompts["prompt"]])
    for folds in (3, 6):
        by_subject = judged(Favourite(), outcomes, by="group", folds=folds, perturbation=0)
        assert by_subject.estimate("ours", "apgr").value == pytest.approx(float(apgr(odd, weak, strong)))
        assert by_subject.estimate("prompt length", "apgr").value == pytest.approx(float(apgr(length, weak, strong)))
    nothing_learnt = judged(MeanQuality(), outcomes, by="group", folds=3, perturbation=0)
    assert nothing_learnt.estimate("ours", "apgr").value == pytest.approx(0.5)


def test_two_folds_leave_no_third_to_compare_by() -> None:
    rng = np.random.default_rng(3)
    gain, folds = rng.random(40), np.arange(40) % 2

    def never(held_out: np.ndarray) -> Figures:
        raise AssertionError("nothing is left to fit on")

    np.testing.assert_array_equal(ranked_across(gain, folds, never), ranked_within(gain, folds))


def test_an_average_over_seeds_has_the_interval_of_the_average() -> None:
    each = [judged(NeighbourQuality(neighbours=20), table(), seed=seed) for seed in (1, 2, 3)]
    mean = Evaluation.averaged(each)
    values = [one.estimate("ours", "aiq").value for one in each]
    assert len(set(values)) == 3
    assert mean.estimate("ours", "aiq").value == pytest.approx(np.mean(values))
    assert mean.estimate("small", "quality") == each[0].estimate("small", "quality")
    assert "seed 1, 2, 3" in mean.provenance()
    with pytest.raises(OutcomesError, match="same prompts"):
        Evaluation.averaged([each[0], judged(NeighbourQuality(neighbours=20), table(90))])


def test_a_few_groups_held_out_can_have_intervals_over_prompts() -> None:
    by_group, by_prompt = (
        judged(MeanQuality(), table(), by="group", folds=3, resampled=unit, perturbation=0) for unit in (None, "prompt")
    )
    assert by_group.estimate("ours", "quality").value == by_prompt.estimate("ours", "quality").value
    widths = [e.estimate("small", "quality").high - e.estimate("small", "quality").low for e in (by_group, by_prompt)]
    assert widths[1] < widths[0]
    assert "100 resamples by prompt" in by_prompt.provenance()


def test_the_fitted_zero_router_is_what_knowing_the_means_beforehand_gives(found: Evaluation) -> None:
    same = judged(MeanQuality(), table()).difference("ours", "zero router, fitted", "aiq")
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert found.difference("zero router, fitted", "zero router", "aiq").value <= 1e-12


def test_the_cost_of_nearly_the_best_quality_lies_between_the_oracles_and_the_best_models(found: Evaluation) -> None:
    cost = [found.estimate(router, "cost_95").value for router in ("oracle", "ours", "zero router")]
    assert cost == sorted(cost)
    assert cost[-1] < found.estimate("best single model", "cost").value


def test_folds_are_even_and_repeat_with_the_seed() -> None:
    first, again = (assign_folds(table(), 5, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.bincount(first).tolist() == [48] * 5
    with pytest.raises(OutcomesError, match="7 folds of 6 groups"):
        assign_folds(table(), 7, np.random.default_rng(0), by="group")


@pytest.mark.parametrize("held", [{"by": "group"}, {"by": "prompt", "resampled": "group"}])
def test_prompts_without_a_group_are_no_group_of_their_own(held: dict[str, str]) -> None:
    outcomes = table()
    groups = outcomes.prompts["group"].where(outcomes.prompts["group"] != "subject 1")
    partly = replace(outcomes, prompts=outcomes.prompts.assign(group=groups))
    told = f"{groups.isna().sum()} prompts of {outcomes.name} have no group; hold out and resample by prompt"
    with pytest.raises(OutcomesError, match=told):
        judged(MeanQuality(), partly, **held)


def test_the_same_seed_gives_the_same_figures_and_the_provenance_tells_it(found: Evaluation) -> None:
    again = judged(NeighbourQuality(neighbours=20), table())
    pd.testing.assert_frame_equal(again.to_frame(), found.to_frame())
    other = judged(NeighbourQuality(neighbours=20), table(), seed=1)
    assert not other.to_frame()["value"].equals(found.to_frame()["value"])
    told = found.provenance()
    for fact in (
        "made up",
        "240 prompts",
        "5 folds by prompt",
        "seed 0",
        "100 resamples",
        "95 %",
        "scikit-learn",
        "2026-01-02",
    ):
        assert fact in told


def test_prompts_without_an_outcome_are_left_out_and_counted() -> None:
    outcomes = table()
    rows = outcomes.rows.assign(quality=outcomes.rows["quality"].where(outcomes.rows.index >= 30))
    found = judged(MeanQuality(), Outcomes(rows, outcomes.prompts, cost_unit="USD"))
    assert (found.n, found.left_out) == (230, 10)
    assert "10 left out" in found.provenance()


def test_without_costs_there_are_figures_of_quality_only() -> None:
    found = judged(MeanQuality(), table(unit=""))
    assert {"quality", "gap_to_oracle"} <= set(found.to_frame()["figure"])
    assert not {"cost", "aiq", "arena", "cost_save"} & set(found.to_frame()["figure"])
    assert "zero router" not in found.kinds


def test_the_arena_score_needs_dollars(found: Evaluation) -> None:
    assert ("ours", "arena") in found.resamples
    assert ("ours", "arena") not in judged(MeanQuality(), table(unit="seconds")).resamples


def test_two_models_make_a_pair_with_apgr() -> None:
    outcomes = table().filter(models=["small", "large"])
    found = judged(NeighbourQuality(neighbours=20), outcomes)
    assert found.estimate("random", "apgr").value == pytest.approx(0.5)
    assert found.estimate("ours", "apgr").low > 0.5
    assert found.difference("oracle", "ours", "apgr").low > 0
    assert found.difference("ours", "random", "apgr").low > 0
    ours = found.pgr[found.pgr["router"] == "ours"]
    assert ours["pgr"].iloc[[0, -1]].tolist() == pytest.approx([0.0, 1.0])
    assert judged(MeanQuality(), table(), pair=("small", "large")).estimate("ours", "apgr").value == pytest.approx(0.5)
    with pytest.raises(OutcomesError, match="tiny"):
        judged(MeanQuality(), table(), pair=("tiny", "large"))


def test_quality_by_task_type_adds_up(found: Evaluation) -> None:
    ours = found.by_task_type[found.by_task_type["router"] == "ours"]
    assert set(ours["task_type"]) == {"reasoning", "qa_simple"}
    assert np.average(ours["quality"], weights=ours["n"]) == pytest.approx(found.estimate("ours", "quality").value)


def test_robustness_is_one_for_a_router_that_does_not_read() -> None:
    assert judged(MeanQuality(), table()).estimate("ours", "robustness").value == 1.0


def test_curves_start_at_the_cheapest_model(found: Evaluation) -> None:
    ours = found.curves[found.curves["router"] == "ours"]
    assert ours["willingness"].iloc[[0, -1]].tolist() == [0.0, np.inf]
    assert ours["cost"].iloc[0] == pytest.approx(table().cost_matrix()["small"].mean())


def test_an_evaluation_shows_itself_everywhere_and_escapes_names(found: Evaluation) -> None:
    assert repr(found) == "Evaluation(ours on 'made up', n=240, by prompt)"
    stream = io.StringIO()
    Console(file=stream, width=200).print(found)
    assert "zero router" in stream.getvalue()
    hostile = evaluate({"<script>": MeanQuality()}, table(60), replicates=5)
    assert "<script>" not in hostile._repr_html_()


def test_asking_for_what_is_not_there_says_what_is(found: Evaluation) -> None:
    with pytest.raises(OutcomesError, match="prompt length"):
        found.estimate("theirs", "quality")
    with pytest.raises(OutcomesError, match="aiq"):
        found.estimate("ours", "apgr")
    with pytest.raises(OutcomesError, match="one name"):
        evaluate({"oracle": MeanQuality()}, table(60), replicates=5)


def test_estimators_given_are_left_unfitted() -> None:
    estimator = FittedCurves(min_prompts=10)
    judged(estimator, table(120))
    assert not hasattr(estimator, "models_")
    assert clone(estimator).min_prompts == 10
