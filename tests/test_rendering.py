"""One contract for everything that shows itself, with markup and script in every text that comes from outside.

After a change that is meant, keep what is shown now, and look at it: ``KEEP=1 pytest tests/test_rendering.py``.
"""

import importlib
import inspect
import os
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd
import pytest

import multillm as ml
from multillm.backends.choice import Choice
from multillm.bench.routing import Comparison
from multillm.evaluation import Evaluation
from multillm.grading.agreement import Agreement
from multillm.live import RunView
from multillm.online.regret import REFERENCES
from multillm.sweep import Sweep, sweep
from multillm.tuning import tune
from tests.pools import small_pool

GOLDEN = Path(__file__).parent / "golden" / "html"
EVIL = "<script>alert(1)</script> & <b onclick=x>bold</b>"
VOID = {"br", "img"}
DRAWN = re.compile(r"<svg.*?</svg>|(?<=base64,)[^\"]+", re.DOTALL)
"""Pictures, which each release of matplotlib and FreeType draws in its own way."""
VERSION = re.compile(r"\b(Python|multillm|numpy|pandas|scikit-learn) (?:\d+(?:\.\w+)+|of a checkout)")


class Shown(Protocol):
    def _repr_html_(self) -> str: ...


@runtime_checkable
class Framed(Protocol):
    def to_frame(self) -> pd.DataFrame: ...


def subtask() -> ml.SubTask:
    return ml.SubTask(EVIL, 4, 4 + len(EVIL), (0,), EVIL)


def profile() -> ml.TaskProfile:
    return ml.TaskProfile(subtask(), ml.TaskType.DOCUMENTATION, 0.25, 12, 0.75, {EVIL: 1.5, "trait": -2.0})


def decision() -> ml.RoutingDecision:
    pool = ml.load_pool("reference", environ={})
    return ml.TaskRouter(pool.registry, pool.policy).route(profile())


def completion() -> ml.Completion:
    attempts = (ml.Attempt("model::light", "a", EVIL), ml.Attempt("model::balanced", EVIL))
    return ml.Completion(
        request=ml.CompletionRequest("model::light", ({"role": "user", "content": EVIL},), 100), text=EVIL,
        label="model::balanced", model=EVIL, finish_reason="length", attempts=attempts, latency_s=2.5,
        input_tokens=1200, output_tokens=100, tokens_measured=False, cost_units=0.035,
        fallback_reason=EVIL, queue_s=0.0, prompt_s=0.5,
    )  # fmt: skip


def results() -> tuple[ml.SubTaskResult, ...]:
    failed = ml.CompletionTimeout(EVIL, label="model::light")
    answered = ml.SubTaskResult(0, decision(), completion(), None, 0.0, 2.5)
    return answered, ml.SubTaskResult(1, decision(), None, failed, 0.0, 1.0)


def run() -> ml.RunResult:
    return ml.RunResult(EVIL, results(), 2500.0, "0", EVIL, datetime(2026, 1, 1, tzinfo=UTC))


def outcomes() -> ml.Outcomes:
    rng = np.random.default_rng(0)
    prompts = pd.DataFrame({"prompt_id": np.arange(60).astype(str), "prompt": EVIL, "task_type": "other"})
    quality = pd.DataFrame({"light": rng.random(60).round(), "heavy": 1.0})
    cost = pd.DataFrame({"light": 1.0, "heavy": 2.0}, index=range(60))
    made = ml.Outcomes.from_matrices(prompts.assign(complexity=0.5), quality, cost, name=EVIL, cost_unit=EVIL)
    return ml.Outcomes(made.rows, made.prompts, made.name, made.cost_unit, licence=EVIL)


def feedback() -> pd.DataFrame:
    store = ml.FeedbackStore("sqlite://")
    frame = store.frame()
    store.close()
    return frame


def posterior() -> ml.BetaQuality:
    made = ml.BetaQuality(ml.load_pool("reference", environ={}).registry)
    made.update("model::light", profile(), 1.0)
    made.update(EVIL, profile(), 0.5)
    return made


def drift() -> ml.DriftReport:
    frame = pd.DataFrame(
        {
            "recorded_at": pd.date_range("2026-01-01", periods=40, freq="h", tz="UTC"),
            "served_label": EVIL, "asked_label": EVIL, "task_type": "other", "complexity": 0.5,
            "quality": np.repeat([1.0, 0.0], 20), "latency_s": np.nan, "cost_units": 0.5,
        }
    )  # fmt: skip
    return ml.drift_report(frame, 20, resamples=99)


def simulation() -> ml.Simulation:
    return ml.Simulation(
        data=EVIL, models=(EVIL,), seeds=(0, 1), cost_unit="USD",
        kinds={EVIL: "strategy", **dict.fromkeys(REFERENCES, "baseline")}, steps=np.array([10, 20]),
        totals={name: np.full((3, 2, 2), rate) for rate, name in enumerate((EVIL, *REFERENCES))},
        facts={"replicates": 9, "level": 0.95, "date": EVIL},
    )  # fmt: skip


def benchmark() -> ml.Benchmark:
    """The first prompts of the committed run, one of its models named by an attacker."""
    shipped = ml.Benchmark.read("small")
    kept = shipped.prompts["prompt_id"].iloc[:20]
    rows = shipped.rows[shipped.rows["prompt_id"].isin(kept)].replace({"model": {"model::smollm2": EVIL}})
    return replace(
        shipped,
        rows=rows.assign(answer=EVIL, error=EVIL),
        prompts=shipped.prompts[shipped.prompts["prompt_id"].isin(kept)],
        manifest=shipped.manifest.model_copy(update={"note": EVIL}),
    )


def ablation() -> ml.Ablation:
    """Three arms, made of the same prompts, with an attacker's answers and note."""
    made = benchmark()
    arms = {"routed": "split, routed", EVIL: "whole, model::smollm2", "model::qwen": "whole, model::qwen"}
    manifest = made.manifest.model_copy(update={"kind": "ablation"})
    return ml.Ablation(manifest, made.rows.replace({"model": arms}), made.prompts)


def evaluation() -> Evaluation:
    """A router and the baselines that a comparison needs, with made-up resamples."""
    kinds = {EVIL: "router", "curves": "router", "learned": "router", "random": "baseline", "oracle": "baseline"}
    kinds |= {"best single model": "baseline", "heavy": "single model"}
    resamples = {
        (name, figure): np.linspace(0.0, 0.1, 11) + 0.1 * place
        for place, name in enumerate(kinds)
        for figure in ("quality", "cost", "gain_at_equal_cost")
    }
    split = {"by": "prompt", "folds": 5, "seed": 0, "resampled": "prompt", "replicates": 10, "level": 0.95}
    return Evaluation(
        data=EVIL, n=60, left_out=0, models=("light", "heavy"), best_single=EVIL, cost_unit=EVIL, kinds=kinds,
        split={**split, "versions": "numpy 2.0", "date": "2026-01-01"}, resamples=resamples, curves=pd.DataFrame(),
        pgr=pd.DataFrame(), by_task_type=pd.DataFrame(),
    )  # fmt: skip


def tuned() -> ml.TunedPolicy:
    return tune(outcomes(), "quality", 1.5, folds=2, replicates=20, today=lambda: date(2026, 1, 1))


def swept() -> Sweep:
    half = np.full((4, 2), 0.5)
    return sweep(half, half, half, half, thresholds=[0.0, 1.0], cost_weights=[0.0], task_types=[EVIL, "b", "b", "b"])


def view() -> RunView:
    seen = RunView()
    seen.take(ml.SubTaskWaiting(0, decision()))
    seen.take(ml.SubTaskRunning(0, decision()))
    seen.take(ml.TextPiece(0, EVIL, EVIL))
    return seen


def status() -> ml.BackendStatus:
    return ml.BackendStatus(EVIL, False, EVIL, {EVIL: EVIL}, (EVIL,), (EVIL,))


SHOWN: dict[str, Callable[[], Shown]] = {
    "sub_task": subtask,
    "sub_tasks": lambda: ml.Listing([subtask(), ml.SubTask("plain", 0, 5)]),
    "profile": profile,
    "profiles": lambda: ml.Listing([profile()]),
    "decision": decision,
    "decisions": lambda: ml.Listing([decision()]),
    "completion": completion,
    "result": lambda: results()[0],
    "result_failed": lambda: results()[1],
    "run": run,
    "pool": lambda: ml.load_pool("reference", environ={}).model_copy(update={"description": EVIL}),
    "registry": lambda: small_pool("light", EVIL.replace(" ", "")).registry,
    "model": lambda: ml.load_pool("reference", environ={}).registry["model::light"],
    "policy": ml.Policy,
    "status": status,
    "choice": lambda: Choice(ml.OllamaBackend(), EVIL, status()),
    "tuned": tuned,
    "sweep": swept,
    "outcomes": outcomes,
    "posterior": posterior,
    "drift": drift,
    "simulation": simulation,
    "feedback": lambda: ml.FeedbackSummary.of(feedback()),
    "benchmark": benchmark,
    "report": lambda: benchmark().report(),
    "ablation": ablation,
    "ablation_report": lambda: ablation().report(),
    "reproduction": lambda: ml.Reproduction(benchmark(), benchmark()),
    "evaluation": evaluation,
    "comparison": lambda: Comparison(evaluation(), tuned(), None, pd.Series(dtype=float)),
    "agreement": lambda: Agreement(((EVIL, 3, 0.5, 0.25, 0.75), ("kappa", 0, None, None, None))),
    "prompt_result": lambda: ml.PromptResult(0, EVIL, run(), None),
    "prompt_result_failed": lambda: ml.PromptResult(1, EVIL, None, ml.InputError(EVIL)),
    "llm_split": lambda: ml.LLMSplit((subtask(),), EVIL),
    "view": view,
    "exploration": lambda: ml.Exploration(f"Explain {EVIL}", ml.load_pool("reference", environ={}), EVIL),
}


@cache
def made(name: str) -> Shown:
    return SHOWN[name]()


def html(name: str) -> str:
    """What a notebook is given, without pictures and versions."""
    return VERSION.sub(r"\1 VERSION", DRAWN.sub("", made(name)._repr_html_()))


class Tags(HTMLParser):
    """Checks that every tag is closed where it should be, and keeps names and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


each_shown = pytest.mark.parametrize("name", SHOWN)


def classes() -> Iterator[type]:
    """All classes of the package that say how they are shown."""
    for module in pkgutil.walk_packages(ml.__path__, "multillm."):
        if module.name.rpartition(".")[2] not in {"__main__", "sandbox_child"}:
            for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if found.__module__ == module.name and {"_repr_html_", "to_frame"} & set(vars(found)):
                    yield found


def test_nothing_that_shows_itself_is_left_out_here() -> None:
    assert set(classes()) <= {kind for name in SHOWN for kind in type(made(name)).__mro__}


@each_shown
def test_what_is_shown_is_the_golden_one(name: str) -> None:
    shown = html(name) + "\n"
    path = GOLDEN / f"{name}.html"
    if os.environ.get("KEEP"):
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8")


@each_shown
def test_text_from_outside_is_text_and_nothing_else(name: str) -> None:
    tags = Tags()
    tags.feed(made(name)._repr_html_())
    tags.close()
    assert not tags.open
    assert not tags.names & {"script", "b", "a", "iframe"}
    assert not {name for name in tags.attributes if name.startswith("on")}


@each_shown
def test_nothing_brings_colours_of_its_own(name: str) -> None:
    assert not re.search(r"\bcolor|background|bgcolor", html(name))


@each_shown
def test_plain_text_is_one_line(name: str) -> None:
    shown = repr(made(name))
    assert "\n" not in shown
    assert not re.search(r"0x[0-9a-f]{6}", shown)


@each_shown
def test_the_frame_is_a_table_of_its_own(name: str) -> None:
    found = made(name)
    if not isinstance(found, Framed):
        return
    frame = found.to_frame()
    assert frame.columns.is_unique
    assert len(frame)
    before, columns = found._repr_html_(), list(frame)
    del frame[columns[0]]
    assert list(found.to_frame()) == columns
    assert found._repr_html_() == before


@pytest.mark.parametrize(
    "other",
    [
        ml.Orchestrator("reference", store=None), ml.TaskRouter(), ml.CurveQuality(), ml.ListedCost(), ml.Limits(),
        ml.ConstantQuality({"a": 0.5}), ml.StructuralSplitter(), ml.ReferenceSplitter(), ml.LearnedClassifier(),
        ml.RulesClassifier(), ml.ReferenceClassifier(), ml.CallSettings(), ml.OutputBudget(), ml.OllamaBackend(),
        ml.load_gold("test")[0], ml.load_prompts()[0], ml.LinearCurves(), ml.Attempt("a", "b"), ml.Score(None, "why"),
    ],
    ids=lambda other: type(other).__name__,
)  # fmt: skip
def test_what_works_for_results_has_a_line_of_its_own_too(other: object) -> None:
    assert repr(other).startswith(f"{type(other).__name__}(")
    assert "\n" not in repr(other)
    assert " at 0x" not in repr(other)


def test_a_listing_is_a_list_and_a_frame() -> None:
    tasks = ml.split("Write a function that parses dates, then write tests for it.")
    assert tasks == list(tasks)
    assert tasks.to_frame()["depends_on"].tolist() == [(), (0,)]
    assert "<td" not in ml.Listing()._repr_html_()
