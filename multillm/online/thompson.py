"""Exploring with caution: qualities drawn from the posterior, of models that are good enough."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from multillm.errors import EstimatorError
from multillm.learning.base import PLACES
from multillm.metrics.bootstrap import Figures
from multillm.online.posterior import BetaQuality, credible_bound
from multillm.policy import Policy
from multillm.registry import ModelSpec
from multillm.tasks import TaskProfile

__all__ = ["ThompsonQuality", "above_floor", "check_confidence"]


class ThompsonQuality:
    r"""Thompson sampling above a floor on quality.

    A model's quality is drawn from its posterior, so that it is taken as often as it may be the best (Chapelle and Li,
    NIPS 2011; Russo et al., arXiv:1707.02038). The floor is the policy's threshold :math:`\theta` of the task type. It
    is asked of the posterior, never of the draw: a model is explored only if

    .. math:: P(Q \ge \theta) \ge \text{confidence}

    Its draw then counts as :math:`\max(\text{draw}, \theta)`, so that bad luck does not rule it out. Any other model
    is reported with the quality that it reaches with that confidence. That lies below the threshold, so the router
    rejects it; where no model reaches the threshold the router takes the one of which most is sure.

    Parameters
    ----------
    posterior : BetaQuality
        What is drawn from; it may go on learning.
    policy : Policy
        That of the router, for its thresholds.
    seed : int, default 0
        Source of chance.
    confidence : float, default 0.5
        How sure it must be that a model reaches the threshold, above 0 and below 1. At 0.5 the posterior's median must;
        at 0.95 next to nothing is risked, and next to nothing tried.

    Raises
    ------
    EstimatorError
        If the confidence is outside what is allowed.

    Notes
    -----
    A draw is a function of the seed, the number of ratings learnt, the SHA-256 of the sub-task's text and the label. So
    a plan and the run after it decide the same, and so does a replay of the feedback store, which keeps that hash, on a
    posterior rebuilt from the ratings that were known then.
    """

    def __init__(self, posterior: BetaQuality, policy: Policy, *, seed: int = 0, confidence: float = 0.5) -> None:
        check_confidence(confidence)
        self.posterior = posterior
        self.policy = policy
        self.seed = seed
        self.confidence = confidence

    def quality(self, profile: TaskProfile, models: Sequence[ModelSpec]) -> list[float | None]:
        """A draw (0..1) for each model that may be explored, else what it surely reaches; None where unknown."""
        labels = [spec.label for spec in models]
        successes, failures, ratings = self.posterior.beta(profile, labels)
        key = f"{self.seed} {ratings} {hashlib.sha256(profile.text.encode('utf-8', 'surrogatepass')).hexdigest()}"
        drawn = credible_bound(successes, failures, np.array([_uniform(f"{key} {label}") for label in labels]))
        floor = self.policy.threshold(profile.task_type)
        sure = credible_bound(successes, failures, 1.0 - self.confidence)
        quality = above_floor(drawn.round(PLACES), sure.round(PLACES), floor)
        known = successes + failures > 0
        return [float(each) if there else None for each, there in zip(quality, known, strict=True)]

    def __repr__(self) -> str:
        return f"ThompsonQuality({self.posterior!r}, seed {self.seed}, confidence {self.confidence:g})"


def check_confidence(confidence: float) -> None:
    """Raise an EstimatorError unless it is a probability above 0 and below 1."""
    if not 0.0 < confidence < 1.0:
        raise EstimatorError(f"confidence is {confidence}; allowed is any probability above 0 and below 1")


def above_floor(drawn: Figures, sure: Figures, floor: float) -> Figures:
    """The draw, at least the floor, where what is sure reaches it; else what is sure."""
    return np.where(sure >= floor, np.maximum(drawn, floor), sure)


def _uniform(key: str) -> float:
    """A number in 0..1 (never 0 or 1) that the key alone decides."""
    return (int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=6).digest()) + 0.5) / 2**48
