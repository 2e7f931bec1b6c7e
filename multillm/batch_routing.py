"""Whole columns of classified sub-tasks routed at once: the same choices as one by one, in arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from multillm.errors import InputError
from multillm.estimators import BatchCost, BatchQuality, CostEstimator, QualityEstimator
from multillm.partitions import by_partition, is_partitioned
from multillm.registry import ModelSpec
from multillm.router import RoutingRule, TaskRouter, no_window
from multillm.tasks import SubTask, TaskProfile, TaskType

__all__ = ["route_many"]

CHUNK = 50_000
TYPES = tuple(TaskType)
RULES = tuple(RoutingRule)
NEEDED = ("task_type", "complexity", "input_tokens")
EXAMPLE = pd.DataFrame({"task_type": ["other"], "complexity": [0.5], "input_tokens": [1], "text": ["Define entropy."]})
NONE = -1

Figures = NDArray[np.float64]
Places = NDArray[np.intp]


def route_many(profiles: pd.DataFrame, router: TaskRouter | None = None, *, chunk: int = CHUNK) -> pd.DataFrame:
    """Choose a model for every classified sub-task of a table.

    Parameters
    ----------
    profiles : DataFrame
        Of pandas or of Dask. One row for each sub-task, as `classify_many` returns them: task_type, complexity (0..1),
        input_tokens (int, what comes with the sub-task included) and, for estimators that read it, text. Other columns
        are ignored.
    router : TaskRouter, optional
        What decides; one over the default pool if left out.
    chunk : int, default 50_000
        Sub-tasks held at once.

    Returns
    -------
    DataFrame
        Indexed as `profiles`, each row as `TaskRouter.route` decides it: label (category), quality (float64, 0..1),
        cost (float64, scale of the utility), utility (float64), rule (category). Quality and utility are missing
        where nothing is known of the model chosen.
        For a DataFrame of Dask a lazy one, with the same partitions; errors of values are raised when it is computed.

    Raises
    ------
    InputError
        If a column or a value is missing, or a task type is unknown.
    RoutingError
        If a sub-task fits no model's context window.

    Examples
    --------
    >>> import pandas as pd
    >>> from multillm.classification.batch import classify_many
    >>> route_many(classify_many(pd.Series(["Define entropy.", "Prove that there are infinitely many primes."]))).label
    0      model::light
    1    model::balanced
    Name: label, dtype: category
    Categories (4, object): ['model::light', 'model::medium', 'model::balanced', 'model::heavy']
    """
    router = router or TaskRouter()
    if is_partitioned(profiles):
        _check(getattr(profiles, "_meta"))  # noqa: B009  # pandas' types know no such attribute
        return by_partition(route_many, profiles, EXAMPLE, router=router, chunk=chunk)
    _check(profiles)
    rules = _Rules(router)
    starts = range(0, max(1, len(profiles)), chunk)
    parts = [rules.choose(profiles.iloc[start : start + chunk]) for start in starts]
    label, rule, quality, cost, utility = (np.concatenate(column) for column in zip(*parts, strict=True))
    return pd.DataFrame(
        {
            "label": pd.Categorical.from_codes(label, pd.Index(rules.router.registry.labels)),
            "quality": quality,
            "cost": cost,
            "utility": utility,
            "rule": pd.Categorical.from_codes(rule, pd.Index([str(rule) for rule in RULES])),
        },
        index=profiles.index,
    )


def _check(profiles: pd.DataFrame) -> None:
    for name in NEEDED:
        if name not in profiles:
            raise InputError(
                f"the table has no column {name!r}; it needs {', '.join(NEEDED)}: take it from classify_many"
            )
        if missing := int(profiles[name].isna().sum()):
            raise InputError(f"{missing} of {len(profiles)} values of {name} are missing; drop those rows first")


class _Rules:
    """What a router goes by, as arrays over task types and models."""

    def __init__(self, router: TaskRouter) -> None:
        self.router = router
        self.models, labels = router.registry.models, router.registry.labels
        terms = [router.terms[kind] for kind in TYPES]
        self.threshold = np.array([each.threshold for each in terms])
        self.serves = np.array([[label in each.serving for label in labels] for each in terms])
        self.forced = np.array([labels.index(each.forced) if each.forced else NONE for each in terms])
        self.window = np.array([spec.context_tokens for spec in self.models])
        self.chosen_first = np.array([not spec.fallback_only for spec in self.models])

    def choose(self, profiles: pd.DataFrame) -> tuple[Places, Places, Figures, Figures, Figures]:
        """Place of the model and of the rule, quality, cost and utility for each sub-task."""
        kind, needed = _kinds(profiles["task_type"]), profiles["input_tokens"].to_numpy()
        quality = _quality(self.router.quality, profiles, self.models)
        cost = _cost(self.router.cost, profiles, self.models)
        utility = self.router.policy.beta * quality - self.router.policy.alpha * cost
        fits = (needed[:, None] <= self.window) & self.chosen_first
        if not fits.any(axis=1).all():
            raise no_window(int(needed[~fits.any(axis=1)].max()), self.models)
        good = fits & self.serves[kind] & (quality >= self.threshold[kind, None])
        by_utility = np.where(good, utility, -np.inf).argmax(axis=1)
        by_quality = np.where(fits, np.nan_to_num(quality, nan=-1.0), -np.inf).argmax(axis=1)
        rows, forced = np.arange(len(kind)), self.forced[kind]
        overridden = (forced != NONE) & fits[rows, forced]
        cases = [overridden, good.any(axis=1)]
        label = np.select(cases, [forced, by_utility], by_quality)
        rules = [RULES.index(rule) for rule in (RoutingRule.OVERRIDE, RoutingRule.UTILITY)]
        rule = np.select(cases, rules, RULES.index(RoutingRule.HIGHEST_QUALITY))
        return label, rule, quality[rows, label], cost[rows, label], utility[rows, label]


def _kinds(types: pd.Series) -> Places:
    """Place of each task type."""
    places = pd.Index([str(kind) for kind in TYPES]).get_indexer(pd.Index(types))
    if (places < 0).any():
        unknown = types[places < 0].iloc[0]
        raise InputError(f"{unknown!r} is no task type; choose one of {', '.join(TYPES)}")
    return places


def _quality(estimator: QualityEstimator, profiles: pd.DataFrame, models: Sequence[ModelSpec]) -> Figures:
    """Expected quality, shape [n, models]; NaN where unknown."""
    if isinstance(estimator, BatchQuality):
        return estimator.quality_many(profiles, models)
    rows = [estimator.quality(profile, models) for profile in _one_by_one(profiles)]
    return np.array(rows, dtype=float).reshape(len(profiles), len(models))


def _cost(estimator: CostEstimator, profiles: pd.DataFrame, models: Sequence[ModelSpec]) -> Figures:
    """Expected cost, shape [n, models]."""
    if isinstance(estimator, BatchCost):
        return estimator.cost_many(profiles, models)
    rows = [estimator.cost(profile, models) for profile in _one_by_one(profiles)]
    return np.array(rows, dtype=float).reshape(len(profiles), len(models))


def _one_by_one(profiles: pd.DataFrame) -> Iterator[TaskProfile]:
    """The rows as an estimator of the user's own sees them."""
    columns = (profiles[name] for name in (*NEEDED, "text"))
    if "text" not in profiles:
        raise InputError("the estimator reads one sub-task at a time; give the table a column text")
    for kind, complexity, tokens, text in zip(*columns, strict=True):
        yield TaskProfile(SubTask(text, 0, len(text)), TaskType(kind), complexity, tokens)
