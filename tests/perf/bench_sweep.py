"""Measure the policy sweep against a plain loop, and how it grows: ``python tests/perf/bench_sweep.py``."""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np

from multillm.sweep import sweep

PROMPTS, MODELS, THRESHOLDS, WEIGHTS = 14_000, 11, 20, 500
LEAST_RATIO, MOST_SECONDS, MOST_GIB = 200, 5.0, 2.0


def made_up(prompts: int, models: int) -> tuple[np.ndarray, ...]:
    """Expected quality, price, measured quality and cost; dearer models are better on average."""
    rng = np.random.default_rng(0)
    price = np.sort(rng.random(models))
    predicted = np.clip(0.5 + 0.4 * price + 0.2 * rng.standard_normal((prompts, models)), 0.0, 1.0)
    return (
        predicted,
        price,
        (rng.random(predicted.shape) < predicted) * 1.0,
        price * (0.5 + rng.random(predicted.shape)),
    )


def sweep_seconds(prompts: int, models: int, thresholds: int, weights: int) -> float:
    """Best of three."""
    data, taken = made_up(prompts, models), []
    for _ in range(3):
        start = time.perf_counter()
        sweep(*data, thresholds=np.linspace(0, 0.95, thresholds), cost_weights=np.linspace(0, 5, weights))
        taken.append(time.perf_counter() - start)
    return min(taken)


def loop_seconds_per_policy() -> float:
    """Best of three policies, each by a loop over prompts and models in plain lists."""
    predicted, price, quality, cost = (values.tolist() for values in made_up(PROMPTS, MODELS))
    taken = []
    for threshold, weight in ((0.0, 1.0), (0.6, 0.5), (0.9, 0.1)):
        start, spent, got = time.perf_counter(), 0.0, 0.0
        for expected, right, paid in zip(predicted, quality, cost, strict=True):
            best, chosen = -1e9, -1
            for model, (q, c) in enumerate(zip(expected, price, strict=True)):
                if q >= threshold:
                    utility = q - weight * c
                    if utility > best:
                        best, chosen = utility, model
            if chosen < 0:
                chosen = expected.index(max(expected))
            spent += paid[chosen]
            got += right[chosen]
        taken.append(time.perf_counter() - start)
    return min(taken)


def main() -> int:
    """Print the figures as JSON; fail below the targets."""
    swept = sweep_seconds(PROMPTS, MODELS, THRESHOLDS, WEIGHTS)
    looped = loop_seconds_per_policy() * THRESHOLDS * WEIGHTS
    figures = {
        "policies": THRESHOLDS * WEIGHTS,
        "prompts": PROMPTS,
        "models": MODELS,
        "sweep_s": round(swept, 3),
        "loop_s_by_three_policies": round(looped, 1),
        "ratio": round(looped / swept),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "twice_the_prompts": round(sweep_seconds(2 * PROMPTS, MODELS, THRESHOLDS, WEIGHTS) / swept, 2),
        "twice_the_models": round(sweep_seconds(PROMPTS, 2 * MODELS, THRESHOLDS, WEIGHTS) / swept, 2),
        "twice_the_thresholds": round(sweep_seconds(PROMPTS, MODELS, 2 * THRESHOLDS, WEIGHTS) / swept, 2),
        "twice_the_weights": round(sweep_seconds(PROMPTS, MODELS, THRESHOLDS, 2 * WEIGHTS) / swept, 2),
    }
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    met = figures["ratio"] >= LEAST_RATIO and swept <= MOST_SECONDS and figures["peak_gib"] <= MOST_GIB
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
