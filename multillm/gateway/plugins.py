"""Classifier and policy as plugins of LiteLLM's auto-router: one tier and one model for a whole request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from multillm.classification import Classifier
from multillm.gateway.conversation import last_question, written_text
from multillm.router import TaskRouter
from multillm.tasks import ComplexityTier, SubTask, TaskProfile, estimate_tokens

if TYPE_CHECKING:
    from litellm.types.router import RoutingContext

__all__ = ["AUTO", "TIERS", "Thresholds", "TierClassifier"]

AUTO = "multillm-auto"
"""Model of the proxy that sends a whole request to the one model that is good enough."""
TIERS: Mapping[ComplexityTier, str] = {
    ComplexityTier.LOW: "SIMPLE",
    ComplexityTier.MEDIUM: "MEDIUM",
    ComplexityTier.HIGH: "COMPLEX",
}
"""What LiteLLM calls our tiers."""


class TierClassifier:
    """Tells LiteLLM's complexity router the tier of a request (its ``ClassifierPlugin``).

    Parameters
    ----------
    classifier : Classifier
        Classifies the last message of the user.
    """

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    async def classify(self, context: RoutingContext) -> str | None:
        """The tier; None where the user's last message has no text."""
        profile = _profile(self._classifier, context)
        return None if profile is None else TIERS[profile.tier]


class Thresholds:
    """Narrows a request's candidates to the cheapest model that is good enough (LiteLLM's ``RoutingPlugin``).

    LiteLLM draws at random among the candidates that its plugins leave, so one is left: the one that
    `TaskRouter.route` decides on, or where that is not among the candidates the first of its fallbacks that is.
    Where no model reaches the threshold, that is the one of highest quality. LiteLLM refuses the request where none of
    these is a candidate. All are left where the user's last message has no text; only text counts against a context
    window.

    Parameters
    ----------
    classifier : Classifier
        Classifies the last message of the user.
    router : TaskRouter
        Decides.
    """

    def __init__(self, classifier: Classifier, router: TaskRouter) -> None:
        self._classifier = classifier
        self._router = router

    async def run(self, context: RoutingContext) -> RoutingContext:
        """The context with one candidate.

        Raises
        ------
        litellm.ContextWindowExceededError
            If the request fits no model's context window.
        """
        from multillm.gateway.refusals import refusals  # brings LiteLLM, which runs already where plugins do

        profile = _profile(self._classifier, context)
        if profile is not None:
            said = sum(estimate_tokens(written_text(m.get("content"))) for m in context.structured_messages)
            with refusals(AUTO):
                decision = self._router.route(profile, max(0, said - profile.input_tokens))
            good = [label for label in (decision.label, *decision.fallbacks) if label in context.candidate_models]
            context.candidate_models = good[:1]
            context.signals["multillm"] = {"task_type": str(profile.task_type), "complexity": profile.complexity}
        return context


def _profile(classifier: Classifier, context: Any) -> TaskProfile | None:
    prompt = last_question(context.structured_messages)
    return classifier.classify(SubTask(prompt, 0, len(prompt))) if prompt.strip() else None
