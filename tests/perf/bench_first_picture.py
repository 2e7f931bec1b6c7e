"""How soon the first picture of the quickstart is there, from the start of a fresh kernel; and that LiteLLM is not.

::

    python tests/perf/bench_first_picture.py        five fresh kernels
    python tests/perf/bench_first_picture.py 20     twenty
"""

from __future__ import annotations

import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "00_quickstart.ipynb"
PATIENCE_S = 120
LOADED = "import sys; print('litellm' in sys.modules)"


def first_picture() -> tuple[float, float, bool]:
    """Seconds until the kernel answers and until the first picture, and whether LiteLLM was imported for it."""
    manager = KernelManager(kernel_name="python3")
    began = time.perf_counter()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE_S)
        ready = time.perf_counter() - began
        for cell in nbformat.read(QUICKSTART, as_version=4).cells:
            if cell.cell_type == "code" and _draws(client, cell.source):
                seen = time.perf_counter() - began
                return ready, seen, "True" in _printed(client, LOADED)
        raise SystemExit(f"{QUICKSTART.name} draws nothing")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _draws(client: BlockingKernelClient, source: str) -> bool:
    """Run a cell; whether it showed a picture."""
    return any("image/png" in content.get("data", {}) for content in _shown(client, source))


def _printed(client: BlockingKernelClient, source: str) -> str:
    return "".join(content.get("text", "") for content in _shown(client, source))


def _shown(client: BlockingKernelClient, source: str) -> list[dict[str, Any]]:
    """What a cell shows until the kernel is idle again."""
    asked = client.execute(source)
    shown: list[dict[str, Any]] = []
    while True:
        message = client.get_iopub_msg(timeout=PATIENCE_S)
        if message["parent_header"].get("msg_id") != asked:
            continue
        if message["msg_type"] == "error":
            raise SystemExit("\n".join(message["content"]["traceback"]))
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return shown
        shown.append(message["content"])


if __name__ == "__main__":
    runs = [first_picture() for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5)]
    kernel, picture, loaded = zip(*runs, strict=True)
    for name, seconds in (("kernel ready", kernel), ("first picture", picture)):
        spread = f"{min(seconds):.2f} to {max(seconds):.2f} s"
        print(f"{name}: median {statistics.median(seconds):.2f} s of n = {len(runs)}, {spread}")
    print(f"LiteLLM imported by then: {'yes' if any(loaded) else 'no'}; Python {platform.python_version()}")
