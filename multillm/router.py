"""Which model takes a sub-task, and why. Pure: no I/O, no LiteLLM."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from multillm.decisions import Candidate, Rejection, RoutingDecision, RoutingRule
from multillm.errors import RoutingError
from multillm.estimators import CostEstimator, CurveQuality, ListedCost, QualityEstimator
from multillm.policy import HEAVIEST, Policy
from multillm.pool import load_pool
from multillm.registry import ModelSpec, Registry
from multillm.tasks import TaskProfile, TaskType

__all__ = ["Candidate", "Rejection", "RoutingDecision", "RoutingRule", "TaskRouter", "Terms", "no_window"]


class Terms(NamedTuple):
    """What a policy and a pool lay down for a task type.

    Attributes
    ----------
    task_type : TaskType
        The task type.
    threshold : float
        Least acceptable quality, 0..1.
    forced : str
        Label that the policy forces; empty if none.
    serving : frozenset of str
        Labels of the models that take the type.
    """

    task_type: TaskType
    threshold: float
    forced: str
    serving: frozenset[str]


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
        self.terms = {kind: self._terms_of(kind) for kind in TaskType}

    def _terms_of(self, kind: TaskType) -> Terms:
        forced = self.policy.overrides.get(kind, "")
        if forced == HEAVIEST:
            forced = max((s for s in self.registry if not s.fallback_only), key=lambda s: s.rank).label
        serving = frozenset(spec.label for spec in self.registry if kind in spec.task_types)
        return Terms(kind, self.policy.threshold(kind), forced, serving)

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
        models, terms = self.registry.models, self.terms[profile.task_type]
        needed = profile.input_tokens + extra_input_tokens
        quality, cost = self.quality.quality(profile, models), self.cost.cost(profile, models)
        candidates = self._weigh(terms, needed, quality, cost)
        label, rule = self._choose(terms, candidates, needed)
        if rule is RoutingRule.OVERRIDE:
            candidates = [_overridden(c, label, terms.task_type) for c in candidates]
        return RoutingDecision(
            profile,
            label,
            rule,
            terms.threshold,
            tuple(candidates),
            _fallbacks(self.registry, label, candidates),
            self.policy.output_budget.tokens(profile),
        )

    def _weigh(
        self, terms: Terms, needed: int, quality: Sequence[float | None], cost: Sequence[float]
    ) -> list[Candidate]:
        """Each model's figures and, if it cannot be chosen, the first reason why."""
        utility, candidates = self.policy.utility, []
        for spec, good, dear in zip(self.registry.models, quality, cost, strict=True):
            rejection, detail = _rejection(terms, spec, needed, good)
            worth = None if good is None else utility(good, dear)
            candidates.append(Candidate(spec.label, good, dear, worth, rejection, detail))
        return candidates

    def _choose(self, terms: Terms, candidates: Sequence[Candidate], needed: int) -> tuple[str, RoutingRule]:
        """Override if there is one, else the highest utility, else the highest quality."""
        open_to_choice = [candidate for candidate in candidates if candidate.rejection is None]
        if open_to_choice and not terms.forced:
            return max(open_to_choice, key=_utility).label, RoutingRule.UTILITY
        fitting = [
            candidate
            for spec, candidate in zip(self.registry.models, candidates, strict=True)
            if needed <= spec.context_tokens and not spec.fallback_only
        ]
        if not fitting:
            raise no_window(needed, self.registry.models)
        if any(candidate.label == terms.forced for candidate in fitting):
            return terms.forced, RoutingRule.OVERRIDE
        if open_to_choice:
            return max(open_to_choice, key=_utility).label, RoutingRule.UTILITY
        return max(fitting, key=lambda c: -1.0 if c.quality is None else c.quality).label, RoutingRule.HIGHEST_QUALITY


def _rejection(terms: Terms, spec: ModelSpec, needed: int, quality: float | None) -> tuple[Rejection | None, str]:
    """The first reason why a model cannot be chosen, in words and figures; none if it can."""
    if spec.label not in terms.serving:
        return Rejection.TASK_TYPE, f"{terms.task_type} is not among its types"
    if needed > spec.context_tokens:
        return Rejection.CONTEXT_WINDOW, f"{needed:,} tokens > {spec.context_tokens:,}"
    if quality is None:
        return Rejection.UNKNOWN_QUALITY, "nothing measured or assumed"
    if quality < terms.threshold:
        return Rejection.THRESHOLD, f"Q {quality:.3f} < {terms.threshold:.2f}"
    return (Rejection.FALLBACK_ONLY, "kept for when the others fail") if spec.fallback_only else OPEN


def _fallbacks(registry: Registry, label: str, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """Peers and stronger models at or above the threshold, best utility first; then those kept for the end."""
    least_rank = registry[label].rank
    good = [
        (spec.fallback_only, -_utility(candidate), candidate.label)
        for spec, candidate in zip(registry.models, candidates, strict=True)
        if candidate.rejection in GOOD_ENOUGH
        and candidate.label != label
        and (spec.rank >= least_rank or spec.fallback_only)
    ]
    good.sort(key=itemgetter(0, 1))
    return tuple([candidate for _, _, candidate in good])


OPEN: tuple[None, str] = (None, "")
GOOD_ENOUGH = (None, Rejection.OVERRIDE, Rejection.FALLBACK_ONLY)


def _utility(candidate: Candidate) -> float:
    return candidate.utility or 0.0


def no_window(needed: int, models: Sequence[ModelSpec]) -> RoutingError:
    """The error for a sub-task that is too long for every model."""
    largest = max(spec.context_tokens for spec in models)
    return RoutingError(
        f"the sub-task needs {needed:,} tokens of context; the largest window of the pool is {largest:,}: "
        "shorten the prompt or add a model with a larger window"
    )


def _overridden(candidate: Candidate, label: str, task_type: TaskType) -> Candidate:
    """The candidate, marked as passed over for the override's choice."""
    if candidate.label == label or candidate.rejection is not None:
        return candidate
    return candidate._replace(rejection=Rejection.OVERRIDE, detail=f"{task_type} always goes to {label}")
