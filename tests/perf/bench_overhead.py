"""What multillm adds to LiteLLM: the same mock calls through both, python tests/perf/bench_overhead.py.

Bare: ``litellm.Router.acompletion``. Ours: ``Orchestrator.handle``, from splitting to the merged answer.
Both alternate in one process, over the same deployments; the ratio is of the medians over the rounds.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

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
    from litellm.router import Router

    label = orchestrator.plan(PROMPT)[0].label
    models = [
        {"model_name": spec.label, "litellm_params": {"model": spec.model, "mock_response": ANSWER}}
        for spec in orchestrator.pool.registry
    ]
    router = Router(model_list=models, num_retries=2, timeout=120)
    message: Any = [{"role": "user", "content": PROMPT}]

    async def bare() -> object:
        return await router.acompletion(
            model=label, messages=message, max_tokens=1024, temperature=0.3, metadata={}, disable_fallbacks=True
        )

    async def ours() -> object:
        return await orchestrator.handle(PROMPT)

    times: dict[str, list[float]] = {"bare": [], "ours": []}
    async with orchestrator:
        for _ in range(ROUNDS):
            times["bare"].append(await seconds_each(bare, concurrency))
            times["ours"].append(await seconds_each(ours, concurrency))
    bare_s, ours_s = (statistics.median(times[side]) for side in ("bare", "ours"))
    ratios = sorted(b / a for a, b in zip(times["bare"], times["ours"], strict=True))
    print(
        f"{concurrency:>4} at once, {name:22} bare {bare_s * 1e3:7.3f} ms   ours {ours_s * 1e3:7.3f} ms   "
        f"ratio {ours_s / bare_s:.3f} (pairs {ratios[len(ratios) // 4]:.3f}..{ratios[-len(ratios) // 4]:.3f})"
    )


def main() -> None:
    """All three concurrencies, without and with the feedback store."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    print(f"Python {sys.version.split()[0]}, litellm {version('litellm')}, {ROUNDS} rounds, median; time per prompt")
    with tempfile.TemporaryDirectory() as folder:
        store = ml.FeedbackStore(Path(folder) / "feedback.sqlite")
        for concurrency in CALLS:
            for name, kept in (("nothing recorded", None), ("recorded in SQLite", store)):
                asyncio.run(compare(concurrency, ml.Orchestrator(backend=MockBackend(), store=kept), name))


if __name__ == "__main__":
    main()
