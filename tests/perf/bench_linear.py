"""How time grows with a prompt's length, python tests/perf/bench_linear.py: seconds a megabyte, 10 kB to 10 MB.

Splitters and classifiers on texts made to be hard for them. The exponent is that of ``time = a * length ** b`` fitted
to the points by least squares in logarithms: 1 is linear, 2 quadratic. CPU time, one run a point (the best of three
below 1 MB); a text that takes longer than a minute is not tried at greater lengths. Name texts to time those alone.
"""

import math
import platform
import statistics
import sys
import time
from collections.abc import Callable

import multillm as ml
from multillm.classification import get_classifier

SIZES = (10_000, 31_600, 100_000, 316_000, 1_000_000, 3_160_000, 10_000_000)
MOST_S = 60.0
TEXTS = {
    "prose": "Explain what a mutex is and then write a spinlock in C. The user wants it soon, so be brief. ",
    "markers": "and then also plus as well as AND additionally ",
    "no breaks": "a",
    "commas": "write a, ",
    "open brackets": "(",
    "nested lists": "\n- Write a\n  - and a\n    - and then a",
    "fences": "```\nx = 1\n",
    "quotes": "\"a 'b `c ",
    "spaces": " ",
    "line feeds": "\n",
    "digits": "1. ",
    "blocks of spaces": "a" + 500 * " ",
    "brackets and commas": ", (a",
    "questions": "What is it? How does it work, and why? ",
    "controls": "\x00\u202e\ud800 ",
    "indented code": "    def f(x):\n",
    "traceback": "Traceback (most recent call last):\n  at a.b(c)\n",
    "table": "| a | b |\n",
    "capitals": "Error: A B C D. ",
    "dashes": "- ",
    "spaced dashes": " - ",
    "closed brackets": "if )",
    "courtesies": " so please",
}


def work() -> dict[str, Callable[[str], object]]:
    """What is timed, by name."""
    steps: dict[str, Callable[[str], object]] = {
        "split": ml.StructuralSplitter().split,
        "split, reference": ml.ReferenceSplitter().split,
    }
    for name in ("rules", "learned", "reference"):
        steps[f"classify, {name}"] = classifying(get_classifier(name))
    return steps


def classifying(classifier: ml.Classifier) -> Callable[[str], object]:
    """Classify a text as one sub-task."""
    return lambda text: classifier.classify(ml.SubTask(text, 0, len(text)))


def seconds(act: Callable[[str], object], text: str) -> float:
    """CPU time of one call."""
    best = math.inf
    for _ in range(1 if len(text) >= 1_000_000 else 3):
        started = time.process_time()
        act(text)
        best = min(best, time.process_time() - started)
    return best


def curve(act: Callable[[str], object], piece: str) -> dict[int, float]:
    """Time by length, as far as it can be borne."""
    points: dict[int, float] = {}
    for size in SIZES:
        text = "Write.\n" + (piece * (size // len(piece) + 1))[: size - 7]
        points[size] = seconds(act, text)
        if points[size] > MOST_S / 4:
            break
    return points


def exponent(points: dict[int, float]) -> float:
    """Slope in logarithms over the points of more than a millisecond; missing with fewer than three."""
    known = [(math.log(size), math.log(spent)) for size, spent in points.items() if spent > 1e-3]
    if len(known) < 3:
        return math.nan
    return statistics.linear_regression([x for x, _ in known], [y for _, y in known]).slope


def main() -> None:
    """One line for each text and step; the last column is the exponent."""
    chosen = {name: TEXTS[name] for name in sys.argv[1:]} or TEXTS
    print(f"Python {platform.python_version()}; CPU seconds a megabyte at each length in characters, and the exponent")
    print(f"{'text':20} {'step':20} " + " ".join(f"{size:>10,}" for size in SIZES) + "   exponent")
    for name, piece in chosen.items():
        for step, act in work().items():
            points = curve(act, piece)
            cells = [f"{points[size] / size * 1e6:10.3f}" if size in points else f"{'-':>10}" for size in SIZES]
            print(f"{name:20} {step:20} {' '.join(cells)}   {exponent(points):.2f}", flush=True)


if __name__ == "__main__":
    main()
