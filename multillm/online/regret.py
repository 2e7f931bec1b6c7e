"""What strategies lost against the oracle, against fixed choices in hindsight and against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from multillm.errors import OutcomesError
from multillm.markup import html_table, message_html
from multillm.metrics import Estimate, resample
from multillm.metrics.bootstrap import Figures

__all__ = ["MEASURES", "REFERENCES", "Simulation"]

MEASURES = ("utility", "quality", "cost")
REFERENCES = ("oracle", "best single model", "best model of each kind")
RESAMPLING = 2


@dataclass(frozen=True, eq=False)
class Simulation:
    """Strategies on the same streams of prompts.

    Regret is what the reference had got by then less what the strategy had got, added up over the prompts. Intervals
    are percentile bootstrap intervals of the mean over the seeds, so they tell the chance of the order of the prompts,
    of the benchmark drawn and of exploring, not that of other prompts.

    Attributes
    ----------
    data : str
        Name of the outcomes.
    models : tuple of str
        Models of the table.
    seeds : tuple of int
        One stream each.
    cost_unit : str
        Unit of costs; empty where unknown.
    kinds : mapping of str to str
        ``strategy`` or ``baseline`` by name.
    steps : int array of shape [c]
        Prompts after which totals were taken.
    totals : mapping of str to float array of shape [3, seeds, c]
        By strategy: utility, quality and cost, added up over the prompts so far.
    facts : mapping of str to object
        How the figures came about: benchmark, willingness, kinds of prompts, what a
        classifier told, replaced, sha256, versions, date.
    """

    data: str
    models: tuple[str, ...]
    seeds: tuple[int, ...]
    cost_unit: str
    kinds: Mapping[str, str]
    steps: npt.NDArray[np.intp]
    totals: Mapping[str, Figures]
    facts: Mapping[str, object]

    @property
    def n(self) -> int:
        """Prompts of a stream."""
        return int(self.steps[-1])

    def regret(
        self, strategy: str, against: str = "oracle", measure: str = "utility", prompts: int | None = None
    ) -> Estimate:
        """Regret of a strategy, in units of quality (utility, quality) or of cost.

        Parameters
        ----------
        strategy, against : str
            Names of the strategy and of what it is held against.
        measure : {"utility", "quality", "cost"}
            What is added up. The oracle and the best models are those of the highest utility, whichever measure.
        prompts : int, optional
            After how many prompts, one of `steps`; at the end if left out.

        Returns
        -------
        Estimate
            Mean over the seeds; `n` is how many they are.
        """
        place = len(self.steps) - 1 if prompts is None else int(np.searchsorted(self.steps, prompts))
        if prompts is not None and (place == len(self.steps) or self.steps[place] != prompts):
            raise OutcomesError(f"totals were not taken after {prompts} prompts; they were after {self.steps.tolist()}")
        return self._estimate(self._lost(strategy, against, measure)[:, place])

    def mean(self, strategy: str, measure: str = "quality") -> Estimate:
        """Mean per prompt over the whole stream."""
        return self._estimate(self._total(strategy, measure)[:, -1] / self.n)

    def curve(self, strategy: str, against: str = "oracle", measure: str = "utility") -> pd.DataFrame:
        """Regret over the prompts.

        Returns
        -------
        DataFrame
            prompts (int), value, low, high (float64), one row for each of `steps`.
        """
        found = [self._estimate(column) for column in self._lost(strategy, against, measure).T]
        bounds = {name: [getattr(each, name) for each in found] for name in ("value", "low", "high")}
        return pd.DataFrame({"prompts": self.steps, **bounds})

    def to_frame(self, against: Sequence[str] = REFERENCES) -> pd.DataFrame:
        """Every regret in utility and in quality.

        Parameters
        ----------
        against : sequence of str
            What regret is counted against; the oracle and the best models in hindsight if left out.

        Returns
        -------
        DataFrame
            strategy, kind, against, measure, prompts, value, low, high, n (seeds).
        """
        parts = [
            self.curve(name, other, measure).assign(strategy=name, kind=kind, against=other, measure=measure)
            for name, kind in self.kinds.items()
            for other in against
            for measure in MEASURES[:2]
            if name != other
        ]
        columns = ["strategy", "kind", "against", "measure", "prompts", "value", "low", "high"]
        return pd.concat(parts, ignore_index=True)[columns].assign(n=len(self.seeds))

    def table(self, against: Sequence[str] = REFERENCES) -> pd.DataFrame:
        """The end of every stream as text with intervals.

        Parameters
        ----------
        against : sequence of str
            As for `to_frame`.

        Returns
        -------
        DataFrame
            Indexed by strategy: kind, mean quality per prompt, mean cost where known, regret in utility against each
            reference.
        """
        rows = {}
        for name, kind in self.kinds.items():
            row = {"kind": kind, "quality": self.mean(name).brief("z.3f")}
            if self.cost_unit:
                row[f"cost, {self.cost_unit}"] = self.mean(name, "cost").brief("z.3g")
            for other in against:
                row[f"regret against {other}"] = "" if name == other else self.regret(name, other).brief("z.1f")
            rows[name] = row
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("strategy")

    def provenance(self) -> str:
        """Data, streams, versions and date in a sentence."""
        seeds = self.seeds
        shown = f"{seeds[0]} to {seeds[-1]}" if seeds == tuple(range(seeds[0], seeds[-1] + 1)) else f"{seeds}"
        facts = "; ".join(f"{name} {value}" for name, value in self.facts.items())
        return f"{self.data}: {self.n:,} prompts, {len(self.models)} models, {len(seeds)} seeds ({shown}); {facts}"

    @cached_property
    def _weights(self) -> Figures:
        """How much each seed counts in each resample, shape [1 + replicates, seeds]."""
        counts = resample(len(self.seeds), int(str(self.facts["replicates"])), np.random.default_rng(RESAMPLING))
        return np.asarray(counts / len(self.seeds))

    def _estimate(self, by_seed: Figures) -> Estimate:
        return Estimate.of(self._weights @ by_seed, len(self.seeds), float(str(self.facts["level"])))

    def _lost(self, strategy: str, against: str, measure: str) -> Figures:
        return np.asarray(self._total(against, measure) - self._total(strategy, measure))

    def _total(self, strategy: str, measure: str) -> Figures:
        if strategy not in self.totals:
            raise OutcomesError(f"no strategy is called {strategy!r}; there are {', '.join(self.totals)}")
        if measure not in MEASURES:
            raise OutcomesError(f"no measure is called {measure!r}; choose from {', '.join(MEASURES)}")
        return np.asarray(self.totals[strategy][MEASURES.index(measure)])

    def __repr__(self) -> str:
        names = [name for name, kind in self.kinds.items() if kind == "strategy"]
        return f"Simulation({', '.join(names)} on {self.data!r}, {self.n:,} prompts, {len(self.seeds)} seeds)"

    def _repr_html_(self) -> str:
        shown = self.table().reset_index()
        rows = shown.itertuples(index=False, name=None)
        return f"{html_table(repr(self), list(map(str, shown)), rows)}\n{message_html(self.provenance())}"
