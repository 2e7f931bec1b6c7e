"""Figures by what is on their axes, not by their pixels."""

from __future__ import annotations

from dataclasses import replace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Annotation

import multillm as ml
from multillm.errors import OutcomesError
from multillm.evaluation import Evaluation, evaluate
from multillm.learning import MeanQuality, PromptLength
from multillm.outcomes import Outcomes
from multillm.plots import plot_cost_quality, plot_front, plot_gain_recovered
from multillm.plots.quality import measured
from multillm.plots.routing import over_complexity, profile_of, router_of
from multillm.plots.routing_map import choices
from multillm.plots.style import COLOURS, LINE_INCHES, NEUTRAL, faded, label_ends, legible
from tests.scripted import ScriptedBackend, echo

MODELS = ("weak", "strong")


@pytest.fixture(scope="module")
def found() -> Evaluation:
    rng = np.random.default_rng(0)
    long = rng.random(120) < 0.5
    prompts = pd.DataFrame({"prompt_id": [f"p{n}" for n in range(120)], "prompt": np.where(long, "word " * 99, "word")})
    chance = np.where(long[:, None], [0.1, 0.9], [0.9, 0.9])
    quality = pd.DataFrame((rng.random((120, 2)) < chance).astype(float), columns=MODELS)
    cost = pd.DataFrame(np.tile([1.0, 5.0], (120, 1)), columns=MODELS)
    outcomes = Outcomes.from_matrices(prompts, quality, cost, name="made up", cost_unit="USD")
    return evaluate({"ours": PromptLength(), "level": MeanQuality()}, outcomes, replicates=20, folds=2)


@pytest.fixture
def ax() -> Axes:
    return Figure().add_subplot()


def shown(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def test_the_cost_quality_figure_names_units_routers_baselines_and_models(found: Evaluation, ax: Axes) -> None:
    assert plot_cost_quality(found, ax) is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("mean cost per prompt, USD", "mean quality, 0..1")
    assert "n = 120" in ax.get_title()
    assert shown(ax) == [name for name in found.kinds if name not in MODELS]
    assert {text.get_text() for text in ax.texts} == set(MODELS)


def test_a_router_is_drawn_as_its_hull_over_its_points(found: Evaluation, ax: Axes) -> None:
    lines = plot_cost_quality(found, ax).lines
    [hull] = [line for line in lines if line.get_color() == COLOURS[0]]
    [points] = [line for line in lines if line.get_color() == faded(COLOURS[0], ax)]
    x, y = np.asarray(hull.get_xdata(), float), np.asarray(hull.get_ydata(), float)
    assert (np.diff(y) > 0).all()
    assert (np.diff(np.diff(y) / np.diff(x)) < 0).all()
    reached = np.interp(np.asarray(points.get_xdata(), float), x, y)
    assert (np.asarray(points.get_ydata(), float) <= reached + 1e-12).all()
    assert np.asarray(points.get_xdata()).size == len(found.curves[found.curves["router"] == "ours"])


def test_the_gain_figure_has_a_line_for_each_score_and_baselines_are_grey(found: Evaluation, ax: Axes) -> None:
    assert plot_gain_recovered(found, ax) is ax
    assert len(ax.lines) == found.pgr["router"].nunique()
    grey = {line.get_label() for line in ax.lines if line.get_color() == NEUTRAL}
    assert grey == {"prompt length", "oracle", "random"}
    assert "0..1" in ax.get_xlabel()
    assert ax.get_ylabel() == "performance gap recovered"


def test_lines_differ_without_colour_too(found: Evaluation, ax: Axes) -> None:
    routers = [line for line in plot_gain_recovered(found, ax).lines if line.get_color() != NEUTRAL]
    assert len({line.get_linestyle() for line in routers}) == len(routers) == 2


def test_baselines_that_are_one_point_have_marks_of_their_own(found: Evaluation, ax: Axes) -> None:
    named = {str(line.get_label()): line.get_marker() for line in plot_cost_quality(found, ax).lines}
    assert named["best single model"] != named["random"]


def test_the_front_shows_every_trade_off_and_what_is_held_out(ax: Axes) -> None:
    rng = np.random.default_rng(0)
    prompts = pd.DataFrame({"prompt_id": np.arange(60).astype(str), "prompt": "word", "complexity": rng.random(60)})
    quality = pd.DataFrame(rng.random((60, 2)) < (0.4, 0.8), columns=MODELS).astype(float)
    cost = pd.DataFrame(np.tile([1.0, 5.0], (60, 1)), columns=MODELS)
    outcomes = Outcomes.from_matrices(prompts.assign(task_type="other"), quality, cost, cost_unit="USD")
    tuned = ml.tune(outcomes, "quality", 4.0, folds=2, replicates=20)
    assert plot_front(tuned, outcomes, ax) is ax
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), tuned.front[["cost", "quality"]].to_numpy())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("mean cost per prompt, USD", "mean quality, 0..1")
    assert shown(ax) == ["trade-offs, on the fitting side", "chosen, fitted", "chosen, held out"]
    assert {text.get_text() for text in ax.texts} == set(MODELS)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_names_at_the_ends_of_lines_keep_apart_and_in_order(heights: list[float]) -> None:
    ax = Figure().add_subplot(ylim=(0, 1))
    label_ends(ax, {str(place): height for place, height in enumerate(heights)})
    written = np.array([text.xy[1] for text in ax.texts if isinstance(text, Annotation)])
    apart = LINE_INCHES * ax.figure.dpi / ax.get_window_extent().height
    assert (np.diff(np.sort(written)) >= apart - 1e-9).all()
    assert (np.argsort(heights, kind="stable") == np.argsort(written, kind="stable")).all()
    if len(heights) == 1 or (np.diff(np.sort(heights)) >= apart).all():
        np.testing.assert_allclose(written, heights)


@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_words_on_a_colour_have_contrast_enough(colour: tuple[float, float, float]) -> None:
    """Of 4.5 to 1 and more, as https://www.w3.org/TR/WCAG21/#contrast-minimum asks for."""

    def luminance(rgb: tuple[float, float, float]) -> float:
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in rgb]
        return float(np.dot((0.2126, 0.7152, 0.0722), linear))

    lighter, darker = sorted((luminance(colour), luminance(to_rgb(legible(colour)))), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


@given(st.sampled_from(sorted(ml.TaskType)), st.floats(0, 1), st.floats(0, 1), st.sampled_from(ml.pool_names()))
def test_the_routing_map_shows_what_the_router_chooses(kind: ml.TaskType, at: float, alpha: float, pool: str) -> None:
    router = router_of(pool)
    complexity, decisions = over_complexity(router, profile_of(kind))
    place = int(at * (len(complexity) - 1))
    [[chosen]] = choices(router, decisions[place : place + 1], np.array([alpha]))
    policy = router.policy.model_copy(update={"alpha": alpha})
    asked = replace(profile_of(kind), complexity=float(complexity[place]))
    assert router.registry.labels[chosen] == ml.TaskRouter(router.registry, policy).route(asked).label


def test_a_figure_leaves_the_settings_of_the_user_alone() -> None:
    before = dict(mpl.rcParams)
    figure = ml.plot_utility("reference", "documentation").figure
    assert dict(mpl.rcParams) == before
    plt.close(figure)  # type: ignore[arg-type]


def test_a_pool_may_be_a_name_an_object_or_a_router(ax: Axes) -> None:
    pool = ml.load_pool("reference")
    quality = ml.ConstantQuality(dict.fromkeys(pool.registry.labels, 0.9))
    router = ml.TaskRouter(pool.registry, pool.policy, quality)
    for source in ("reference", pool, router):
        assert ml.plot_routing_map(source, "reasoning", ax=ax) is ax
    assert {"model::balanced", "model::heavy"} <= {text.get_text() for text in ax.texts}


def test_an_unknown_task_type_is_refused_with_those_there_are(ax: Axes) -> None:
    with pytest.raises(ml.ConfigurationError, match=r"'poetry'.*documentation, code_generation"):
        ml.plot_utility("reference", "poetry", ax=ax)


def test_text_of_a_prompt_is_never_a_formula(ax: Axes) -> None:
    orchestrator = ml.Orchestrator(backend=ScriptedBackend(echo), store=None)
    ml.plot_timeline(orchestrator.handle_sync(r"Explain what $\frac{1}{0$ and $\badmacro$ are in TeX"), ax=ax)
    ax.figure.canvas.draw()  # raises on a formula that does not parse
    [label] = [text.get_text() for text in ax.get_yticklabels()]
    assert label.startswith(r"1  Explain what \$\frac")


def test_calls_without_latency_are_no_figure(ax: Axes, found: Evaluation) -> None:
    with pytest.raises(OutcomesError, match="no column latency_s"):
        ml.plot_latency(pd.DataFrame({"model": ["a"]}), ax=ax)
    with pytest.raises(OutcomesError, match="none of 1 calls has a latency"):
        ml.plot_latency(pd.DataFrame({"model": ["a"], "latency_s": [np.nan]}), ax=ax)


def test_quality_is_measured_by_interval_with_its_wilson_interval() -> None:
    prompts = pd.DataFrame({"prompt_id": [*"abcd"], "task_type": "reasoning", "complexity": [0.1, 0.15, 0.3, 0.9]})
    quality = pd.DataFrame({"model::heavy": [1.0, 0.0, 1.0, np.nan], "unknown": 1.0})
    outcomes = Outcomes.from_matrices(prompts.assign(prompt="x"), quality)
    table = measured(outcomes, ["model::heavy"], "reasoning", bins=5, classifier="reference").set_index("bin")
    assert table.index.tolist() == [0, 1]
    assert list(table.loc[0, ["complexity", "quality", "n"]]) == [0.125, 0.5, 2]
    np.testing.assert_allclose(table.loc[1, ["low", "high"]].astype(float), [0.2065, 1.0], atol=1e-4)
    with pytest.raises(OutcomesError, match="by rename"):
        measured(outcomes, ["model::light"], None, bins=5, classifier="reference")
    with pytest.raises(OutcomesError, match="no prompt of type qa_simple"):
        measured(outcomes, ["model::heavy"], "qa_simple", bins=5, classifier="reference")


def test_counts_stand_in_the_cells_of_a_confusion_matrix(ax: Axes) -> None:
    counts = pd.DataFrame([[9, 1, 0], [2, 20, 0], [0, 0, 0]], index=[*"abc"], columns=[*"abc"])
    ml.plot_confusion(counts, ax=ax)
    assert [text.get_text() for text in ax.texts] == ["9", "1", "2", "20"]
    assert ax.get_title().startswith("90.6% right, n = 32 sub-tasks")


def test_words_take_the_ink_of_the_ground_they_stand_on() -> None:
    with plt.style.context("dark_background"):
        ax = Figure().add_subplot()
    ml.plot_routing_map("reference", "documentation", ax=ax)
    assert {text.get_color() for text in ax.texts} == {"white"}
