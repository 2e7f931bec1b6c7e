"""What multillm adds to LiteLLM: the same mock calls through both, python tests/perf/bench_overhead.py.

Bare: ``acompletion`` of the very `litellm.Router` that the client holds. Ours: ``Orchestrator.handle``, from
splitting to the merged answer. Both alternate in one process, a fresh one for each setting, because every Router
made adds callbacks to all later calls of its process; the ratio is of the medians over the rounds.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path

import multillm as ml
from multillm.backends import BackendStatus

PROMPT = "Explain what a mutex is."
ROUNDS = 15
CALLS = {1: 60, 16: 256, 256: 512}
ANSWER = "A mutex lets one thread at a time into a section of code."


class MockBackend:
    """Every label answered by LiteLLM's own mock."""

    name = "mock"

    async def check(self, pool: ml.Pool) -> BackendStatus:
        """Always ready."""
        return BackendStatus(self.name, True, "LiteLLM's mock")

    async def open(self, pool: ml.Pool) -> ml.ModelClient:
        """A client over mocked deployments."""
        deployments = [ml.Deployment(s.label, s.model, {"mock_response": ANSWER}) for s in pool.registry]
        return ml.ModelClient(deployments, pool.registry, pool.calls.model_copy(update={"max_parallel": 1024}))


async def seconds_each(call: Callable[[], Awaitable[object]], concurrency: int) -> float:
    """Wall time per call with so many at once."""
    total = CALLS[concurrency]

    async def worker(count: int) -> None:
        for _ in range(count):
            await call()
            await asyncio.sleep(0)  # lets LiteLLM's background logging run, on both sides

    started = time.perf_counter()
    await asyncio.gather(*(worker(total // concurrency) for _ in range(concurrency)))
    return (time.perf_counter() - started) / total


async def compare(concurrency: int, orchestrator: ml.Orchestrator, name: str) -> None:
    """Alternate bare and ours, print both medians and their ratio."""
    label = orchestrator.plan(PROMPT)[0].label
    message = [{"role": "user", "content": PROMPT}]
    times: dict[str, list[float]] = {"bare": [], "ours": []}
    async with orchestrator, orchestrator.client as client:
        router = client._router  # type: ignore[attr-defined]

        async def bare() -> object:
            return await router.acompletion(
                model=label, messages=message, max_tokens=1024, temperature=0.3, metadata={}, disable_fallbacks=True
            )

        async def ours() -> object:
            return await orchestrator.handle(PROMPT)

        for _ in range(ROUNDS):
            times["bare"].append(await seconds_each(bare, concurrency))
            times["ours"].append(await seconds_each(ours, concurrency))
    bare_s, ours_s = (statistics.median(times[side]) for side in ("bare", "ours"))
    ratios = sorted(b / a for a, b in zip(times["bare"], times["ours"], strict=True))
    print(
        f"{concurrency:>4} at once, {name:22} bare {bare_s * 1e3:7.3f} ms   ours {ours_s * 1e3:7.3f} ms   "
        f"ratio {ours_s / bare_s:.3f} (pairs {ratios[len(ratios) // 4]:.3f}..{ratios[-len(ratios) // 4]:.3f})"
    )


def setting(concurrency: int, recorded: bool) -> None:
    """One line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        store = ml.FeedbackStore(Path(folder) / "feedback.sqlite") if recorded else None
        name = "recorded in SQLite" if recorded else "nothing recorded"
        asyncio.run(compare(concurrency, ml.Orchestrator(backend=MockBackend(), store=store), name))


def main() -> None:
    """All three concurrencies, without and with the feedback store, each in a process of its own."""
    if len(sys.argv) > 1:
        setting(int(sys.argv[1]), sys.argv[2] == "recorded")
        return
    print(f"Python {sys.version.split()[0]}, litellm {version('litellm')}, {ROUNDS} rounds, median; time per prompt")
    for concurrency in CALLS:
        for recorded in ("plain", "recorded"):
            subprocess.run([sys.executable, __file__, str(concurrency), recorded], check=True)


if __name__ == "__main__":
    main()
