"""Where models are reached, and the connections that reach them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from multillm.tracing import Trace

__all__ = ["Deployment", "Transport"]

PREPARE_S = 0.5
POLL_S = 0.005
_TRACE: ContextVar[Trace | None] = ContextVar("_TRACE", default=None)


@dataclass(frozen=True, slots=True)
class Deployment:
    """One endpoint of a model group.

    Attributes
    ----------
    label : str
        Model group.
    model : str
        LiteLLM model string, provider first.
    params : mapping
        Further LiteLLM parameters: ``api_base``, ``api_key``, ``extra_body``.
    local : bool
        Runs on own hardware: no price in dollars.
    granted_tokens : int or None
        Context window that the server grants without being asked; where a request needs more,
        it is asked for as ``num_ctx``. None: never asked for.
    """

    label: str
    model: str
    params: Mapping[str, Any] = field(default_factory=dict)
    local: bool = False
    granted_tokens: int | None = None


class Transport:
    """A client's own connections, so that closing it closes them, and no other client's.

    Parameters
    ----------
    make_handler : callable
        LiteLLM's HTTP handler; called with our session.
    cached : dict
        Handlers that LiteLLM keeps for the providers that take no client from us.
    """

    def __init__(self, make_handler: Callable[..., Any], cached: dict[Any, Any]) -> None:
        import aiohttp

        self._cached = cached
        hooks = aiohttp.TraceConfig()
        hooks.on_request_start.append(_on_its_way)
        hooks.on_request_end.append(_over)
        hooks.on_request_exception.append(_over)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trace_configs=[hooks])
        self._handler = make_handler(shared_session=self._session)
        self._http = _taken_over(self._handler)
        self._openai: dict[str, Any] = {}

    async def carry(self, call: Coroutine[Any, Any, Any], trace: Trace) -> Any:
        """Make a call that may be cancelled.

        LiteLLM prepares each request in a thread; cancelled just then, it drops a coroutine that
        nobody awaits. So a cancellation waits until the request is on its way.
        """
        token = _TRACE.set(trace)
        task = asyncio.create_task(call)
        _TRACE.reset(token)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            try:
                end = time.monotonic() + PREPARE_S
                while not (task.done() or trace.on_its_way or time.monotonic() > end):
                    await asyncio.sleep(POLL_S)
            finally:
                task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()
            raise

    def arguments(self, deployment: Deployment) -> dict[str, Any]:
        """What makes LiteLLM use our connections for this deployment."""
        provider = deployment.model.partition("/")[0]
        if provider == "ollama_chat":
            return {"client": self._handler}
        if provider == "openai" and "api_base" in deployment.params:
            return {"client": self._openai_client(deployment)}
        return {"shared_session": self._session}

    def _openai_client(self, deployment: Deployment) -> Any:
        import openai

        base = deployment.params["api_base"]
        if base not in self._openai:
            key = deployment.params.get("api_key", "none")
            self._openai[base] = openai.AsyncOpenAI(base_url=base, api_key=key, http_client=self._http, max_retries=0)
        return self._openai[base]

    async def aclose(self) -> None:
        """Close the connections, and forget the handlers that LiteLLM cached with our session in them."""
        for key, handler in list(self._cached.items()):
            if getattr(handler, "shared_session", None) is self._session:
                self._cached.pop(key, None)
                await _taken_over(handler).aclose()
        await self._http.aclose()
        await self._session.close()


def _taken_over(handler: Any) -> Any:
    """The handler's HTTP client, ours to close from now on: the handler's finaliser would start a task to do it."""
    handler.client = handler.client
    return handler.client


async def _on_its_way(*_: object) -> None:
    if trace := _TRACE.get():
        trace.on_its_way = True


async def _over(*_: object) -> None:
    if trace := _TRACE.get():
        trace.on_its_way = False
