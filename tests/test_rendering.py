"""How results show themselves, with markup and script in every text that comes from outside.

After a change that is meant, keep what is shown now, and look at it: ``KEEP=1 pytest tests/test_rendering.py``.
"""

import os
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pytest

import multillm as ml
from multillm.online.regret import REFERENCES
from multillm.tuning import tune
from tests.pools import small_pool

GOLDEN = Path(__file__).parent / "golden" / "html"
EVIL = "<script>alert(1)</script> & <b onclick=x>bold</b>"
VOID = {"br", "img"}


class Shown(Protocol):
    def _repr_html_(self) -> str: ...


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
    "status": lambda: ml.BackendStatus(EVIL, False, EVIL, {EVIL: EVIL}, (EVIL,), (EVIL,)),
    "tuned": lambda: tune(outcomes(), "quality", 1.5, folds=2, replicates=20, today=lambda: date(2026, 1, 1)),
    "outcomes": outcomes,
    "posterior": posterior,
    "drift": drift,
    "simulation": simulation,
    "feedback": lambda: ml.FeedbackSummary.of(feedback()),
}


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


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_is_the_golden_one(name: str) -> None:
    shown = SHOWN[name]()._repr_html_() + "\n"
    path = GOLDEN / f"{name}.html"
    if os.environ.get("KEEP"):
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8")


@pytest.mark.parametrize("name", SHOWN)
def test_text_from_outside_is_text_and_nothing_else(name: str) -> None:
    tags = Tags()
    tags.feed(SHOWN[name]()._repr_html_())
    assert not tags.open
    assert not tags.names & {"script", "b", "a", "iframe"}
    assert not {name for name in tags.attributes if name.startswith("on")}


@pytest.mark.parametrize("name", SHOWN)
def test_nothing_brings_colours_of_its_own(name: str) -> None:
    shown = SHOWN[name]()._repr_html_()
    assert not re.search(r"\bcolor|background|bgcolor", shown)


@pytest.mark.parametrize("name", SHOWN)
def test_plain_text_is_one_line(name: str) -> None:
    shown = repr(SHOWN[name]())
    assert "\n" not in shown
    assert not re.search(r"0x[0-9a-f]{6}", shown)


def test_a_listing_is_a_list_and_a_frame() -> None:
    tasks = ml.split("Write a function that parses dates, then write tests for it.")
    assert tasks == list(tasks)
    assert tasks.to_frame()["depends_on"].tolist() == [(), (0,)]
    assert "<td" not in ml.Listing()._repr_html_()
