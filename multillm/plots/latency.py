"""How long calls take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from multillm.errors import OutcomesError
from multillm.outcomes import Outcomes
from multillm.plots.style import NEUTRAL, axes_of, ink, legend_beside, looks, plain, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_latency"]

QUANTILES = (0.50, 0.95)


@styled
def plot_latency(calls: Outcomes | pd.DataFrame, by: str = "model", ax: Axes | None = None) -> Axes:
    """Distribution of latency: the share of calls that were answered within a time.

    Parameters
    ----------
    calls : Outcomes or DataFrame
        What was measured, or any frame with `latency_s`, such as the rows of a feedback store.
    by : str, default "model"
        Column that tells calls apart: ``served_label`` or ``served_model`` of a feedback store.
    ax : Axes, optional
        Where to draw; new axes if left out.

    Returns
    -------
    Axes
        Latency in s (logarithmic) against the share of calls (0..1), a step line for each value of `by`. Horizontal
        lines mark the median and the 95th percentile.

    Raises
    ------
    OutcomesError
        If a column is not there or no latency is known.
    """
    frame = calls.rows if isinstance(calls, Outcomes) else calls
    if absent := [column for column in ("latency_s", by) if column not in frame]:
        raise OutcomesError(f"the calls have no column {', '.join(absent)}; they have {', '.join(map(str, frame))}")
    known = frame[frame["latency_s"].notna() & frame[by].notna()]
    if known.empty:
        raise OutcomesError(f"none of {len(frame)} calls has a latency and a {by}; there is nothing to draw")
    from matplotlib.ticker import LogLocator

    ax = axes_of(ax)
    names = [str(name) for name in known[by].unique()]
    for name, look in looks(names).items():
        latency = known.loc[known[by].astype(str) == name, "latency_s"].to_numpy(float)
        median = float(np.median(latency))
        label = f"{name}\nmedian {median:.3g} s, n = {len(latency):,}"
        ax.ecdf(latency, color=look.colour, linestyle=look.dash, label=plain(label))
        ax.plot(median, 0.5, look.marker, color=look.colour, markeredgecolor=ink(ax), markeredgewidth=0.6, zorder=4)
    for share in QUANTILES:
        ax.axhline(share, color=NEUTRAL, linewidth=0.8, linestyle=(0, (1, 2)))
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter("")
    ax.set(xlabel="latency, s", ylabel="share of calls answered, 0..1", ylim=(0, 1.02), yticks=(0, *QUANTILES, 1))
    legend_beside(ax)
    return ax
