r"""Whether confidence is borne out: how often predictions of a given confidence are right.

With the predictions in bins :math:`B_b` of equal width by their confidence,

.. math:: \mathrm{ECE} = \sum_b \frac{|B_b|}{n} \, |\mathrm{acc}(B_b) - \mathrm{conf}(B_b)|

is the expected calibration error (Guo et al., On Calibration of Modern Neural Networks, 2017, equation 3). It is above
0 by chance alone: of a perfectly calibrated classifier, whose answers are right with the very probability
:math:`c_i` that it tells, each gap is a sum of independent deviations of variance :math:`c_i (1 - c_i)`, so that by
the central limit theorem

.. math:: \mathrm{E}[\mathrm{ECE}] \approx \frac{1}{n} \sum_b \sqrt{\frac{2}{\pi} \sum_{i \in B_b} c_i (1 - c_i)}

is what is to be expected of n predictions with these confidences, and no error below it can be told from none.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["calibration_error", "calibration_floor", "reliability", "wilson"]

BINS = 10
Z = 1.959963984540054
"""Quantile of the normal distribution for 95 % intervals."""


def reliability(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS) -> pd.DataFrame:
    """Confidence and accuracy, bin by bin.

    Parameters
    ----------
    confidence : float array of shape [n]
        Probability (0..1) that a prediction is right, as it was told.
    right : bool array of shape [n]
        Whether it was.
    bins : int, default 10
        Bins of equal width.

    Returns
    -------
    DataFrame
        Indexed by interval of confidence: n, confidence (mean), accuracy (share that is right), low, high (bounds of
        the 95 % Wilson interval). Missing where a bin is empty.
    """
    frame = pd.DataFrame({"bin": _bins(confidence, bins), "confidence": confidence, "accuracy": right.astype(float)})
    table = frame.groupby("bin").mean().reindex(range(bins))
    n = frame["bin"].value_counts().reindex(range(bins), fill_value=0)
    low, high = wilson(table["accuracy"].to_numpy(float), n.to_numpy().astype(float))
    table = table.assign(low=low, high=high)
    table.insert(0, "n", n)
    table.index = pd.IntervalIndex.from_breaks(np.linspace(0.0, 1.0, bins + 1), closed="left", name="interval")
    return table


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS) -> float:
    """Expected calibration error; NaN where a confidence is missing."""
    if np.isnan(confidence).any():
        return float("nan")
    place = _bins(confidence, bins)
    gap = np.bincount(place, right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(confidence))


def calibration_floor(confidence: NDArray[np.float64], bins: int = BINS) -> float:
    """Expected calibration error that chance alone gives a perfectly calibrated classifier; NaN where one is missing.

    Parameters
    ----------
    confidence : float array of shape [n]
        Probability (0..1) that a prediction is right, as it was told.
    bins : int, default 10
        Bins of equal width.

    Returns
    -------
    float
        Its expectation over the answers that these confidences let expect.
    """
    if np.isnan(confidence).any():
        return float("nan")
    variance = np.bincount(_bins(confidence, bins), confidence * (1 - confidence), minlength=bins)
    return float(np.sqrt(2 / np.pi * variance).sum() / len(confidence))


def wilson(share: NDArray[np.float64], n: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds of the 95 % Wilson interval of shares (0..1) of n each (Wilson, 1927); NaN where n is 0.

    For the mean of values between 0 and 1 it is, if anything, too wide, since none of that mean varies more than zeros
    and ones do.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
        reach = Z / (1 + Z**2 / n) * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return np.maximum(0.0, middle - reach), np.minimum(1.0, middle + reach)


def _bins(confidence: NDArray[np.float64], bins: int) -> NDArray[np.intp]:
    return np.minimum((confidence * bins).astype(np.intp), bins - 1)
