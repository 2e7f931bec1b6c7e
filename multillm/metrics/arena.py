"""RouterArena's score of accuracy and cost."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from multillm.metrics.bootstrap import Figures

__all__ = ["arena_score"]


def arena_score(
    accuracy: npt.ArrayLike,
    usd_per_1k: npt.ArrayLike,
    beta: float = 0.1,
    c_max: float = 200.0,
    c_min: float = 0.0044,
) -> Figures:
    r"""RouterArena's score: a weighted harmonic mean of accuracy and cheapness.

    .. math::
        S = \frac{(1 + \beta) A C}{\beta A + C}, \qquad
        C = \frac{\log_2 c_{max} - \log_2 c}{\log_2 c_{max} - \log_2 c_{min}}

    (arXiv:2510.00202).

    Parameters
    ----------
    accuracy : float or float array
        Mean quality, 0..1.
    usd_per_1k : float or float array
        US dollars for 1,000 prompts; cut to `c_min` .. `c_max`.
    beta : float, default 0.1
        Weight of cost against accuracy.
    c_max, c_min : float
        US dollars for 1,000 prompts at which cheapness is 0 and 1.

    Returns
    -------
    float array of the shape of the inputs
        0..1; the leaderboard shows 100 times that. NaN where the cost is unknown or not positive.

    Examples
    --------
    >>> round(100 * float(arena_score(0.7282, 0.22)), 2)
    71.86
    """
    accuracy, cost = np.asarray(accuracy, float), np.asarray(usd_per_1k, float)
    cost = np.where(cost > 0, np.clip(cost, c_min, c_max), np.nan)
    cheapness = np.log2(c_max / cost) / np.log2(c_max / c_min)
    with np.errstate(invalid="ignore"):
        return np.asarray((1 + beta) * accuracy * cheapness / (beta * accuracy + cheapness))
