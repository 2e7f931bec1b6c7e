"""What multillm adds to LiteLLM: the same mock calls through both, python tests/perf/bench_overhead.py.

Each side runs in a process of its own, because every `litellm.Router` made adds callbacks to all later calls of
its process; the processes take turns, round by round, and a ratio is the median over the rounds of one side's time
over the bare one's of the same round.

bare      ``litellm.Router(model_list=...)`` as its documentation shows it, with the models of the default pool
declared  ``acompletion`` of the very router that the client holds, which declares local models as free of charge
ours      ``Orchestrator.handle``, from splitting to the merged answer
recorded  the same with the feedback store on disk
"""

import asyncio
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import multillm as ml
from multillm.backends import BackendStatus
from multillm.client.session import quiet_litellm

PROMPT = "Explain what a mutex is, as in case {}."
ANSWER = "A mutex lets one thread at a time into a section of code."
SIDES = ("bare", "declared", "ours", "recorded")
CALLS = {1: 64, 16: 256, 256: 1024}
ROUNDS = 15

Call = Callable[[], Awaitable[object]]


class MockBackend:
    """Every label answered by LiteLLM's own mock."""

    name = "mock"

    async def check(self, pool: ml.Pool) -> BackendStatus:
        """Always ready."""
        return BackendStatus(self.name, True, "LiteLLM's mock")

    async def open(self, pool: ml.Pool) -> ml.ModelClient:
        """A client over mocked deployments."""
        deployments = [ml.Deployment(s.label, s.model, {"mock_response": ANSWER}, local=True) for s in pool.registry]
        return ml.ModelClient(deployments, pool.registry, pool.calls.model_copy(update={"max_parallel": 1024}))


@asynccontextmanager
async def opened(side: str, folder: Path) -> AsyncIterator[Call]:
    """The call that a side makes."""
    prompts = (PROMPT.format(number) for number in itertools.count())
    store = ml.FeedbackStore(folder / "feedback.sqlite") if side == "recorded" else None
    orchestrator = ml.Orchestrator(backend=MockBackend(), store=store)
    label = orchestrator.plan(next(prompts))[0].label
    if side == "bare":
        yield acompletion(plain_router(orchestrator.pool), label, prompts)
        return
    async with orchestrator, orchestrator.client as client:
        if side == "declared":
            yield acompletion(client._router, label, prompts)  # type: ignore[attr-defined]
        else:
            yield lambda: orchestrator.handle(next(prompts))


def plain_router(pool: ml.Pool) -> Any:
    """LiteLLM's router as its documentation makes one."""
    models = [
        {"model_name": spec.label, "litellm_params": {"model": spec.model, "mock_response": ANSWER}}
        for spec in pool.registry
    ]
    return quiet_litellm().Router(model_list=models)


def acompletion(router: Any, label: str, prompts: Iterator[str]) -> Call:
    """The bare call."""
    return lambda: router.acompletion(
        model=label, messages=[{"role": "user", "content": next(prompts)}], max_tokens=1024, temperature=0.3
    )


async def seconds_each(call: Call, concurrency: int) -> tuple[float, float]:
    """Wall and CPU time per call with so many at once."""
    total = CALLS[concurrency]

    async def worker(count: int) -> None:
        for _ in range(count):
            await call()
            await asyncio.sleep(0)  # lets LiteLLM's background logging run, on every side

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker(total // concurrency) for _ in range(concurrency)))
    return (time.perf_counter() - wall) / total, (time.process_time() - cpu) / total


async def serve(side: str, concurrency: int) -> None:
    """One side in this process: a round for every line read."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(side, Path(folder)) as call:
            await seconds_each(call, concurrency)
            print("ready", flush=True)
            for _ in sys.stdin:
                print(*await seconds_each(call, concurrency), flush=True)


def compare(concurrency: int) -> None:
    """Let the sides take turns, print their medians and ratios."""
    with ExitStack() as stack:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        command = [sys.executable, __file__]
        sides = {
            side: stack.enter_context(subprocess.Popen([*command, side, str(concurrency)], **pipes)) for side in SIDES
        }
        for process in sides.values():
            answer(process)
        rounds = [{side: ask(process) for side, process in sides.items()} for _ in range(ROUNDS)]
    for side in SIDES:
        wall, cpu = (statistics.median(times[side][kind] for times in rounds) for kind in (0, 1))
        ratios = [[times[side][kind] / times["bare"][kind] for times in rounds] for kind in (0, 1)]
        spread = statistics.quantiles(ratios[0])
        print(
            f"{concurrency:>4} at once  {side:9} {wall * 1e3:7.3f} ms wall, {cpu * 1e3:7.3f} ms CPU   "
            f"of bare: {statistics.median(ratios[0]):.3f} (quartiles {spread[0]:.3f}..{spread[2]:.3f}), "
            f"CPU {statistics.median(ratios[1]):.3f}"
        )


def ask(process: Any) -> list[float]:
    """A round of one side."""
    process.stdin.write("go\n")
    process.stdin.flush()
    return [float(seconds) for seconds in answer(process).split()]


def answer(process: Any) -> str:
    """What a side says."""
    line: str = process.stdout.readline()
    if not line:
        raise SystemExit("a side ended before its time; its error stands above")
    return line


def main() -> None:
    """All concurrencies, or one side of one of them."""
    if len(sys.argv) > 1:
        asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
        return
    print(f"Python {sys.version.split()[0]}, litellm {version('litellm')}, {ROUNDS} rounds, medians; time per prompt")
    for concurrency in CALLS:
        compare(concurrency)


if __name__ == "__main__":
    main()
