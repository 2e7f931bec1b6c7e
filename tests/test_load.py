"""Many prompts at once: each accounted for once, nothing piles up, whatever the server does."""

import asyncio
import gc
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

import multillm as ml
from multillm.testing import FaultServer
from tests import load
from tests.contracts import own_threads, sockets
from tests.faults import busy
from tests.scripted import ScriptedBackend, echo

PROMPTS = 200


async def test_every_prompt_is_accounted_for_once_though_a_fifth_of_all_calls_goes_wrong(tmp_path: Path) -> None:
    store = ml.FeedbackStore(tmp_path / "feedback.sqlite")
    threads, open_before = own_threads(), sockets()
    with FaultServer({name: load.script() for name in load.MODELS}) as server:
        pool = load.pool(timeout_s=0.6 * busy())
        orchestrator = ml.Orchestrator(pool, ml.OllamaBackend(server.base_url, {}), store=store)
        done = [run async for run in ml.handle_many(orchestrator, load.prompts(PROMPTS), concurrency=32)]
        assert await asyncio.to_thread(server.wait_until_unconnected)
        faults = sum(count for (_, fault), count in server.played.items() if fault)
        calls = server.played.total()
    results = [run.result for run in done if run.result]
    assert sorted(run.index for run in done) == list(range(PROMPTS))
    assert len(results) == PROMPTS
    assert all(load.answers_fit(result) for result in results)
    assert sum(len(result.failed) for result in results) <= PROMPTS * 2 * 0.01

    rows = store.frame()
    assert Counter(zip(rows["run_id"], rows["subtask_index"], strict=True)) == {
        (result.run_id, index): 1 for result in results for index in range(2)
    }
    assert rows["attempts"].sum() == calls
    assert faults / calls == pytest.approx(0.2, abs=0.07)
    assert rows["error_type"].notna().sum() == sum(len(result.failed) for result in results)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert own_threads() == threads
    assert len(sockets() - open_before) <= 1


async def test_a_server_that_slows_down_as_load_grows_and_turns_callers_away_loses_no_prompt() -> None:
    crowded = load.script(prompt_s=0.02)
    crowded.rates, crowded.slots, crowded.queue = {}, 1, 3
    with FaultServer(dict.fromkeys(load.MODELS, crowded)) as server:
        orchestrator = ml.Orchestrator(load.pool(5.0 * busy()), ml.OllamaBackend(server.base_url, {}), store=None)
        done = [run async for run in ml.handle_many(orchestrator, load.prompts(20), concurrency=20)]
    results = [run.result for run in done if run.result]
    ended = [sub.completion or sub.error for result in results for sub in result.results]
    told = [each for each in ended if isinstance(each, ml.Completion | ml.CompletionError)]
    attempts = [attempt for each in told for attempt in each.attempts]
    assert sorted(run.index for run in done) == list(range(20))
    assert len(told) == 40
    assert all(load.answers_fit(result) for result in results)
    assert max(server.peak.values()) == 4
    assert len(attempts) == server.played.total()
    assert sum("busy" in (attempt.error or "") for attempt in attempts) == len(attempts) - len(
        [each for each in told if isinstance(each, ml.Completion)]
    )
    assert max(each.queue_s or 0.0 for each in told if isinstance(each, ml.Completion)) > 0.02


async def test_memory_does_not_grow_with_the_prompts() -> None:
    orchestrator = ml.Orchestrator(backend=ScriptedBackend(echo), store=None)
    orchestrator.client.backend.requests = _Forgetful()  # type: ignore[union-attr]  # the script's own log

    async def grown(count: int) -> int:
        async for _ in ml.handle_many(orchestrator, load.prompts(count), concurrency=16):
            pass
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        await grown(150)
        before = await grown(150)  # its words are known now; the classifier remembers 50,000 at the most
        for _ in range(4):
            after = await grown(150)
    finally:
        tracemalloc.stop()
    assert after - before < 200_000


class _Forgetful(list[ml.CompletionRequest]):
    def append(self, item: ml.CompletionRequest) -> None:
        """Keep nothing."""


async def test_a_slow_consumer_slows_the_runs_down() -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "Explain what a mutex is."

    backend = ScriptedBackend(echo)
    orchestrator = ml.Orchestrator(backend=backend, store=None)
    async with aclosing(ml.handle_many(orchestrator, endless(), concurrency=4)) as runs:
        for fetched in range(1, 6):
            await anext(runs)
            await asyncio.sleep(0.02)
            assert taken <= fetched + 4
    assert backend.most_running <= 4
    assert (backend.opened, backend.closed) == (1, 1)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_prompt_that_cannot_be_planned_does_not_stop_the_others() -> None:
    orchestrator = ml.Orchestrator(backend=ScriptedBackend(echo), store=None)
    prompts = ["Explain what a mutex is.", "  ", "word " * 200_000, "Define entropy."]
    done = {run.index: run async for run in ml.handle_many(orchestrator, prompts, concurrency=2)}
    assert [type(done[n].error) for n in range(4)] == [type(None), ml.InputError, ml.RoutingError, type(None)]
    assert [done[n].result is None for n in range(4)] == [False, True, True, False]
    assert done[1].prompt == "  "


async def test_a_failing_backend_ends_all_runs_with_its_error() -> None:
    orchestrator = ml.Orchestrator(backend=ml.OllamaBackend("http://127.0.0.1:9", {}), store=None)
    with pytest.raises(ml.BackendUnavailable):
        async for _ in ml.handle_many(orchestrator, load.prompts(5), concurrency=2):
            pass
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("concurrency", [0, -1])
async def test_a_concurrency_below_one_is_refused(concurrency: int) -> None:
    orchestrator = ml.Orchestrator(backend=ScriptedBackend(echo), store=None)
    with pytest.raises(ml.ConfigurationError, match="from 1"):
        await anext(ml.handle_many(orchestrator, ["Define entropy."], concurrency))
