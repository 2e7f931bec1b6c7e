"""Time to split, classify and route a prompt beside LiteLLM's heuristic scorer: python tests/perf/bench_prompts.py.

Every prompt of ``data/gold/test.jsonl`` (with ``--train`` of ``train.jsonl``, more of which are made to be hard) goes
one by one through each contestant; the contestants take turns in every round, so that whatever else the machine does
hits all of them. The best of the rounds counts for each prompt. What a typical prompt takes is the median over the
prompts of its time over the scorer's. Then columns of distinct short prompts against the first of them one by one, and
a million rows against half as many.
"""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version

import numpy as np
import pandas as pd

import multillm as ml
from multillm.client.session import quiet_litellm

ROUNDS = 7
SHORT = 80
LONG = 2_000
ROWS = 500_000
ONE_BY_ONE = 20_000
SCORER = "LiteLLM's scorer"
Run = Callable[[], object]


def each(call: Callable[[object], object], items: Iterable[object]) -> Run:
    """One call after another."""

    def run() -> None:
        for item in items:
            call(item)

    return run


def contestants() -> dict[str, Callable[[str], object]]:
    """What is timed, each with one prompt."""
    quiet_litellm()
    from litellm.router_strategy.complexity_router.complexity_router import ComplexityRouter

    scorer = ComplexityRouter(model_name="complexity", litellm_router_instance=None)  # type: ignore[arg-type]  # the score needs none
    splitter, classifier, router = ml.StructuralSplitter(), ml.LearnedClassifier(), ml.TaskRouter()
    return {
        "split": splitter.split,
        "split, classify": lambda prompt: [classifier.classify(task) for task in splitter.split(prompt)],
        "split, classify, route": lambda prompt: [router.route(classifier.classify(t)) for t in splitter.split(prompt)],
        SCORER: scorer.classify,
    }


def seconds(run: Run) -> float:
    """Processor time of one run."""
    started = time.process_time()
    run()
    return time.process_time() - started


def each_us(call: Callable[[str], object], prompts: Sequence[str]) -> list[float]:
    """Microseconds that a call takes for each prompt."""
    taken = []
    for prompt in prompts:
        started = time.perf_counter()
        call(prompt)
        taken.append((time.perf_counter() - started) * 1e6)
    return taken


def print_single(name: str, prompts: Sequence[str]) -> None:
    """Microseconds a prompt of every contestant, and the ratios to the scorer's."""
    runs = contestants()
    rounds = [{run: each_us(call, prompts) for run, call in runs.items()} for _ in range(ROUNDS)]
    best = {run: np.min([taken[run] for taken in rounds], axis=0) for run in runs}
    print(f"{name}: {len(prompts)} prompts")
    for run, taken in best.items():
        low, middle, high = np.quantile(taken / best[SCORER], [0.25, 0.5, 0.75])
        print(
            f"    {run:24} mean {taken.mean():7.1f} us, median {np.median(taken):7.1f} us;"
            f" of the scorer's: median {middle:.3f} (quartiles {low:.3f}..{high:.3f}), all together"
            f" {taken.sum() / best[SCORER].sum():.3f}"
        )


def long_prompts(prompts: Sequence[str]) -> list[str]:
    """Prompts of about 2 kB, each made of several."""
    made, current = [], ""
    for prompt in prompts:
        current = f"{current}\n\n{prompt}" if current else prompt
        if len(current) >= LONG:
            made.append(current)
            current = ""
    return made


def print_batch(prompts: Sequence[str]) -> None:
    """One by one against a column of distinct prompts, and how the column's time grows."""
    copies = -(-2 * ROWS // len(prompts))
    twice = pd.Series([f"{prompt} {copy}" for copy in range(copies) for prompt in prompts][: 2 * ROWS])
    router, columns = ml.TaskRouter(), ml.classify_many(twice)
    profiles = [ml.classify(text) for text in twice[:ONE_BY_ONE]]
    runs: dict[str, tuple[Run, Callable[[int], object]]] = {
        "split_many": (each(ml.split, twice[:ONE_BY_ONE]), lambda rows: ml.split_many(twice[:rows])),  # type: ignore[arg-type]
        "classify_many": (each(ml.classify, twice[:ONE_BY_ONE]), lambda rows: ml.classify_many(twice[:rows])),  # type: ignore[arg-type]
        "route_many": (each(router.route, profiles), lambda rows: ml.route_many(columns[:rows], router)),  # type: ignore[arg-type]
    }
    for name, (single, batch) in runs.items():
        one_us = min(seconds(single) for _ in range(3)) / ONE_BY_ONE * 1e6
        many_s = seconds(lambda batch=batch: batch(ROWS))  # type: ignore[misc]
        both_s = seconds(lambda batch=batch: batch(2 * ROWS))  # type: ignore[misc]
        many_us = both_s / (2 * ROWS) * 1e6
        print(
            f"{name}: {many_us:.1f} us a row of {2 * ROWS} distinct short prompts, {one_us / many_us:.2f} times"
            f" faster than one by one ({one_us:.1f} us); half the rows take {many_s / both_s:.2f} of the time"
        )


def main() -> None:
    """All prompts, those of one sub-task and of several apart, then columns."""
    gold = ml.load_gold("train" if "--train" in sys.argv else "test")
    print(f"Python {sys.version.split()[0]}, litellm {version('litellm')}, best of {ROUNDS} rounds")
    print_single("all", [prompt.prompt for prompt in gold])
    print_single("one sub-task", [prompt.prompt for prompt in gold if len(prompt.subtasks) == 1])
    print_single("several sub-tasks", [prompt.prompt for prompt in gold if len(prompt.subtasks) > 1])
    print_single("2 kB", long_prompts([prompt.prompt for prompt in gold]))
    if "--no-batch" not in sys.argv:
        print_batch([task.text for prompt in gold for task in prompt.subtasks if len(task.text) < SHORT])


if __name__ == "__main__":
    main()
