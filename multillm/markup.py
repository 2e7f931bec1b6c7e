"""Tables as HTML for notebooks: escaped, deterministic, in the page's own colours, so that light and dark both do."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from numbers import Real
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Listing", "facts_html", "html_table", "message_html", "prose_html"]

MISSING = "–"
BOLD = ' style="font-weight:bold"'


def html_table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]], strong: Collection[int] = ()
) -> str:
    """A table with every cell escaped.

    Parameters
    ----------
    caption : str
        What stands above the table.
    columns : sequence of str
        Column heads.
    rows : iterable of sequence
        Cells; what is missing (None, NaN) is shown as a dash, a float with four digits after the point. Numbers stand
        to the right.
    strong : collection of int
        Rows, from 0, that are set in bold.
    """
    rows = [list(row) for row in rows]
    heads = "".join(
        _tagged("th", name, scope="col", align=_align(*(row[place] for row in rows)))
        for place, name in enumerate(columns)
    )
    body = "\n".join(
        f"<tr{BOLD if place in strong else ''}>{''.join(map(_cell, row))}</tr>" for place, row in enumerate(rows)
    )
    return _table(caption, f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>")


def facts_html(caption: str, facts: Mapping[str, object]) -> str:
    """A table of names and values; what is unknown (None) or empty is left out."""
    known = [(name, value) for name, value in facts.items() if value is not None and value != ""]
    body = "\n".join(
        f"<tr>{_tagged('th', name, scope='row', align='left')}{_cell(value, align='left')}</tr>"
        for name, value in known
    )
    return _table(caption, f"<tbody>\n{body}\n</tbody>")


def _table(caption: str, content: str) -> str:
    """A table of markup; its height of lines is its own, since that of a widget is made for one line."""
    head = f'<caption style="text-align:left">{escape(caption)}</caption>'
    return f'<table class="multillm" style="line-height:1.4">\n{head}\n{content}\n</table>'


def prose_html(title: str, text: str) -> str:
    """Text as it is, to unfold under a title."""
    shown = f'<pre style="white-space:pre-wrap">{escape(text)}</pre>'
    return f"<details><summary>{escape(title)}</summary>{shown}</details>"


def message_html(text: str) -> str:
    """A remark."""
    return f'<p style="border-left:3px solid currentColor;padding-left:0.5em">{escape(text)}</p>'


class Row(Protocol):
    """What can stand in a listing."""

    def to_row(self) -> Mapping[str, object]:
        """Its columns."""
        ...


Item = TypeVar("Item", bound=Row)


class Listing(list[Item]):
    """A list that a notebook shows as a table, without columns that have nothing to tell."""

    def to_frame(self) -> pd.DataFrame:
        """One row for each, in order; columns as each item's `to_row` names them."""
        import pandas as pd

        return pd.DataFrame([item.to_row() for item in self])

    def _repr_html_(self) -> str:
        rows = [{name: _listed(value) for name, value in item.to_row().items()} for item in self]
        told = [name for name in (rows[0] if rows else ()) if any(row[name] not in {None, ""} for row in rows)]
        count = f"{len(rows)} sub-task{'s' * (len(rows) != 1)}"
        columns = ["n", *(name.replace("_", " ") for name in told)]
        return html_table(count, columns, ([n, *map(row.get, told)] for n, row in enumerate(rows, 1)))


def _listed(value: object) -> object:
    """A cell of a listing: positions are counted from 1."""
    return ", ".join(str(place + 1) for place in value) or None if isinstance(value, list | tuple) else value


def _cell(value: object, align: str = "") -> str:
    if _is_missing(value):
        return _tagged("td", MISSING, align=align or "left")
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return _tagged("td", text, align=align or _align(value))


def _align(*values: object) -> str:
    """Numbers stand to the right."""
    known = [value for value in values if not _is_missing(value)]
    return "right" if known and all(isinstance(value, Real) for value in known) else "left"


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _tagged(tag: str, text: str, *, align: str, scope: str = "") -> str:
    scoped = f' scope="{scope}"' if scope else ""
    return f'<{tag}{scoped} style="text-align:{align};padding:0.2em 0.6em">{escape(text)}</{tag}>'
