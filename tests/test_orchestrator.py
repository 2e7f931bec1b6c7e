"""A run from prompt to merged answer: order, concurrency, failure, cancellation, record."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import multillm as ml
from tests.scripted import Answer, ScriptedBackend, echo

TWO = "Explain what a mutex is AND implement a spinlock in C."
CHAIN = "Write a function that parses dates and then write tests for it."


class Words:
    """Splitter that makes every word a sub-task; `needs` says which word needs which."""

    name = "words"

    def __init__(self, needs: dict[str, str]) -> None:
        self.needs = needs

    def split(self, prompt: str) -> list[ml.SubTask]:
        words = prompt.split()
        return [
            ml.SubTask(word, 2 * n, 2 * n + 1, (words.index(self.needs[word]),) if word in self.needs else ())
            for n, word in enumerate(words)
        ]


@pytest.fixture
def store(tmp_path: Path) -> ml.FeedbackStore:
    return ml.FeedbackStore(tmp_path / "feedback.sqlite")


async def test_independent_sub_tasks_run_at_once_and_come_back_in_prompt_order(store: ml.FeedbackStore) -> None:
    backend = ScriptedBackend(lambda request: (0.05 if "mutex" in str(request.messages) else 0.01, "done"))
    result = await ml.Orchestrator(backend=backend, store=store).handle(TWO)
    assert backend.most_running == 2
    assert [r.index for r in result.results] == [0, 1]


async def test_a_dependent_sub_task_waits_for_what_it_needs_and_sees_it(store: ml.FeedbackStore) -> None:
    backend = ScriptedBackend(lambda request: (0.01, f"made {len(request.messages[0]['content'])}"))
    result = await ml.Orchestrator(backend=backend, store=store).handle(CHAIN)
    assert backend.most_running == 1
    first = result.results[0].completion
    assert first is not None
    assert first.text in backend.requests[1].messages[0]["content"]
    assert result.results[1].started_s >= result.results[0].ended_s


async def test_wall_time_is_the_critical_path(store: ml.FeedbackStore) -> None:
    backend = ScriptedBackend(lambda _: (0.2, "done"))
    splitter = Words({"d": "c", "b": "d"})
    result = await ml.Orchestrator(backend=backend, store=store, splitter=splitter).handle("a b c d e")
    assert 600 <= result.total_ms < 900  # three in a row; all five would take 1000
    assert backend.most_running == 3


def test_sub_tasks_that_wait_for_each_other_are_refused(store: ml.FeedbackStore) -> None:
    orchestrator = ml.Orchestrator(backend=ScriptedBackend(echo), store=store, splitter=Words({"a": "b", "b": "a"}))
    with pytest.raises(ml.ConfigurationError, match="wait for each other"):
        orchestrator.plan("a b")


async def test_a_failure_is_typed_marked_and_recorded_and_never_an_answer(store: ml.FeedbackStore) -> None:
    def script(request: ml.CompletionRequest) -> tuple[float, Answer]:
        return 0, (ml.CompletionTimeout("no answer", label=request.label) if "mutex" in str(request.messages) else "ok")

    result = await ml.Orchestrator(backend=ScriptedBackend(script), store=store).handle(TWO)
    failed, answered = result.results
    assert isinstance(failed.error, ml.CompletionTimeout)
    assert failed.completion is None
    assert "**Not answered.** no answer" in result.merged
    assert answered.status == "ok"
    assert result.routing_table()["status"].tolist() == ["failed", "ok"]
    assert store.frame()["error_type"].dropna().tolist() == ["CompletionTimeout"]
    assert store.summary().failed_calls == 1


async def test_what_needs_a_failed_answer_is_not_called(store: ml.FeedbackStore) -> None:
    backend = ScriptedBackend(lambda request: (0, ml.EmptyCompletion("nothing came", label=request.label)))
    result = await ml.Orchestrator(backend=backend, store=store).handle(CHAIN)
    assert len(backend.requests) == 1
    assert isinstance(result.results[1].error, ml.UpstreamFailed)
    assert len(store.frame()) == 2


async def test_a_truncated_answer_is_marked(store: ml.FeedbackStore) -> None:
    backend = ScriptedBackend(lambda _: (0, "```python\nx = 1"), finish_reason="length")
    result = await ml.Orchestrator(backend=backend, store=store).handle(TWO)
    assert {r.status for r in result.results} == {"truncated"}
    assert "```python\nx = 1\n```\n\n> **Cut short** at the budget of 1024 tokens." in result.merged


async def test_a_cancelled_run_leaves_no_task_and_loses_no_row(store: ml.FeedbackStore) -> None:
    backend = ScriptedBackend(lambda request: (0.0 if "mutex" in str(request.messages) else 30.0, "done"))
    running = asyncio.create_task(ml.Orchestrator(backend=backend, store=store).handle(TWO))
    await asyncio.sleep(0.2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert (backend.opened, backend.closed) == (1, 1)
    assert sorted(store.frame()["error_type"].fillna("none")) == ["Cancelled", "none"]


@pytest.mark.parametrize("prompt", [CHAIN, TWO])
async def test_a_store_that_fails_after_the_answer_is_told_as_what_it_is(store: ml.FeedbackStore, prompt: str) -> None:
    def answer(request: ml.CompletionRequest) -> tuple[float, Answer]:
        store.close()
        return 0.0, "done"

    orchestrator = ml.Orchestrator(backend=ScriptedBackend(answer), store=store)
    with pytest.raises(ml.FeedbackError, match="the store is closed"):
        await orchestrator.handle(prompt)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_store_that_fails_does_not_hold_up_a_cancellation(
    store: ml.FeedbackStore, caplog: pytest.LogCaptureFixture
) -> None:
    running = asyncio.create_task(
        ml.Orchestrator(backend=ScriptedBackend(lambda _: (30.0, "late")), store=store).handle(TWO)
    )
    await asyncio.sleep(0.2)
    store.close()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [r.levelname for r in caplog.records if "is not recorded" in r.message] == ["WARNING"] * 2


class LongContext:
    """One sub-task with more context than any window holds."""

    name = "long context"

    def split(self, prompt: str) -> list[ml.SubTask]:
        return [ml.SubTask(prompt, 0, len(prompt), (), "word " * 1_000_000)]


def test_what_is_shared_counts_towards_the_context_window() -> None:
    with pytest.raises(ml.RoutingError, match=r"needs 1,250,\d+ tokens of context"):
        ml.Orchestrator(splitter=LongContext(), store=None).plan("Explain a mutex.")


async def test_handle_sync_works_inside_a_running_event_loop(store: ml.FeedbackStore) -> None:
    threads = threading.active_count()
    result = ml.Orchestrator(backend=ScriptedBackend(echo), store=store).handle_sync(TWO)
    assert len(result.results) == 2
    assert threading.active_count() == threads


async def test_concurrent_runs_share_one_client_and_close_it_once(store: ml.FeedbackStore) -> None:
    backend = ScriptedBackend(lambda _: (0.02, "done"))
    orchestrator = ml.Orchestrator(backend=backend, store=store)
    await asyncio.gather(*(orchestrator.handle(TWO) for _ in range(20)))
    assert (backend.opened, backend.closed) == (1, 1)
    async with orchestrator:
        await orchestrator.handle(TWO)
        await orchestrator.handle(TWO)
    assert (backend.opened, backend.closed) == (2, 2)
    assert len(store.frame()) == 44


@pytest.mark.parametrize("prompt", ["", " \n\t", b"bytes", None])
async def test_a_prompt_with_nothing_in_it_is_refused(prompt: str, store: ml.FeedbackStore) -> None:
    with pytest.raises(ml.InputError):
        await ml.Orchestrator(backend=ScriptedBackend(echo), store=store).handle(prompt)


def test_the_routing_table_has_typed_columns_and_keeps_the_missing_missing(store: ml.FeedbackStore) -> None:
    result = ml.Orchestrator(backend=ScriptedBackend(echo), store=store).handle_sync(TWO)
    table = result.routing_table()
    assert table.loc[1, "sub_task"] == "Explain what a mutex is"
    assert table["cost_usd"].isna().all()
    assert str(table["output_tokens"].dtype) == "Int64"
    assert result.cost_units == pytest.approx(0.02)


def test_a_result_shows_itself_with_markup_escaped(store: ml.FeedbackStore) -> None:
    backend = ScriptedBackend(lambda _: (0, "<script>alert(1)</script>"))
    result = ml.Orchestrator(backend=backend, store=store).handle_sync("Explain <b>bold</b> tags")
    shown = result._repr_html_()
    assert "<script>" not in shown
    assert "<b>" not in shown
    assert result.merged == "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"temperature": 5}, "temperature is 5: Input should be less than or equal to 2"),
        ({"max_output_tokens": 0}, "max_output_tokens is 0"),
        ({"seed": "x"}, "seed is 'x'"),
        ({"heat": 1}, "heat is 1"),
        ({"history": [{"role": "user"}]}, r"history\.0\.content"),
        ({"history": [{"role": "user", "content": None}]}, r"history\.0\.content is None"),
        (
            {"history": [{"role": "tool", "content": "4"}]},
            r"history\.0\.role is 'tool'.*'user' or 'assistant'",
        ),
        ({"history": [{"role": "user", "content": "x", "name": "me"}]}, r"history\.0\.name is 'me'"),
    ],
)
def test_options_that_cannot_be_heeded_are_refused_by_name(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ml.InputError, match=words):
        ml.RunOptions(**options)


async def test_the_history_is_what_every_model_sees_first(store: ml.FeedbackStore) -> None:
    backend = ScriptedBackend(echo)
    before = [{"role": "system", "content": "Answer in French."}, {"role": "assistant", "content": "Un verrou."}]
    await ml.Orchestrator(backend=backend, store=store).handle(TWO, ml.RunOptions(history=before))
    assert [list(request.messages[:2]) for request in backend.requests] == [before, before]


class Slow(Words):
    """Splitter that takes its time, as one that asks a model does."""

    def split(self, prompt: str) -> list[ml.SubTask]:
        time.sleep(0.5)
        return super().split(prompt)


async def test_a_prompt_that_takes_long_to_split_holds_up_nothing_else(store: ml.FeedbackStore) -> None:
    orchestrator = ml.Orchestrator(backend=ScriptedBackend(echo), store=store, splitter=Slow({}))
    runs = [asyncio.create_task(orchestrator.handle("a b")) for _ in range(3)]
    longest, since = 0.0, time.perf_counter()
    started = since
    while not all(run.done() for run in runs):
        await asyncio.sleep(0.01)
        now = time.perf_counter()
        longest, since = max(longest, now - since), now
    assert longest < 0.3
    assert since - started < 1.2  # one after the other they would take 1.5
    assert [result.failed for result in await asyncio.gather(*runs)] == [()] * 3


async def test_a_run_is_left_at_once_while_its_prompt_is_being_split(store: ml.FeedbackStore) -> None:
    orchestrator = ml.Orchestrator(backend=ScriptedBackend(echo), store=store, splitter=Slow({}))
    started = time.perf_counter()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await orchestrator.handle("a b")
    assert time.perf_counter() - started < 0.4
