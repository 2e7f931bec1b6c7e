"""Gateways, Redis and what else makes a small cluster, each a process of the tests' own on loopback."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import openai

START_S = 500.0
"""A gateway is up in about ten seconds; a busy machine takes longer."""
STOP_S = 30.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A running Redis server that keeps nothing on disk; its URL."""
    port, password = free_port(), secrets.token_hex(8)
    options = ["--port", str(port), "--bind", "127.0.0.1", "--requirepass", password, "--save", ""]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(["redis-server", *options, "--dir", str(folder)], stdout=log, stderr=log)
        try:
            _wait(process, lambda: socket.create_connection(("127.0.0.1", port), 1).close(), folder / "redis.log")
            yield f"redis://:{password}@127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(STOP_S)


def has_redis() -> bool:
    """Whether a Redis server is installed."""
    return shutil.which("redis-server") is not None


@dataclass
class Gateway:
    """A process of LiteLLM's proxy, and how to reach it."""

    command: list[str]
    environ: Mapping[str, str]
    folder: Path
    port: int = field(default_factory=free_port)
    key: str = field(default_factory=lambda: f"sk-{secrets.token_urlsafe(32)}")

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / f"gateway-{self.port}.log"

    def start(self) -> None:
        """Start, without waiting until it is up."""
        environ = {**os.environ, "LITELLM_MASTER_KEY": self.key, "LITELLM_MODE": "PRODUCTION", **self.environ}
        with self.log.open("wb") as log:
            options = ["--host", "127.0.0.1", "--port", str(self.port)]
            self.process = subprocess.Popen(
                [*self.command, *options], env=environ, stdout=log, stderr=log, cwd=self.folder
            )

    def wait(self) -> None:
        """Wait until it is up."""
        _wait(self.process, lambda: httpx.get(f"{self.base_url}/health/liveliness").raise_for_status(), self.log)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.terminate()
        return self.process.wait(STOP_S)

    def client(self, **options: object) -> openai.OpenAI:
        """OpenAI's own client for it."""
        settings: dict[str, object] = {"api_key": self.key, "max_retries": 0, "timeout": 60, **options}
        return openai.OpenAI(base_url=f"{self.base_url}/v1", **settings)  # type: ignore[arg-type]

    def async_client(self) -> openai.AsyncOpenAI:
        """The same for many calls at once."""
        return openai.AsyncOpenAI(base_url=f"{self.base_url}/v1", api_key=self.key, max_retries=0, timeout=60)


def multillm_serve(*options: str) -> list[str]:
    """The command line that serves."""
    return [sys.executable, "-m", "multillm.cli", "serve", *options]


@contextmanager
def running(*gateways: Gateway) -> Iterator[None]:
    """The gateways, started at once, stopped at the end."""
    try:
        for gateway in gateways:
            gateway.start()
        for gateway in gateways:
            gateway.wait()
        yield
    finally:
        for gateway in gateways:
            gateway.process.terminate()
        for gateway in gateways:
            gateway.process.wait(STOP_S)


def _wait(process: "subprocess.Popen[bytes]", attempt: object, log: Path) -> None:
    end = time.monotonic() + START_S
    while True:
        try:
            attempt()  # type: ignore[operator]
        except (OSError, httpx.HTTPError):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"it did not start: {log.read_text(errors='replace')[-2000:]}") from None
            time.sleep(0.1)
        else:
            return
