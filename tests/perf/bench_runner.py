"""How busy the benchmark keeps the embedded engine: ``python tests/perf/bench_runner.py``.

Alone: the engine's own endpoint, asked by plain HTTP with as many calls at once. Ours: the benchmark's runner, with
LiteLLM, journal and graders. Both ask the same prompts of the same running engine, by turns and each first in every
other round; tokens per second are output tokens over wall time, warm-up call and grading included on our side.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import httpx

import multillm as ml
from multillm.backends.engine import SLOTS, Engine
from multillm.bench.arms import ModelArm
from multillm.bench.journal import Journal
from multillm.bench.manifest import Settings
from multillm.bench.runner import Runner
from multillm.progress import CallProgress

ROUNDS, PROMPTS, MOST_TOKENS = 6, 40, 64
LEAST_RATIO = 0.9


async def alone(engine: Engine, prompts: Sequence[ml.BenchmarkPrompt], sampling: dict[str, object]) -> float:
    """Tokens per second of the engine by itself."""
    waiting, tokens = iter(prompts), 0

    async def worker(client: httpx.AsyncClient) -> None:
        nonlocal tokens
        for prompt in waiting:
            body = {
                "model": engine.alias,
                "messages": [{"role": "user", "content": prompt.prompt}],
                "max_tokens": prompt.max_output_tokens,
                "temperature": 0,
                "seed": 0,
                **sampling,
            }
            answer = await client.post("/v1/chat/completions", json=body)
            answer.raise_for_status()
            tokens += answer.json()["usage"]["completion_tokens"]

    started = time.perf_counter()
    async with httpx.AsyncClient(base_url=engine.address, timeout=300) as client:
        await asyncio.gather(*(worker(client) for _ in range(SLOTS)))
    return tokens / (time.perf_counter() - started)


async def ours(client: ml.Client, pool: ml.Pool, prompts: Sequence[ml.BenchmarkPrompt], folder: Path) -> float:
    """Tokens per second of the runner."""
    warm_up = ml.CompletionRequest("", ({"role": "user", "content": "Say OK."},), 8, temperature=0.0, seed=0)
    journal = Journal(client, folder / f"{time.monotonic_ns()}.jsonl", warm_up, "embedded")
    settings = Settings(concurrency=SLOTS, run_code=True)
    arms = [ModelArm(label, settings, journal) for label in pool.registry.labels]
    started = time.perf_counter()
    answers = await Runner(arms, prompts, settings, CallProgress(shown=False)).run()
    seconds = time.perf_counter() - started
    tokens = sum(done.output_tokens for answer in answers for done in answer.completions)
    return tokens / seconds


async def measure() -> dict[str, object]:
    """Both by turns on one engine."""
    every = ml.load_prompts("core")
    spread = [every[n * len(every) // PROMPTS] for n in range(PROMPTS)]
    prompts = [replace(prompt, max_output_tokens=min(MOST_TOKENS, prompt.max_output_tokens)) for prompt in spread]
    backend, pool = ml.EmbeddedBackend(), ml.load_pool("embedded")
    lease = await Engine.lease(Path(backend.model))
    client = await backend.open(pool)
    speeds: dict[str, list[float]] = {"alone": [], "ours": []}
    with tempfile.TemporaryDirectory() as folder:
        await ours(client, pool, prompts[:SLOTS], Path(folder))  # LiteLLM's first call takes longer
        for number in range(ROUNDS):
            for side in ("alone", "ours") if number % 2 else ("ours", "alone"):
                if side == "alone":
                    speeds[side].append(await alone(lease.engine, prompts, backend._sampling()))
                else:
                    speeds[side].append(await ours(client, pool, prompts, Path(folder)))
    await client.aclose()
    await lease.release()
    ratios = [b / a for a, b in zip(speeds["alone"], speeds["ours"], strict=True)]
    return {
        "prompts": PROMPTS,
        "at_once": SLOTS,
        "rounds": ROUNDS,
        "alone_tokens_per_s": [round(speed, 1) for speed in speeds["alone"]],
        "ours_tokens_per_s": [round(speed, 1) for speed in speeds["ours"]],
        "ratio_of_each_round": [round(ratio, 3) for ratio in ratios],
        "ratio": round(statistics.median(ratios), 3),
        "load_average": os.getloadavg()[0],
        "python": sys.version.split()[0],
        "litellm": version("litellm"),
        "xllamacpp": version("xllamacpp"),
    }


def main() -> int:
    """Print the figures as JSON; fail below the target."""
    figures = asyncio.run(measure())
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0 if float(str(figures["ratio"])) >= LEAST_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
