"""The report of an ablation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from multillm.bench.ablation import FIGURES, Ablation, told
from multillm.bench.page import Page, Plot, Section
from multillm.plots import plot_ablation
from multillm.reports import keep_table

__all__ = ["AblationReport"]

LEGEND = (
    "Means over prompts with 95 % bootstrap intervals; quality 0..1; latency_s the wall time of the longest chain of "
    "calls, waits for a slot left out, machine_s the seconds of all calls together; cut the share of answers cut short "
    "by the output budget."
)
PAIRED = "Means of the differences on the same prompts, 95 % intervals of the paired bootstrap over prompts."


@dataclass(frozen=True)
class AblationReport(Page):
    """An ablation in words, tables and plots.

    Attributes
    ----------
    ablation : Ablation
        What is reported.
    sections : tuple of Section
        For each group of prompts the figures of every arm, the differences to the baseline, and what they show.
    """

    ablation: Ablation
    sections: tuple[Section, ...]

    @classmethod
    def of(cls, ablation: Ablation) -> AblationReport:
        """The report of an ablation."""
        sections = [section for group in _distinct(ablation) for section in _sections(ablation, group)]
        return cls(ablation, tuple(sections))

    @property
    def title(self) -> str:
        """Heading of the page."""
        return f"What splitting and routing are worth: the pool {self.ablation.manifest.pool.name}"

    @property
    def plots(self) -> Mapping[str, Plot]:
        """What can be drawn, by file in the folder."""
        quality = pd.DataFrame(self.ablation.figures.xs("quality", level="figure"))
        return {
            f"quality_{group}": partial(
                plot_ablation, pd.DataFrame(quality.loc[group]), f"{FIGURES['quality']}, {group} prompts"
            )
            for group in _distinct(self.ablation)
            if "," not in group
        }

    def provenance(self) -> str:
        """Models, prompts, settings, machine and date in a sentence."""
        return self.ablation.provenance()

    def write(self, folder: str | Path) -> Path:
        """Store ``report.md``, ``report.html``, ``figures`` and plots in a folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        keep_table(self.ablation.figures.reset_index(), folder, "figures")
        return super().write(folder)

    def to_frame(self) -> pd.DataFrame:
        """The figures; see `Ablation.to_frame`."""
        return self.ablation.to_frame()

    def __repr__(self) -> str:
        return f"AblationReport({self.ablation!r})"


def _distinct(ablation: Ablation) -> list[str]:
    """Groups of prompts, those left out that hold the same prompts as one before them."""
    first: dict[tuple[str, ...], str] = {}
    for group, prompts in ablation.groups.items():
        first.setdefault(tuple(prompts), group)
    return list(first.values())


def _sections(ablation: Ablation, group: str) -> list[Section]:
    head = f"{group.capitalize()} prompts ({len(ablation.groups[group])})"
    others = [arm for arm in ablation.arms if arm != ablation.baseline]
    verdicts = "; ".join(f"{arm}: {ablation.verdict(arm, group)}" for arm in others)
    means = [
        (arm, *(told(ablation.estimate(arm, figure, group), figure) for figure in FIGURES)) for arm in ablation.arms
    ]
    gaps = [
        (arm, *(told(ablation.difference(arm, figure, group), figure, "+") for figure in FIGURES)) for arm in others
    ]
    columns = ("arm", *FIGURES)
    return [
        Section(head, f"{LEGEND} {verdicts}.", columns, means),
        Section(f"{head}, less {ablation.baseline}", PAIRED, columns, gaps),
    ]
