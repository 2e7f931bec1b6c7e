"""Rows a second into the feedback store, python tests/perf/bench_store.py: each in a commit of its own, and shared.

So many tasks record one row after the other, as runs do, into SQLite in the temporary folder. Both ways take turns;
the medians over the rounds are printed, with the CPU time of a row. How fast the disk confirms a commit decides most.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import multillm as ml

ROWS = {1: 400, 16: 1600, 256: 2560}
ROUNDS = 5
CALL = ml.FeedbackRecord("run", 0, "Define entropy.", "qa_simple", 0.1, "light", 1, served_label="light", latency_s=1.0)


async def alone(store: ml.FeedbackStore) -> None:
    """One row in a transaction of its own."""
    await asyncio.to_thread(store._insert, store._rows(CALL))


async def shared(store: ml.FeedbackStore) -> None:
    """One row, together with those that others record just then."""
    await store.arecord(CALL)


async def fill(keep: Callable[[ml.FeedbackStore], Awaitable[None]], store: ml.FeedbackStore, tasks: int) -> None:
    """Record from so many tasks at once."""

    async def worker() -> None:
        for _ in range(ROWS[tasks] // tasks):
            await keep(store)

    await asyncio.gather(*(worker() for _ in range(tasks)))


def main() -> None:
    """Print a line for each number of tasks and each way."""
    print(f"Python {sys.version.split()[0]}, {ROUNDS} rounds, median")
    with tempfile.TemporaryDirectory() as folder, ml.FeedbackStore(Path(folder) / "feedback.sqlite") as store:
        for tasks, rows in ROWS.items():
            wall: dict[str, list[float]] = {"alone": [], "shared": []}
            cpu: dict[str, list[float]] = {"alone": [], "shared": []}
            for _ in range(ROUNDS):
                for keep in (alone, shared):
                    began, used = time.perf_counter(), time.process_time()
                    asyncio.run(fill(keep, store, tasks))
                    wall[keep.__name__].append(time.perf_counter() - began)
                    cpu[keep.__name__].append(time.process_time() - used)
            for name, spent in wall.items():
                each_us = statistics.median(cpu[name]) / rows * 1e6
                rate = rows / statistics.median(spent)
                print(f"{tasks:>4} tasks, {name:6} {rate:8.0f} rows/s {each_us:6.0f} us CPU a row")


if __name__ == "__main__":
    main()
