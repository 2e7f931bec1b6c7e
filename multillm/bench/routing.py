"""Routers on the outcomes of a benchmark: what routing would gain over the best single model, and what it did gain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from multillm.bench.figures import mean_estimate, quality_by_prompt
from multillm.bench.result import Benchmark
from multillm.bench.rows import MEASURED, ROUTED
from multillm.errors import OutcomesError
from multillm.evaluation import Evaluation, evaluate
from multillm.learning import LearnedQuality, LinearCurves
from multillm.markup import html_table, message_html
from multillm.metrics import Estimate
from multillm.tuning import TunedPolicy, tune

__all__ = ["Comparison"]

LEAST_PROMPTS = 50
BEST, RANDOM, ORACLE = "best single model", "random", "oracle"
TUNED, LIVE = "tuned policy, held out", "routed pipeline, live"
REFERENCES = (RANDOM, ORACLE)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Routers and baselines on the prompts with a score of every model.

    Attributes
    ----------
    evaluation : Evaluation
        Curves and learned estimator, cross-validated, beside the baselines.
    tuned : TunedPolicy
        A policy tuned for most quality; its figures are of prompts that it had not seen.
    live : DataFrame or None
        Quality and price of the routed pipeline as it was run, by prompt; None if it was not.
    best : Series
        Quality of the best single model, by prompt.
    seed : int
        Source of chance.
    """

    evaluation: Evaluation
    tuned: TunedPolicy
    live: pd.DataFrame | None
    best: pd.Series
    seed: int = 0

    @classmethod
    def of(cls, benchmark: Benchmark, seed: int = 0) -> Comparison | None:
        """The comparison, or None with fewer than two models or 50 prompts."""
        if len(benchmark.models) < 2:
            return None
        try:
            outcomes = benchmark.outcomes.complete(("quality", "cost"))
        except OutcomesError:
            return None
        if len(outcomes) < LEAST_PROMPTS:
            return None
        evaluation = evaluate({"curves": LinearCurves(), "learned": LearnedQuality()}, outcomes, seed=seed)
        best = outcomes.quality_matrix()[evaluation.best_single]
        return cls(evaluation, tune(outcomes, seed=seed), _live(benchmark), best, seed)

    def to_frame(self) -> pd.DataFrame:
        """Each router beside the baselines.

        Returns
        -------
        DataFrame
            router, kind; quality (0..1) with quality_low and quality_high; cost (mean per prompt, in the outcomes'
            unit); gain (quality less that of the best single model on the same prompts) with gain_low and gain_high
            (paired; missing for the tuned policy, which keeps no figures by prompt); share_of_gap (of the way from
            the best single model to the oracle).
        """
        found = self.evaluation
        names = [name for name, kind in found.kinds.items() if kind != "baseline" or name in REFERENCES]
        rows = [
            self._row(name, found.kinds[name], found.estimate(name, "quality"), found.estimate(name, "cost").value)
            | _gain(found.difference(name, BEST, "quality"))
            for name in names
        ]
        gain = self.tuned.quality.value - found.estimate(BEST, "quality").value
        rows.append(self._row(TUNED, "router", self.tuned.quality, self.tuned.cost.value) | {"gain": gain})
        if self.live is not None:
            rows.append(self._live_row(self.live))
        order = {"single model": 0, "router": 2}
        columns = ["router", "kind", "quality", "quality_low", "quality_high", "cost", "gain", "gain_low", "gain_high"]
        frame = pd.DataFrame(rows, columns=[*columns, "share_of_gap"])
        frame = frame.iloc[np.argsort([order.get(kind, 1) for kind in frame["kind"]], kind="stable")]
        return frame.reset_index(drop=True)

    def __repr__(self) -> str:
        return f"Comparison({self.evaluation!r}, seed {self.seed})"

    def _repr_html_(self) -> str:
        frame = self.to_frame()
        table = html_table(repr(self), list(map(str, frame.columns)), frame.to_numpy(object).tolist())
        return f"{table}\n{message_html(self.told())}"

    def told(self) -> str:
        """How the figures came about, and the verdicts."""
        verdicts = [f"{name}: {self.evaluation.verdict(name)}" for name in ("curves", "learned")]
        return (
            f"{self.evaluation.provenance()}. Routers and tuned policy are judged on prompts held out from them; task "
            "type and complexity are those that the prompts are labelled with, save for the live pipeline, which "
            "splits and classifies by itself and uses the pool's own curves. Best single model: "
            f"{self.evaluation.best_single}. Share of gap: of the way from it to the oracle. {'; '.join(verdicts)}."
        )

    def _row(self, name: str, kind: str, quality: Estimate, cost: float) -> dict[str, object]:
        best, oracle = (self.evaluation.estimate(each, "quality").value for each in (BEST, ORACLE))
        share = (quality.value - best) / (oracle - best) if oracle > best else np.nan
        bounds = {"quality": quality.value, "quality_low": quality.low, "quality_high": quality.high}
        return {"router": name, "kind": kind, **bounds, "cost": cost, "share_of_gap": share}

    def _live_row(self, live: pd.DataFrame) -> dict[str, object]:
        """The pipeline on those of the prompts that were scored for it."""
        both = live.join(self.best.rename("best"), how="inner").dropna(subset=["quality", "best"])
        quality = both["quality"].to_numpy(float)
        gap = quality - both["best"].to_numpy(float)
        quality_found, gain = (mean_estimate(values, self.seed) for values in (quality, gap))
        return self._row(LIVE, "router", quality_found, float(both["price_usd"].mean())) | _gain(gain)


def _live(benchmark: Benchmark) -> pd.DataFrame | None:
    rows = benchmark.rows
    routed = rows[(rows["phase"] == MEASURED) & (rows["model"] == ROUTED)]
    if routed.empty:
        return None
    price = routed.groupby("prompt_id", sort=False)["price_usd"].mean()
    return pd.DataFrame({"quality": quality_by_prompt(rows, ROUTED), "price_usd": price})


def _gain(found: Estimate) -> dict[str, object]:
    return {"gain": found.value, "gain_low": found.low, "gain_high": found.high}
