"""What the router chooses, rejects and falls back to."""

import pytest
from hypothesis import given, strategies as st

import multillm as ml
from multillm.router import Rejection, RoutingRule
from multillm.tasks import SubTask


def profile(
    task_type: ml.TaskType = ml.TaskType.CODE_GENERATION, complexity: float = 0.5, tokens: int = 10
) -> ml.TaskProfile:
    return ml.TaskProfile(SubTask("do it", 0, 5), task_type, complexity, tokens)


def model(label: str, rank: int, quality: float, cost: float, **more: object) -> ml.ModelSpec:
    fields = {"context_tokens": 1000, "model": f"ollama_chat/{label}", "quality": {"intercept": quality}} | more
    return ml.ModelSpec.model_validate({"label": label, "rank": rank, "cost_per_1k": cost} | fields)


def router(*models: ml.ModelSpec, **policy: object) -> ml.TaskRouter:
    return ml.TaskRouter(ml.Registry(models=models), ml.Policy.model_validate({"overrides": {}} | policy))


def test_each_rejection_names_its_reason() -> None:
    registry = (
        model("narrow", 1, 0.9, 0.1, task_types=["documentation"]),
        model("short", 2, 0.9, 0.1, context_tokens=5),
        model("weak", 3, 0.5, 0.1),
        model("fine", 4, 0.9, 0.5),
        model("spare", 5, 0.9, 0.1, fallback_only=True),
        model("blank", 6, 0.9, 0.1),
    )
    known = ml.ConstantQuality({spec.label: spec.quality(0) for spec in registry if spec.label != "blank"})
    decision = ml.TaskRouter(ml.Registry(models=registry), ml.Policy(overrides={}), known).route(profile())
    assert decision.label == "fine"
    assert {candidate.label: candidate.rejection for candidate in decision.candidates} == {
        "narrow": Rejection.TASK_TYPE,
        "short": Rejection.CONTEXT_WINDOW,
        "weak": Rejection.THRESHOLD,
        "fine": None,
        "spare": Rejection.FALLBACK_ONLY,
        "blank": Rejection.UNKNOWN_QUALITY,
    }
    frame = decision.to_frame()
    assert frame.loc["fine", "role"] == "chosen"
    assert frame.loc["weak", "reason"] == "threshold: Q 0.500 < 0.72"
    assert frame["quality"].isna().to_dict()["blank"]


def test_an_override_marks_the_models_it_passes_over() -> None:
    decision = router(model("a", 1, 0.9, 0.1), model("b", 2, 0.9, 1.0), overrides={"code_review": "heaviest"}).route(
        profile(ml.TaskType.CODE_REVIEW)
    )
    assert decision.label == "b"
    assert decision.candidates[0].rejection is Rejection.OVERRIDE


def test_an_override_yields_where_its_model_cannot_hold_the_prompt() -> None:
    decision = router(
        model("a", 1, 0.9, 0.1), model("b", 2, 0.9, 1.0, context_tokens=5), overrides={"code_review": "b"}
    ).route(profile(ml.TaskType.CODE_REVIEW))
    assert (decision.label, decision.rule) == ("a", RoutingRule.UTILITY)


def test_what_fits_no_window_is_an_error_with_the_figures() -> None:
    with pytest.raises(ml.RoutingError, match=r"2,000 tokens .* largest window of the pool is 1,000"):
        router(model("a", 1, 0.9, 0.1)).route(profile(), extra_input_tokens=1990)


def test_of_equal_utilities_the_lighter_model_is_taken() -> None:
    assert router(model("b", 2, 0.9, 0.5), model("a", 1, 0.9, 0.5)).route(profile()).label == "a"


def test_unknown_labels_in_a_policy_are_refused() -> None:
    with pytest.raises(ml.ConfigurationError, match=r"overrides.code_review is 'c'; allowed: heaviest, a"):
        router(model("a", 1, 0.9, 0.1), overrides={"code_review": "c"})


shares = st.floats(0, 1)
models = st.lists(st.tuples(shares, shares, st.booleans()), min_size=1, max_size=6)


@given(models, shares, shares, st.floats(0, 2), st.floats(0, 2))
def test_the_choice_is_the_best_utility_among_the_good_enough(
    figures: list[tuple[float, float, bool]], complexity: float, threshold: float, beta: float, alpha: float
) -> None:
    specs = [model(str(n), n, q, c, fallback_only=spare and n > 1) for n, (q, c, spare) in enumerate(figures, 1)]
    decision = router(*specs, default_threshold=threshold, thresholds={}, beta=beta, alpha=alpha).route(
        profile(complexity=complexity)
    )
    good = [spec for spec in specs if spec.quality(complexity) >= threshold and not spec.fallback_only]
    best = max((beta * spec.quality(complexity) - alpha * spec.cost_per_1k for spec in good), default=None)
    assert (decision.utility == best) if good else (decision.rule is RoutingRule.HIGHEST_QUALITY)


@given(models, shares)
def test_a_fallback_is_a_peer_or_stronger_and_never_below_the_threshold(
    figures: list[tuple[float, float, bool]], threshold: float
) -> None:
    specs = [model(str(n), n, q, c, fallback_only=spare and n > 1) for n, (q, c, spare) in enumerate(figures, 1)]
    registry = ml.Registry(models=tuple(specs))
    decision = router(*specs, default_threshold=threshold, thresholds={}).route(profile())
    assert decision.label not in decision.fallbacks
    for label in decision.fallbacks:
        assert registry[label].quality(0.5) >= threshold
        assert registry[label].rank >= registry[decision.label].rank or registry[label].fallback_only
    spares = [registry[label].fallback_only for label in decision.fallbacks]
    assert spares == sorted(spares)


def test_a_decision_shows_itself_in_a_notebook_with_markup_escaped() -> None:
    hostile = ml.TaskProfile(SubTask("<script>alert(1)</script>", 0, 25), ml.TaskType.OTHER, 0.5, 6)
    shown = router(model("a<b", 1, 0.9, 0.1)).route(hostile)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "a&lt;b" in shown
