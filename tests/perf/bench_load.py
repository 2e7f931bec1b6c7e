"""Many prompts at once against a server on which a fifth of all calls fails: python tests/perf/bench_load.py.

The server runs in a process of its own. Printed are what became of every prompt, row and request, what memory
did, and what multillm adds to a sub-task that is served at its first call: the time of the whole sub-task less the
time inside LiteLLM's router, which at this concurrency is mostly the wait for the event loop's next turn. The same
prompts are then played with no faults at a concurrency of 1, where nothing waits for anything.
"""

import argparse
import asyncio
import contextvars
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

import multillm as ml
from multillm.client.session import quiet_litellm
from multillm.testing import FaultServer, Script
from tests import load

_INSIDE: contextvars.ContextVar[list[float] | None] = contextvars.ContextVar("_INSIDE", default=None)


def timed_calls() -> dict[int, list[float]]:
    """Make clients keep the time that each call of theirs spent inside LiteLLM, by the identity of its request."""
    spent: dict[int, list[float]] = {}
    router, plain, whole = quiet_litellm().Router, quiet_litellm().Router.acompletion, ml.ModelClient.complete

    async def complete(self: ml.ModelClient, request: ml.CompletionRequest) -> ml.Completion:
        spent[id(request)] = [0.0]
        _INSIDE.set(spent[id(request)])
        return await whole(self, request)

    async def acompletion(self: Any, *args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return await plain(self, *args, **kwargs)
        finally:
            if (inside := _INSIDE.get()) is not None:
                inside[0] += time.perf_counter() - started

    router.acompletion = acompletion
    ml.ModelClient.complete = complete  # type: ignore[method-assign]
    return spent


def added_s(result: ml.RunResult, spent: dict[int, list[float]]) -> list[float]:
    """What we added to each call that one attempt answered."""
    answered = [(sub, sub.completion) for sub in result.results if sub.completion and len(sub.completion.attempts) == 1]
    return [sub.ended_s - sub.started_s - spent[id(done.request)][0] for sub, done in answered]


@contextmanager
def server(faulty: bool) -> Iterator[tuple[str, Any]]:
    """The server in another process: its address, and what says how it went."""
    command = [sys.executable, __file__, "--serve", "faulty" if faulty else "sound"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip(), lambda: json.loads(process.communicate()[0])


def serve(kind: str) -> None:
    """Serve until standard input ends, then print how often each fault was met."""
    scripts = {name: load.script() if kind == "faulty" else Script() for name in load.MODELS}
    with FaultServer(scripts) as running:
        print(running.base_url, flush=True)
        sys.stdin.read()
        faults = Counter({str(fault or "none"): 0 for _, fault in running.played})
        for (_, fault), count in running.played.items():
            faults[str(fault or "none")] += count
    print(json.dumps(faults))


async def play(count: int, concurrency: int, faulty: bool, folder: Path, spent: dict[int, list[float]]) -> None:
    """One run, with its figures."""
    process = psutil.Process()
    added: list[float] = []
    memory: list[float] = []
    results: Counter[str] = Counter()
    indices: list[int] = []
    misfits = 0
    store = ml.FeedbackStore(folder / f"{faulty}.sqlite")
    with server(faulty) as (address, ended):
        backend = ml.OllamaBackend(address, {})
        orchestrator = ml.Orchestrator(load.pool(timeout_s=3.0), backend, store=store)
        async with orchestrator:
            async for _ in ml.handle_many(orchestrator, ["Define entropy."], 1):
                pass  # LiteLLM imports for a second at the first call
            wall, cpu = time.perf_counter(), time.process_time()
            async for done in ml.handle_many(orchestrator, load.prompts(count), concurrency):
                indices.append(done.index)
                assert done.result is not None
                results.update(sub.status for sub in done.result.results)
                added += added_s(done.result, spent)
                misfits += faulty and not load.answers_fit(done.result)
                if len(indices) % max(1, count // 10) == 0:
                    gc.collect()
                    memory.append(process.memory_info().rss / 2**20)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        faults = ended()
    rows = store.frame().iloc[1:]
    calls = sum(faults.values()) - 1
    shares = statistics.quantiles(added, n=100)
    each_once = rows.groupby(["run_id", "subtask_index"]).size().eq(1).all()
    print(
        f"\n{count} prompts, {concurrency} at once, {'a fifth of all calls fails' if faulty else 'no faults'}: "
        f"{wall:.1f} s, {count / wall:.1f} prompts/s, {cpu / count * 1e3:.1f} ms CPU per prompt"
    )
    print(f"prompts accounted for: {len(set(indices))} of {count}, each once: {len(indices) == len(set(indices))}")
    print(f"sub-tasks: {dict(results)}; answers that are not their own: {misfits}")
    print(
        f"rows: {len(rows)}, each once: {each_once}; attempts in them {rows['attempts'].sum()}, requests served {calls}"
    )
    print(f"faults: {dict(sorted(faults.items()))}, {1 - faults['none'] / (calls + 1):.1%}")
    print(f"errors: {rows['error_type'].value_counts().to_dict()}; fallbacks: {rows['fallback_reason'].notna().sum()}")
    print("RSS after each tenth, MiB: " + ", ".join(f"{size:.0f}" for size in memory))
    print(
        f"added to a sub-task served at once (n = {len(added)}): p50 {shares[49] * 1e3:.2f} ms, "
        f"p95 {shares[94] * 1e3:.2f} ms, p99 {shares[98] * 1e3:.2f} ms"
    )


async def traced(count: int, concurrency: int) -> None:
    """Objects of Python that stay; slower, so fewer prompts."""
    with server(faulty=True) as (address, ended):
        orchestrator = ml.Orchestrator(load.pool(timeout_s=5.0), ml.OllamaBackend(address, {}), store=None)
        async with orchestrator:
            sizes = []
            tracemalloc.start()
            for _round in range(4):
                async for _ in ml.handle_many(orchestrator, load.prompts(count // 4), concurrency):
                    pass
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0] / 2**20)
            tracemalloc.stop()
        ended()
    print(f"\nPython objects after each quarter of {count} prompts, MiB: " + ", ".join(f"{size:.2f}" for size in sizes))


def main() -> None:
    """Serve, or play."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", choices=["faulty", "sound"])
    parser.add_argument("--prompts", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=64)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
        return
    print(
        f"Python {sys.version.split()[0]}, litellm {version('litellm')}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}; faults by a generator with seed 0"
    )
    spent = timed_calls()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(given.prompts, given.concurrency, True, Path(folder), spent))
        asyncio.run(play(max(10, given.prompts // 10), 1, False, Path(folder), spent))
    asyncio.run(traced(given.prompts // 4, given.concurrency))


if __name__ == "__main__":
    main()
