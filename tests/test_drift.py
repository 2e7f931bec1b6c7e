"""Drift: what has changed is found, what has not is left alone, and what cannot be told is left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import multillm as ml
from multillm.errors import FeedbackError

START = datetime(2026, 1, 1, tzinfo=UTC)


def calls(n: int = 120, worse: float = 0.9, slower: float = 1.0, seed: int = 0) -> pd.DataFrame:
    """Calls of two models, an hour apart; in the second half the heavy one gets worse and slower."""
    rng = np.random.default_rng(seed)
    late = np.arange(n) >= n // 2
    label = np.where(rng.random(n) < 0.5, "light", "heavy")
    good = np.where((label == "heavy") & late, worse, np.where(label == "heavy", 0.9, 0.6))
    return pd.DataFrame(
        {
            "recorded_at": [START + timedelta(hours=place) for place in range(n)],
            "served_label": label,
            "asked_label": label,
            "task_type": "reasoning",
            "complexity": rng.random(n),
            "quality": (rng.random(n) < good).astype(float),
            "latency_s": rng.exponential(size=n) * np.where((label == "heavy") & late, slower, 1.0),
            "cost_units": 0.1,
        }
    )


def test_what_has_changed_is_found_and_nothing_else() -> None:
    report = ml.drift_report(calls(worse=0.3, slower=5.0), recent=60)
    assert {(row.label, row.measure) for row in report.changed.itertuples()} == {
        ("heavy", "quality"),
        ("heavy", "latency_s"),
    }
    assert report.recent_from == START + timedelta(hours=60)
    changed = report.changed[["before", "recent", "difference", "low", "high"]].astype(float)
    assert ((changed["low"] > 0) | (changed["high"] < 0)).all()
    assert changed["difference"].between(changed["low"], changed["high"]).all()
    np.testing.assert_allclose(changed["difference"], changed["recent"] - changed["before"])
    assert len(report.to_frame()) == 8
    pd.testing.assert_frame_equal(report.table, ml.drift_report(calls(worse=0.3, slower=5.0), 60).table)


def test_on_qualities_of_0_and_1_the_test_is_fishers() -> None:
    frame = calls(40, worse=0.2)
    report = ml.drift_report(frame, recent=20, least=5)
    [row] = report.table.query("label == 'heavy' and measure == 'quality'").to_dict("records")
    heavy = frame[frame["served_label"] == "heavy"]
    late = (heavy["recorded_at"] >= report.recent_from).astype(int)
    table = pd.crosstab(late, heavy["quality"]).to_numpy()
    # scipy doubles the smaller tail, Fisher adds up what is no likelier: here the direction makes the difference.
    tails = [stats.fisher_exact(table, alternative=side).pvalue for side in ("less", "greater")]
    assert row["p"] == pytest.approx(min(1.0, 2 * min(tails)), rel=0.15)


def test_where_nothing_changes_hardly_a_report_sees_a_change() -> None:
    wrong = sum(not ml.drift_report(calls(seed=seed), 60, resamples=999).changed.empty for seed in range(12))
    assert wrong <= 2  # expected is 0.6 of 12 at a false discovery rate of 5 %


def test_a_datetime_splits_as_well_and_latency_after_a_fallback_does_not_count() -> None:
    frame = calls()
    frame.loc[::2, "asked_label"] = "busy"
    report = ml.drift_report(frame, START + timedelta(hours=60), least=5)
    counts = report.table.groupby("measure")[["n_before", "n_recent"]].sum()
    assert counts.loc[["quality", "latency_s"]].to_numpy().tolist() == [[60, 60], [30, 30]]


def test_too_few_calls_are_left_out_and_counted() -> None:
    report = ml.drift_report(calls(30), recent=5)
    assert report.table.empty
    assert report.changed.empty
    assert report.facts["comparisons left out for want of calls"] == 8
    assert repr(report) == "DriftReport(0 of 0 comparisons changed, recent from 2026-01-02 01:00 UTC)"
    with pytest.raises(FeedbackError, match="compares no quality; it compares nothing"):
        ml.plot_drift(report)


def test_what_is_unknown_is_missing(url: str) -> None:
    call = ml.FeedbackRecord("run", 0, "Why?", "reasoning", 0.5, "heavy", 1, served_label="heavy", latency_s=1.0)
    with ml.FeedbackStore(url) as store:
        store.record([call] * 30)
        frame = store.frame()
    frame["recorded_at"] = [START + timedelta(hours=place) for place in range(30)]
    report = ml.drift_report(frame, recent=15)
    assert report.table["measure"].tolist() == ["latency_s", "complexity"]
    assert report.table["p"].tolist() == [1.0, 1.0]
    assert "–" not in report._repr_html_()


def test_what_cannot_be_compared_is_said() -> None:
    frame = calls(20)
    with pytest.raises(FeedbackError, match="no column served_label"):
        ml.drift_report(frame.drop(columns="served_label"), 5)
    for recent in (0, 20, -1):
        with pytest.raises(FeedbackError, match=f"recent is {recent}; allowed is a datetime, or 1 to 19"):
            ml.drift_report(frame, recent)
    with pytest.raises(FeedbackError, match="timezone"):
        ml.drift_report(frame, datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(FeedbackError, match="no answered call lies on one side"):
        ml.drift_report(frame, START)
