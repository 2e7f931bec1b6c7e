"""The commands ``multillm serve`` and ``multillm export litellm``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from multillm.cli.options import BackendOption, CostOption, DeadlineOption, PoolOption, TokensOption, limited

__all__ = ["export_app", "serve_command"]

export_app = typer.Typer(name="export", help="Write a pool as the config of another program.", no_args_is_help=True)


def serve_command(
    *,
    pool: PoolOption = "default",
    backend: BackendOption = "auto",
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = 4000,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that share the port.")] = 1,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            envvar="MULTILLM_STORE",
            help="Feedback store: a path, a database's URL, or none; your own file if left out.",
        ),
    ] = None,
    redis: Annotated[
        str | None,
        typer.Option("--redis", envvar="MULTILLM_REDIS_URL", help="URL of the Redis that gateways share."),
    ] = None,
    deadline: DeadlineOption = None,
    max_cost: CostOption = None,
    max_tokens: TokensOption = None,
) -> None:
    """Serve the pipeline to any OpenAI client, by LiteLLM's proxy; the limits are those of each request.

    The key that clients give is LITELLM_MASTER_KEY; without it one is made for this run, and shown.
    """
    from multillm.gateway.server import serve
    from multillm.pool import load_pool

    loaded = load_pool(pool)
    limits = limited(loaded.limits, deadline, max_cost, max_tokens)
    serve(
        loaded.model_copy(update={"limits": limits}),
        backend,
        host=host,
        port=port,
        workers=workers,
        store=store,
        redis=redis,
        tell=lambda line: typer.echo(line, err=True),
    )


@export_app.callback()
def export() -> None:
    """Keep ``litellm`` a command of its own, for the formats to come beside it."""


@export_app.command("litellm")
def export_litellm(
    pool: PoolOption = "default",
    out: Annotated[
        Path, typer.Option("--out", help="Folder for config.yaml, pool.yaml and the module that joins them.")
    ] = Path("gateway"),
) -> None:
    """Write pool and policy as the config of LiteLLM's proxy; keys stay in the environment."""
    from multillm.gateway.config import write_config
    from multillm.pool import load_pool

    config = write_config(load_pool(pool), out, os.environ)
    typer.echo(f"written: {config}; to run it: litellm --config {config} --host 127.0.0.1")
