"""Every figure as a picture and as its words, on fixed data.

Pictures are compared without words and legends, since each build of FreeType draws letters in its own way.
After a change that is meant, keep the new ones and look at them::

    pytest -W default tests/test_pictures.py --mpl-generate-path=tests/golden/plots
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

import multillm as ml
from multillm.evaluation import Evaluation
from multillm.metrics import Estimate
from multillm.reliability import reliability

GOLDEN = Path(__file__).parent / "golden" / "plots"
Keep = Callable[[Figure], Figure]
NUMBER = re.compile(r"[−\d.]*")


def panels(count: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure in the style of multillm whose axes stand where they stand, however wide the text is."""
    with ml.plot_style():
        drawn = plt.figure(figsize=(8 * count, 4), dpi=60)
        places = [drawn.add_axes(((0.25 + n) / count, 0.2, 0.45 / count, 0.65)) for n in range(count)]
    return drawn, places


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Keep:
    """Compares a figure's words (ticks aside) with those kept, or keeps them; leaves the picture without words."""

    def kept(drawn: Figure) -> Figure:
        drawn.canvas.draw()
        texts = drawn.findobj(Text)
        words = "\n".join(dict.fromkeys(text.get_text() for text in texts if not NUMBER.fullmatch(text.get_text())))
        path = GOLDEN / f"{request.node.name}.txt"
        if request.config.getoption("--mpl-generate-path"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{words}\n", "utf-8")
        assert f"{words}\n" == path.read_text("utf-8")
        for written in (*texts, *drawn.findobj(Legend)):
            written.set_visible(False)
        return drawn

    return kept


def decision(text: str, task_type: str, complexity: float, depends_on: tuple[int, ...] = ()) -> ml.RoutingDecision:
    subtask = ml.SubTask(text, 0, len(text), depends_on)
    pool = ml.load_pool("reference", environ={})
    profile = ml.TaskProfile(subtask, ml.TaskType(task_type), complexity, 20)
    return ml.TaskRouter(pool.registry, pool.policy).route(profile)


def outcomes() -> ml.Outcomes:
    """A hundred prompts on four models: quality falls with complexity, faster on a lighter model."""
    labels = ml.load_pool("reference", environ={}).registry.labels
    complexity = (np.arange(100) + 0.5) / 100
    prompts = pd.DataFrame({"prompt_id": np.arange(100).astype(str), "prompt": "x", "task_type": "documentation"})
    steps = np.modf(np.arange(100) * 0.618034)[0]
    quality = {label: steps > (0.9 - 0.2 * place) * complexity for place, label in enumerate(labels)}
    made = ml.Outcomes.from_matrices(prompts.assign(complexity=complexity), pd.DataFrame(quality).astype(float))
    speed = made.rows["model"].map({label: 2.0**place for place, label in enumerate(labels)})
    return ml.Outcomes(made.rows.assign(latency_s=speed * (0.5 + np.repeat(steps, 4) ** 3)), made.prompts, "made up")


def evaluation() -> Evaluation:
    share = np.linspace(0, 1, 9)
    curves = {"learned": share**0.5, "prompt length": share**0.8, "oracle": share**0.3}
    points = pd.concat(
        [pd.DataFrame({"router": n, "cost": 1 + 4 * share, "quality": 0.4 + 0.4 * y}) for n, y in curves.items()]
    )
    one = {("weak", "cost"): 1.0, ("weak", "quality"): 0.4, ("strong", "cost"): 5.0, ("strong", "quality"): 0.8}
    kinds = {"learned": "router", "prompt length": "baseline", "oracle": "baseline"}
    return Evaluation(
        data="made up", n=500, left_out=0, models=("weak", "strong"), best_single="strong", cost_unit="USD",
        split={"level": 0.95, "by": "prompt"}, kinds={**kinds, "weak": "single model", "strong": "single model"},
        resamples={key: np.full(11, value) for key, value in one.items()}, curves=points,
        pgr=pd.concat([pd.DataFrame({"router": n, "share": share, "pgr": y}) for n, y in curves.items()]),
        by_task_type=pd.DataFrame(),
    )  # fmt: skip


def run() -> ml.RunResult:
    """Four sub-tasks: one quick, one after a failed attempt elsewhere, one that needs it, one without an answer."""
    plan = (
        decision("What is a palindrome", "qa_simple", 0.15),
        decision("write a function that checks for palindromes", "code_generation", 0.6),
        decision("review the function", "code_review", 0.65, (1,)),
        decision("Explain what $PATH and $HOME are", "documentation", 0.3),
    )
    label = plan[1].label
    results = (
        answered(0, plan[0], 0.0, 0.8, ml.Attempt(plan[0].label, "ollama_chat/a")),
        answered(1, plan[1], 0.0, 2.5, ml.Attempt(label, "a", "broke"), ml.Attempt("model::heavy", "b")),
        answered(2, plan[2], 2.5, 4.0, ml.Attempt("model::heavy", "b")),
        ml.SubTaskResult(3, plan[3], None, ml.CompletionTimeout("no answer", label=plan[3].label), 0.0, 3.0),
    )
    return ml.RunResult("made up", results, 4000.0, "0", "scripted", datetime(2026, 1, 1, tzinfo=UTC))


def answered(n: int, made: ml.RoutingDecision, start: float, end: float, *attempts: ml.Attempt) -> ml.SubTaskResult:
    last = attempts[-1]
    completion = ml.Completion(
        request=ml.CompletionRequest(made.label, (), 100), text="text", label=last.label, model=last.model,
        finish_reason="stop", attempts=attempts, latency_s=end - start, input_tokens=20, output_tokens=50,
        tokens_measured=True, cost_units=0.01, prompt_s=0.2, generation_s=0.6 * (end - start) - 0.2,
    )  # fmt: skip
    return ml.SubTaskResult(n, made, completion, None, start, end)


@pytest.mark.mpl_image_compare
def test_routing_map(keep: Keep) -> Figure:
    drawn, (left, right) = panels(2)
    ml.plot_routing_map("reference", decision("x", "documentation", 0.25), ax=left)
    strict = ml.load_pool("reference", environ={}).model_copy(
        update={"policy": ml.Policy(thresholds={ml.TaskType.REASONING: 0.93})}
    )
    ml.plot_routing_map(strict, "reasoning", ax=right)
    return keep(drawn)


@pytest.mark.mpl_image_compare
def test_utility(keep: Keep) -> Figure:
    drawn, [ax] = panels()
    ml.plot_utility("reference", decision("x", "documentation", 0.25), ax=ax)
    return keep(drawn)


@pytest.mark.mpl_image_compare
def test_candidates(keep: Keep) -> Figure:
    drawn, [ax] = panels()
    ml.plot_candidates(decision("x", "code_generation", 0.6), ax=ax)
    return keep(drawn)


@pytest.mark.mpl_image_compare
def test_quality_curves(keep: Keep) -> Figure:
    drawn, [ax] = panels()
    ml.plot_quality_curves("reference", "documentation", outcomes(), ax=ax)
    return keep(drawn)


@pytest.mark.mpl_image_compare
def test_cost_quality_and_gain_recovered(keep: Keep) -> Figure:
    drawn, (left, right) = panels(2)
    ml.plot_cost_quality(evaluation(), ax=left)
    ml.plot_gain_recovered(evaluation(), ax=right)
    return keep(drawn)


@pytest.mark.mpl_image_compare
def test_front(keep: Keep) -> Figure:
    front = pd.DataFrame({"cost": [1.0, 1.5, 2.0, 4.0], "quality": [0.5, 0.62, 0.7, 0.75]})
    tuned = ml.TunedPolicy(
        policy=ml.Policy(), estimator=ml.LinearCurves(), relative_cost={}, objective="quality under 2.2",
        cost_unit="cost units", fitted_cost=2.0, fitted_quality=0.7, cost=Estimate(2.1, 1.9, 2.3, 200),
        quality=Estimate(0.66, 0.61, 0.72, 200), front=front, provenance={},
    )  # fmt: skip
    drawn, [ax] = panels()
    ml.plot_front(tuned, ax=ax)
    return keep(drawn)


@pytest.mark.mpl_image_compare
def test_confusion(keep: Keep) -> Figure:
    types = ["documentation", "code_generation", "reasoning", "other"]
    counts = pd.DataFrame([[9, 1, 0, 0], [2, 20, 3, 0], [0, 1, 5, 0], [0, 0, 0, 0]], index=types, columns=types)
    drawn, [ax] = panels()
    ml.plot_confusion(counts, ax=ax)
    return keep(drawn)


@pytest.mark.mpl_image_compare
def test_calibration(keep: Keep) -> Figure:
    confidence = np.sqrt(np.linspace(0.06, 0.99, 200))
    right = np.modf(np.arange(200) * 0.618034)[0] < confidence**1.5
    drawn, [ax] = panels()
    ml.plot_calibration(reliability(confidence, right), ax=ax)
    return keep(drawn)


@pytest.mark.mpl_image_compare
def test_latency(keep: Keep) -> Figure:
    drawn, [ax] = panels()
    ml.plot_latency(outcomes(), ax=ax)
    return keep(drawn)


@pytest.mark.mpl_image_compare
def test_timeline(keep: Keep) -> Figure:
    drawn, [ax] = panels()
    ml.plot_timeline(run(), ax=ax)
    return keep(drawn)


@pytest.mark.mpl_image_compare
def test_ablation(keep: Keep) -> Figure:
    rows = {
        "whole": (0.84, 0.80, 0.88, 296),
        "without phrases": (0.79, 0.74, 0.83, 296),
        "words": (0.6, 0.55, 0.66, 296),
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high", "n"])
    drawn, [ax] = panels()
    ml.plot_ablation(table, "accuracy, 0..1", ax=ax)
    return keep(drawn)


@pytest.mark.mpl_image_compare
def test_regret(keep: Keep) -> Figure:
    steps = np.arange(1, 9) * 100
    lost = {"static curves": 0.05, "thompson": 0.03, "random": 0.2, "oracle": 0.0}
    spread = np.array([0.9, 1.0, 1.1])[:, None]
    totals = {name: np.stack([(0.8 - rate * spread) * steps] * 3) for name, rate in lost.items()}
    found = ml.Simulation(
        data="made up", models=("weak", "strong"), seeds=(0, 1, 2), cost_unit="USD",
        kinds=dict(zip(lost, ("strategy", "strategy", "baseline", "baseline"), strict=True)),
        steps=steps, totals=totals, facts={"replicates": 100, "level": 0.95},
    )  # fmt: skip
    drawn, [left, right] = panels(2)
    ml.plot_regret(found, ax=left)
    ml.plot_regret(found, "static curves", "quality", ["thompson"], ax=right)
    return keep(drawn)


@pytest.mark.mpl_image_compare
def test_drift(keep: Keep) -> Figure:
    columns = ["label", "task_type", "measure", "n_before", "n_recent", "difference", "low", "high", "changed"]
    rows = [
        ("model::light", "reasoning", "quality", 120, 40, -0.3, -0.45, -0.16, True),
        ("model::light", "qa_simple", "quality", 80, 30, 0.02, -0.1, 0.13, False),
        ("model::light", "qa_simple", "latency_s", 80, 30, 2.0, 1.0, 3.0, True),
    ]
    report = ml.DriftReport(pd.DataFrame(rows, columns=columns), datetime(2026, 1, 1, tzinfo=UTC), {})
    drawn, [left, right] = panels(2)
    ml.plot_drift(report, ax=left)
    ml.plot_drift(report, "latency_s", ax=right)
    return keep(drawn)


@pytest.mark.mpl_image_compare(style="dark_background")
def test_figures_on_a_dark_ground(keep: Keep) -> Figure:
    drawn, (left, right) = panels(2)
    ml.plot_routing_map("reference", decision("x", "documentation", 0.25), ax=left)
    ml.plot_timeline(run(), ax=right)
    return keep(drawn)


def test_pictures_are_compared_whenever_tests_run(request: pytest.FixtureRequest) -> None:
    assert request.config.getoption("--mpl")
