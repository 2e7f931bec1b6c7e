"""Tables and plots of a run, on one page: Markdown for reading, HTML for a browser or a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from multillm.markup import html_table
from multillm.reports import draw, markdown_table

__all__ = ["Page", "Plot", "Section"]

Plot = Callable[[Axes], Axes]
STYLE = "body{font-family:sans-serif;max-width:75rem;margin:2rem auto} td,th{padding:.2rem .6rem;text-align:left}"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report.

    Attributes
    ----------
    title : str
        Heading.
    text : str
        What is to be said; may be empty.
    columns : sequence of str
        Heads of the table; empty without a table.
    rows : sequence of sequence of str
        Its cells.
    """

    title: str
    text: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()

    def markdown(self) -> str:
        """As Markdown."""
        lines = [f"## {self.title}", ""]
        if self.columns:
            lines += [markdown_table(self.columns, self.rows), ""]
        return "\n".join([*lines, self.text, ""] if self.text else lines)

    def html(self) -> str:
        """As HTML."""
        table = html_table("", self.columns, self.rows) if self.columns else ""
        return f"<h2>{escape(self.title)}</h2>\n{table}\n<p>{escape(self.text)}</p>\n"


class Page(ABC):
    """A report as sections and plots.

    Attributes
    ----------
    sections : tuple of Section
        The tables.
    """

    sections: tuple[Section, ...]

    @property
    @abstractmethod
    def title(self) -> str:
        """Heading of the page."""

    @property
    @abstractmethod
    def plots(self) -> Mapping[str, Plot]:
        """What can be drawn, by file in the folder."""

    @abstractmethod
    def provenance(self) -> str:
        """How the figures came about, in a sentence."""

    @property
    def markdown(self) -> str:
        """As Markdown."""
        plots = "".join(f"\n![{Path(name).name.replace('_', ' ')}]({name}.svg)\n" for name in self.plots)
        head = f"# {self.title}\n\n{self.provenance()}\n\n"
        return head + "\n".join(section.markdown() for section in self.sections) + plots

    @property
    def html(self) -> str:
        """As one HTML page, the plots inside."""
        title = escape(self.title)
        return (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f"<style>{STYLE}</style></head>\n<body><h1>{title}</h1>\n<p>{escape(self.provenance())}</p>\n"
            f"{self._repr_html_()}</body></html>\n"
        )

    def write(self, folder: str | Path) -> Path:
        """Store ``report.md``, ``report.html`` and the plots in a folder."""
        folder = Path(folder)
        for name, plot in self.plots.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            draw(folder / name, plot)
        (folder / "report.md").write_text(self.markdown, "utf-8")
        (folder / "report.html").write_text(self.html, "utf-8")
        return folder

    def _repr_html_(self) -> str:
        drawn = "".join(_svg(name, plot) for name, plot in self.plots.items())
        return "".join(section.html() for section in self.sections) + drawn


def _svg(name: str, plot: Plot) -> str:
    figure = Figure(figsize=(8, 5), layout="constrained")
    plot(figure.add_subplot())
    drawn = StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    text = drawn.getvalue()
    return text[text.index("<svg") :]
