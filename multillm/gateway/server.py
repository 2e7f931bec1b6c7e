"""LiteLLM's proxy over a pool, in this process."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from multillm.backends import Backend, choose_backend
from multillm.backends.ollama import ollama_url
from multillm.client.session import quiet_litellm
from multillm.client.transport import split_credentials
from multillm.errors import BackendUnavailable, ConfigurationError
from multillm.feedback import FeedbackStore
from multillm.gateway.config import AUTHORIZATION, PIPELINE, write_config
from multillm.pool import Pool

__all__ = ["serve"]

KEY = "LITELLM_MASTER_KEY"
OFFLINE = (
    "LITELLM_LOCAL_MODEL_COST_MAP",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS",
    "LITELLM_LOCAL_AUTOROUTER_PRESETS",
    "LITELLM_LOCAL_POLICY_TEMPLATES",
    "LITELLM_LOCAL_BLOG_POSTS",
)
"""Tables that LiteLLM else fetches over the network when it starts."""


def serve(
    pool: Pool,
    backend: str = "auto",
    *,
    host: str = "127.0.0.1",
    port: int = 4000,
    workers: int = 1,
    store: str | None = None,
    redis: str | None = None,
    tell: Callable[[str], None],
) -> None:
    """Serve a pool until a signal ends it.

    Parameters
    ----------
    pool : Pool
        What is to be served.
    backend : str, default "auto"
        Where the models run.
    host, port
        Where to listen.
    workers : int, default 1
        Processes that share the port.
    store : str, optional
        Feedback store: a path, a URL, ``none``, or the user's own file.
    redis : str, optional
        URL of the Redis that gateways share.
    tell : callable
        Takes the lines that the user is to read.

    Raises
    ------
    BackendUnavailable
        If LiteLLM's proxy is not installed, or nothing is there to run the models.
    ConfigurationError
        If the port is taken, or the address is open to others and no key is set.
    FeedbackError
        If the store cannot be opened.
    """
    _check(host, port)
    chosen = asyncio.run(choose_backend(backend, pool))
    _set_environment(_name(backend, chosen.backend), store, redis)
    if not os.environ.get(KEY):
        os.environ[KEY] = f"sk-{secrets.token_urlsafe(32)}"
        tell(f"API key of this run: {os.environ[KEY]} (set {KEY} to give one of your own)")
    tell(f"{chosen.reason}\nServing the model {PIPELINE!r} at http://{host}:{port}/v1; Ctrl-C ends it.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with TemporaryDirectory(prefix="multillm-gateway-") as folder:
        config = write_config(pool, Path(folder), models=chosen.backend.name == "ollama")
        _run(["--config", str(config), "--host", host, "--port", str(port), "--num_workers", str(workers)])


def _check(host: str, port: int) -> None:
    if find_spec("fastapi") is None:
        raise BackendUnavailable("LiteLLM's proxy is not installed; pip install 'multillm[gateway]'")
    if not os.environ.get(KEY) and not _loopback(host):
        raise ConfigurationError(f"others can reach {host}, and no key is set; set {KEY}, or listen on 127.0.0.1")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(f"{host}:{port} cannot be listened on ({error.strerror}); give another") from None


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _name(asked: str, chosen: Backend) -> str:
    return chosen.name if asked == "auto" else asked


def _set_environment(backend: str, store: str | None, redis: str | None) -> None:
    """What the proxy's processes read: their own modules come to them by dotted path alone."""
    for name in OFFLINE:
        os.environ.setdefault(name, "True")
    _, authorization = split_credentials(ollama_url())
    named = {
        "MULTILLM_BACKEND": backend,
        "MULTILLM_STORE": store,
        "MULTILLM_REDIS_URL": redis,
        AUTHORIZATION: authorization,
    }
    os.environ.update({name: value for name, value in named.items() if value})
    if store != "none":
        FeedbackStore(store).close()  # one that cannot be opened must say so now


def _run(arguments: list[str]) -> None:
    quiet_litellm()
    from litellm.proxy.proxy_cli import run_server

    run_server(arguments, standalone_mode=False)
