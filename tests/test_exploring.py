"""The exploration of a prompt, driven through the values of its widgets."""

from __future__ import annotations

import pytest

import multillm as ml
from multillm import exploring

PROMPT = "Explain what a mutex is and implement a spinlock in C."
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def explorer() -> ml.Explorer:
    made = ml.explore(PROMPT, "reference")
    assert isinstance(made, ml.Explorer)
    return made


def test_it_opens_with_the_plan_that_an_orchestrator_makes(explorer: ml.Explorer) -> None:
    plan = ml.Orchestrator("reference", store=None).plan(PROMPT)
    assert explorer.exploration.decisions() == plan
    assert explorer.plan.value == plan._repr_html_()
    assert explorer.candidates.value == plan[0]._repr_html_()
    assert bytes(explorer.map.value).startswith(PNG)
    assert len(explorer.chosen.options) == len(plan)


def test_typing_another_prompt_splits_it_anew(explorer: ml.Explorer) -> None:
    explorer.chosen.index = 1
    before = explorer.map.value
    explorer.prompt.value = "What is a palindrome?"
    assert len(explorer.chosen.options) == 1
    assert explorer.chosen.index == 0
    assert "palindrome" in explorer.plan.value
    assert "spinlock" not in explorer.plan.value + explorer.candidates.value
    assert explorer.map.value != before


def test_a_dearer_cost_moves_the_choice_and_the_map_at_once(explorer: ml.Explorer) -> None:
    explorer.chosen.index = len(explorer.chosen.options) - 1
    before = explorer.map.value
    assert explorer.exploration.decisions()[-1].label == "model::balanced"
    explorer.alpha.value, explorer.beta.value = 0.95, 0.55
    assert explorer.exploration.decisions()[-1].label == "model::medium"
    assert explorer.candidates.value == explorer.exploration.decisions()[-1]._repr_html_()
    assert explorer.chosen.index == len(explorer.chosen.options) - 1
    assert explorer.map.value != before


def test_a_threshold_shuts_a_model_out(explorer: ml.Explorer) -> None:
    explorer.chosen.index = len(explorer.chosen.options) - 1
    explorer.thresholds[ml.TaskType.CODE_GENERATION].value = 0.9
    assert explorer.exploration.decisions()[-1].label == "model::heavy"
    assert "threshold: Q 0.8" in explorer.candidates.value


def test_choosing_a_sub_task_shows_its_candidates(explorer: ml.Explorer) -> None:
    explorer.chosen.index = 1
    assert explorer.candidates.value == explorer.exploration.decisions()[1]._repr_html_()


def test_an_empty_prompt_is_told_and_can_be_mended(explorer: ml.Explorer) -> None:
    explorer.prompt.value = "  "
    assert "currentColor" in explorer.plan.value
    assert explorer.map.layout.visibility == "hidden"
    explorer.prompt.value = PROMPT
    assert explorer.map.layout.visibility == "visible"
    assert "spinlock" in explorer.plan.value


def test_what_was_set_goes_into_a_run(explorer: ml.Explorer) -> None:
    explorer.alpha.value = 0.95
    orchestrator = ml.Orchestrator(explorer.pool, store=None)
    assert orchestrator.plan(PROMPT) == explorer.exploration.decisions()
    assert explorer.pool.policy.alpha == 0.95


def test_a_notebook_gets_the_widgets(explorer: ml.Explorer) -> None:
    bundle = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert repr(explorer).startswith("Explorer('Explain what a mutex is")


def test_markup_in_a_prompt_is_text(explorer: ml.Explorer) -> None:
    explorer.prompt.value = "Explain <script>alert(1)</script> tags"
    assert "<script>" not in explorer.plan.value + explorer.candidates.value
    assert "&lt;script&gt;" in explorer.plan.value


def test_without_widgets_there_are_tables_and_pictures_and_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exploring, "find_spec", lambda name: None)
    still = ml.explore(PROMPT, "reference")
    assert isinstance(still, ml.Exploration)
    shown = still._repr_html_()
    assert "pip install &#x27;multillm[notebooks]&#x27;" in shown
    assert shown.count("data:image/png;base64,") == len(still.decisions()) == 2
    assert shown.count("<table") == 3
