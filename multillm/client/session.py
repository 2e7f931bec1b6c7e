"""LiteLLM as it is used here: imported late, quiet, offline, and with no work left behind."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from multillm.client.transport import CALL

__all__ = ["LOGGERS", "enter", "leave", "quiet_litellm"]

LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")
DRAIN_S = 1.0
_OPEN: WeakKeyDictionary[asyncio.AbstractEventLoop, int] = WeakKeyDictionary()
"""Clients with open connections. LiteLLM's one logging worker for all of them may be stopped only after the last:
stopped while another starts it again, it is lost and never ends."""


def quiet_litellm() -> Any:
    """LiteLLM, with its bundled price map instead of a download, and without its notes on stderr."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    if "LITELLM_LOG" not in os.environ:
        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
    if sys.version_info < (3, 12):
        _drop_finalizer(litellm.CustomStreamWrapper)
    return litellm


def _drop_finalizer(stream: Any) -> None:
    """Let no stream of LiteLLM (1.106) change context variables when it is collected.

    Python 3.11 collects garbage in the middle of ``ContextVar.set``, whose table is freed if a finalizer sets another
    variable just then: the process dies of a segmentation fault, once in some hundred or thousand streams. All that
    this finalizer does is to put ids for LiteLLM's own log back. Later versions of Python collect between instructions.
    """
    if "__del__" in vars(stream):
        del stream.__del__


def enter() -> None:
    """Note that a client of this event loop has opened its connections."""
    loop = asyncio.get_running_loop()
    _OPEN[loop] = _OPEN.get(loop, 0) + 1


async def leave(litellm: Any) -> None:
    """Note that a client closes its connections; after the last one LiteLLM's background work is ended."""
    loop = asyncio.get_running_loop()
    _OPEN[loop] = _OPEN.get(loop, 1) - 1
    if _OPEN[loop] == 0:
        await _settle(litellm)


async def _settle(litellm: Any) -> None:
    """Let LiteLLM's background tasks of this event loop end, its logging worker among them."""
    from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

    home = str(Path(litellm.__file__).parent)
    end = asyncio.get_running_loop().time() + DRAIN_S
    while True:
        await GLOBAL_LOGGING_WORKER.flush()
        await GLOBAL_LOGGING_WORKER.stop()
        left = [t for t in asyncio.all_tasks() if t.get_name() != CALL and _code_file(t).startswith(home)]
        wait_s = end - asyncio.get_running_loop().time()
        if not left or wait_s <= 0.0:
            return
        await asyncio.wait(left, timeout=wait_s)  # what they log at their end starts the worker again


def _code_file(task: asyncio.Task[Any]) -> str:
    code = getattr(task.get_coro(), "cr_code", None)
    return code.co_filename if code else ""
