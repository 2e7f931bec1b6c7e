"""A client and a server on loopback that says to it whatever it is given, kept open from input to input."""

from __future__ import annotations

import asyncio
import atexit
from contextlib import AsyncExitStack
from functools import cache
from typing import Self

import multillm as ml
from tests.canned import canned, http
from tests.contracts import Heard, ask, streamed
from tests.pools import small_pool

PROVIDERS = ("ollama_chat", "openai")


class Conversation:
    """Asks, and has the answer given."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        atexit.register(self.close)
        self._runner.run(self._open())

    @classmethod
    @cache
    def under_way(cls) -> Self:
        """The one of this process."""
        return cls()

    async def _open(self) -> None:
        self._server = await self._stack.enter_async_context(canned(http("")))
        pool = small_pool(*PROVIDERS, calls={"timeout_s": 10, "allowed_fails": 1_000_000_000, "cooldown_s": 0})
        deployments = [
            ml.Deployment(
                provider,
                f"{provider}/light",
                {"api_base": self._server.base_url + ("/v1" if provider == "openai" else ""), "api_key": "none"},
                local=True,
            )
            for provider in PROVIDERS
        ]
        self._client = ml.ModelClient(deployments, pool.registry, pool.calls)

    def answered(self, provider: str, body: bytes, *, in_pieces: bool) -> tuple[ml.Completion, str]:
        """The answer and what was heard of it, if the server answers with this body."""
        self._server.answer = http(body)
        self._server.asked.clear()
        heard = Heard(wants_text=in_pieces)
        done = self._runner.run(streamed(self._client, ask(provider), heard))
        return done, "".join(heard.pieces)

    def close(self) -> None:
        """Close client and server."""
        self._runner.run(self._client.aclose())
        self._runner.run(self._stack.aclose())
        self._runner.close()
