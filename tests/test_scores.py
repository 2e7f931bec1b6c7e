"""Scores of splitters and classifiers, on figures worked out by hand, and the gold data they stand on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from multillm.errors import InputError
from multillm.gold import AnnotatedSplitter, GoldPrompt, gold_frame, load_gold
from multillm.reliability import calibration_error, calibration_floor
from multillm.resources import data_dir
from multillm.scores import (
    classifier_scores,
    compare_splitters,
    confusion,
    splitter_scores,
)
from multillm.tasks import SubTask, TaskProfile, TaskType

LABELLED_BY_THREE = ("selftaught-", "middle-")
"""Topics whose labels were mended where both independent annotators agreed on others."""


class CutAt:
    """Cuts wherever a bar stands; the second part depends on the first."""

    name = "bar"

    def split(self, prompt: str) -> list[SubTask]:
        tasks, start = [], 0
        for number, part in enumerate(prompt.split("|")):
            tasks.append(SubTask(part, start, start + len(part), (0,) if number else ()))
            start += len(part) + 1
        return tasks


class AlwaysSure:
    """Calls everything a lookup."""

    name = "sure"

    def classify(self, subtask: SubTask) -> TaskProfile:
        return TaskProfile(subtask, TaskType.QA_SIMPLE, len(subtask.text) / 100, 1, confidence=0.95)


@pytest.fixture
def four(tmp_path: Path) -> list[GoldPrompt]:
    path = tmp_path / "gold.jsonl"
    task = '{{"text": "{}", "task_type": "{}", "complexity": "{}", "depends_on": {}}}'
    lines: list[tuple[str, list[tuple[str, str, str, list[int]]]]] = [
        ("aaaa|bbbb", [("aaaa", "qa_simple", "low", []), ("bbbb", "other", "low", [0])]),
        ("cccc dddd", [("cccc", "qa_simple", "low", []), ("dddd", "qa_simple", "medium", [])]),
        ("ee|ff", [("ee|ff", "reasoning", "high", [])]),
        ("gggggg", [("gggggg", "qa_simple", "low", [])]),
    ]
    rows = [
        f'{{"id": "{n}", "prompt": "{prompt}", "subtasks": [{", ".join(task.format(*entry) for entry in tasks)}]}}'
        for n, (prompt, tasks) in enumerate(lines)
    ]
    path.write_text("\n".join(rows), "utf-8")
    return load_gold(path)


def test_splitter_scores_are_those_worked_out_by_hand(four: list[GoldPrompt]) -> None:
    scores = splitter_scores(four, CutAt(), resamples=200)["value"]
    assert scores["exact"] == pytest.approx(2 / 4)
    assert scores["boundary precision"] == pytest.approx(1 / 2)
    assert scores["boundary recall"] == pytest.approx(1 / 2)
    assert scores["boundary f1"] == pytest.approx(1 / 2)
    assert scores["over-split"] == pytest.approx(1 / 2)
    assert scores["dependency f1"] == pytest.approx(2 / (2 + 1 + 0))


def test_classifier_scores_are_those_worked_out_by_hand(four: list[GoldPrompt]) -> None:
    scores = classifier_scores(four, AlwaysSure(), resamples=20)["value"]
    assert scores["accuracy"] == pytest.approx(4 / 6)
    assert scores["macro f1"] == pytest.approx((2 * 4 / (4 + 6) + 0 + 0) / 3)
    assert scores["calibration error"] == pytest.approx(0.95 - 4 / 6)
    assert confusion(four, AlwaysSure()).loc["other", "qa_simple"] == 1


def test_the_calibration_error_weighs_bins_by_their_size() -> None:
    confidence = np.array([0.95, 0.95, 0.15, 0.15])
    right = np.array([True, False, False, False])
    assert calibration_error(confidence, right) == pytest.approx(0.5 * 0.45 + 0.5 * 0.15)


def test_the_calibration_floor_is_what_perfect_calibration_shows_on_average() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 1.0, 300)
    shown = [calibration_error(confidence, rng.random(300) < confidence) for _ in range(2000)]
    assert calibration_floor(confidence) == pytest.approx(np.mean(shown), rel=0.02)
    assert np.isnan(calibration_floor(np.array([0.5, np.nan])))


def test_a_perfect_splitter_scores_one_and_never_splitting_finds_no_boundary() -> None:
    gold = [prompt for prompt in load_gold("train") if prompt.kind == "compound"][:40]
    table = compare_splitters(gold, [AnnotatedSplitter(gold), "never"])
    assert table.loc[("never", "boundary recall"), "value"] == 0
    assert table.xs("annotated")["value"].drop("over-split").eq(1).all()
    assert (table.dropna()["low"] <= table.dropna()["value"]).all()


def test_what_nobody_labelled_cannot_be_split_as_labelled(four: list[GoldPrompt]) -> None:
    with pytest.raises(InputError, match="4 others were labelled"):
        AnnotatedSplitter(four).split("What is a mutex?")


@pytest.mark.parametrize("source", ["independent_pass", "independent_pass_2"])
def test_independent_annotators_agree_as_the_datasheet_says(source: str) -> None:
    gold = [prompt for prompt in load_gold("test") if not prompt.topic.startswith(LABELLED_BY_THREE)]
    scores = splitter_scores(gold, AnnotatedSplitter(load_gold(source)))
    told = (data_dir() / "gold" / "README.md").read_text("utf-8")
    for metric in ("exact", "boundary f1", "over-split", "dependency f1"):
        value, low, high = scores.loc[metric, ["value", "low", "high"]]
        assert f"{value:.3f} ({low:.3f} to {high:.3f})" in told, metric


def test_topics_stand_in_one_part_only_and_every_type_in_both() -> None:
    train, test = gold_frame("train"), gold_frame("test")
    assert not set(train["topic"]) & set(test["topic"])
    assert not set(train["prompt"]) & set(test["prompt"])
    assert set(train["task_type"]) == set(test["task_type"]) == {str(kind) for kind in TaskType}


def test_gold_spans_are_ordered_and_disjoint() -> None:
    for part in ("train", "test"):
        for prompt in load_gold(part):
            end = 0
            for task in prompt.subtasks:
                assert prompt.prompt[task.start : task.end] == task.text
                assert task.start >= end
                end = task.end


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "a", "prompt": "x"}', "line 1.*KeyError: 'subtasks'"),
        ('{"id": "a", "prompt": "x", "subtasks": []}', "at least one"),
        (
            '{"id": "a", "prompt": "x", "subtasks": [{"text": "x", "task_type": "other", "complexity": "odd"}]}',
            "allowed: low, medium, high",
        ),
    ],
)
def test_a_bad_gold_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text(line, "utf-8")
    with pytest.raises(InputError, match=message):
        load_gold(path)


def test_a_missing_gold_file_is_named() -> None:
    with pytest.raises(InputError, match="no labelled prompts at 'nowhere'"):
        load_gold("nowhere")
