"""Whether models answer otherwise than before: quality, latency and cost of the latest calls against those before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from scipy import stats

from multillm.errors import FeedbackError
from multillm.markup import html_table, message_html
from multillm.metrics.bootstrap import CELLS_AT_ONCE, Figures

__all__ = ["DriftReport", "drift_report"]

NEEDED = ("recorded_at", "served_label", "asked_label", "task_type")
MEASURES = ("quality", "latency_s", "cost_units", "complexity")
COLUMNS = (
    "label", "task_type", "measure", "n_before", "n_recent", "before", "recent",
    "difference", "low", "high", "p", "p_adjusted", "changed",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class DriftReport:
    """What has changed between the calls before and the latest ones.

    Attributes
    ----------
    table : DataFrame
        One row per model, task type and measure with enough calls on both sides: label, task_type, measure; n_before,
        n_recent; before, recent (mean of quality and complexity, median of latency in s and of cost in cost units);
        difference (recent less before) with its interval low, high; p of the permutation test, p_adjusted for all
        rows by Benjamini and Hochberg; changed (bool).
    recent_from : datetime
        When the latest calls begin.
    facts : mapping of str to object
        How the figures came about: level, least, resamples, seed, calls, tests left out.
    """

    table: pd.DataFrame
    recent_from: datetime
    facts: Mapping[str, object]

    @property
    def changed(self) -> pd.DataFrame:
        """The rows where a change is shown."""
        return self.table[self.table["changed"]].reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """A copy of the table."""
        return self.table.copy()

    def __repr__(self) -> str:
        changed, tests = int(self.table["changed"].sum()), len(self.table)
        return (
            f"DriftReport({changed} of {tests} comparisons changed, recent from {self.recent_from:%Y-%m-%d %H:%M} UTC)"
        )

    def _repr_html_(self) -> str:
        shown = self.table.drop(columns=["p", "changed"])
        rows = [[None if pd.isna(cell) else cell for cell in row] for row in shown.itertuples(index=False, name=None)]
        heads = [str(column).replace("_", " ") for column in shown]
        told = message_html("; ".join(f"{name}: {value}" for name, value in self.facts.items()))
        return f"{html_table(repr(self), heads, rows, np.flatnonzero(self.table['changed']).tolist())}\n{told}"


def drift_report(
    feedback: pd.DataFrame,
    recent: datetime | int,
    *,
    least: int = 10,
    level: float = 0.95,
    resamples: int = 9999,
    seed: int = 0,
) -> DriftReport:
    """Compare the latest calls with those before, for each model and task type.

    Every comparison is a permutation test, exact where there are few calls: of the difference in means for quality and
    complexity (on qualities of 0 and 1 Fisher's exact test), of the difference in mean ranks for latency and cost,
    which have long tails. A change of complexity says that the prompts have changed, not the model. Since many
    comparisons are made at once, p is adjusted for the false discovery rate (Benjamini and Hochberg, 1995), and a
    change is shown where that lies below 1 less the level.

    Parameters
    ----------
    feedback : DataFrame
        As `FeedbackStore.frame` gives it, or a part of that.
    recent : datetime or int
        When the latest calls begin, or how many they are, those of the same time included.
    least : int, default 10
        Calls with the measure that a comparison needs on either side.
    level : float, default 0.95
        Coverage of the percentile bootstrap intervals, and 1 less the false discovery rate.
    resamples : int, default 9999
        Permutations, and bootstrap resamples.
    seed : int, default 0
        Source of chance.

    Returns
    -------
    DriftReport
        The comparisons; none where nothing is known on both sides.

    Raises
    ------
    FeedbackError
        If a column is not there, there are no calls, or `recent` leaves nothing on one side.
    """
    if absent := [column for column in (*NEEDED, *MEASURES) if column not in feedback]:
        raise FeedbackError(f"the calls have no column {', '.join(absent)}; pass what FeedbackStore.frame() returns")
    calls = feedback[feedback["served_label"].notna()].sort_values("recorded_at", kind="stable")
    start = _start(calls["recorded_at"], recent)
    late = (calls["recorded_at"] >= start).to_numpy(bool)
    # After a fallback the latency counts the calls that failed before.
    calls = calls.assign(latency_s=calls["latency_s"].where(calls["served_label"] == calls["asked_label"]))
    rng, rows, left_out = np.random.default_rng(seed), [], 0
    for kind, before, after in _comparisons(calls.assign(late=late)):
        if min(len(before), len(after)) < least:
            left_out += 1
        else:
            rows.append((*kind, *_compared(kind[-1], before, after, level=level, resamples=resamples, rng=rng)))
    table = pd.DataFrame(rows, columns=list(COLUMNS[:-2]))
    adjusted = stats.false_discovery_control(table["p"].to_numpy(float), method="bh") if rows else np.empty(0)
    facts = {
        "calls": f"{int((~late).sum()):,} before, {int(late.sum()):,} recent",
        "level": level,
        "least calls on either side": least,
        "comparisons left out for want of calls": left_out,
        "resamples": resamples,
        "seed": seed,
    }
    return DriftReport(table.assign(p_adjusted=adjusted, changed=adjusted < 1 - level), start, facts)


def _start(times: pd.Series, recent: datetime | int) -> datetime:
    """When the latest calls begin."""
    if isinstance(recent, datetime):
        if recent.utcoffset() is None:
            raise FeedbackError(f"recent is {recent!r}; allowed is a datetime with a timezone, or a number of calls")
        start = recent
    elif 0 < recent < len(times):
        start = times.iloc[-recent].to_pydatetime()
    else:
        raise FeedbackError(
            f"recent is {recent}; allowed is a datetime, or 1 to {len(times) - 1} of the answered calls"
        )
    if not (times < start).any() or not (times >= start).any():
        raise FeedbackError(
            f"no answered call lies on one side of {start}; choose another beginning of the latest calls"
        )
    return start


def _comparisons(calls: pd.DataFrame) -> Iterator[tuple[tuple[str, str, str], Figures, Figures]]:
    """Label, task type and measure, and what is known of it before and of late."""
    for (label, task_type), of_kind in calls.groupby(["served_label", "task_type"]):
        for measure in MEASURES:
            known = of_kind[of_kind[measure].notna()]
            before, after = (known.loc[known["late"] == side, measure].to_numpy(float) for side in (False, True))
            yield (str(label), str(task_type), measure), before, after


def _compared(
    measure: str, before: Figures, after: Figures, *, level: float, resamples: int, rng: np.random.Generator
) -> tuple[float, ...]:
    """Counts, both sides, their difference with its interval, and p."""
    by_mean = measure in {"quality", "complexity"}
    centre = np.mean if by_mean else np.median

    def difference(first: Figures, second: Figures, axis: int = -1) -> Figures:
        return np.asarray(centre(second, axis=axis) - centre(first, axis=axis))

    chance = {"n_resamples": resamples, "batch": 1 + CELLS_AT_ONCE // (len(before) + len(after)), "rng": rng}
    tested = (before, after) if by_mean else _ranks(before, after)
    p = stats.permutation_test(tested, _mean_difference, vectorized=True, **chance).pvalue
    resampled = stats.bootstrap(
        (before, after), difference, vectorized=True, method="percentile", confidence_level=level, **chance
    ).confidence_interval
    both = float(centre(before)), float(centre(after))
    return len(before), len(after), *both, both[1] - both[0], float(resampled.low), float(resampled.high), float(p)


def _mean_difference(first: Figures, second: Figures, axis: int = -1) -> Figures:
    return np.asarray(second.mean(axis=axis) - first.mean(axis=axis))


def _ranks(before: Figures, after: Figures) -> tuple[Figures, Figures]:
    """Each value's rank among all of both sides."""
    ranks = stats.rankdata(np.concatenate([before, after]))
    return ranks[: len(before)], ranks[len(before) :]
