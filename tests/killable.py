"""A benchmark to be killed: what runs in the process that the test of resuming ends by ``kill -9``."""

from multillm.backends import OllamaBackend
from multillm.bench import run_benchmark

__all__ = ["measure"]


def measure(pool: str, prompts: str, server: str, out: str) -> None:
    """Run a benchmark against an Ollama server."""
    run_benchmark(pool, prompts, OllamaBackend(server, {}), out=out, progress=False, concurrency=4, routed=True)
