"""Figures of experiments as data frames and Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from multillm.evaluation import Evaluation
from multillm.metrics import Estimate
from multillm.reports import markdown_table
from multillm.reproduction.experiments import Experiment

__all__ = ["cell", "differences_of", "figures_of", "markdown_of"]


def figures_of(experiment: Experiment, each: Sequence[Evaluation]) -> pd.DataFrame:
    """The experiment's figures of routers and baselines over the seeds."""
    table = Evaluation.over_seeds(each)
    table = table[table["figure"].isin(experiment.figures) & (table["kind"] != "single model")]
    table.insert(0, "experiment", experiment.name)
    return table


def differences_of(experiment: Experiment, mean: Evaluation) -> pd.DataFrame:
    """The differences of the experiment, each with the interval of the paired bootstrap."""
    rows = []
    for router, kind in mean.kinds.items():
        for figure, other, other_figure in experiment.over:
            if router != other and kind != "single model" and (router, figure) in mean.resamples:
                found = mean.difference(router, other, figure, other_figure)
                rows.append(
                    (experiment.name, router, figure, f"{other_figure} of {other}", found.value, found.low, found.high)
                )
    columns = ["experiment", "router", "figure", "less", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns).assign(n=mean.n)


def markdown_of(experiment: Experiment, mean: Evaluation, figures: pd.DataFrame) -> str:
    """The experiment as a Markdown table."""
    shown = [figure for figure in experiment.figures if figure in set(figures["figure"])]
    over = [f"{figure} less {other_figure} of {other}" for figure, other, other_figure in experiment.over]
    known = figures.set_index(["router", "figure"])
    rows = []
    for router in dict.fromkeys(figures["router"]):
        cells = [_with_range(mean, known, router, figure) for figure in shown]
        for figure, other, other_figure in experiment.over:
            has = router != other and (router, figure) in mean.resamples
            cells.append(cell(mean.difference(router, other, figure, other_figure), "+z.3f") if has else "")
        rows.append([router, *cells])
    return markdown_table(["router", *shown, *over], rows)


def _with_range(mean: Evaluation, known: pd.DataFrame, router: str, figure: str) -> str:
    """A figure with its interval and, of the areas, the range over the seeds; empty if it has none."""
    if (router, figure) not in known.index:
        return ""
    least, greatest = (float(known[column][router, figure]) for column in ("least", "greatest"))
    text = cell(mean.estimate(router, figure), "z.3g" if figure.startswith("cost") else "z.3f")
    ranged = figure in {"apgr", "aiq"} and least < greatest
    return f"{text} ({least:.3f} to {greatest:.3f})" if ranged else text


def cell(found: Estimate, spec: str = "z.3f") -> str:
    """Value and interval, if there is a value."""
    return "not reached" if math.isnan(found.value) else found.brief(spec)
