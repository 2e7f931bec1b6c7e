"""A policy fitted to outcomes, and what it does on prompts not seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from multillm.errors import OutcomesError
from multillm.files import replacing
from multillm.learning import LinearCurves
from multillm.metrics import Estimate
from multillm.policy import Policy
from multillm.pool import Pool
from multillm.registry import QualityCurve
from multillm.rendering import tuned_html
from multillm.tasks import TaskType

__all__ = ["TunedPolicy", "check_labels"]


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
        with replacing(path) as unfinished:
            unfinished.write_text(head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")
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
