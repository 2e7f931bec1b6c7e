"""The prompts of an outcome table in the order in which they come, once for each seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from multillm.errors import OutcomesError
from multillm.learning import PromptQuality
from multillm.metrics.bootstrap import Figures
from multillm.outcomes import Outcomes

__all__ = ["Places", "Stream"]

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Stream:
    """What comes after what, for s seeds: a benchmark of w prompts first, then t prompts one by one; m models.

    A strategy that learns looks at `context`, `benchmark`, `expected`, `price` and what `reveal` hands out; the whole
    of `quality` and `cost` is for oracles and for the reckoning.

    Attributes
    ----------
    outcomes : Outcomes
        All prompts, with task type and complexity, every outcome known.
    benchmarked : int array of shape [s, w]
        Prompts whose outcomes are known for every model from the start.
    order : int array of shape [s, t]
        Prompts in the order in which they come.
    context : int array of shape [s, t]
        Kind of each prompt.
    quality, cost : float array of shape [s, t, m]
        What each model would make of each prompt, and its cost in the outcomes' unit, NaN where that is unknown.
    price : float array of shape [s, m]
        Mean cost in the benchmark, in units of quality.
    willingness : float
        Cost units paid per unit of quality; costs do not matter where it is infinite.
    """

    outcomes: Outcomes
    benchmarked: Places
    order: Places
    context: Places
    quality: Figures
    cost: Figures
    price: Figures
    willingness: float
    known: dict[str, Figures] = field(default_factory=dict)
    """What estimators expect, by their parameters: several strategies share one."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Seeds, prompts, models."""
        seeds, prompts, models = self.quality.shape
        return seeds, prompts, models

    @cached_property
    def paid(self) -> Figures:
        """Cost in units of quality, shape [s, t, m]."""
        return np.zeros_like(self.cost) if np.isinf(self.willingness) else np.asarray(self.cost / self.willingness)

    @cached_property
    def utility(self) -> Figures:
        """Quality less cost in units of quality, shape [s, t, m]."""
        return np.asarray(self.quality - self.paid)

    @cached_property
    def contexts(self) -> int:
        """How many kinds of prompts there are."""
        return int(self.context.max()) + 1

    def reveal(self, step: int, chosen: Places) -> tuple[Figures, Figures]:
        """Quality, and cost in units of quality, of what the models chosen at one step answer, shape [s] each."""
        seeds = np.arange(len(chosen))
        return self.quality[seeds, step, chosen], self.paid[seeds, step, chosen]

    def benchmark(self, seed: int) -> Outcomes:
        """What is known from the start, for the seed at this place."""
        return self.outcomes.take(self.benchmarked[seed])

    def expected(self, estimator: PromptQuality | None) -> Figures:
        """What an estimator fitted to each seed's benchmark expects, shape [s, t, m]; one half throughout for None."""
        if estimator is None:
            return np.full(self.quality.shape, 0.5)
        if self.benchmarked.size == 0:
            raise OutcomesError(
                f"benchmark is 0, which leaves {estimator} nothing to be fitted to; choose a larger one"
            )
        found = np.empty(self.quality.shape)
        for seed in range(len(found)):
            found[seed] = self.predicted(clone(estimator).fit(self.benchmark(seed)), self.order[seed])
        return found

    def predicted(self, fitted: PromptQuality, prompts: Places) -> Figures:
        """What a fitted estimator expects of every model on some prompts, shape [prompts, m]."""
        models = list(self.outcomes.models)
        return fitted.predict(self.outcomes.prompts.iloc[prompts])[models].to_numpy(float)

    def seen(self, seed: int, chosen: Places) -> Outcomes:
        """The benchmark, and of the first prompts of one seed what the models chosen have shown."""
        revealed = self.quality[seed, : len(chosen)]
        shown = np.where(np.arange(revealed.shape[1]) == chosen[:, None], revealed, np.nan)
        past = self.benchmark(seed)
        prompts = pd.concat([past.prompts, self.outcomes.prompts.iloc[self.order[seed, : len(chosen)]]])
        quality = pd.concat([past.quality_matrix(), pd.DataFrame(shown, columns=list(self.outcomes.models))])
        return Outcomes.from_matrices(prompts, quality[list(self.outcomes.models)], name=past.name)
