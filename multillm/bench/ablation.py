"""What splitting and routing are each worth: the pipeline beside itself with the one, the other or both left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from multillm.bench.figures import interval, mean_estimates
from multillm.bench.kept import Kept
from multillm.bench.rows import ROUTED
from multillm.errors import BenchmarkError
from multillm.markup import html_table
from multillm.metrics import Estimate

if TYPE_CHECKING:
    from multillm.bench.ablation_report import AblationReport

__all__ = ["FIGURES", "PIPELINE", "SPLITTINGS", "Ablation", "arm_name", "told"]

SPLITTINGS = ("split", "whole")
FIGURES = {
    "quality": "quality, 0..1",
    "cost_units": "cost, the pool's units",
    "price_usd": "price, USD",
    "latency_s": "wall time, s",
    "machine_s": "time of the models, s",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
    "calls": "calls",
    "cut": "share of answers cut by the output budget",
}
"""Name and unit of each figure."""
ALL = "all"
GAP = ["difference", "difference_low", "difference_high", "pairs"]
SHARES = {"quality", "cut"}
SHOWN = ("cost_units", "latency_s", "machine_s", "output_tokens")


def arm_name(splitting: str, chooser: str) -> str:
    """What an arm is called: split or whole, and who answers, such as ``split, routed``."""
    return f"{splitting}, {chooser}"


PIPELINE = arm_name(SPLITTINGS[0], ROUTED)


class Ablation(Kept):
    """Splitting and routing, each with and without, on the same prompts.

    Arms are named ``split, routed`` (the whole pipeline), ``whole, routed``, and ``split, LABEL`` and ``whole, LABEL``
    for each model. Every call has the pool's output budget, so that only what the name says differs; a prompt that is
    split has that room for each of its sub-tasks. Attributes are those of every run that is kept: `Kept`.
    """

    kind = "ablation"

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, the whole pipeline first."""
        return tuple(str(arm) for arm in self.measured["model"].unique())

    @cached_property
    def best(self) -> str:
        """Label of the best single model: highest mean quality on whole prompts, in hindsight; else highest rank."""
        labels = self.manifest.pool.registry.usable().labels
        quality = pd.DataFrame(self.by_prompt["quality"]).mean().fillna(-1.0).to_dict()
        return max(reversed(labels), key=lambda label: quality[arm_name(SPLITTINGS[1], label)])

    @property
    def baseline(self) -> str:
        """The arm that the others are held against: whole prompts on the best single model."""
        return arm_name(SPLITTINGS[1], self.best)

    @cached_property
    def by_prompt(self) -> pd.DataFrame:
        """Figures of every prompt, repeats averaged.

        Returns
        -------
        DataFrame
            Indexed by prompt_id, columns (figure, arm); see `to_frame` for the figures.
        """
        measured = self.measured
        rows = measured.assign(cut=(measured["finish_reason"] == "length").where(measured["finish_reason"].notna()))
        figures = rows.astype(dict.fromkeys(FIGURES, float)).groupby(["prompt_id", "model"])[list(FIGURES)].mean()
        arms = pd.MultiIndex.from_product([FIGURES, self.arms], names=["figure", "arm"])
        return pd.DataFrame(figures.unstack("model")).reindex(index=self.prompts["prompt_id"], columns=arms)

    @cached_property
    def groups(self) -> dict[str, pd.Index]:
        """Identifiers of the prompts by group: all, each kind, and those of each kind that were split."""
        kinds = self.prompts.set_index("prompt_id")["kind"]
        split = pd.DataFrame(self.by_prompt["calls"]).max(axis=1) > 1
        found = {ALL: kinds.index}
        found |= {kind: kinds.index[kinds == kind] for kind in sorted(kinds.unique())}
        found |= {f"{kind}, split": kinds.index[(kinds == kind) & split] for kind in sorted(kinds.unique())}
        return {name: prompts for name, prompts in found.items() if len(prompts)}

    @cached_property
    def figures(self) -> pd.DataFrame:
        """See `to_frame`."""
        tables = {}
        for group, prompts in self.groups.items():
            figures = self.by_prompt.loc[prompts]
            against = pd.concat(dict.fromkeys(self.arms, figures.xs(self.baseline, axis=1, level="arm")), axis=1)
            gaps = figures - against.swaplevel(axis=1).reindex(columns=figures.columns)
            gap = mean_estimates(gaps).set_axis(GAP, axis=1)
            tables[group] = pd.concat([mean_estimates(figures), gap], axis=1)
        table = pd.concat(tables.values())
        table.index = _product({"prompts": self.groups, "figure": FIGURES, "arm": self.arms})
        return table

    def to_frame(self) -> pd.DataFrame:
        """Every figure of every arm, by group of prompts.

        Returns
        -------
        DataFrame
            Indexed by prompts (``all``, ``compound``, ``single``, and those of each kind that were split), figure
            (quality, 0..1; cost_units of the pool; price_usd; latency_s, the wall time of the longest chain of calls,
            waits for a slot left out; machine_s, the seconds of all calls together; input_tokens, output_tokens;
            calls; cut, the share of answers cut short by the output budget) and arm: value (mean over prompts), low,
            high (95 % bootstrap interval over prompts), n (prompts with that figure); difference to the baseline on
            the same prompts, difference_low, difference_high (paired), pairs.

        Examples
        --------
        ::

            quality = ablation.to_frame().loc["compound", "quality"]
            ml.plot_ablation(quality, "quality on compound prompts, 0..1")
        """
        return self.figures.copy()

    def estimate(self, arm: str, figure: str = "quality", prompts: str = ALL) -> Estimate:
        """A figure of an arm: mean over prompts with its 95 % bootstrap interval.

        Parameters
        ----------
        arm : str
            One of `arms`.
        figure : str, default "quality"
            See `to_frame`.
        prompts : str, default "all"
            One of `groups`.

        Raises
        ------
        BenchmarkError
            If there is no such arm, figure or group.
        """
        return Estimate(*self._row(arm, figure, prompts)[:4])

    def difference(self, arm: str, figure: str = "quality", prompts: str = ALL) -> Estimate:
        """The same less that of the baseline, prompt by prompt; parameters and errors as of `estimate`."""
        return Estimate(*self._row(arm, figure, prompts)[4:])

    def verdict(self, arm: str, prompts: str = ALL) -> str:
        """Whether an arm answers better or worse than the best single model alone; parameters as of `estimate`."""
        found = self.difference(arm, prompts=prompts)
        if not found.n:
            return f"not scored beside {self.baseline}"
        if found.low > 0:
            return f"better than {self.baseline}: {found:+z.3f}"
        if found.high < 0:
            return f"worse than {self.baseline}: {found:+z.3f}"
        return f"no difference to {self.baseline} shown: {found:+z.3f}"

    def _row(self, arm: str, figure: str, prompts: str) -> tuple[Any, ...]:
        if (prompts, figure, arm) not in self._rows:
            raise BenchmarkError(
                f"there is no {figure!r} of {arm!r} on {prompts!r}; arms are {'; '.join(self.arms)}; "
                f"figures {', '.join(FIGURES)}; prompts {'; '.join(self.groups)}"
            )
        return self._rows[prompts, figure, arm]

    @cached_property
    def _rows(self) -> dict[Any, tuple[Any, ...]]:
        return dict(zip(self.figures.index, self.figures.itertuples(index=False, name=None), strict=True))

    def report(self) -> AblationReport:
        """The tables and plots, as Markdown and HTML."""
        from multillm.bench.ablation_report import AblationReport

        return AblationReport.of(self)

    def __repr__(self) -> str:
        prompts = f"{self.manifest.prompts.n} prompts"
        return f"Ablation({self.manifest.pool.name!r}, {prompts}, {PIPELINE}: {self.verdict(PIPELINE)})"

    def _repr_html_(self) -> str:
        columns = ("prompts", "arm", "n", "quality", f"less {self.baseline}", *SHOWN)
        rows = [
            (
                *(group, arm, self.estimate(arm, prompts=group).n),
                told(self.estimate(arm, prompts=group), "quality"),
                told(self.difference(arm, prompts=group), "quality", "+"),
                *(told(self.estimate(arm, figure, group), figure) for figure in SHOWN),
            )
            for group in self.groups
            if not group.endswith("split")
            for arm in self.arms
        ]
        strong = [place for place, row in enumerate(rows) if row[1] == PIPELINE]
        return html_table(repr(self), columns, rows, strong) + f"\n<p><small>{escape(self.provenance())}</small></p>"


def told(found: Estimate, figure: str, sign: str = "") -> str:
    """A figure with its interval, in as many digits as it needs."""
    return interval(found.value, found.low, found.high, f"{sign}z.3f" if figure in SHARES else f"{sign}.3g")


def _product(levels: Mapping[str, Collection[str]]) -> pd.MultiIndex:
    """All combinations, sorted in the order given, so that pandas finds them by bisection."""
    codes = np.indices([len(level) for level in levels.values()]).reshape(len(levels), -1).tolist()
    return pd.MultiIndex(levels=[list(level) for level in levels.values()], codes=codes, names=list(levels))
