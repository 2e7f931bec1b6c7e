"""Intervals by resampling prompts, or whole groups of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = [
    "Counts",
    "Estimate",
    "Figures",
    "Resamples",
    "Statistic",
    "apply",
    "bootstrap",
    "numbered",
    "resample",
    "weighted_mean",
]

Figures = npt.NDArray[np.float64]
Statistic = Callable[[Figures], Figures]
"""From weights of prompts, shape [b, n], to figures, shape [b] or [b, k]."""

Counts = npt.NDArray[np.int16]

CELLS_AT_ONCE = 4_000_000
DRAWN_AT_ONCE = 100_000
BLOCK = 10_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval.

    Attributes
    ----------
    value : float
        The figure on all prompts; NaN where it is not defined.
    low, high : float
        Bounds of the percentile interval.
    n : int
        Prompts behind it.
    level : float
        Coverage aimed at, 0..1.
    """

    value: float
    low: float
    high: float
    n: int
    level: float = 0.95

    @classmethod
    def of(cls, figures: Figures, n: int, level: float = 0.95) -> Estimate:
        """The estimate from a figure on all prompts (first) and on each resample (the rest), shape [1 + replicates]."""
        resamples = figures[1:][np.isfinite(figures[1:])]
        if not np.isfinite(figures[0]) or resamples.size == 0:
            return cls(float(figures[0]), np.nan, np.nan, n, level)
        low, high = np.quantile(resamples, [(1 - level) / 2, (1 + level) / 2])
        return cls(float(figures[0]), float(low), float(high), n, level)

    def brief(self, spec: str = "z.3f") -> str:
        """Value and interval without n, ``0.714 [0.690, 0.737]``, each number by a format specification."""
        return f"{self.value:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def __format__(self, spec: str) -> str:
        return f"{self.brief(spec or 'z.3f')} (n={self.n:,})"

    def __repr__(self) -> str:
        return format(self)


@dataclass(frozen=True, eq=False)
class Resamples:
    """How often each prompt stands in each resample, drawn for all prompts at once or for any part of them.

    Up to 100,000 prompts, and for whole groups, as many are drawn with replacement as there are. Beyond that each
    prompt stands in a resample as often as a Poisson variable of mean 1 says, drawn block by block from seeds of their
    own, which for so many comes to the same (Hanley and MacGibbon, Computer Methods and Programs in Biomedicine 83,
    2006): a part can be drawn without the rest.

    Attributes
    ----------
    replicates : int
        Resamples.
    unit : int32 array of shape [n], optional
        What is drawn together.
    drawn : int16 array of shape [1 + replicates, units], optional
        How often each unit was drawn.
    seed : int
        Source of chance for what is not drawn at once.
    """

    replicates: int
    unit: npt.NDArray[np.int32] | None
    drawn: Counts | None
    seed: int

    @classmethod
    def of(
        cls, n: int, replicates: int, rng: np.random.Generator, group: npt.NDArray[np.int32] | None = None
    ) -> Resamples:
        """Resamples of n prompts, or of their groups, as `numbered` numbers them."""
        if group is None and n > DRAWN_AT_ONCE:
            return cls(replicates, None, None, int(rng.integers(2**63)))
        unit = np.arange(n, dtype=np.int32) if group is None else group
        units = int(unit.max()) + 1
        drawn = np.empty((1 + replicates, units), dtype=np.int16)
        drawn[0] = 1
        for row in range(1, 1 + replicates):
            drawn[row] = np.bincount(rng.integers(units, size=units), minlength=units)
        return cls(replicates, unit, drawn, 0)

    def part(self, start: int, stop: int) -> Counts:
        """The counts of some prompts, shape [1 + replicates, stop - start]."""
        if self.drawn is None or self.unit is None:
            return _poisson(self.seed, self.replicates, start, stop)
        return self.drawn[:, self.unit[start:stop]]


def numbered(groups: npt.ArrayLike | None) -> npt.NDArray[np.int32] | None:
    """The number of each prompt's group, in the order of their names, shape [n]; None for single prompts."""
    if groups is None:
        return None
    return np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1].astype(np.int32)


def _poisson(seed: int, replicates: int, start: int, stop: int) -> Counts:
    """Counts of the prompts from start to stop: the parts of their blocks."""
    first = start // BLOCK
    blocks = [
        np.random.default_rng([seed, block]).poisson(1.0, (replicates, BLOCK)).astype(np.int16)
        for block in range(first, -(-stop // BLOCK))
    ]
    ones = np.ones((1, stop - start), dtype=np.int16)
    drawn = np.concatenate([np.empty((replicates, 0), dtype=np.int16), *blocks], axis=1)
    return np.concatenate([ones, drawn[:, start - first * BLOCK : stop - first * BLOCK]])


def resample(n: int, replicates: int, rng: np.random.Generator, groups: npt.ArrayLike | None = None) -> Counts:
    """How often each prompt stands in each resample; see `Resamples`.

    Parameters
    ----------
    n : int
        Prompts.
    replicates : int
        Resamples.
    rng : Generator
        Source of chance.
    groups : array-like of shape [n], optional
        Group of each prompt. Given, whole groups are drawn with replacement instead of prompts.

    Returns
    -------
    int16 array of shape [1 + replicates, n]
        The first row is all ones: the prompts as they are.
    """
    return Resamples.of(n, replicates, rng, numbered(groups)).part(0, n)


def apply(statistic: Statistic, counts: Counts) -> Figures:
    """A statistic on every row of `counts`, a bounded piece at a time, shape [rows] or [rows, k]."""
    step = max(1, CELLS_AT_ONCE // counts.shape[1])
    pieces = [statistic(counts[row : row + step].astype(float)) for row in range(0, len(counts), step)]
    return np.concatenate(pieces)


def bootstrap(
    statistic: Statistic,
    n: int,
    rng: np.random.Generator,
    *,
    replicates: int = 1000,
    level: float = 0.95,
    groups: npt.ArrayLike | None = None,
) -> Estimate:
    """A figure with its percentile bootstrap interval.

    For the difference of two routers give a statistic that is that difference: both then see the same resamples,
    which makes the interval a paired one.

    Parameters
    ----------
    statistic : callable
        From weights of prompts, shape [b, n], to figures, shape [b].
    n : int
        Prompts.
    rng : Generator
        Source of chance.
    replicates : int, default 1000
        Resamples.
    level : float, default 0.95
        Coverage aimed at, 0..1.
    groups : array-like of shape [n], optional
        Given, whole groups are resampled instead of prompts.

    Returns
    -------
    Estimate
        Value and interval (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3).

    Examples
    --------
    >>> correct = np.array([1.0, 0.0, 1.0, 1.0])
    >>> bootstrap(lambda weights: weighted_mean(correct, weights), n=4, rng=np.random.default_rng(0)).value
    0.75
    """
    return Estimate.of(apply(statistic, resample(n, replicates, rng, groups)), n, level)


def weighted_mean(values: Figures, weights: Figures | None = None) -> Figures:
    """Mean over prompts.

    Parameters
    ----------
    values : float array of shape [n] or [n, k]
        One or k values for each prompt.
    weights : float array of shape [b, n], optional
        How much each prompt counts; all the same if left out.

    Returns
    -------
    float array of shape [b] or [b, k], without `weights` [] or [k]
    """
    if weights is None:
        return np.asarray(values.mean(axis=0))
    mean: Figures = weights @ values / weights.sum(axis=-1).reshape((-1,) + (1,) * (values.ndim - 1))
    return mean
