"""Ways to choose a model for each prompt of a stream: fixed, in hindsight, and learning from what is revealed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from sklearn.base import clone

from multillm.errors import EstimatorError, OutcomesError
from multillm.learning import FittedCurves, PromptQuality
from multillm.metrics.bootstrap import Figures
from multillm.online.posterior import check_prior, credible_bound
from multillm.online.stream import Places, Stream
from multillm.online.thompson import above_floor, check_confidence

__all__ = [
    "BestFixed",
    "EpsilonGreedy",
    "Oracle",
    "Random",
    "Refitted",
    "Static",
    "Strategy",
    "Thompson",
]


class Strategy(Protocol):
    """Chooses a model for every prompt of a stream."""

    def choices(self, stream: Stream, rngs: Sequence[np.random.Generator]) -> Places:
        """Column of the model chosen, shape [seeds, prompts]; each seed has its own source of chance."""
        ...


@dataclass(frozen=True)
class Oracle:
    """The model of the highest utility for each prompt, in hindsight."""

    def choices(self, stream: Stream, rngs: Sequence[np.random.Generator]) -> Places:
        """See `Strategy`."""
        return np.asarray(stream.utility.argmax(axis=2))


@dataclass(frozen=True)
class BestFixed:
    """The one model of the highest mean utility, in hindsight; with `by_context` one for each kind of prompt."""

    by_context: bool = False

    def choices(self, stream: Stream, rngs: Sequence[np.random.Generator]) -> Places:
        """See `Strategy`."""
        context = stream.context if self.by_context else np.zeros_like(stream.context)
        member = np.eye(context.max() + 1)[context]
        best = np.einsum("stk,stm->skm", member, stream.utility).argmax(axis=2)
        return np.take_along_axis(best, context, axis=1)


@dataclass(frozen=True)
class Random:
    """Any model, each as likely as the other."""

    def choices(self, stream: Stream, rngs: Sequence[np.random.Generator]) -> Places:
        """See `Strategy`."""
        _, prompts, models = stream.shape
        return np.stack([rng.integers(models, size=prompts) for rng in rngs])


@dataclass(frozen=True)
class Static:
    """An estimator fitted to the benchmark and never again; costs are the benchmark's means.

    Parameters
    ----------
    estimator : PromptQuality
        Fitted curves if left out.
    """

    estimator: PromptQuality = field(default_factory=FittedCurves)

    def choices(self, stream: Stream, rngs: Sequence[np.random.Generator]) -> Places:
        """See `Strategy`."""
        return np.asarray((stream.expected(self.estimator) - stream.price[:, None]).argmax(axis=2))


@dataclass(frozen=True)
class _Beta(ABC):
    """Keeps the Beta posterior of `BetaQuality` for each model and context, all seeds at once.

    Parameters
    ----------
    prior : PromptQuality or None
        Fitted to the benchmark, it takes the place of the pool's curves; one half throughout for None.
    weight : float, default 10
        Pseudo-observations that the prior is worth; with 0 a model counts for one half until it has been tried.
    half_life : float, optional
        As for `BetaQuality`.

    Raises
    ------
    EstimatorError
        If a parameter is outside what is allowed.
    """

    prior: PromptQuality | None = field(default_factory=FittedCurves)
    weight: float = 10.0
    half_life: float | None = None

    def __post_init__(self) -> None:
        check_prior(self.weight, self.half_life)

    def choices(self, stream: Stream, rngs: Sequence[np.random.Generator]) -> Places:
        """See `Strategy`."""
        seeds, prompts, models = stream.shape
        every = np.arange(seeds)
        prior = self.weight * stream.expected(self.prior)
        good, bad = np.zeros((2, seeds, stream.contexts, models))
        decay = 1.0 if self.half_life is None else 2.0 ** (-1.0 / self.half_life)
        calls = np.full((seeds, models), float(stream.benchmarked.shape[1]))
        spent = calls * stream.price
        chosen = np.empty((seeds, prompts), dtype=np.intp)
        for step in range(prompts):
            kind = stream.context[:, step]
            a = prior[:, step] + good[every, kind]
            b = self.weight - prior[:, step] + bad[every, kind]
            price = spent / np.maximum(calls, 1.0)
            now = chosen[:, step] = self._choose(a, b, price, rngs)
            quality, cost = stream.reveal(step, now)
            if decay < 1.0:
                good[every, kind] *= decay
                bad[every, kind] *= decay
            good[every, kind, now] += quality
            bad[every, kind, now] += 1.0 - quality
            calls[every, now] += 1.0
            spent[every, now] += cost
        return chosen

    @abstractmethod
    def _choose(self, a: Figures, b: Figures, price: Figures, rngs: Sequence[np.random.Generator]) -> Places:
        """Column chosen for one prompt, shape [seeds], from parameters and mean costs of shape [seeds, models]."""


@dataclass(frozen=True)
class EpsilonGreedy(_Beta):
    """The highest expected utility by the posterior's mean, and now and then any model.

    Parameters
    ----------
    epsilon : float, default 0
        Share of prompts given to a model by chance; 0 is greedy.
    """

    epsilon: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_share("epsilon", self.epsilon)

    def _choose(self, a: Figures, b: Figures, price: Figures, rngs: Sequence[np.random.Generator]) -> Places:
        expected = np.divide(a, a + b, out=np.full_like(a, 0.5), where=a + b > 0)
        greedy: Places = (expected - price).argmax(axis=1)
        if self.epsilon == 0.0:
            return greedy
        chance = np.array([rng.random() < self.epsilon for rng in rngs])
        return np.where(chance, [rng.integers(a.shape[1]) for rng in rngs], greedy)


@dataclass(frozen=True)
class Thompson(_Beta):
    """The highest utility by qualities drawn from the posterior, as `ThompsonQuality` draws them.

    Parameters
    ----------
    floor : float, default 0
        Least acceptable quality: a model is explored only if its quality reaches this with that confidence. Where none
        does, the one of which most is sure is taken.
    confidence : float, default 0.5
        As for `ThompsonQuality`.
    """

    floor: float = 0.0
    confidence: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_share("floor", self.floor)
        check_confidence(self.confidence)

    def _choose(self, a: Figures, b: Figures, price: Figures, rngs: Sequence[np.random.Generator]) -> Places:
        least = np.maximum((a, b), 1e-9)
        drawn = np.stack([rng.beta(*each) for rng, each in zip(rngs, least.swapaxes(0, 1), strict=True)])
        if self.floor == 0.0:
            return np.asarray((drawn - price).argmax(axis=1))
        sure = credible_bound(a, b, 1.0 - self.confidence)
        reaching = sure >= self.floor
        utility = np.where(reaching, above_floor(drawn, sure, self.floor) - price, -np.inf)
        return np.asarray(np.where(reaching.any(axis=1), utility.argmax(axis=1), sure.argmax(axis=1)))


@dataclass(frozen=True)
class Refitted:
    """An estimator fitted again to all that was revealed, each time that this has doubled.

    Parameters
    ----------
    estimator : PromptQuality
        Fitted first to the benchmark.
    first : int, default 250
        Prompts after which it is fitted again for the first time.
    epsilon : float, default 0.05
        Share of prompts given to a model by chance.

    Raises
    ------
    EstimatorError
        If a parameter is outside what is allowed.
    """

    estimator: PromptQuality
    first: int = 250
    epsilon: float = 0.05

    def __post_init__(self) -> None:
        _check_share("epsilon", self.epsilon)
        if not self.first >= 1:
            raise EstimatorError(f"first is {self.first}; allowed are 1 and more prompts")

    def choices(self, stream: Stream, rngs: Sequence[np.random.Generator]) -> Places:
        """See `Strategy`."""
        if stream.benchmarked.size == 0:
            raise OutcomesError(f"benchmark is 0, which leaves {self.estimator} nothing to be fitted to")
        return np.stack([self._of_seed(stream, seed, rng) for seed, rng in enumerate(rngs)])

    def _of_seed(self, stream: Stream, seed: int, rng: np.random.Generator) -> Places:
        _, prompts, models = stream.shape
        chosen = np.empty(0, dtype=np.intp)
        while len(chosen) < prompts:
            start, stop = len(chosen), min(prompts, max(self.first, 2 * len(chosen)))
            fitted = clone(self.estimator).fit(stream.seen(seed, chosen))
            best = stream.predicted(fitted, stream.order[seed, start:stop]) - stream.price[seed]
            chance = rng.random(stop - start) < self.epsilon
            now = np.where(chance, rng.integers(models, size=stop - start), best.argmax(axis=1))
            chosen = np.concatenate([chosen, now])
        return chosen


def _check_share(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise EstimatorError(f"{name} is {value}; allowed is 0..1")
