"""The reference preset gives the figures of the article, to the last digit printed there."""

import json
from pathlib import Path
from typing import Any

import pytest

import multillm as ml
from multillm.classification.reference import BASE_COMPLEXITY, KEYWORDS
from multillm.router import RoutingRule

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "reference.json").read_text())
POOL = ml.load_pool("reference", environ={})
ROUTER = ml.TaskRouter(POOL.registry, POOL.policy)


def routed(prompt: str) -> list[ml.RoutingDecision]:
    return [ROUTER.route(profile) for profile in ml.split_and_classify(prompt, POOL.splitter, POOL.classifier)]


def test_the_reference_prompt_is_split_classified_and_routed_as_published() -> None:
    found = [
        {
            "text": decision.profile.text,
            "task_type": str(decision.profile.task_type),
            "complexity": decision.profile.complexity,
            "tier": str(decision.profile.tier),
            "input_tokens": decision.profile.input_tokens,
            "label": decision.label,
            "utility": round(decision.chosen.utility or 0.0, 4),
            "max_output_tokens": decision.max_output_tokens,
            "cost_units": round(POOL.registry[decision.label].cost_per_1k * decision.max_output_tokens / 1000, 6),
        }
        for decision in routed(GOLDEN["prompt"])
    ]
    assert found == GOLDEN["sub_tasks"]
    assert round(sum(float(str(row["cost_units"])) for row in found), 6) == GOLDEN["total_cost_units"]


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        ("Plan the release plus draft the notes", ["Plan the release", "draft the notes"]),
        ("Document the API as well as its body", ["Document the API"]),
        ("list the caches And Then rank the caches", ["list the caches", "rank the caches"]),
        ("and and also plus", ["and and also plus"]),
        ("  Hello  ", ["Hello"]),
        ("C plus plus templates and macros", ["templates"]),
    ],
)
def test_the_reference_splitter_cuts_at_every_marker_and_drops_short_parts(prompt: str, parts: list[str]) -> None:
    assert [subtask.text for subtask in ml.split(prompt, "reference")] == parts


@pytest.mark.parametrize(("task_type", "keyword"), [(t, word) for t, words in KEYWORDS.items() for word in words])
def test_every_keyword_is_seen_with_at_least_its_own_base(task_type: ml.TaskType, keyword: str) -> None:
    profile = ml.classify(keyword.upper(), "reference")
    overridden = any(phrase in keyword for phrase in ("api reference", "write the api", "write docs", "write doc"))
    assert overridden or BASE_COMPLEXITY[profile.task_type] >= BASE_COMPLEXITY[task_type]


def test_the_reference_classifier_finds_keywords_inside_words() -> None:
    assert ml.classify("What makes this one different?", "reference").task_type is ml.TaskType.CODE_REVIEW


def test_a_phrase_override_beats_a_dearer_keyword() -> None:
    assert ml.classify("Review the API reference", "reference").task_type is ml.TaskType.DOCUMENTATION


def test_complexity_grows_with_step_markers_up_to_its_cap() -> None:
    plain = ml.classify("explain it.", "reference")
    marked = ml.classify("explain it. first, then, finally, however, alternatively, furthermore", "reference")
    assert plain.complexity == pytest.approx(0.2 + 0.05 * 0.30103, abs=5e-4)
    assert marked.signals["steps"] == 0.20


def test_the_safety_net_takes_the_best_model_and_not_the_one_of_highest_utility() -> None:
    policy = POOL.policy.model_copy(update={"thresholds": {ml.TaskType.QA_SIMPLE: 1.0}})
    decision = ml.TaskRouter(POOL.registry, policy).route(ml.classify("what is a mutex", "reference"))
    by_utility = max(decision.candidates, key=lambda candidate: candidate.utility or 0.0)
    assert decision.rule is RoutingRule.HIGHEST_QUALITY
    assert decision.label == "model::heavy"
    assert by_utility.label != decision.label


def test_a_code_review_always_goes_to_the_heaviest_model() -> None:
    decision = ROUTER.route(ml.classify("security audit of this function", "reference"))
    assert (decision.label, decision.rule) == ("model::heavy", RoutingRule.OVERRIDE)
