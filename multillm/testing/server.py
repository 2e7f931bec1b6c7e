"""The server: its socket, its thread, what it counts, and which path answers what."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from typing import Any, Self

from aiohttp import web
from anyio.from_thread import BlockingPortal, start_blocking_portal

from multillm.testing.catalogue import catalogue, shown, tagged
from multillm.testing.dialect import Dialect, Ollama, OpenAI
from multillm.testing.exchange import Exchange, json_response
from multillm.testing.fault import Fault
from multillm.testing.script import Script

__all__ = ["FaultServer"]

HOST = "127.0.0.1"
KEPT_REQUESTS = 10_000
LOOK_AGAIN_S = 0.01
OLLAMA_JSON, OPENAI_JSON = Ollama.json_type, OpenAI.json_type


class FaultServer:
    """A model server on the loopback interface that misbehaves as told.

    It runs in a thread of its own, on a free port, for as long as the ``with`` block lasts, and
    serves Ollama's ``/api/chat``, ``/api/generate``, ``/api/show``, ``/api/tags``, ``/api/ps``,
    ``/api/version`` and OpenAI's ``/v1/chat/completions`` and ``/v1/models``.

    Parameters
    ----------
    scripts : mapping of str to Script
        How each model behaves; a name without a tag means ``latest``, as Ollama reads it. May be
        changed while the server runs.
    rng : random.Random, optional
        Draws the faults of `Script.rates`; seeded with 0 if left out.

    Attributes
    ----------
    base_url : str
        Where it listens, once it runs.
    requests : deque of dict
        Bodies of the chats it was asked for, the last 10,000.
    headers : deque of dict
        Headers of the same, names in lower case.
    played : Counter
        How often each model met each fault, by (model, fault); fault None for calls that went well.
    peak : Counter
        Most calls at once that each model had, those in line included.
    loaded : set of str
        Models in memory.

    Examples
    --------
    >>> import httpx
    >>> with FaultServer({"light": Script(faults=[Fault.BUSY])}) as server:
    ...     chat = {"model": "light", "messages": [{"role": "user", "content": "Hi."}], "stream": False}
    ...     [httpx.post(f"{server.base_url}/api/chat", json=chat).status_code for _ in range(2)]
    [503, 200]
    """

    def __init__(self, scripts: Mapping[str, Script], rng: random.Random | None = None) -> None:
        self.scripts = dict(scripts)
        self.base_url = ""
        self.requests: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)
        self.headers: deque[dict[str, str]] = deque(maxlen=KEPT_REQUESTS)
        self.played: Counter[tuple[str, Fault | None]] = Counter()
        self.peak: Counter[str] = Counter()
        self.loaded: set[str] = set()
        self._rng = rng or random.Random(0)  # noqa: S311  # faults, not secrets
        self._active: Counter[str] = Counter()
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._port = 0
        self._stack = ExitStack()
        self._portal: BlockingPortal
        self._runner: web.ServerRunner
        self._site: web.TCPSite | None = None
        self._coming_back: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._portal = self._stack.enter_context(start_blocking_portal())
        self._portal.call(self._open)
        self.base_url = f"http://{HOST}:{self._port}"
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self._portal.call(self._close)
        finally:
            self._stack.close()

    def stop(self) -> None:
        """Die: cut every connection, refuse new ones."""
        self._portal.call(self._go_down)

    def start(self) -> None:
        """Come back after `stop`, on the same port."""
        self._portal.call(self._listen)

    @property
    def open_connections(self) -> int:
        """Connections that callers hold open."""
        return len(self._server.connections)

    def called(self, model: str) -> int:
        """How many chats the model was asked for."""
        return sum(count for (name, _), count in self.played.items() if name == tagged(model))

    def wait_until_unconnected(self, seconds: float = 2.0) -> bool:
        """Whether every connection is closed before the time is up."""
        end = time.monotonic() + seconds
        while self.open_connections and time.monotonic() < end:
            time.sleep(LOOK_AGAIN_S)
        return self.open_connections == 0

    def __repr__(self) -> str:
        return f"FaultServer({self.base_url or 'not running'}, {len(self.scripts)} models, {self.played.total()} calls)"

    async def _open(self) -> None:
        self._server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0.0)
        await self._runner.setup()
        await self._listen()

    async def _listen(self) -> None:
        if self._site is None:
            self._site = web.TCPSite(self._runner, HOST, self._port)
            await self._site.start()
            self._port = self._runner.addresses[0][1]

    async def _go_down(self) -> None:
        site, self._site = self._site, None
        if site is not None:
            await site.stop()
        for connection in list(self._server.connections):
            if connection.transport is not None:
                connection.transport.abort()
        self.loaded.clear()

    async def _die(self, down_s: float) -> None:
        """Go down and come back later; the handler that calls this is cancelled with all others."""
        task = asyncio.create_task(self._be_away(down_s))
        self._coming_back.add(task)
        task.add_done_callback(self._coming_back.discard)

    async def _be_away(self, down_s: float) -> None:
        await self._go_down()
        await asyncio.sleep(down_s)
        await self._listen()

    async def _close(self) -> None:
        for task in self._coming_back:
            task.cancel()
        await self._go_down()
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            return self._tell(request)
        try:
            body = json.loads(await request.content.read())
            name = tagged(str(body.get("model") or ""))
        except (ValueError, AttributeError):
            return json_response(400, {"error": "unexpected EOF"}, OLLAMA_JSON)
        if request.path == "/v1/chat/completions":
            return await self._chat(request, name, body, OpenAI(str(body.get("model")), self._message(name)))
        return await self._ollama(request, name, body)

    async def _ollama(self, request: web.BaseRequest, name: str, body: dict[str, Any]) -> web.StreamResponse:
        if not body.get("model"):
            return json_response(400, {"error": "model is required"}, OLLAMA_JSON)
        if request.path in {"/api/chat", "/api/generate"}:
            generate = request.path == "/api/generate"
            return await self._chat(request, name, body, Ollama(body["model"], generate, self._message(name)))
        if request.path != "/api/show":
            return _no_such_page()
        if self._script(name) is None:
            return json_response(404, {"error": f"model '{body['model']}' not found"}, OLLAMA_JSON)
        return json_response(200, shown(), OLLAMA_JSON)

    def _tell(self, request: web.BaseRequest) -> web.Response:
        if request.path == "/":
            return web.Response(text="Ollama is running", content_type="text/plain", charset="utf-8")
        content = catalogue(request.path, self.scripts, self.loaded)
        if content is None:
            return _no_such_page()
        return json_response(200, content, OPENAI_JSON if request.path.startswith("/v1") else OLLAMA_JSON)

    async def _chat(
        self, request: web.BaseRequest, name: str, body: dict[str, Any], dialect: Dialect
    ) -> web.StreamResponse:
        """A call to a model: its place in line, its fault, its answer."""
        self.requests.append(body)
        self.headers.append({key.lower(): value for key, value in request.headers.items()})
        script = self._script(name)
        prompt = body.get("prompt") or "\n".join(str(m.get("content")) for m in body.get("messages", []))
        streamed = bool(body.get("stream", isinstance(dialect, Ollama)))
        exchange = Exchange(request, script or Script(), dialect, streamed, prompt, self._die)
        fault = Fault.NOT_FOUND if script is None else script.next_fault(self._rng)
        self.played[name, fault] += 1
        if script is None:
            return exchange.error(Fault.NOT_FOUND)
        if body.get("messages") == [] and isinstance(dialect, Ollama):
            self.loaded.add(name)
            content = dialect.whole("", "load", None)
            return json_response(200, content, dialect.json_type)
        if script.slots is not None and self._active[name] >= script.slots + script.queue:
            return exchange.error(Fault.BUSY)
        try:
            async with self._turn(name, script, exchange):
                return await exchange.answer(fault or _overflow(script, body, prompt))
        except ConnectionError:  # the caller went
            return web.Response()

    @asynccontextmanager
    async def _turn(self, name: str, script: Script, exchange: Exchange) -> AsyncIterator[None]:
        """Wait for a slot, and for the model to be loaded."""
        came = time.perf_counter()
        self._active[name] += 1
        self.peak[name] = max(self.peak[name], self._active[name])
        slots = self._slots.setdefault(name, asyncio.Semaphore(script.slots)) if script.slots else None
        held = False
        try:
            if slots is not None:
                held = await slots.acquire()
            exchange.waited_s = time.perf_counter() - came
            if name not in self.loaded:
                exchange.load_s = script.load_s
                await asyncio.sleep(script.load_s)
                self.loaded.add(name)
            yield
        finally:
            self._active[name] -= 1
            if held and slots is not None:
                slots.release()

    def _script(self, name: str) -> Script | None:
        return next((script for known, script in self.scripts.items() if tagged(known) == name), None)

    def _message(self, name: str) -> Mapping[str, str]:
        script = self._script(name)
        return script.message if script else {}


def _overflow(script: Script, body: Mapping[str, Any], prompt: str) -> Fault | None:
    """Whether the prompt is too long for the window, and the caller does not want it cut."""
    window = (body.get("options") or {}).get("num_ctx") or script.context_tokens
    return Fault.OVERFLOW if len(prompt.split()) > window and body.get("truncate") is False else None


def _no_such_page() -> web.Response:
    return web.Response(status=404, body=b"404 page not found", headers={"Content-Type": "text/plain"})
