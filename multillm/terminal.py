"""Results in a terminal: tables and text, with nothing a model wrote taken as a command."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from multillm.backends import BackendStatus
from multillm.orchestration.results import RunResult
from multillm.pool import Pool
from multillm.router import RoutingDecision

__all__ = [
    "console",
    "decision_tables",
    "mapping_table",
    "merged_text",
    "printable",
    "routing_table",
    "subtask_table",
    "table",
]

PAGE_WIDTH = 120


def printable(text: str) -> str:
    """The text without control and format characters, so that it cannot steer a terminal."""
    return "\n".join(line if line.isprintable() else _cleaned(line) for line in text.split("\n"))


def _cleaned(line: str) -> str:
    return "".join(c for c in line if c == "\t" or unicodedata.category(c) not in {"Cc", "Cf", "Cs"})


class _CautiousConsole(Console):
    """Console that passes no text on to the terminal before it is printable."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(printable(text), **options)


def console(*, stderr: bool = False) -> Console:
    """Console as wide as the terminal, or as a wide page where there is none."""
    plain = _CautiousConsole(stderr=stderr)
    as_is = plain.is_terminal or "COLUMNS" in os.environ
    return plain if as_is else _CautiousConsole(stderr=stderr, width=PAGE_WIDTH)


def mapping_table(pool: Pool, status: BackendStatus) -> Table:
    """What answers for each label."""
    rows = [
        (spec.label, spec.served_name, f"{spec.cost_per_1k:.2f}", status.mapping.get(spec.label, "–"))
        for spec in pool.registry
    ]
    return table("Models", ("label", "model", "cost/1k", "answered by"), rows, right=("cost/1k",))


def subtask_table(decisions: Sequence[RoutingDecision]) -> Table:
    """The sub-tasks with type, complexity and dependencies."""
    rows = [
        (
            str(n),
            d.profile.text,
            str(d.profile.task_type),
            f"{d.profile.complexity:.3f}",
            str(d.profile.tier),
            str(d.profile.input_tokens),
            ", ".join(str(needed + 1) for needed in d.profile.subtask.depends_on) or "–",
        )
        for n, d in enumerate(decisions, 1)
    ]
    columns = ("n", "sub-task", "type", "complexity", "tier", "tokens", "needs")
    return table("Sub-tasks", columns, rows, right=("n", "complexity", "tokens"))


def decision_tables(decisions: Sequence[RoutingDecision]) -> RenderableType:
    """A table of all candidates for each sub-task."""
    return Group(*(_decision_table(n, decision) for n, decision in enumerate(decisions, 1)))


def _decision_table(n: int, decision: RoutingDecision) -> Table:
    rows = [
        (
            c.label,
            "–" if c.quality is None else f"{c.quality:.4f}",
            f"{c.cost:.4f}",
            "–" if c.utility is None else f"{c.utility:+.4f}",
            decision.role(c),
            c.reason,
        )
        for c in decision.candidates
    ]
    title = f"Decision {n}: {decision.label} ({decision.rule}, threshold {decision.threshold:.2f})"
    return table(title, ("label", "Q", "C", "U", "role", "reason"), rows, right=("Q", "C", "U"))


def routing_table(result: RunResult) -> Table:
    """What was decided for each sub-task and what came of it."""
    rows = []
    for r in result.results:
        profile, done = r.decision.profile, r.completion
        rows.append(
            (
                str(r.index + 1),
                str(profile.task_type),
                f"{profile.complexity:.3f} {profile.tier}",
                r.decision.label,
                "–" if r.decision.utility is None else f"{r.decision.utility:+.4f}",
                done.label if done else "–",
                f"{done.output_tokens:,}" if done else "–",
                f"{done.cost_units:.6f}" if done else "–",
                f"{done.latency_s:.2f} s" if done else "–",
                r.status,
            )
        )
    columns = ("n", "type", "complexity", "label", "U", "served by", "tokens", "cost", "latency", "status")
    return table("Routing table", columns, rows, right=("n", "U", "tokens", "cost", "latency"))


def merged_text(result: RunResult) -> Text:
    """The merged answer as plain text."""
    return Text(printable(result.merged))


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Sequence[str] = (),
    *,
    wrapped: bool = False,
) -> Table:
    """A table of plain cells; columns that hold prose may break into lines."""
    made = Table(
        title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    for column in columns:
        prose = wrapped or column in {"sub-task", "answered by", "reason"}
        made.add_column(column, justify="right" if column in right else "left", overflow="fold", no_wrap=not prose)
    for row in rows:
        made.add_row(*(Text(printable(cell)) for cell in row))
    return made
