"""Time of ``import multillm`` beside ``import litellm``, in one run: python tests/perf/bench_import.py."""

import os
import statistics
import subprocess
import sys
import time

ROUNDS = 7


def seconds(statement: str) -> float:
    """Wall time of a fresh interpreter that runs one statement."""
    started = time.perf_counter()
    environ = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    subprocess.run([sys.executable, "-c", statement], check=True, env=environ)
    return time.perf_counter() - started


def main() -> None:
    """Alternate the two imports, take the interpreter's own start off, print medians and their ratio."""
    statements = ("pass", "import multillm", "import multillm; multillm.split", "import pydantic", "import litellm")
    times: dict[str, list[float]] = {statement: [] for statement in statements}
    for _ in range(ROUNDS):
        for statement in statements:
            times[statement].append(seconds(statement))
    start = statistics.median(times.pop("pass"))
    medians = {statement: statistics.median(taken) - start for statement, taken in times.items()}
    print(f"median of {ROUNDS} rounds, Python {sys.version.split()[0]}, interpreter start of {start:.3f} s taken off")
    for statement, taken_s in medians.items():
        print(f"{statement:34} {taken_s:8.4f} s   1/{medians['import litellm'] / taken_s:,.0f} of import litellm")


if __name__ == "__main__":
    main()
