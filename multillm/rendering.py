"""Results as HTML for notebooks: escaped, deterministic, without colours of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multillm.results import RunResult
    from multillm.router import RoutingDecision

__all__ = ["decision_html", "html_table", "run_html"]

MISSING = "–"


def html_table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with every cell escaped.

    Parameters
    ----------
    caption : str
        What stands above the table.
    columns : sequence of str
        Column heads.
    rows : iterable of sequence
        Cells; None is shown as a dash, a float with four digits after the point.
    """
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "\n".join(f"<tr>{''.join(f'<td>{escape(_cell(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<table class="multillm">\n<caption style="text-align:left">{escape(caption)}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )


def _cell(value: object) -> str:
    if value is None:
        return MISSING
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def decision_html(decision: RoutingDecision) -> str:
    """Every candidate of a decision with its figures and, if rejected, the reason."""
    rows = [
        (c.label, c.quality, c.cost, c.utility, decision.role(c), f"{c.rejection}: {c.detail}" if c.rejection else "")
        for c in decision.candidates
    ]
    profile = decision.profile
    caption = (
        f"{profile.text} — {profile.task_type}, complexity {profile.complexity:.3f} {profile.tier}, "
        f"threshold {decision.threshold:.2f}, chosen by {decision.rule}"
    )
    return html_table(caption, ("label", "quality", "cost", "utility", "role", "reason"), rows)


def run_html(result: RunResult) -> str:
    """The routing table of a run, and the merged answer as plain text to unfold."""
    rows = [
        (
            r.index + 1,
            r.decision.profile.text,
            r.decision.profile.task_type,
            f"{r.decision.profile.complexity:.3f} {r.decision.profile.tier}",
            r.decision.label,
            r.decision.utility,
            r.completion.label if r.completion else None,
            r.completion.output_tokens if r.completion else None,
            f"{r.completion.latency_s:.2f}" if r.completion else None,
            r.status if r.error is None else f"{r.status}: {r.error}",
        )
        for r in result.results
    ]
    columns = ("n", "sub-task", "type", "complexity", "label", "U", "served by", "tokens", "latency, s", "status")
    answer = f'<pre style="white-space:pre-wrap">{escape(result.merged)}</pre>'
    return f"{html_table(repr(result), columns, rows)}\n<details><summary>merged answer</summary>{answer}</details>"
