"""What being observable costs when nobody observes, python tests/perf/bench_telemetry.py: CPU time of each part.

One run has six spans (one more for classify, route and call for each further sub-task) and three log records.
"""

import contextlib
import logging
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import multillm as ml
from multillm.orchestration.logs import note_event
from multillm.telemetry import bound, span

COUNT = 20_000
ROUNDS = 5


def microseconds(work: Callable[[], object]) -> float:
    """CPU time of one call, least of some rounds."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(COUNT):
            work()
        times.append(time.process_time() - started)
    return min(times) / COUNT * 1e6


def entered(make: Callable[[], AbstractContextManager[object]]) -> Callable[[], None]:
    """Enter and leave a context."""

    def work() -> None:
        with make():
            pass

    return work


def main() -> None:
    """Print each part's time, without OpenTelemetry, with it imported, with a tracer, and of log records."""
    attributes = {"multillm.subtask_index": 1}
    print(f"Python {sys.version.split()[0]}; CPU microseconds, least of {ROUNDS} rounds of {COUNT:,}")
    print(f"an empty context       {microseconds(entered(contextlib.nullcontext)):8.2f}")
    print(f"the run's id bound     {microseconds(entered(lambda: bound(run_id='x'))):8.2f}")
    print(f"span, not imported     {microseconds(entered(lambda: span('x', attributes))):8.2f}")
    decision = ml.Orchestrator(store=None).plan("What is a mutex?")[0]
    waiting = ml.SubTaskWaiting(0, decision)
    print(f"log record, quiet      {microseconds(lambda: note_event(waiting)):8.2f}")
    logging.getLogger("multillm").setLevel(logging.DEBUG)
    print(f"log record, to nobody  {microseconds(lambda: note_event(waiting)):8.2f}")
    from opentelemetry import trace

    print(f"span, no tracer        {microseconds(entered(lambda: span('x', attributes))):8.2f}")
    from opentelemetry.sdk.trace import TracerProvider

    trace.set_tracer_provider(TracerProvider())
    print(f"span, tracer           {microseconds(entered(lambda: span('x', attributes))):8.2f}")


if __name__ == "__main__":
    main()
