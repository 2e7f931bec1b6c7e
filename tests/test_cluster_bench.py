"""A benchmark spread over a Dask cluster: the rows of one process, nothing asked twice, whoever dies."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from distributed import Client

import multillm as ml
from multillm.backends import read_recording
from multillm.bench.kept import JOURNAL, MANIFEST
from multillm.bench.relay import SharesProgress
from multillm.progress import CallProgress
from multillm.testing import Fault, FaultServer, Script
from tests.cluster import local_cluster
from tests.pools import small_pool
from tests.test_bench import TIMES, sums

LABELS = ("light", "heavy")
COUNT = 24


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with local_cluster() as running:
        yield running


def answer(prompt: str) -> str:
    """The sum asked for."""
    return str(sum(int(word.strip("?")) for word in prompt.split() if word.strip("?").isdigit()))


def server(delay_s: float = 0.0, **models: Script) -> FaultServer:
    return FaultServer({name: Script(answer=answer, prompt_s=delay_s) for name in LABELS} | models)


def asked(*servers: FaultServer) -> list[tuple[str, str]]:
    """Model and prompt of every call but the warm-ups."""
    told = [(call["model"], call["messages"][-1]["content"]) for each in servers for call in each.requests]
    return [(model, prompt) for model, prompt in told if prompt.startswith("What")]


def run(backend: Any, **more: Any) -> ml.Benchmark:
    return ml.run_benchmark(small_pool(*LABELS), sums(COUNT), backend, progress=False, **more)


def backends(*servers: FaultServer) -> list[ml.OllamaBackend]:
    return [ml.OllamaBackend(each.base_url, {}) for each in servers]


def measured(benchmark: ml.Benchmark) -> pd.DataFrame:
    """What does not depend on the clock; each server has a warm-up of its own."""
    rows = benchmark.rows[benchmark.rows["phase"] == "measured"]
    return rows.drop(columns=TIMES).reset_index(drop=True)


def test_two_servers_share_the_prompts_and_the_rows_are_those_of_one(client: Client, tmp_path: Path) -> None:
    with server() as one, server() as two:
        alone = run(backends(one)[0])
        one.requests.clear()
        spread = run(backends(one, two), client=client, out=tmp_path)
        pd.testing.assert_frame_equal(measured(spread), measured(alone))
        assert spread.figures["quality"].tolist() == alone.figures["quality"].tolist()
        assert len(asked(one)) == len(asked(two)) == COUNT
        assert len(set(asked(one, two))) == 2 * COUNT
        assert spread.manifest.servers == 2
        assert "1 at once on each of 2 servers" in spread.provenance()
        assert len(read_recording(spread.recording)) == 2 * COUNT + 2
        again = run(backends(one, two), client=client, out=tmp_path)
        pd.testing.assert_frame_equal(again.rows, spread.rows)
        assert len(asked(one, two)) == 2 * COUNT
        with pytest.raises(ml.BenchmarkError, match="servers was 2 and is 1"):
            run(backends(one), client=client, out=tmp_path)
    replayed = ml.run_benchmark(small_pool(*LABELS), sums(COUNT), f"replay:{spread.recording}", progress=False)
    assert replayed.figures["quality"].tolist() == spread.figures["quality"].tolist()


def test_a_run_begun_without_a_cluster_goes_on_with_one_and_keeps_what_it_has(client: Client, tmp_path: Path) -> None:
    journal = tmp_path / JOURNAL
    with server() as one, server() as two:
        run(backends(one)[0], out=tmp_path)
        before = journal.read_bytes().splitlines()[:COUNT]
        journal.write_bytes(b"\n".join(before) + b"\n" + b'{"key": "cut sh')
        one.requests.clear()
        (tmp_path / MANIFEST).unlink()  # as where only the answers are kept
        with pytest.warns(RuntimeWarning, match="a crash cut it short"):
            spread = run(backends(one, two), client=client, out=tmp_path)
        assert journal.read_bytes().splitlines()[:COUNT] == before
        assert len(asked(one, two)) == len(set(asked(one, two))) == 2 * COUNT - (COUNT - 1)  # one line is a warm-up
        assert len(read_recording(journal)) == 2 * COUNT + 2
        assert journal.stat().st_mode & 0o077 == 0
        for path in tmp_path.glob("answers-*"):
            path.unlink()  # the journal alone holds every answer
        again = run(backends(one, two), client=client, out=tmp_path)
        assert len(asked(one, two)) == COUNT + 1
    pd.testing.assert_frame_equal(measured(again), measured(spread))


def test_a_worker_killed_in_the_middle_loses_nothing_and_nothing_is_asked_twice(client: Client, tmp_path: Path) -> None:
    workers = client.scheduler_info(n_workers=-1)["workers"]
    victim = int(client.run(os.getpid)[sorted(workers)[0]])

    def kill() -> None:
        journal = tmp_path / "answers-1-of-2.jsonl"
        while not journal.exists() or journal.read_bytes().count(b"\n") < COUNT // 2:
            time.sleep(0.005)
        os.kill(victim, signal.SIGKILL)

    with server(delay_s=0.05) as one, server(delay_s=0.05) as two:
        killer = threading.Thread(target=kill)
        killer.start()
        spread = run(backends(one, two), client=client, out=tmp_path)
        killer.join()
        again = [call for call in asked(one, two) if asked(one, two).count(call) > 1]
        held = read_recording(spread.recording)
    assert len(set(again)) <= 1  # at most the call that was on its way when its worker died
    assert len(held) == 2 * COUNT + 2
    with server() as one:
        pd.testing.assert_frame_equal(measured(spread), measured(run(backends(one)[0])))
    assert victim not in client.run(os.getpid).values()


async def test_a_cancelled_run_stops_its_workers_and_goes_on_later(client: Client, tmp_path: Path) -> None:
    def lines(name: str) -> set[bytes]:
        path = tmp_path / name
        return set(path.read_bytes().splitlines()) if path.is_file() else set()

    def begin() -> asyncio.Task[ml.Benchmark]:
        pool = small_pool(*LABELS)
        return asyncio.create_task(
            ml.run_benchmark_async(pool, sums(COUNT), backends(one, two), client=client, out=tmp_path, progress=False)
        )

    with server(delay_s=0.3) as one, server(delay_s=0.3) as two:
        running = begin()
        while len(lines("answers-1-of-2.jsonl")) < 4 or len(lines("answers-2-of-2.jsonl")) < 4:
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        stopped = asked(one, two)
        await asyncio.sleep(1.0)
        assert asked(one, two) == stopped
        assert len(stopped) < 2 * COUNT
        assert lines(JOURNAL) == lines("answers-1-of-2.jsonl") | lines("answers-2-of-2.jsonl")
        for each in (one, two):
            each.scripts |= dict.fromkeys(LABELS, Script(answer=answer))
        await begin()
        repeated = len(asked(one, two)) - len(set(asked(one, two)))
        assert repeated <= 2  # at most the call that was on its way to each server
    assert len(read_recording(tmp_path / JOURNAL)) == 2 * COUNT + 2


def test_a_share_that_starts_again_is_counted_once() -> None:
    told: list[tuple[int, ...]] = []

    class Counted(CallProgress):
        def expect(self, answers: int) -> None:
            told.append((answers,))

        def count(self, tokens: int, replayed: bool, failed: bool) -> None:
            told.append((tokens, replayed, failed))

    shares = SharesProgress(Counted(shown=False))

    def tell(share: str, number: int, **figures: int) -> None:
        shares.take((0.0, {"share": share, "number": number, **figures}))

    tell("one", 0, answers=2)
    tell("two", 0, answers=1)
    tell("one", 1, tokens=5, replayed=False, failed=False)
    tell("one", 0, answers=2)  # its worker was lost
    tell("one", 1, tokens=5, replayed=True, failed=False)
    tell("one", 2, tokens=7, replayed=False, failed=True)
    tell("two", 1, tokens=9, replayed=False, failed=False)
    assert told == [(2,), (1,), (5, False, False), (7, False, True), (9, False, False)]


def test_a_server_that_is_gone_stops_the_run_which_goes_on_when_it_is_back(client: Client, tmp_path: Path) -> None:
    with server() as one, server(light=Script(rates={Fault.BROKEN: 1.0})) as two:
        with pytest.raises(ml.BackendUnavailable, match="calls to light failed"):
            run(backends(one, two), client=client, out=tmp_path)
        assert len(asked(one)) == COUNT  # the other share was answered to its end
        two.scripts["light"] = Script(answer=answer)
        spread = run(backends(one, two), client=client, out=tmp_path)
        assert len(asked(one)) == COUNT
    assert spread.figures.set_index(["model", "task_type"]).loc[("heavy", "all"), "answers"] == COUNT


def test_what_cannot_be_spread_is_refused(client: Client, tmp_path: Path) -> None:
    with server() as one, server() as two:
        with pytest.raises(ml.ConfigurationError, match="no client"):
            run(backends(one, two))
        with pytest.raises(ml.ConfigurationError, match="backend is empty"):
            run([], client=client)
        with pytest.raises(ml.BackendUnavailable):
            run([ml.OllamaBackend("http://127.0.0.1:9", {}), *backends(one)], client=client)
    with FaultServer({"light": Script(answer="1")}) as poor, server() as rich:
        mixed = backends(rich, poor)
        with pytest.raises(ml.MultillmError, match="heavy"):
            run(mixed, client=client, out=tmp_path / "never")
    assert not (tmp_path / "never" / MANIFEST).exists()
    assert not (tmp_path / "never" / JOURNAL).exists()


def test_errors_and_backends_travel_and_credentials_do_not() -> None:
    attempt = ml.Attempt("light", "ollama_chat/light", "boom")
    for kind in (ml.CompletionError, ml.DeadlineExceeded, ml.ContextOverflow):
        error = pickle.loads(pickle.dumps(kind("no answer", label="light", attempts=[attempt])))
        assert type(error) is kind
        assert (str(error), error.label, error.attempts) == ("no answer", "light", (attempt,))
    secret = {"OPENAI_API_KEY": "sk-very-secret", "OLLAMA_BASE_URL": "http://host:1"}
    for backend in (ml.OllamaBackend(environ=secret), ml.EmbeddedBackend("model.gguf", secret)):
        packed = pickle.dumps(backend)
        assert b"secret" not in packed
        assert repr(pickle.loads(packed)) == repr(backend)
