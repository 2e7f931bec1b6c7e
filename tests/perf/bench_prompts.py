"""Time to split, classify and route a prompt beside LiteLLM's heuristic scorer: python tests/perf/bench_prompts.py.

Every prompt of ``data/gold/train.jsonl`` goes one by one through each contestant; the contestants take turns in every
round, so that whatever else the machine does hits all of them. Processor time, median over the rounds. Then columns
of distinct short prompts against the same one by one, and twice the rows against once.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version

import pandas as pd

import multillm as ml
from multillm.client.session import quiet_litellm

ROUNDS = 15
BATCH_ROUNDS = 3
SHORT = 80
ROWS = 100_000
SCORER = "LiteLLM's scorer"
Run = Callable[[], object]


def each(call: Callable[[object], object], items: Iterable[object]) -> Run:
    """One call after another."""

    def run() -> None:
        for item in items:
            call(item)

    return run


def contestants(prompts: Sequence[str]) -> dict[str, Run]:
    """What is timed, each over all prompts, one at a time."""
    quiet_litellm()
    from litellm.router_strategy.complexity_router.complexity_router import ComplexityRouter

    scorer = ComplexityRouter(model_name="complexity", litellm_router_instance=None)  # type: ignore[arg-type]  # the score needs none
    splitter, classifier, router = ml.StructuralSplitter(), ml.LearnedClassifier(), ml.TaskRouter()
    tasks = [task for prompt in prompts for task in splitter.split(prompt)]
    profiles = [classifier.classify(task) for task in tasks]
    return {
        "split": each(splitter.split, prompts),  # type: ignore[arg-type]
        "classify": each(classifier.classify, tasks),  # type: ignore[arg-type]
        "route": each(router.route, profiles),  # type: ignore[arg-type]
        SCORER: each(scorer.classify, prompts),  # type: ignore[arg-type]
    }


def seconds(run: Run) -> float:
    """Processor time of one run."""
    started = time.process_time()
    run()
    return time.process_time() - started


def print_single(name: str, prompts: Sequence[str]) -> None:
    """Microseconds a prompt of every contestant and the ratio to the scorer, round by round."""
    runs = contestants(prompts)
    rounds = [{run: seconds(call) / len(prompts) * 1e6 for run, call in runs.items()} for _ in range(ROUNDS)]
    print(f"{name}: {len(prompts)} prompts, microseconds each")
    for run in runs:
        print(f"    {run:18} {statistics.median(taken[run] for taken in rounds):8.1f}")
    for parts in (("split", "classify"), ("split", "classify", "route")):
        ratios = sorted(sum(taken[part] for part in parts) / taken[SCORER] for taken in rounds)
        low, high = ratios[len(ratios) // 4], ratios[-len(ratios) // 4]
        print(
            f"    {' + '.join(parts)}: {statistics.median(ratios):.3f} of the scorer (quartiles {low:.3f}..{high:.3f})"
        )


def print_batch(prompts: Sequence[str]) -> None:
    """One by one against a column of distinct prompts, and how the column's time grows."""
    copies = -(-2 * ROWS // len(prompts))
    twice = pd.Series([f"{prompt} {copy}" for copy in range(copies) for prompt in prompts][: 2 * ROWS])
    once = twice[:ROWS]
    runs: dict[str, tuple[Run, Callable[[pd.Series], object]]] = {
        "split_many": (each(ml.split, once), ml.split_many),  # type: ignore[arg-type]
        "classify_many": (each(ml.classify, once), ml.classify_many),  # type: ignore[arg-type]
    }
    for name, (single, batch) in runs.items():
        one_s = statistics.median(seconds(single) for _ in range(BATCH_ROUNDS))
        many_s = statistics.median(seconds(lambda batch=batch: batch(once)) for _ in range(BATCH_ROUNDS))  # type: ignore[misc]
        both_s = statistics.median(seconds(lambda batch=batch: batch(twice)) for _ in range(BATCH_ROUNDS))  # type: ignore[misc]
        print(
            f"{name}: {many_s / ROWS * 1e6:.1f} us a row of {ROWS} distinct short prompts, {one_s / many_s:.2f} times"
            f" faster than one by one; twice the rows take {both_s / many_s:.2f} times as long"
        )


def main() -> None:
    """All prompts, those of one sub-task and of several apart, then columns."""
    gold = ml.load_gold("train")
    print(f"Python {sys.version.split()[0]}, litellm {version('litellm')}, processor time, median of {ROUNDS} rounds")
    print_single("all", [prompt.prompt for prompt in gold])
    print_single("one sub-task", [prompt.prompt for prompt in gold if len(prompt.subtasks) == 1])
    print_single("several sub-tasks", [prompt.prompt for prompt in gold if len(prompt.subtasks) > 1])
    if "--no-batch" not in sys.argv:
        print_batch([task.text for prompt in gold for task in prompt.subtasks if len(task.text) < SHORT])


if __name__ == "__main__":
    main()
