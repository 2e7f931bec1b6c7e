"""Expected quality over complexity, beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from multillm.errors import OutcomesError
from multillm.plots.routing import STEPS, Source, profile_of, router_of
from multillm.plots.style import GUIDE, Look, axes_of, ink, label_ends, looks, plain, styled
from multillm.reliability import wilson
from multillm.tasks import TaskType

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from multillm.outcomes import Outcomes

__all__ = ["plot_quality_curves"]


DODGE = 0.012
"""Distance between the marks of models measured at the same complexity."""


@styled
def plot_quality_curves(
    pool: Source,
    task_type: TaskType | str | None = None,
    outcomes: Outcomes | None = None,
    *,
    bins: int = 5,
    classifier: str = "reference",
    ax: Axes | None = None,
) -> Axes:
    """Expected quality of each model over complexity, and what was measured.

    Parameters
    ----------
    pool : str, Path, Pool or TaskRouter
        Whose curves: a shipped pool's name, a YAML file, a pool, or a router with an estimator of its own.
    task_type : TaskType or str, optional
        Adds the threshold of that type; only its prompts are measured, only models that take it are drawn.
    outcomes : Outcomes, optional
        What was measured; its models are labels of the pool.
    bins : int, default 5
        Intervals of complexity, of equal width, over which measured quality is averaged.
    classifier : str, default "reference"
        Classifier for prompts whose type or complexity is missing.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        Complexity (0..1) against quality (0..1), each line's name at its end; measured means have 95 % Wilson
        intervals.

    Raises
    ------
    OutcomesError
        If no model of the outcomes is a label of the pool, or no prompt is of that type.
    """
    router, ax = router_of(pool), axes_of(ax)
    profile = profile_of(task_type or TaskType.OTHER)
    specs = [spec for spec in router.registry if task_type is None or profile.task_type in spec.task_types]
    complexity = np.linspace(0.0, 1.0, STEPS)
    lines = np.array([router.quality.quality(replace(profile, complexity=float(c)), specs) for c in complexity], float)
    every = looks(router.registry.labels)
    ends = {spec.label: float(line[-1]) for spec, line in zip(specs, lines.T, strict=True)}
    for spec, line in zip(specs, lines.T, strict=True):
        look = every[spec.label]
        ax.plot(complexity, line, color=look.colour, linestyle=look.dash)
    if task_type is not None:
        threshold = router.policy.threshold(profile.task_type)
        ax.axhline(threshold, color=ink(ax), linewidth=1.0, linestyle=GUIDE)
        ends[f"threshold {threshold:.2f}"] = threshold
    title = "expected quality" if task_type is None else f"expected quality, {profile.task_type}"
    if outcomes is not None:
        kind = None if task_type is None else str(profile.task_type)
        table = measured(outcomes, [spec.label for spec in specs], kind, bins=bins, classifier=classifier)
        models = list(table["model"].unique())
        for place, model in enumerate(models):
            aside = DODGE * (place - (len(models) - 1) / 2)
            _draw_points(ax, table[table["model"] == model], every[model], aside)
        title += f"\npoints: {plain(outcomes.name)}, n = {table.groupby('model')['n'].sum().max():,}, 95 % intervals"
    ax.set(xlabel="complexity, 0..1", ylabel="quality, 0..1", xlim=(0, 1), ylim=(0, 1.02))
    ax.set_title(title)
    label_ends(ax, ends)
    return ax


def measured(
    outcomes: Outcomes, labels: Sequence[str], task_type: str | None, *, bins: int, classifier: str
) -> pd.DataFrame:
    """Quality by complexity: model, complexity, quality, low, high, n by model."""
    from multillm.learning.profiles import profiled

    if not (models := [model for model in outcomes.models if model in labels]):
        raise OutcomesError(
            f"{outcomes.name} has measured none of {', '.join(labels)} but {', '.join(outcomes.models)}; "
            "bring the names together by rename"
        )
    kinds, complexity = profiled(outcomes.prompts, classifier)
    of_kind = np.ones(len(kinds), dtype=bool) if task_type is None else kinds == task_type
    if not of_kind.any():
        has = ", ".join(sorted({str(kind) for kind in kinds}))
        raise OutcomesError(f"{outcomes.name} has no prompt of type {task_type}; it has {has}")
    frame = outcomes.quality_matrix()[models].assign(complexity=complexity)[of_kind]
    frame["bin"] = np.minimum((frame["complexity"] * bins).astype(int), bins - 1)
    rows = frame.melt(["bin", "complexity"], var_name="model", value_name="quality").dropna()
    table = rows.groupby(["model", "bin"], sort=False).agg(
        complexity=("complexity", "mean"), quality=("quality", "mean"), n=("quality", "size")
    )
    low, high = wilson(table["quality"].to_numpy(float), table["n"].to_numpy(float))
    return table.assign(low=low, high=high).reset_index()


def _draw_points(ax: Axes, points: pd.DataFrame, look: Look, aside: float) -> None:
    """Marks with intervals, moved aside so that models do not hide each other."""
    quality = points["quality"]
    errors = np.maximum(0.0, (quality - points["low"], points["high"] - quality))
    ax.errorbar(
        points["complexity"] + aside, quality, yerr=errors, fmt=look.marker, color=look.colour,
        markeredgecolor=ink(ax), markeredgewidth=0.6, elinewidth=1.2, zorder=4,
    )  # fmt: skip
