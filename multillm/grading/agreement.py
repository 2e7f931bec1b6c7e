"""How far a judge can be trusted: with itself when the order is swapped, and with a reference grader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multillm.errors import InputError
from multillm.grading.judge import FIRST, SECOND, TIE, Preference
from multillm.markup import html_table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Agreement", "judge_agreement"]

SAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Agreement:
    """Figures of a judge, each with its number of pairs and a 95 % interval.

    Attributes
    ----------
    rows : tuple of (str, int, float or None, float or None, float or None)
        Figure, n, value, low, high. ``readable``: share of pairs with two readable verdicts. ``consistent``: share of
        those in which both orders give the same winner. ``kappa``: Cohen's kappa between winner and reference, over the
        consistent pairs; None where it is not defined. Intervals of shares are Wilson's, that of kappa a percentile
        bootstrap over pairs.
    """

    rows: tuple[tuple[str, int, float | None, float | None, float | None], ...]

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name} {'-' if value is None else f'{value:.2f}'} (n={n})" for name, n, value, *_ in self.rows
        )
        return f"Agreement({shown})"

    def to_frame(self) -> pd.DataFrame:
        """A row for each figure: figure, n, value, low, high."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=["figure", "n", "value", "low", "high"])

    def _repr_html_(self) -> str:
        return html_table("Agreement", ("figure", "n", "value", "low", "high"), self.rows)


def judge_agreement(preferences: Sequence[Preference], reference: Sequence[str], seed: int = 0) -> Agreement:
    """How often a judge agrees with itself and with a reference.

    Parameters
    ----------
    preferences : sequence of Preference
        The judge's, from `Judge.compare`.
    reference : sequence of str
        For each, ``first``, ``second`` or ``tie`` by a reference grader.
    seed : int, default 0
        Seed of the bootstrap.

    Returns
    -------
    Agreement
        The figures.

    Raises
    ------
    InputError
        If there are not as many references as preferences.

    References
    ----------
    J. Cohen, A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20 (1960);
    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    if len(preferences) != len(reference):
        raise InputError(f"{len(preferences)} preferences and {len(reference)} references; give one for each")
    readable = [pair for pair in preferences if pair.in_order and pair.swapped]
    consistent = [pair for pair in readable if pair.winner]
    judged = [(pair.winner, right) for pair, right in zip(preferences, reference, strict=True) if pair.winner]
    return Agreement(
        (
            ("readable", len(preferences), *_share(len(readable), len(preferences))),
            ("consistent", len(readable), *_share(len(consistent), len(readable))),
            ("kappa", len(judged), *_kappa(judged, seed)),
        )
    )


def _share(part: int, whole: int) -> tuple[float | None, float | None, float | None]:
    from scipy.stats import binomtest

    if not whole:
        return None, None, None
    interval = binomtest(part, whole).proportion_ci(method="wilson")
    return part / whole, float(interval.low), float(interval.high)


def _kappa(judged: Sequence[tuple[str | None, str]], seed: int) -> tuple[float | None, float | None, float | None]:
    import numpy as np

    labels = (FIRST, SECOND, TIE)
    table = np.array([[judged.count((mine, theirs)) for theirs in labels] for mine in labels])
    value = _kappa_of(table[None])[0]
    if np.isnan(value):
        return None, None, None
    shares = table.ravel() / len(judged)
    draws = np.random.default_rng(seed).multinomial(len(judged), shares, SAMPLES).reshape(-1, *table.shape)
    low, high = np.nanquantile(_kappa_of(draws), [0.025, 0.975])
    return float(value), float(low), float(high)


def _kappa_of(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cohen's kappa of each contingency table; missing where chance alone would agree everywhere."""
    import numpy as np

    counts = tables.sum(axis=(1, 2))
    with np.errstate(invalid="ignore"):
        observed = np.trace(tables, axis1=1, axis2=2) / counts
        chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / counts**2
        return np.where(chance < 1, (observed - chance) / (1 - chance), np.nan)
