"""Figures by what is on their axes, not by their pixels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from multillm.evaluation import Evaluation, evaluate
from multillm.learning import MeanQuality, PromptLength
from multillm.outcomes import Outcomes
from multillm.plots import BASELINE_COLOUR, plot_cost_quality, plot_front, plot_gain_recovered

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
    hull, points = [line for line in plot_cost_quality(found, ax).lines if line.get_color() == "#0072B2"]
    x, y = np.asarray(hull.get_xdata(), float), np.asarray(hull.get_ydata(), float)
    assert (np.diff(y) > 0).all()
    assert (np.diff(np.diff(y) / np.diff(x)) < 0).all()
    reached = np.interp(np.asarray(points.get_xdata(), float), x, y)
    assert (np.asarray(points.get_ydata(), float) <= reached + 1e-12).all()
    assert np.asarray(points.get_xdata()).size == len(found.curves[found.curves["router"] == "ours"])


def test_the_gain_figure_has_a_line_for_each_score_and_baselines_are_grey(found: Evaluation, ax: Axes) -> None:
    assert plot_gain_recovered(found, ax) is ax
    assert len(ax.lines) == found.pgr["router"].nunique()
    grey = {line.get_label() for line in ax.lines if line.get_color() == BASELINE_COLOUR}
    assert grey == {"prompt length", "oracle", "random"}
    assert "0..1" in ax.get_xlabel()
    assert ax.get_ylabel() == "performance gap recovered"


def test_lines_differ_without_colour_too(found: Evaluation, ax: Axes) -> None:
    routers = [line for line in plot_gain_recovered(found, ax).lines if line.get_color() != BASELINE_COLOUR]
    assert len({line.get_linestyle() for line in routers}) == len(routers) == 2


def test_baselines_that_are_one_point_have_marks_of_their_own(found: Evaluation, ax: Axes) -> None:
    named = {str(line.get_label()): line.get_marker() for line in plot_cost_quality(found, ax).lines}
    assert named["best single model"] != named["random"]


def test_the_front_shows_every_trade_off(ax: Axes) -> None:
    front = pd.DataFrame({"cost": [1.0, 2.0, 4.0], "quality": [0.5, 0.7, 0.75]})
    assert plot_front(front, "cost units", ax) is ax
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), front.to_numpy())
    assert ax.get_xlabel() == "mean cost per prompt, cost units"
    assert "fitting side" in ax.get_ylabel()
