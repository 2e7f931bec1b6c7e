"""The feedback store: the same contract on SQLite and on a real PostgreSQL server, and what goes wrong."""

import errno
import hashlib
import math
import os
import pickle
import socket
import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from sqlalchemy import URL, select

from multillm.errors import FeedbackError
from multillm.feedback import FeedbackRecord, FeedbackStore, FeedbackSummary
from multillm.feedback.schema import calls
from tests.postgres_server import PASSWORD
from tests.stores import SERVED, another_connection

FAILED = FeedbackRecord("run", 1, "Write a lock.", "code_generation", 0.6, "model::balanced", 3, error_type="Timeout")
FULL = FeedbackRecord(
    run_id="run", subtask_index=3, prompt="Écris 'x' <b>—</b>", task_type="reasoning", complexity=0.71,
    asked_label="model::balanced", attempts=4, confidence=0.875, decision_rule="highest utility", utility=-0.0625,
    expected_quality=0.8, served_label="model::heavy", served_model="ollama_chat/mistral-small3.2:latest",
    fallback_reason="timeout", error_type="EmptyCompletion", error="no text\nat all", finish_reason="length",
    latency_s=12.5, queue_s=0.25, load_s=3.0, prompt_s=0.5, generation_s=8.75, input_tokens=17, output_tokens=2**40,
    tokens_measured=False, cost_units=0.01815, cost_usd=1e-7, answer_length=999, replayed=True, quality=1.0,
    quality_source="grader",
)  # fmt: skip
OPTIONAL = [field.name for field in fields(FeedbackRecord) if field.default is None]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(url: str) -> Iterator[FeedbackStore]:
    with FeedbackStore(url) as store:
        yield store


def ticking(start: datetime = NOON) -> Callable[[], datetime]:
    ticks = count()
    return lambda: start + timedelta(seconds=next(ticks))


# What is kept


def test_every_field_comes_back_as_it_was_given(url: str) -> None:
    with FeedbackStore(url, keep_prompts=True, clock=lambda: NOON) as store:
        [row_id] = store.record(FULL)
        row = store.frame().loc[row_id]
    given = asdict(FULL)
    assert {name: row[name] for name in given} == given
    derived = {"recorded_at", "tier", "prompt_sha256", "prompt_length"}
    assert set(row.index) == set(given) | derived
    assert row["tier"] == "HIGH"
    assert row["recorded_at"] == NOON
    assert row["prompt_sha256"] == hashlib.sha256(FULL.prompt.encode()).hexdigest()
    assert row["prompt_length"] == len(FULL.prompt)


def test_what_is_missing_stays_missing(store: FeedbackStore) -> None:
    store.record([SERVED, replace(SERVED, latency_s=math.nan, quality=math.nan)])
    frame = store.frame()
    missing = [name for name in OPTIONAL if name != "served_label"]
    assert frame[[*missing, "prompt"]].isna().all(axis=None)
    assert not frame["replayed"].any()


@pytest.mark.parametrize("records", [[], [SERVED], [SERVED, FULL]])
def test_the_dtypes_are_the_same_with_no_row_and_with_missing_values(
    store: FeedbackStore, records: list[FeedbackRecord]
) -> None:
    assert len(store.record(records)) == len(records)
    dtypes = {name: str(dtype) for name, dtype in store.frame().dtypes.items()}
    assert dtypes["recorded_at"] == "datetime64[us, UTC]"
    assert {dtypes[name] for name in ("run_id", "error", "served_label", "prompt")} == {"string"}
    assert {dtypes[name] for name in ("complexity", "quality", "latency_s", "cost_usd")} == {"float64"}
    assert {dtypes[name] for name in ("attempts", "subtask_index", "prompt_length")} == {"int64"}
    assert {dtypes[name] for name in ("input_tokens", "output_tokens", "answer_length")} == {"Int64"}
    assert {dtypes[name] for name in ("tokens_measured", "replayed")} == {"boolean"}


def test_a_prompt_is_kept_only_if_told_to(tmp_path: Path) -> None:
    secret = "my very own question, long enough to be found"
    for keep in (False, True):
        folder = tmp_path / str(keep)
        with FeedbackStore(folder / "feedback.sqlite", keep_prompts=keep) as store:
            store.record(replace(SERVED, prompt=secret))
            files = [path.read_bytes() for path in folder.iterdir()]
        assert any(secret.encode() in content for content in files) is keep


def test_numpy_numbers_are_taken(store: FeedbackStore) -> None:
    numbers: dict[str, Any] = {"attempts": np.int64(2), "complexity": np.float32(0.5), "latency_s": np.float64(1.5)}
    store.record(replace(SERVED, **numbers))
    row = store.frame().iloc[0]
    assert (row["attempts"], row["complexity"], row["latency_s"]) == (2, 0.5, 1.5)


@pytest.mark.parametrize(
    "hostile",
    ["<script>alert(1)</script>", "'; DROP TABLE multillm_calls; --", "a\x00b", "\ud800 lone", "%(x)s :y ?", "😀"],
)
def test_hostile_text_is_stored_with_only_what_cannot_be_stored_replaced(url: str, hostile: str) -> None:
    stored = hostile.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    with FeedbackStore(url, keep_prompts=True) as store:
        [row_id] = store.record(replace(FAILED, prompt=hostile, run_id=hostile, error=hostile))
        store.rate(row_id, 0.5, source=hostile)
        row = store.frame(run_id=hostile).loc[row_id]
    assert {row["prompt"], row["run_id"], row["error"], row["quality_source"]} == {stored}
    assert row["prompt_sha256"] == hashlib.sha256(hostile.encode("utf-8", "surrogatepass")).hexdigest()
    assert row["prompt_length"] == len(hostile)


def test_rows_come_back_oldest_first_with_their_time_in_utc(url: str) -> None:
    east = timezone(timedelta(hours=9))
    with FeedbackStore(url, clock=ticking(NOON.astimezone(east))) as store:
        ids = [store.record(replace(SERVED, run_id=f"run {n}"))[0] for n in range(3)]
        frame = store.frame()
    assert frame.index.tolist() == ids
    assert frame["recorded_at"].tolist() == [pd.Timestamp(NOON) + pd.Timedelta(seconds=n) for n in range(3)]


def test_times_are_in_utc_for_those_who_query_the_table_themselves(url: str) -> None:
    with FeedbackStore(url, clock=lambda: NOON) as store:
        store.record(SERVED)
    with another_connection(url) as connection:
        [time] = connection.scalars(select(calls.c.recorded_at))
    assert (time, time.tzinfo) == (NOON, UTC)


def test_rows_can_be_had_by_time_and_by_run(url: str) -> None:
    with FeedbackStore(url, clock=ticking()) as store:
        ids = [store.record(replace(SERVED, run_id=f"run {n % 2}"))[0] for n in range(4)]
        since = (NOON + timedelta(seconds=2)).astimezone(timezone(timedelta(hours=-5)))
        assert store.frame(since=since).index.tolist() == ids[2:]
        assert store.frame(run_id="run 1").index.tolist() == ids[1::2]
        assert store.frame(since=since, run_id="run 1").index.tolist() == ids[3:]
        assert store.frame(run_id="none").empty


def test_a_store_opened_again_has_what_it_had(url: str) -> None:
    with FeedbackStore(url) as store:
        ids = store.record([SERVED, FAILED])
    with FeedbackStore(url) as store:
        assert store.frame().index.tolist() == ids


def test_a_batch_is_kept_whole_or_not_at_all(store: FeedbackStore) -> None:
    store.record(SERVED)
    with pytest.raises(FeedbackError, match="record got a dict"):
        store.record([SERVED, {"run_id": "x"}])  # type: ignore[list-item]
    assert len(store.frame()) == 1


# Rating


def test_a_quality_measured_later_is_added_and_can_be_replaced(store: FeedbackStore) -> None:
    rated, _ = store.record([SERVED, FAILED])
    store.rate(rated, 0.25, source="judge")
    store.rate(rated, np.float64(0.75), source="reader")
    frame = store.frame()
    assert frame["quality"].to_dict()[rated] == 0.75
    assert frame["quality_source"].to_dict()[rated] == "reader"
    assert frame.drop(rated)[["quality", "quality_source"]].isna().all(axis=None)


@pytest.mark.parametrize("quality", [-0.01, 1.01, math.nan, math.inf, "0.5", None])
def test_a_quality_out_of_range_is_refused(store: FeedbackStore, quality: float) -> None:
    [row_id] = store.record(SERVED)
    with pytest.raises(FeedbackError, match=r"^quality is .*: Input should be "):
        store.rate(row_id, quality, source="reader")
    assert store.summary().n_rated == 0


@pytest.mark.parametrize("row_id", ["no such id", "", "a\x00b", None, 7])
def test_an_unknown_id_is_refused(store: FeedbackStore, row_id: str) -> None:
    store.record(SERVED)
    with pytest.raises(FeedbackError, match="no call has the id"):
        store.rate(row_id, 0.5, source="reader")


def test_a_quality_needs_a_source(store: FeedbackStore) -> None:
    [row_id] = store.record(SERVED)
    with pytest.raises(FeedbackError, match="quality_source is empty"):
        store.rate(row_id, 0.5, source="")


# What is refused


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("complexity", 1.5), ("complexity", math.nan), ("complexity", None), ("complexity", "hard"),
        ("confidence", -0.1), ("expected_quality", 2), ("quality", 1.1), ("utility", math.inf), ("utility", 10**400),
        ("latency_s", -1.0), ("cost_units", -0.1), ("cost_usd", math.inf), ("attempts", -1), ("attempts", 1.5),
        ("output_tokens", 2**63), ("input_tokens", 3.0), ("run_id", 7), ("prompt", None), ("prompt", b"x"),
        ("tokens_measured", "yes"), ("replayed", None), ("error", pd.NA),
    ],
)  # fmt: skip
def test_a_value_with_no_place_in_a_record_is_refused(field: str, value: object) -> None:
    with pytest.raises(FeedbackError, match=f"^{field} is .*: Input should be "):
        replace(SERVED, **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"served_label": None}, "say which label served or what went wrong"),
        ({"error": "broken"}, "name the error's class"),
        ({"quality": 0.5}, "say who or what measured it"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(FeedbackError, match=message):
        replace(SERVED, **changes)  # type: ignore[arg-type]


def test_a_time_without_timezone_is_refused(store: FeedbackStore) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(FeedbackError, match=r"since is .* a datetime with a timezone"):
        store.frame(since=naive)
    with (
        FeedbackStore(":memory:", clock=lambda: naive) as other,
        pytest.raises(FeedbackError, match="the clock's time is"),
    ):
        other.record(SERVED)


# Figures


def tokens(low: int, high: int) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(low, high)


def amounts() -> st.SearchStrategy[float | None]:
    return st.none() | st.floats(0, 1e6)


def labels() -> st.SearchStrategy[str]:
    return st.sampled_from(["model::light", "model::heavy", "<i>"])


@st.composite
def records(draw: st.DrawFn) -> FeedbackRecord:
    served = draw(st.none() | labels())
    quality = draw(st.none() | st.floats(0, 1))
    return FeedbackRecord(
        "run", draw(st.integers(0, 9)), "a prompt", draw(st.sampled_from(["qa_simple", "reasoning"])),
        draw(st.floats(0, 1)), draw(labels()), draw(st.integers(0, 5)), served_label=served,
        error_type=None if served else "CompletionTimeout",
        finish_reason=draw(st.sampled_from([None, "stop", "length"])),
        latency_s=draw(amounts()), cost_units=draw(amounts()), cost_usd=draw(amounts()),
        output_tokens=draw(tokens(0, 10**6)), quality=quality, quality_source=None if quality is None else "grader",
    )  # fmt: skip


def percentile(values: list[float], share: float) -> float | None:
    if not values:
        return None
    place = share * (len(values) - 1)
    below, rest = int(place), place - int(place)
    ordered = [*sorted(values), math.inf]
    return ordered[below] if rest == 0 else ordered[below] + rest * (ordered[below + 1] - ordered[below])


def total(values: list[float]) -> float | None:
    return math.fsum(values) if values else None


@settings(max_examples=60, deadline=None)
@given(st.lists(records(), max_size=12))
def test_the_summary_is_what_plain_counting_gives(given: list[FeedbackRecord]) -> None:
    with FeedbackStore(":memory:") as store:
        store.record(given)
        summary = store.summary()
    answered = [r for r in given if r.served_label is not None]
    latencies = [r.latency_s for r in answered if r.latency_s is not None]
    costs = [r.cost_units for r in given if r.cost_units is not None]
    dollars = [r.cost_usd for r in given if r.cost_usd is not None]
    qualities = [r.quality for r in given if r.quality is not None]
    written = [r.output_tokens for r in given if r.output_tokens is not None]
    assert summary.total_calls == len(given)
    assert summary.failed_calls == len(given) - len(answered)
    assert summary.fallback_calls == sum(r.served_label != r.asked_label for r in answered)
    assert summary.truncated_calls == sum(r.finish_reason == "length" for r in given)
    assert summary.total_cost == pytest.approx(total(costs) if given else 0.0)
    assert summary.total_cost_usd == pytest.approx(total(dollars))
    assert (summary.n_priced, summary.n_rated) == (len(dollars), len(qualities))
    assert summary.avg_quality == pytest.approx(statistics.fmean(qualities) if qualities else None)
    assert summary.calls_by_tier == Counter(str(r.tier) for r in given)
    assert summary.calls_by_label == Counter(r.served_label for r in answered)
    assert summary.calls_by_task_type == Counter(r.task_type for r in given)
    assert summary.latency_p50_s == pytest.approx(percentile(latencies, 0.50))
    assert summary.latency_p95_s == pytest.approx(percentile(latencies, 0.95))
    assert summary.output_tokens == (sum(written) if written or not given else None)


def test_the_summary_is_the_same_on_every_database(store: FeedbackStore) -> None:
    given = [SERVED, FAILED, replace(FULL, error_type=None, error=None), replace(SERVED, latency_s=1.5, cost_units=0.5)]
    store.record(given)
    with FeedbackStore(":memory:") as other:
        other.record(given)
        assert store.summary() == other.summary()


def test_the_summary_of_a_part_is_had_from_its_frame(store: FeedbackStore) -> None:
    store.record([SERVED, FAILED, replace(SERVED, run_id="other")])
    assert FeedbackSummary.of(store.frame(run_id="other")).total_calls == 1


def test_a_summary_shows_itself_in_one_line_as_table_and_as_frame() -> None:
    with FeedbackStore(":memory:") as store:
        store.record([replace(SERVED, task_type="<b>"), replace(FULL, error_type=None, error=None)])
        summary = store.summary()
        assert summary._repr_html_() == store.summary()._repr_html_()
    assert repr(summary) == "FeedbackSummary(2 calls, 0 failed, 0.018150 cost units, quality 1.000 (n=1))"
    assert "&lt;b&gt;" in summary._repr_html_()
    assert "<b>" not in summary._repr_html_()
    frame = summary.to_frame()
    assert frame[frame["group"] == ""].set_index("figure")["value"]["total_calls"] == 2
    assert set(frame["figure"]) == set(summary.to_dict()) == set(asdict(summary))


def test_a_summary_of_what_nothing_is_known_about_says_so() -> None:
    with FeedbackStore(":memory:") as store:
        store.record(SERVED)
        summary = store.summary()
    assert repr(summary) == "FeedbackSummary(1 calls, 0 failed, cost unknown, quality not measured)"
    assert summary.to_frame().set_index("figure")["value"][["avg_quality", "total_cost", "latency_p50_s"]].isna().all()


# Opening, closing, showing


def test_the_users_own_store_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multillm.feedback.database.user_dir", lambda: tmp_path / "user" / "multillm")
    with FeedbackStore() as store:
        store.record(SERVED)
        files = {path.name: oct(path.stat().st_mode & 0o777) for path in (tmp_path / "user" / "multillm").iterdir()}
    assert files == dict.fromkeys(["feedback.sqlite", "feedback.sqlite-shm", "feedback.sqlite-wal"], "0o600")
    assert (tmp_path / "user" / "multillm").stat().st_mode & 0o777 == 0o700


def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "link", refuse)
    with FeedbackStore(tmp_path / "feedback.sqlite") as store:
        store.record(SERVED)
        assert len(store.frame()) == 1
    assert (tmp_path / "feedback.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_database_in_memory_is_empty_each_time() -> None:
    for _ in range(2):
        with FeedbackStore(":memory:") as store:
            store.record(SERVED)
            assert repr(store) == "FeedbackStore('sqlite:///:memory:', 1 calls)"


def test_a_file_may_be_named_by_path_or_by_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "feed back.sqlite"
    for name in (
        path,
        str(path),
        "feed back.sqlite",
        "~/feed back.sqlite",
        "sqlite:///feed back.sqlite",
        f"sqlite:///{path}",
    ):
        with FeedbackStore(name) as store:
            store.record(SERVED)
            assert store.url == f"sqlite:///{path}"
    with FeedbackStore(path) as store:
        assert repr(store) == "FeedbackStore('sqlite:///…/feed back.sqlite', 6 calls)"


def test_a_pickled_store_opens_its_url_again(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with FeedbackStore(url, keep_prompts=True, timeout_s=5) as store:
        pickled = pickle.dumps(store)
        monkeypatch.chdir(tmp_path)
        with pickle.loads(pickled) as other:
            [row_id] = other.record(SERVED)
            assert other.keep_prompts
        assert store.frame().index.tolist() == [row_id]


def test_a_store_in_memory_cannot_be_pickled() -> None:
    with FeedbackStore(":memory:") as store, pytest.raises(FeedbackError, match="give the store a path"):
        pickle.dumps(store)


def test_a_closed_store_says_so(store: FeedbackStore) -> None:
    store.close()
    store.close()
    assert repr(store).endswith(", closed)")
    for use in (store.frame, store.summary, lambda: store.record(SERVED)):
        with pytest.raises(FeedbackError, match="the store is closed; open it again"):
            use()


def test_a_closed_file_leaves_no_side_files(tmp_path: Path) -> None:
    with FeedbackStore(tmp_path / "feedback.sqlite") as store:
        store.record(SERVED)
    assert [path.name for path in tmp_path.iterdir()] == ["feedback.sqlite"]


def test_a_record_shows_itself_in_one_line() -> None:
    assert repr(SERVED) == "FeedbackRecord('run' 0, qa_simple, served by model::light)"
    assert repr(FAILED) == "FeedbackRecord('run' 1, code_generation, Timeout)"
    assert pickle.loads(pickle.dumps(FULL)) == FULL


# Addresses and passwords


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://me:hunter2@host:port/x", "is not a database URL"),
        ("nonsense+driver://me:hunter2@host/x", "driver is not installed"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_showing_the_password(url: str, message: str) -> None:
    with pytest.raises(FeedbackError, match=message) as caught:
        FeedbackStore(url)
    assert "hunter2" not in str(caught.value)


def test_a_server_that_does_not_answer_is_reported() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(FeedbackError, match="see that the database can be reached") as caught:
        FeedbackStore(f"postgresql://me:hunter2@127.0.0.1:{port}/x?password=hunter2", timeout_s=2)
    assert "hunter2" not in str(caught.value)
    assert f"me:***@127.0.0.1:{port}/x" in str(caught.value)


def test_no_password_is_shown(server: URL) -> None:
    with FeedbackStore(server) as store:
        shown = [repr(store), store.url]
    with pytest.raises(FeedbackError) as caught:
        FeedbackStore(server.set(password=f"{PASSWORD}wrong"))
    for message in (*shown, str(caught.value)):
        assert PASSWORD not in message
        assert "p%40ss" not in message
        assert "multillm:***@127.0.0.1" in message
