"""How a policy is chosen on some outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from multillm.errors import OutcomesError
from multillm.evaluation.splits import Unit, assign_folds
from multillm.learning import LinearCurves
from multillm.learning.profiles import profiled
from multillm.metrics import arena_score, pareto_front
from multillm.metrics.bootstrap import Figures
from multillm.outcomes import Outcomes
from multillm.policy import Policy
from multillm.sweep import Sweep, sweep
from multillm.tasks import TaskType

__all__ = ["COST_WEIGHTS", "THRESHOLDS", "ChosenPolicy", "Objective", "Search", "relative", "taken", "typed"]

Objective = Literal["quality", "cost", "arena"]

THRESHOLDS = np.round(np.linspace(0.0, 1.0, 21), 2)
COST_WEIGHTS = np.concatenate([[0.0], np.geomspace(0.001, 10.0, 60)])
WILLINGNESS = np.concatenate([[0.0], np.geomspace(0.001, 1000.0, 60)])


@dataclass(frozen=True)
class ChosenPolicy:
    """A policy with its means per prompt, on the prompts that it was chosen on, and the trade-offs beside it."""

    policy: Policy
    cost: float
    quality: float
    front: pd.DataFrame


@dataclass(frozen=True)
class Search:
    """How a policy is chosen on some outcomes."""

    objective: Objective
    constraint: float | None
    by: Unit
    folds: int
    estimator: LinearCurves

    def check(self, name: str, cost_unit: str) -> None:
        """Raise if the objective lacks its constraint or its unit of costs."""
        if self.objective == "cost" and self.constraint is None:
            raise OutcomesError("objective 'cost' needs constraint=, the least mean quality (0..1)")
        if self.objective == "arena" and cost_unit != "USD":
            raise OutcomesError(f"the arena score needs costs in USD; {name} has them in {cost_unit!r}")

    def choose(self, outcomes: Outcomes, rng: np.random.Generator) -> ChosenPolicy:
        """The best policy by curves that have not seen the prompts they are judged on."""
        predicted = np.empty((len(outcomes), len(outcomes.models)))
        inner = assign_folds(outcomes, self.folds, rng, self.by)
        for fold in range(self.folds):
            fitted = clone(self.estimator).fit(outcomes.take(inner != fold))
            predicted[inner == fold] = fitted.predict(outcomes.prompts[inner == fold])[list(outcomes.models)]
        quality, cost = outcomes.quality_matrix().to_numpy(float), outcomes.cost_matrix().to_numpy(float)
        kinds = outcomes.prompts["task_type"].to_numpy(str)
        price = relative(cost)
        swept = sweep(
            predicted, price, quality, cost, thresholds=THRESHOLDS, cost_weights=COST_WEIGHTS, task_types=kinds
        )
        return self.best(swept, float(cost.mean(axis=0).max()))

    def best(self, swept: Sweep, scale: float) -> ChosenPolicy:
        """The best policy of a sweep; costs are of the order of the scale."""
        # For one price of quality the best threshold of a type does not depend on the other types.
        value = WILLINGNESS[:, None, None, None] * scale * swept.quality - swept.cost
        levels = value.argmax(axis=2).transpose(0, 2, 1).reshape(-1, len(swept.task_types))
        weight = np.tile(np.arange(len(COST_WEIGHTS)), len(WILLINGNESS))
        mean_cost, mean_quality = swept.outcome(levels, weight)
        place = self._place(mean_cost, mean_quality)
        table = pd.DataFrame(THRESHOLDS[levels], columns=list(swept.task_types))
        table.insert(0, "quality", mean_quality)
        table.insert(0, "cost", mean_cost)
        table.insert(0, "cost_weight", COST_WEIGHTS[weight])
        front = table[pareto_front(mean_cost, mean_quality)].drop_duplicates(["cost", "quality"]).sort_values("cost")
        policy = _policy(
            COST_WEIGHTS[weight[place]], dict(zip(swept.task_types, THRESHOLDS[levels[place]], strict=True))
        )
        return ChosenPolicy(policy, float(mean_cost[place]), float(mean_quality[place]), front.reset_index(drop=True))

    def route(self, choice: ChosenPolicy, train: Outcomes, new: Outcomes) -> tuple[Figures, Figures]:
        """Cost and quality of each new prompt under a policy and curves fitted elsewhere."""
        models = list(train.models)
        predicted = clone(self.estimator).fit(train).predict(new.prompts)[models].to_numpy(float)
        price = relative(train.cost_matrix().to_numpy(float))
        chosen = taken(choice.policy, predicted, price, new.prompts["task_type"])
        rows = np.arange(len(new))
        spent, got = (new.matrix(measure)[models].to_numpy(float)[rows, chosen] for measure in ("cost", "quality"))
        return spent, got

    def _place(self, cost: Figures, quality: Figures) -> int:
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


def taken(policy: Policy, predicted: Figures, price: Figures, kinds: pd.Series) -> npt.NDArray[np.intp]:
    """Column of the model that a policy takes for each prompt, shape [n]."""
    threshold = np.array([policy.threshold(TaskType(kind)) for kind in kinds])
    good = predicted >= threshold[:, None]
    utility = np.where(good, policy.beta * predicted - policy.alpha * price, -np.inf)
    return np.asarray(np.where(good.any(axis=1), utility.argmax(axis=1), predicted.argmax(axis=1)))


def typed(outcomes: Outcomes, classifier: str) -> Outcomes:
    """The outcomes with every prompt's complexity and a task type that a policy knows; all others are one."""
    kinds, complexity = profiled(outcomes.prompts, classifier)
    known = [kind if kind in set(TaskType) else str(TaskType.OTHER) for kind in kinds]
    return replace(outcomes, prompts=outcomes.prompts.assign(task_type=known, complexity=complexity))


def relative(cost: Figures) -> Figures:
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
