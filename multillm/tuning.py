"""Fit quality curves, weights and thresholds of a pool to outcomes, and say what they do on prompts not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import yaml
from sklearn.base import clone

from multillm.errors import OutcomesError
from multillm.evaluation import versions
from multillm.evaluation.splits import Unit, assign_folds
from multillm.learning import LinearCurves
from multillm.learning.profiles import profiled
from multillm.metrics import Estimate, arena_score, bootstrap, pareto_front, weighted_mean
from multillm.metrics.bootstrap import Figures
from multillm.outcomes import Outcomes
from multillm.policy import Policy
from multillm.pool import Pool
from multillm.registry import QualityCurve
from multillm.rendering import tuned_html
from multillm.sweep import sweep
from multillm.tasks import TaskType

__all__ = ["Objective", "TunedPolicy", "check_labels", "tune"]

Objective = Literal["quality", "cost", "arena"]

THRESHOLDS = np.round(np.linspace(0.0, 1.0, 21), 2)
COST_WEIGHTS = np.concatenate([[0.0], np.geomspace(0.001, 10.0, 60)])
WILLINGNESS = np.concatenate([[0.0], np.geomspace(0.001, 1000.0, 60)])


@dataclass(frozen=True, eq=False)
class TunedPolicy:
    """A policy fitted to outcomes.

    Attributes
    ----------
    policy : Policy
        Weights and thresholds; no overrides.
    estimator : LinearCurves
        Quality curves of the models, fitted to all outcomes.
    relative_cost : mapping of str to float
        Mean cost of each model over that of the dearest: what the policy weighs.
    objective : str
        What was sought, with its constraint.
    cost_unit : str
        Unit of all costs here.
    fitted_cost, fitted_quality : float
        Means per prompt on the outcomes that the policy was chosen on: too good to be expected again.
    cost, quality : Estimate
        Means per prompt on held-out prompts, each routed by a policy chosen, and curves fitted, without them.
    front : DataFrame
        The trade-offs to be had on the fitting side: cost_weight, cost, quality and a threshold for each task type.
    provenance : mapping of str to str
        Data with sizes and SHA-256 (`Outcomes.sha256`), split with seed, held-out figures, versions and date.
    """

    policy: Policy
    estimator: LinearCurves
    relative_cost: Mapping[str, float]
    objective: str
    cost_unit: str
    fitted_cost: float
    fitted_quality: float
    cost: Estimate
    quality: Estimate
    front: pd.DataFrame
    provenance: Mapping[str, str]

    def pool(self, base: Pool) -> Pool:
        """A pool like another whose models have the fitted curves and costs, with this policy.

        Parameters
        ----------
        base : Pool
            Deployments for the labels that the outcomes name; others are left out.
        """
        check_labels(self.relative_cost, base)
        models = tuple(
            base.registry[label].model_copy(
                update={
                    "quality": QualityCurve(intercept=float(intercept), slope=float(slope)),
                    "cost_per_1k": self.relative_cost[label],
                    "task_types": frozenset(TaskType),
                }
            )
            for label, (intercept, slope) in zip(self.relative_cost, self.estimator.lines_, strict=True)
        )
        policy = self.policy.model_copy(update={"output_budget": base.policy.output_budget})
        told = "; ".join(f"{key}: {value}" for key, value in self.provenance.items())
        return base.model_copy(update={"models": models, "policy": policy, "description": f"Tuned. {told}"})

    def write(self, path: str | Path, base: Pool) -> Path:
        """Store `pool` as a YAML file that `load_pool` reads, with the held-out figures in its first lines."""
        path = Path(path)
        head = "".join(f"# {line}\n" for line in (repr(self), *(f"{k}: {v}" for k, v in self.provenance.items())))
        content = self.pool(base).model_dump(mode="json")
        for model in content["models"]:
            del model["task_types"]  # all of them, which is what a file without the key means
        path.write_text(head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")
        return path

    def to_frame(self) -> pd.DataFrame:
        """The trade-off front; see `front`."""
        return self.front.copy()

    def __repr__(self) -> str:
        return (
            f"TunedPolicy({self.objective}: held out cost {self.cost.value:.4g}, quality {self.quality!r}; "
            f"fitted cost {self.fitted_cost:.4g}, quality {self.fitted_quality:.3f})"
        )

    def _repr_html_(self) -> str:
        return tuned_html(self)


def check_labels(models: Iterable[str], base: Pool) -> None:
    """Raise unless the pool has every model of the outcomes among its labels."""
    absent = [label for label in models if label not in base.registry]
    if absent:
        raise OutcomesError(
            f"pool {base.name} has no {', '.join(absent)}; bring the names together by rename, or give a pool with "
            "these labels"
        )


def tune(
    outcomes: Outcomes,
    objective: Objective = "quality",
    constraint: float | None = None,
    *,
    by: Unit = "prompt",
    folds: int = 5,
    seed: int = 0,
    classifier: str = "reference",
    replicates: int = 1000,
    today: Callable[[], date] = lambda: datetime.now(UTC).date(),
) -> TunedPolicy:
    """Fit curves, weights and thresholds, by nested cross-validation.

    For each outer fold everything is fitted and chosen on the other folds, where the choice itself rests on curves
    that were cross-validated once more. The policy returned is chosen in the same way on all prompts.

    Parameters
    ----------
    outcomes : Outcomes
        Quality and cost of every model; prompts that lack one are left out.
    objective : {"quality", "cost", "arena"}, default "quality"
        Most quality, least cost, or the highest RouterArena score (costs in USD).
    constraint : float, optional
        With ``quality`` the largest mean cost per prompt, in the outcomes' unit; with ``cost`` the least mean
        quality. Held-out figures may miss it: it is met on the fitting side.
    by : {"prompt", "group"}, default "prompt"
        What is held out together.
    folds : int, default 5
        Outer and inner folds.
    seed : int, default 0
        Source of chance.
    classifier : str, default "reference"
        Classifier for prompts whose type or complexity is missing.
    replicates : int, default 1000
        Resamples for the intervals.
    today : callable
        Clock for the date noted.

    Returns
    -------
    TunedPolicy
        Policy, curves, held-out figures beside the fitted ones, and the trade-off front.

    Raises
    ------
    OutcomesError
        If the objective lacks its constraint, no policy meets it, or costs are missing.
    """
    if objective == "cost" and constraint is None:
        raise OutcomesError("objective 'cost' needs constraint=, the least mean quality (0..1)")
    if objective == "arena" and outcomes.cost_unit != "USD":
        raise OutcomesError(f"the arena score needs costs in USD; {outcomes.name} has them in {outcomes.cost_unit!r}")
    complete = _typed(outcomes.complete(("quality", "cost")), classifier)
    rng = np.random.default_rng(seed)
    search = _Search(objective, constraint, by, folds, LinearCurves(classifier))
    spent, got = np.empty(len(complete)), np.empty(len(complete))
    outer = assign_folds(complete, folds, rng, by)
    for fold in range(folds):
        held_out, train = outer == fold, complete.take(outer != fold)
        chosen = search.choose(train, rng)
        spent[held_out], got[held_out] = search.route(chosen, train, complete.take(held_out))
    final = search.choose(complete, rng)
    groups = complete.prompts["group"].to_numpy(str) if by == "group" else None
    cost, quality = (
        bootstrap(lambda w, v=values: weighted_mean(v, w), len(values), rng, replicates=replicates, groups=groups)  # type: ignore[misc]
        for values in (spent, got)
    )
    mean_cost = complete.cost_matrix().mean()
    bound = "" if constraint is None else f" {'under' if objective == 'quality' else 'from'} {constraint:.4g}"
    provenance = {
        "data": f"{outcomes.name}, {len(complete)} prompts, {len(outcomes) - len(complete)} left out",
        "sha256": outcomes.sha256(),
        "split": f"{folds} outer and inner folds by {by}, seed {seed}",
        "held out": f"cost {cost:.4g} {outcomes.cost_unit}, quality {quality}",
        "versions": versions(),
        "date": today().isoformat(),
    }
    return TunedPolicy(
        policy=final.policy,
        estimator=clone(search.estimator).fit(complete),
        relative_cost={str(model): float(value) for model, value in (mean_cost / mean_cost.max()).items()},
        objective=f"{objective}{bound}",
        cost_unit=outcomes.cost_unit,
        fitted_cost=final.cost,
        fitted_quality=final.quality,
        cost=cost,
        quality=quality,
        front=final.front,
        provenance=provenance,
    )


@dataclass(frozen=True)
class _Choice:
    policy: Policy
    cost: float
    quality: float
    front: pd.DataFrame


@dataclass(frozen=True)
class _Search:
    """How a policy is chosen on some outcomes."""

    objective: Objective
    constraint: float | None
    by: Unit
    folds: int
    estimator: LinearCurves

    def choose(self, outcomes: Outcomes, rng: np.random.Generator) -> _Choice:
        """The best policy by curves that have not seen the prompts they are judged on."""
        predicted = np.empty((len(outcomes), len(outcomes.models)))
        inner = assign_folds(outcomes, self.folds, rng, self.by)
        for fold in range(self.folds):
            fitted = clone(self.estimator).fit(outcomes.take(inner != fold))
            predicted[inner == fold] = fitted.predict(outcomes.prompts[inner == fold])[list(outcomes.models)]
        quality, cost = outcomes.quality_matrix().to_numpy(float), outcomes.cost_matrix().to_numpy(float)
        kinds = outcomes.prompts["task_type"].to_numpy(str)
        price = _relative(cost)
        swept = sweep(
            predicted, price, quality, cost, thresholds=THRESHOLDS, cost_weights=COST_WEIGHTS, task_types=kinds
        )
        # For one price of quality the best threshold of a type does not depend on the other types.
        scale = cost.mean(axis=0).max()
        value = WILLINGNESS[:, None, None, None] * scale * swept.quality - swept.cost
        levels = value.argmax(axis=2).transpose(0, 2, 1).reshape(-1, len(swept.task_types))
        weight = np.tile(np.arange(len(COST_WEIGHTS)), len(WILLINGNESS))
        mean_cost, mean_quality = swept.outcome(levels, weight)
        place = self._best(mean_cost, mean_quality)
        table = pd.DataFrame(THRESHOLDS[levels], columns=list(swept.task_types))
        table.insert(0, "quality", mean_quality)
        table.insert(0, "cost", mean_cost)
        table.insert(0, "cost_weight", COST_WEIGHTS[weight])
        front = table[pareto_front(mean_cost, mean_quality)].drop_duplicates(["cost", "quality"]).sort_values("cost")
        policy = _policy(
            COST_WEIGHTS[weight[place]], dict(zip(swept.task_types, THRESHOLDS[levels[place]], strict=True))
        )
        return _Choice(policy, float(mean_cost[place]), float(mean_quality[place]), front.reset_index(drop=True))

    def route(self, choice: _Choice, train: Outcomes, new: Outcomes) -> tuple[Figures, Figures]:
        """Cost and quality of each new prompt under a policy and curves fitted elsewhere."""
        models = list(train.models)
        predicted = clone(self.estimator).fit(train).predict(new.prompts)[models].to_numpy(float)
        price = _relative(train.cost_matrix().to_numpy(float))
        threshold = np.array([choice.policy.threshold(TaskType(kind)) for kind in new.prompts["task_type"]])
        good = predicted >= threshold[:, None]
        utility = np.where(good, choice.policy.beta * predicted - choice.policy.alpha * price, -np.inf)
        chosen = np.where(good.any(axis=1), utility.argmax(axis=1), predicted.argmax(axis=1))
        rows = np.arange(len(new))
        spent, got = (new.matrix(measure)[models].to_numpy(float)[rows, chosen] for measure in ("cost", "quality"))
        return spent, got

    def _best(self, cost: Figures, quality: Figures) -> int:
        """Place of the best policy that meets the constraint."""
        if self.objective == "arena":
            return int(arena_score(quality, 1000.0 * cost).argmax())
        bound = np.inf if self.constraint is None else self.constraint
        allowed = cost <= bound if self.objective == "quality" else quality >= bound
        if not allowed.any():
            best = f"cost is {cost.min():.4g}" if self.objective == "quality" else f"quality is {quality.max():.3f}"
            raise OutcomesError(f"no policy meets the constraint {self.constraint}; the best {best}")
        keys = (cost, -quality) if self.objective == "quality" else (-quality, cost)
        order = np.lexsort(keys)
        return int(order[allowed[order]][0])


def _typed(outcomes: Outcomes, classifier: str) -> Outcomes:
    """The outcomes with every prompt's complexity and a task type that a policy knows; all others are one."""
    kinds, complexity = profiled(outcomes.prompts, classifier)
    known = [kind if kind in set(TaskType) else str(TaskType.OTHER) for kind in kinds]
    return replace(outcomes, prompts=outcomes.prompts.assign(task_type=known, complexity=complexity))


def _relative(cost: Figures) -> Figures:
    """Mean cost of each model over that of the dearest."""
    mean = cost.mean(axis=0)
    return np.asarray(mean / mean.max() if mean.max() > 0 else mean)


def _policy(cost_weight: float, thresholds: Mapping[str, float]) -> Policy:
    beta = 1.0 / (1.0 + cost_weight)
    return Policy(
        beta=beta,
        alpha=1.0 - beta,
        thresholds={TaskType(kind): float(level) for kind, level in thresholds.items()},
        default_threshold=float(thresholds.get(str(TaskType.OTHER), max(thresholds.values()))),
        overrides={},
    )
