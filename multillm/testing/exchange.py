"""One call answered, or not: the script's answer and its fault on the wire."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from aiohttp import web

from multillm.testing.dialect import ERROR_TEXTS, Dialect, Usage
from multillm.testing.fault import Fault
from multillm.testing.script import Script, tokens

__all__ = ["Exchange", "json_response"]

LOADING = "unexpected server status: llm server loading model"
WEB_PAGE = b"<html>gateway</html>"
WORD = "word "
PAUSE_S = 0.001
ENDLESS_PAUSE_S = 0.005
HUGE_PIECE = 10_000
SHAPING = frozenset({Fault.EMPTY, Fault.WRONG_TYPE, Fault.HUGE})
"""Faults of the answer's content: nothing goes wrong with the sending."""
SENDING = frozenset({Fault.CUT, Fault.TRUNCATED, Fault.DRIP, Fault.ENDLESS})
"""Faults that need an answer under way."""


@dataclass(slots=True)
class Exchange:
    """A request that a model answers.

    Attributes
    ----------
    request : web.BaseRequest
        The request.
    script : Script
        How the model behaves.
    dialect : Dialect
        How it words what it says.
    streamed : bool
        Whether the caller wants the answer token by token.
    prompt : str
        What is asked.
    die : callable
        Ends the server for some seconds.
    waited_s, load_s : float
        Time spent in line and loading the model.
    """

    request: web.BaseRequest
    script: Script
    dialect: Dialect
    streamed: bool
    prompt: str
    die: Callable[[float], Awaitable[None]]
    waited_s: float = 0.0
    load_s: float = 0.0

    async def answer(self, fault: Fault | None) -> web.StreamResponse:
        """Answer as the script says, or misbehave."""
        later = fault in SENDING or (self.streamed and self.script.after_tokens > 0)
        if fault is not None and fault not in SHAPING and not later:
            return await self._refuse(fault)
        await asyncio.sleep(self.script.prompt_s)
        started = time.perf_counter()
        text = self._text(fault)
        if self.streamed:
            return await self._stream(text, fault, started)
        return await self._whole(text, fault, started)

    async def _refuse(self, fault: Fault) -> web.StreamResponse:
        """The fault instead of an answer."""
        if fault.status is not None:
            return self.error(fault)
        if fault is Fault.ERROR_BODY:
            return self._json(200, self.dialect.error(200, LOADING))
        if fault is Fault.MALFORMED:
            return _response(200, WEB_PAGE, "text/html")
        return await self._vanish(fault)

    def error(self, fault: Fault) -> web.Response:
        """A fault that is told by a status."""
        status = fault.status or 500
        text = f"model '{self.dialect.model}' not found" if status == 404 else ERROR_TEXTS[status]
        headers = {"Retry-After": f"{self.script.retry_after_s:g}"} if fault is Fault.RATE_LIMITED else {}
        return self._json(status, self.dialect.error(status, text), headers)

    async def _vanish(self, fault: Fault) -> web.StreamResponse:
        """Never come back: the caller goes, or its connection does, and that cancels this handler."""
        if fault is Fault.DIE:
            await self.die(self.script.down_s)
        elif fault is not Fault.HANG:
            _reset(self.request)
        await asyncio.Event().wait()
        raise AssertionError  # pragma: no cover

    async def _whole(self, text: str, fault: Fault | None, started: float) -> web.StreamResponse:
        """The answer in one piece."""
        await asyncio.sleep(self.script.token_s * len(tokens(text)) if self.script.token_s else 0.0)
        content = self.dialect.whole(text, self.script.finish_reason, self._usage(text, started))
        body = json.dumps(content, separators=(",", ":")).encode()
        kind = "text/html" if fault is Fault.WRONG_TYPE else self.dialect.json_type
        if fault not in SENDING:
            return _response(200, body, kind)
        if fault is Fault.TRUNCATED:
            return _response(200, body[: len(body) // 2], kind)
        response = web.StreamResponse(headers={"Content-Type": kind})
        if fault is not Fault.ENDLESS:
            response.content_length = len(body)
        await response.prepare(self.request)
        await self._send_badly(response, body, fault)
        return response

    async def _send_badly(self, response: web.StreamResponse, body: bytes, fault: Fault | None) -> None:
        if fault is Fault.DRIP:
            for byte in body:
                await response.write(bytes([byte]))
                await asyncio.sleep(self.script.drip_s)
            return
        await response.write(body[: len(body) // 2])
        while fault is Fault.ENDLESS:
            await response.write(WORD.encode() * 100)
            await asyncio.sleep(ENDLESS_PAUSE_S)
        await asyncio.sleep(PAUSE_S)
        await self._vanish(Fault.CUT)

    async def _stream(self, text: str, fault: Fault | None, started: float) -> web.StreamResponse:
        """The answer token by token, up to the fault."""
        kind = "text/html" if fault is Fault.WRONG_TYPE else self.dialect.stream_type
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(self.request)
        words = (
            [text[n : n + HUGE_PIECE] for n in range(0, len(text), HUGE_PIECE)] if fault is Fault.HUGE else tokens(text)
        )
        sound = len(words) if fault is None or fault in SHAPING else self.script.after_tokens
        for word in words[:sound]:
            await response.write(self.dialect.piece(word))
            await asyncio.sleep(self.script.token_s)
        end = self.dialect.end(self.script.finish_reason, self._usage(text, started))
        if fault is None or fault in SHAPING:
            await response.write(end)
        else:
            await self._spoil(response, [*map(self.dialect.piece, words[sound:]), end], fault)
        await response.write_eof()
        return response

    async def _spoil(self, response: web.StreamResponse, rest: Sequence[bytes], fault: Fault) -> None:
        """What comes instead of the rest of a stream."""
        if fault.status is not None:
            await response.write(self.dialect.stream_error(fault.status, ERROR_TEXTS.get(fault.status, "gone")))
        elif fault is Fault.ERROR_BODY:
            await response.write(self.dialect.stream_error(500, LOADING))
        elif fault is Fault.MALFORMED:
            await response.write(WEB_PAGE + b"\n\n")
        elif fault is Fault.TRUNCATED:
            await response.write(rest[0][: len(rest[0]) // 2])
        elif fault is Fault.ENDLESS:
            for piece in self._forever():
                await response.write(piece)
                await asyncio.sleep(ENDLESS_PAUSE_S)
        elif fault in SENDING:
            await self._send_badly(response, b"".join(rest) if fault is Fault.DRIP else rest[0], fault)
        else:
            await asyncio.sleep(PAUSE_S)
            await self._vanish(fault)

    def _forever(self) -> Iterator[bytes]:
        """Pieces that differ: LiteLLM breaks off a stream that says the same thing a hundred times."""
        return (self.dialect.piece(f"{WORD}{n} ") for n in count())

    def _text(self, fault: Fault | None) -> str:
        if fault is Fault.EMPTY:
            return "\n "
        if fault is Fault.HUGE:
            return WORD * (self.script.huge_bytes // len(WORD))
        return self.script.answer_to(self.prompt)

    def _usage(self, text: str, started: float) -> Usage | None:
        if not self.script.counts:
            return None
        generation_s = time.perf_counter() - started
        prompt_tokens, output_tokens = len(self.prompt.split()), max(1, len(text.split()))
        return Usage(prompt_tokens, output_tokens, self.waited_s, self.load_s, self.script.prompt_s, generation_s)

    def _json(self, status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> web.Response:
        return json_response(status, content, self.dialect.json_type, headers)


def json_response(
    status: int, content: Mapping[str, Any], kind: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A response of JSON."""
    return _response(status, json.dumps(content, separators=(",", ":")).encode(), kind, headers)


def _response(status: int, body: bytes, kind: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=body, headers={"Content-Type": kind, **(headers or {})})


def _reset(request: web.BaseRequest) -> None:
    """Close the connection so that the caller sees a reset, not an end."""
    transport = request.transport
    if transport is not None:
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
