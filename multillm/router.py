"""Which model takes a sub-task, and why. Pure: no I/O, no LiteLLM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from multillm.errors import RoutingError
from multillm.estimators import CostEstimator, CurveQuality, ListedCost, QualityEstimator
from multillm.policy import HEAVIEST, Policy
from multillm.pool import load_pool
from multillm.registry import ModelSpec, Registry
from multillm.rendering import decision_html
from multillm.tasks import TaskProfile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Candidate", "Rejection", "RoutingDecision", "RoutingRule", "TaskRouter"]


class Rejection(StrEnum):
    """Why a model was not a candidate."""

    FALLBACK_ONLY = "fallback only"
    TASK_TYPE = "task type"
    CONTEXT_WINDOW = "context window"
    UNKNOWN_QUALITY = "unknown quality"
    THRESHOLD = "threshold"
    OVERRIDE = "override"


class RoutingRule(StrEnum):
    """What made the choice."""

    UTILITY = "highest utility"
    OVERRIDE = "override"
    HIGHEST_QUALITY = "highest quality, none reaches the threshold"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model as the router saw it.

    Attributes
    ----------
    label : str
        Model group.
    quality : float or None
        Expected quality, 0..1; None where unknown.
    cost : float
        Expected cost on the scale of the utility.
    utility : float or None
        Weighted quality less weighted cost; None where the quality is unknown.
    rejection : Rejection or None
        Why it was left out; None if it was open to choice.
    detail : str
        The rejection in figures.
    """

    label: str
    quality: float | None
    cost: float
    utility: float | None
    rejection: Rejection | None = None
    detail: str = ""

    @property
    def reason(self) -> str:
        """The rejection in words and figures; empty if it was open to choice."""
        return f"{self.rejection}: {self.detail}" if self.rejection else ""


@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """What was chosen for a sub-task, what was rejected and why.

    Attributes
    ----------
    profile : TaskProfile
        The classified sub-task.
    label : str
        Model group chosen.
    rule : RoutingRule
        What made the choice.
    threshold : float
        Least acceptable quality, 0..1.
    candidates : tuple of Candidate
        Every model of the pool, in order of rank.
    fallbacks : tuple of str
        Labels to call if the chosen one fails: peers or upward, all at or above the threshold.
    max_output_tokens : int
        Most tokens the answer may have.
    """

    profile: TaskProfile
    label: str
    rule: RoutingRule
    threshold: float
    candidates: tuple[Candidate, ...]
    fallbacks: tuple[str, ...]
    max_output_tokens: int

    @property
    def chosen(self) -> Candidate:
        """The candidate chosen."""
        return next(candidate for candidate in self.candidates if candidate.label == self.label)

    @property
    def utility(self) -> float | None:
        """Utility of the candidate chosen."""
        return self.chosen.utility

    def to_dict(self) -> dict[str, object]:
        """The decision as plain values, ready for JSON."""
        profile, subtask = self.profile, self.profile.subtask
        return {
            "sub_task": subtask.text,
            "start": subtask.start,
            "end": subtask.end,
            "depends_on": list(subtask.depends_on),
            "context": subtask.context,
            "task_type": str(profile.task_type),
            "confidence": profile.confidence,
            "complexity": profile.complexity,
            "tier": str(profile.tier),
            "input_tokens": profile.input_tokens,
            "label": self.label,
            "utility": self.utility,
            "rule": str(self.rule),
            "threshold": self.threshold,
            "fallbacks": list(self.fallbacks),
            "max_output_tokens": self.max_output_tokens,
            "candidates": [{**asdict(candidate), "role": self.role(candidate)} for candidate in self.candidates],
        }

    def to_frame(self) -> pd.DataFrame:
        """Every model with its figures, one row each.

        Returns
        -------
        DataFrame
            Indexed by label: quality, cost, utility (float64, missing where unknown),
            role (chosen, fallback 1.., open, rejected), reason (str, empty unless rejected).
        """
        import pandas as pd

        rows = [(c.label, c.quality, c.cost, c.utility, self.role(c), c.reason) for c in self.candidates]
        frame = pd.DataFrame(rows, columns=["label", "quality", "cost", "utility", "role", "reason"])
        return frame.astype({"quality": float, "cost": float, "utility": float}).set_index("label")

    def to_row(self) -> dict[str, object]:
        """The decision as a row of a table."""
        told = self.to_dict()
        shown = ("sub_task", "task_type", "complexity", "tier", "label", "utility", "rule", "depends_on")
        return {name: told[name] for name in shown}

    def role(self, candidate: Candidate) -> str:
        """What became of a candidate: chosen, fallback 1.., open or rejected."""
        if candidate.label == self.label:
            return "chosen"
        if candidate.label in self.fallbacks:
            return f"fallback {self.fallbacks.index(candidate.label) + 1}"
        return "rejected" if candidate.rejection else "open"

    def __repr__(self) -> str:
        utility = "U unknown" if self.utility is None else f"U={self.utility:+.4f}"
        return f"RoutingDecision({self.profile.text!r} -> {self.label}, {utility}, {self.rule})"

    def _repr_html_(self) -> str:
        return decision_html(self)


class TaskRouter:
    """Picks the cheapest model that is good enough for a sub-task.

    Parameters
    ----------
    registry : Registry, optional
        The models; those of the default pool if left out.
    policy : Policy, optional
        The weights and thresholds; those of the default pool if left out.
    quality : QualityEstimator, optional
        Expected quality; the models' own curves if left out.
    cost : CostEstimator, optional
        Expected cost; the pool's prices if left out.

    Examples
    --------
    >>> from multillm.classification import classify
    >>> TaskRouter().route(classify("Write the API reference documentation for our REST /users endpoints")).label
    'model::light'
    """

    def __init__(
        self,
        registry: Registry | None = None,
        policy: Policy | None = None,
        quality: QualityEstimator | None = None,
        cost: CostEstimator | None = None,
    ) -> None:
        if registry is None or policy is None:
            pool = load_pool()
            registry, policy = registry or pool.registry.usable(), policy or pool.policy
        self.registry = registry
        self.policy = policy
        self.policy.check_labels(self.registry.labels)
        self.quality = quality or CurveQuality()
        self.cost = cost or ListedCost()

    def __repr__(self) -> str:
        return f"TaskRouter({self.registry!r}, {self.policy!r}, {self.quality!r}, {self.cost!r})"

    def route(self, profile: TaskProfile, extra_input_tokens: int = 0) -> RoutingDecision:
        """Choose a model for a sub-task.

        Parameters
        ----------
        profile : TaskProfile
            The classified sub-task.
        extra_input_tokens : int, default 0
            Tokens that come with it: answers of other sub-tasks, shared context.

        Returns
        -------
        RoutingDecision
            The choice, every candidate and the fallbacks.

        Raises
        ------
        RoutingError
            If the sub-task fits no model's context window.
        """
        models = self.registry.models
        needed = profile.input_tokens + extra_input_tokens
        figures = zip(models, self.quality.quality(profile, models), self.cost.cost(profile, models), strict=True)
        candidates = [self._weigh(spec, profile, needed, q, c) for spec, q, c in figures]
        label, rule = self._choose(profile, candidates, needed)
        if rule is RoutingRule.OVERRIDE:
            candidates = [_overridden(c, label, profile) for c in candidates]
        return RoutingDecision(
            profile=profile,
            label=label,
            rule=rule,
            threshold=self.policy.threshold(profile.task_type),
            candidates=tuple(candidates),
            fallbacks=self._fallbacks(label, candidates),
            max_output_tokens=self.policy.output_budget.tokens(profile),
        )

    def _weigh(
        self, spec: ModelSpec, profile: TaskProfile, needed: int, quality: float | None, cost: float
    ) -> Candidate:
        """The model's figures and, if it cannot be chosen, the first reason why."""
        threshold = self.policy.threshold(profile.task_type)
        rejection: tuple[Rejection, str] | tuple[None, str] = (None, "")
        if profile.task_type not in spec.task_types:
            rejection = Rejection.TASK_TYPE, f"{profile.task_type} is not among its types"
        elif needed > spec.context_tokens:
            rejection = Rejection.CONTEXT_WINDOW, f"{needed:,} tokens > {spec.context_tokens:,}"
        elif quality is None:
            rejection = Rejection.UNKNOWN_QUALITY, "nothing measured or assumed"
        elif quality < threshold:
            rejection = Rejection.THRESHOLD, f"Q {quality:.3f} < {threshold:.2f}"
        elif spec.fallback_only:
            rejection = Rejection.FALLBACK_ONLY, "kept for when the others fail"
        utility = None if quality is None else self.policy.utility(quality, cost)
        return Candidate(spec.label, quality, cost, utility, *rejection)

    def _choose(self, profile: TaskProfile, candidates: Sequence[Candidate], needed: int) -> tuple[str, RoutingRule]:
        """Override if there is one, else the highest utility, else the highest quality."""
        fitting = [
            candidate
            for spec, candidate in zip(self.registry, candidates, strict=True)
            if needed <= spec.context_tokens and not spec.fallback_only
        ]
        if not fitting:
            largest = max(spec.context_tokens for spec in self.registry)
            raise RoutingError(
                f"the sub-task needs {needed:,} tokens of context; the largest window of the pool is {largest:,}: "
                "shorten the prompt or add a model with a larger window"
            )
        forced = self._override(profile)
        if forced in {candidate.label for candidate in fitting}:
            return forced, RoutingRule.OVERRIDE
        open_to_choice = [candidate for candidate in candidates if candidate.rejection is None]
        if open_to_choice:
            return max(open_to_choice, key=lambda c: c.utility or 0.0).label, RoutingRule.UTILITY
        return max(fitting, key=lambda c: -1.0 if c.quality is None else c.quality).label, RoutingRule.HIGHEST_QUALITY

    def _override(self, profile: TaskProfile) -> str:
        """Label that the policy forces for this task type; empty if none."""
        target = self.policy.overrides.get(profile.task_type, "")
        if target != HEAVIEST:
            return target
        return max((s for s in self.registry if not s.fallback_only), key=lambda s: s.rank).label

    def _fallbacks(self, label: str, candidates: Sequence[Candidate]) -> tuple[str, ...]:
        """Peers and stronger models at or above the threshold, best utility first; then those kept for the end."""
        least_rank = self.registry[label].rank
        good = [
            (spec, candidate)
            for spec, candidate in zip(self.registry, candidates, strict=True)
            if candidate.label != label
            and candidate.rejection in {None, Rejection.OVERRIDE, Rejection.FALLBACK_ONLY}
            and (spec.rank >= least_rank or spec.fallback_only)
        ]
        good.sort(key=lambda pair: (pair[0].fallback_only, -(pair[1].utility or 0.0)))
        return tuple(candidate.label for _, candidate in good)


def _overridden(candidate: Candidate, label: str, profile: TaskProfile) -> Candidate:
    """The candidate, marked as passed over for the override's choice."""
    if candidate.label == label or candidate.rejection is not None:
        return candidate
    detail = f"{profile.task_type} always goes to {label}"
    return Candidate(candidate.label, candidate.quality, candidate.cost, candidate.utility, Rejection.OVERRIDE, detail)
