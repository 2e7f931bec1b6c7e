"""A benchmark's rows in figures: quality with interval, cost, latency, speed."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from multillm.bench.rows import MEASURED, SPLIT
from multillm.metrics import Estimate, bootstrap, resample, weighted_mean
from multillm.metrics.bootstrap import Figures

__all__ = [
    "ALL_TYPES",
    "figures_table",
    "interval",
    "mean_estimate",
    "mean_estimates",
    "number",
    "paired_difference",
    "quality_by_prompt",
]

ALL_TYPES = "all"


def figures_table(rows: pd.DataFrame, seed: int = 0, replicates: int = 1000) -> pd.DataFrame:
    """Each model on all prompts and on each task type; see `Benchmark.figures`."""
    measured = rows[rows["phase"] == MEASURED]
    table = []
    for model, of_model in measured.groupby("model", sort=False):
        kinds = sorted(of_model["task_type"].unique())
        for kind in [ALL_TYPES, *(kinds if len(kinds) > 1 else [])]:
            part = of_model if kind == ALL_TYPES else of_model[of_model["task_type"] == kind]
            table.append({"model": model, "task_type": kind, **_figures(part, seed, replicates)})
    frame = pd.DataFrame(table)
    counts = ["prompts", "answers", "scored", "lost", "cut"]
    return frame.astype(dict.fromkeys(counts, "int64") | {"model": "string", "task_type": "string"})


def quality_by_prompt(rows: pd.DataFrame, model: str) -> pd.Series:
    """Mean quality over the repeats, by prompt_id; only what was scored."""
    of_model = rows[(rows["phase"] == MEASURED) & (rows["model"] == model)]
    return of_model.groupby("prompt_id", sort=False)["quality"].mean().dropna()


def paired_difference(rows: pd.DataFrame, model: str, other: str, seed: int = 0, replicates: int = 1000) -> Estimate:
    """Mean quality of one model less another's, on the prompts scored for both; paired bootstrap over prompts."""
    gap = (quality_by_prompt(rows, model) - quality_by_prompt(rows, other)).dropna()
    return mean_estimate(gap.to_numpy(float), seed, replicates)


def _figures(part: pd.DataFrame, seed: int, replicates: int) -> dict[str, object]:
    by_prompt = part.groupby("prompt_id", sort=False)["quality"].mean().dropna()
    quality = mean_estimate(by_prompt.to_numpy(float), seed, replicates)
    tokens, seconds = part["output_tokens"].astype(float), part["generation_s"]
    timed = tokens.notna() & seconds.notna()
    return {
        "prompts": part["prompt_id"].nunique(),
        "answers": len(part),
        "scored": int(part["quality"].notna().sum()),
        "lost": int((part["quality"].isna() & part["error"].notna()).sum()),
        "cut": int((part["finish_reason"] == "length").sum()),
        "quality": quality.value,
        "low": quality.low,
        "high": quality.high,
        "price_usd": part["price_usd"].mean(),
        "cost_units": part["cost_units"].mean(),
        "machine_s": part["machine_s"].mean(),
        "latency_p50_s": part["latency_s"].quantile(0.50),
        "latency_p95_s": part["latency_s"].quantile(0.95),
        **{name: part[name].mean() for name in SPLIT},
        "tokens_per_s": tokens[timed].sum() / seconds[timed].sum() if seconds[timed].sum() else np.nan,
    }


def mean_estimate(values: Figures, seed: int = 0, replicates: int = 1000) -> Estimate:
    """Mean over prompts with its 95 % bootstrap interval; missing without prompts."""
    if not len(values):
        return Estimate(np.nan, np.nan, np.nan, 0)
    rng = np.random.default_rng(seed)
    return bootstrap(lambda weights: weighted_mean(values, weights), len(values), rng, replicates=replicates)


def mean_estimates(table: pd.DataFrame, seed: int = 0, replicates: int = 1000) -> pd.DataFrame:
    """The mean of every column over its known values, all on the same resamples.

    Parameters
    ----------
    table : DataFrame
        One row for each prompt.
    seed : int, default 0
        Source of chance.
    replicates : int, default 1000
        Resamples.

    Returns
    -------
    DataFrame
        Indexed as the columns of `table`: value, low, high (95 % bootstrap interval over prompts), n.
    """
    values = table.to_numpy(float)
    known = ~np.isnan(values)
    counts = resample(len(table), replicates, np.random.default_rng(seed)).astype(float)
    with np.errstate(invalid="ignore"):
        means = (counts @ np.nan_to_num(values)) / (counts @ known)
    found = [Estimate.of(mean, int(n)) for mean, n in zip(means.T, known.sum(axis=0), strict=True)]
    rows = [(estimate.value, estimate.low, estimate.high, estimate.n) for estimate in found]
    return pd.DataFrame(rows, index=table.columns, columns=["value", "low", "high", "n"])


def interval(value: float, low: float, high: float, spec: str = "z.3f") -> str:
    """A figure with its interval; a dash if it is not known."""
    if math.isnan(value):
        return "–"
    return f"{value:{spec}}" if math.isnan(low) else f"{value:{spec}} [{low:{spec}}, {high:{spec}}]"


def number(value: float) -> str:
    """A figure; a dash if it is not known."""
    return "–" if math.isnan(value) else f"{value:.3g}"
