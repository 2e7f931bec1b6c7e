"""What all figures share: sizes and lines, colours that anyone can tell apart, ink that fits the ground."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import matplotlib.style
import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import ColorType

__all__ = [
    "COLOURS",
    "DASHES",
    "GUIDE",
    "NEUTRAL",
    "Look",
    "axes_of",
    "faded",
    "ground",
    "ink",
    "label_ends",
    "legend_beside",
    "legible",
    "looks",
    "plain",
    "plot_style",
    "styled",
]

STYLE_FILE = Path(__file__).with_name("multillm.mplstyle")

# Okabe and Ito's palette (https://jfly.uni-koeln.de/color/), without the yellow and the black, which get lost on a
# light or a dark ground. Dashes, markers and hatches tell the same things apart without colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
HATCHES = ("", "//", "..", "\\\\", "xx", "--", "++")
NEUTRAL = "#777777"
GUIDE: Any = (0, (4, 3))
"""Dashes of a line that guides the eye."""
LINE_INCHES = 0.17
"""Height of a line of small text."""

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Look:
    """How one model or router is drawn.

    Attributes
    ----------
    colour, marker, hatch : str
        As matplotlib names them.
    dash : str or tuple
        Line style.
    """

    colour: str
    dash: Any
    marker: str
    hatch: str


def looks(names: Iterable[str]) -> dict[str, Look]:
    """A look for each name, the same for the same place in the order."""
    return {
        name: Look(
            COLOURS[place % len(COLOURS)],
            DASHES[place % len(DASHES)],
            MARKERS[place % len(MARKERS)],
            HATCHES[place % len(HATCHES)],
        )
        for place, name in enumerate(dict.fromkeys(names))
    }


def plot_style() -> AbstractContextManager[None]:
    """The style of multillm's figures, for figures of one's own; the settings before it come back afterwards.

    Examples
    --------
    ::

        with ml.plot_style():
            figure, (left, right) = plt.subplots(1, 2, layout="constrained")
        ml.plot_utility("default", "reasoning", ax=left)
        ml.plot_routing_map("default", "reasoning", ax=right)
    """
    return matplotlib.style.context(STYLE_FILE)


def styled(plot: Callable[P, Axes]) -> Callable[P, Axes]:
    """Draw in multillm's style, whatever the user's is."""

    @wraps(plot)
    def drawn(*args: P.args, **options: P.kwargs) -> Axes:
        with plot_style():
            return plot(*args, **options)

    return drawn


def axes_of(ax: Axes | None, height: float = 4.0) -> Axes:
    """The axes given, or those of a new figure, `height` inches high."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(6.4, height), layout="constrained").add_subplot()


def ink(ax: Axes) -> ColorType:
    """Colour of the text on these axes."""
    return ax.xaxis.label.get_color()


def ground(ax: Axes) -> ColorType:
    """Colour behind the text on these axes."""
    return ax.get_facecolor()


def faded(colour: ColorType, ax: Axes, share: float = 0.45) -> ColorType:
    """A colour mixed with the ground: pale on a light one, deep on a dark one, and opaque."""
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    return to_hex(LinearSegmentedColormap.from_list("", [ground(ax), colour])(share))


def legible(colour: ColorType) -> ColorType:
    """Black or white, whichever is read more easily on a colour (by its relative luminance, ITU-R BT.709)."""
    from matplotlib.colors import to_rgb

    luminance = np.dot((0.2126, 0.7152, 0.0722), np.power(to_rgb(colour), 2.2))
    return "black" if luminance > 0.18 else "white"


def label_ends(ax: Axes, ends: Mapping[str, float]) -> None:
    """The name of each line to the right of the axes, at the height where the line ends.

    Names of lines that end close together are moved apart, as little as it takes; limits of y have to be set before.
    """
    heights = np.array(list(ends.values()), dtype=float)
    low, high = ax.get_ylim()
    apart = (high - low) * LINE_INCHES * ax.figure.dpi / ax.get_window_extent().height
    rank = heights.argsort(kind="stable").argsort(kind="stable") * apart
    up = np.array([(heights - rank)[rank <= own].max() for own in rank]) + rank
    down = np.array([(heights - rank)[rank >= own].min() for own in rank]) + rank
    for name, place in zip(ends, (up + down) / 2, strict=True):
        ax.annotate(
            plain(name), (1.0, place), xytext=(5, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
            va="center", fontsize="small", color=ink(ax), annotation_clip=False,
        )  # fmt: skip


def legend_beside(ax: Axes) -> None:
    """The legend to the right of the axes, where it hides nothing."""
    ax.legend(labelcolor=ink(ax), loc="upper left", bbox_to_anchor=(1.0, 1.0))


def plain(text: object) -> str:
    """Text that matplotlib shows as it is: no dollar sign starts a formula."""
    return str(text).replace("$", r"\$")
