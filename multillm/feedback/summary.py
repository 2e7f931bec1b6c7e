"""The calls of a feedback store in figures."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, SupportsFloat

from multillm.markup import html_table
from multillm.tasks import ComplexityTier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

__all__ = ["FeedbackSummary"]


@dataclass(frozen=True, slots=True)
class FeedbackSummary:
    """Calls counted, added up and averaged. What nothing is known about is None, never 0.

    Attributes
    ----------
    total_calls : int
        Calls; one with its retries and fallbacks counts once.
    failed_calls : int
        Calls without an answer.
    fallback_calls : int
        Calls answered by another label than the one asked for.
    truncated_calls : int
        Calls whose answer the output budget cut short.
    total_cost : float or None
        Cost units of the calls whose cost is known; None if there are calls and it is known of none.
    total_cost_usd : float or None
        US dollars of the calls that have a price in dollars; None if none has.
    n_priced : int
        Calls that have a price in dollars.
    avg_quality : float or None
        Mean measured quality, 0..1; None if none was measured.
    n_rated : int
        Calls whose quality was measured.
    calls_by_tier : mapping of str to int
        Calls by complexity tier, lowest first.
    calls_by_label : mapping of str to int
        Answered calls by the label that served.
    calls_by_task_type : mapping of str to int
        Calls by task type.
    latency_p50_s, latency_p95_s : float or None
        Median and 95th percentile of the answered calls' latency (linear interpolation).
    output_tokens : int or None
        Tokens of all answers whose length is known; None if there are calls and it is known of none.
    """

    total_calls: int
    failed_calls: int
    fallback_calls: int
    truncated_calls: int
    total_cost: float | None
    total_cost_usd: float | None
    n_priced: int
    avg_quality: float | None
    n_rated: int
    calls_by_tier: Mapping[str, int]
    calls_by_label: Mapping[str, int]
    calls_by_task_type: Mapping[str, int]
    latency_p50_s: float | None
    latency_p95_s: float | None
    output_tokens: int | None

    @classmethod
    def of(cls, frame: pd.DataFrame) -> FeedbackSummary:
        """Figures of the rows of a `FeedbackStore.frame`, or of any part of it."""
        answered = frame[frame["error_type"].isna()]
        tiers = _counts(frame["tier"])
        none_made = frame.empty
        cost, tokens = _total(frame["cost_units"]), _total(frame["output_tokens"])
        return cls(
            total_calls=len(frame),
            failed_calls=len(frame) - len(answered),
            fallback_calls=int((answered["served_label"] != answered["asked_label"]).sum()),
            truncated_calls=int((frame["finish_reason"] == "length").sum()),
            total_cost=0.0 if none_made else cost,
            total_cost_usd=_total(frame["cost_usd"]),
            n_priced=int(frame["cost_usd"].count()),
            avg_quality=_known(frame["quality"].mean()),
            n_rated=int(frame["quality"].count()),
            calls_by_tier={tier.value: tiers[tier] for tier in ComplexityTier if tier in tiers},
            calls_by_label=_counts(answered["served_label"]),
            calls_by_task_type=_counts(frame["task_type"]),
            latency_p50_s=_known(answered["latency_s"].quantile(0.50)),
            latency_p95_s=_known(answered["latency_s"].quantile(0.95)),
            output_tokens=0 if none_made else None if tokens is None else int(tokens),
        )

    def to_dict(self) -> dict[str, object]:
        """Name each figure."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """One row for each figure.

        Returns
        -------
        DataFrame
            figure (str), group (str, empty for a figure over all calls), value (float64, missing where unknown).
        """
        import pandas as pd

        return pd.DataFrame(self._rows(), columns=["figure", "group", "value"]).astype({"value": "float64"})

    def _rows(self) -> Iterator[tuple[str, str, float | None]]:
        for figure, value in asdict(self).items():
            if isinstance(value, dict):
                yield from ((figure, group, count) for group, count in value.items())
            else:
                yield figure, "", value

    def __repr__(self) -> str:
        cost = "cost unknown" if self.total_cost is None else f"{self.total_cost:.6f} cost units"
        quality = "not measured" if self.avg_quality is None else f"{self.avg_quality:.3f} (n={self.n_rated})"
        return f"FeedbackSummary({self.total_calls} calls, {self.failed_calls} failed, {cost}, quality {quality})"

    def _repr_html_(self) -> str:
        return html_table(repr(self), ("figure", "group", "value"), self._rows())


def _counts(column: pd.Series) -> dict[str, int]:
    """How often each value is there, by value."""
    return {str(value): int(n) for value, n in column.value_counts().sort_index().items()}


def _known(value: SupportsFloat) -> float | None:
    return None if math.isnan(number := float(value)) else number


def _total(column: pd.Series) -> float | None:
    """Sum of what is known; None if nothing is."""
    return float(column.sum()) if column.count() else None
