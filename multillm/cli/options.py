"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

from multillm.limits import Limits

__all__ = ["BackendOption", "CostOption", "DeadlineOption", "PoolOption", "TokensOption", "limited"]

PoolOption = Annotated[str, typer.Option("--pool", help="Name of a shipped pool, or path of a YAML file.")]
BackendOption = Annotated[
    str,
    typer.Option("--backend", help="auto, ollama, embedded, or replay:PATH of a recording.", envvar="MULTILLM_BACKEND"),
]
DeadlineOption = Annotated[
    float | None, typer.Option("--deadline", min=0.0, help="Seconds after which what is answered is returned.")
]
CostOption = Annotated[
    float | None, typer.Option("--max-cost", min=0.0, help="Most cost units; calls that could cost more are not made.")
]
TokensOption = Annotated[
    int | None, typer.Option("--max-tokens", min=0, help="Most tokens, input and output together, likewise.")
]


def limited(limits: Limits, deadline: float | None, max_cost: float | None, max_tokens: int | None) -> Limits:
    """The limits with those of the command line for each run."""
    asked = {"run_s": deadline, "run_cost_units": max_cost, "run_tokens": max_tokens}
    return limits.model_copy(update={name: most for name, most in asked.items() if most is not None})
