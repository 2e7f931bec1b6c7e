"""Where models are reached, and the connections that reach them."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Coroutine, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from multillm.client.tracing import Trace
from multillm.client.wire import Wire

__all__ = ["CALL", "Deployment", "Transport", "split_credentials"]

CALL = "multillm call"
"""Name of the task in which LiteLLM makes a call."""
PREPARE_S = 10.0
"""Longest time that LiteLLM takes before it sends a request."""
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

    @property
    def litellm_params(self) -> dict[str, Any]:
        """Model and parameters as LiteLLM takes them: user and password of the address go into a header.

        In the address they would be in the debug logs of every library that makes a request.
        """
        address, header = split_credentials(str(self.params.get("api_base", "")))
        if not header:
            return {"model": self.model, **self.params}
        headers = {"Authorization": header, **self.params.get("extra_headers", {})}
        return {"model": self.model, **self.params, "api_base": address, "extra_headers": headers}

    @property
    def prices(self) -> dict[str, Any]:
        """Price of a local model, which LiteLLM else searches its whole price map for, a dozen times a call."""
        if not self.local:
            return {}
        provider = self.model.partition("/")[0]
        return {"litellm_provider": provider, "mode": "chat", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0}

    @property
    def secrets(self) -> list[str]:
        """What must be shown nowhere."""
        _, header = split_credentials(str(self.params.get("api_base", "")))
        encoded = header.removeprefix("Basic ")
        password = base64.b64decode(encoded).decode("utf-8", "replace").partition(":")[2]
        return [str(self.params.get("api_key", "")), encoded, password]

    def __repr__(self) -> str:
        address, _ = split_credentials(str(self.params.get("api_base", "")))
        return f"Deployment({self.label!r}, {self.model!r}{f', at {address}' if address else ''})"


def split_credentials(url: str) -> tuple[str, str]:
    """An address without user and password, and an ``Authorization`` header with them; empty if there are none."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    credentials, at, place = authority.rpartition("@")
    if not at:
        return url, ""
    encoded = base64.b64encode(unquote(credentials).encode("utf-8", "surrogatepass")).decode()
    return f"{scheme}{separator}{place}{slash}{path}", f"Basic {encoded}"


class Transport:
    """A client's own connections, so that closing it closes them, and no other client's.

    Parameters
    ----------
    handler : type
        LiteLLM's HTTP handler.
    cached : dict
        Handlers that LiteLLM keeps for the providers that take no client from us.
    """

    def __init__(self, handler: Any, cached: dict[Any, Any]) -> None:
        import aiohttp

        self._cached = cached
        hooks = aiohttp.TraceConfig()
        hooks.on_request_start.append(_on_its_way)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trace_configs=[hooks])
        self._handler = handler(
            transport=Wire(handler.create_async_transport(shared_session=self._session), _TRACE.get)
        )
        self._http = _taken_over(self._handler)
        self._openai: dict[tuple[str, str], Any] = {}

    async def carry(self, call: Coroutine[Any, Any, Any], trace: Trace, limit_s: float) -> Any:
        """Make a call that may be cancelled, and that is cancelled when its time is up.

        Its time begins when the request is sent: the first call of all takes a second before that.
        LiteLLM prepares each request in a thread; cancelled just then, it drops a coroutine that
        nobody awaits. So a cancellation waits until the request is on its way.
        """
        token = _TRACE.set(trace)
        task = asyncio.create_task(call, name=CALL)
        _TRACE.reset(token)
        trace.limit_s, trace.timeout = limit_s, asyncio.timeout(PREPARE_S + limit_s)
        async with trace.timeout:
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                await _stop(task, trace)
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

        base, key = deployment.litellm_params["api_base"], deployment.params.get("api_key", "none")
        if (base, key) not in self._openai:
            client = openai.AsyncOpenAI(base_url=base, api_key=key, http_client=self._http, max_retries=0)
            self._openai[base, key] = client
        return self._openai[base, key]

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


async def _stop(task: asyncio.Task[Any], trace: Trace) -> None:
    """Cancel a call once its request is on its way."""
    try:
        end = time.monotonic() + PREPARE_S
        while not (task.done() or trace.on_its_way or time.monotonic() > end):
            await asyncio.sleep(POLL_S)
    finally:
        task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


async def _on_its_way(*_: object) -> None:
    if trace := _TRACE.get():
        trace.sent()
