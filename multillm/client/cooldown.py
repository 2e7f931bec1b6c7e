"""Which deployments other processes have left out, known through LiteLLM's cooldown cache in Redis.

Between processes only that is shared; which failures led to it, and how calls wait, is each one's own. What Redis says
is read at most once a second (``DEFAULT_COOLDOWN_REDIS_READ_INTERVAL_SECONDS``). Where Redis does not answer,
LiteLLM's circuit breaker stops asking, and each process goes by what it sees itself.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from multillm.client.transport import Deployment, split_credentials

__all__ = ["REDIS_URL", "SharedCooldown", "password_of", "shared_name"]

REDIS_URL = "MULTILLM_REDIS_URL"
LOOPBACK = ("localhost", "127.", "[::1]")
logger = logging.getLogger("multillm")


def shared_name(deployment: Deployment) -> str:
    """What every process calls a deployment; one that listens on its own machine alone is called after the machine."""
    address, _ = split_credentials(str(deployment.params.get("api_base", "")))
    own = address.partition("://")[2].startswith(LOOPBACK)
    return f"{deployment.label} on {deployment.model} at {address}{f' of {socket.gethostname()}' if own else ''}"


def password_of(url: str) -> str:
    """The password in an address; empty if there is none."""
    return unquote(urlsplit(url).password or "")


class SharedCooldown:
    """Tells other processes of deployments that are left out, and learns of theirs.

    Parameters
    ----------
    url : str
        Of the Redis server.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._cooldowns: Any = None
        self._opening = asyncio.Lock()

    async def _opened(self) -> Any:
        """LiteLLM's cache, made in a thread: in a running loop it would leave a task behind."""
        async with self._opening:
            if self._cooldowns is None:
                self._cooldowns = await asyncio.to_thread(_open, self._url)
        return self._cooldowns

    async def active(self, names: Sequence[str]) -> Mapping[str, tuple[float, float]]:
        """For how many seconds each deployment that is left out has been so, and for how many more it stays so."""
        try:
            active = await (await self._opened()).async_get_active_cooldowns(list(names), None)
        except Exception:  # no fault of Redis may fail a call
            logger.warning("Redis does not say which deployments are left out", exc_info=True)
            return {}
        now = time.time()
        ages_s = {name: now - found["timestamp"] for name, found in active}
        return {name: (ages_s[name], found["cooldown_time"] - ages_s[name]) for name, found in active}

    async def leave_out(self, name: str, seconds: float, reason: str) -> None:
        """Tell that a deployment is left out from now on."""
        try:
            add = (await self._opened()).add_deployment_to_cooldown
            await asyncio.to_thread(add, name, RuntimeError(reason), 0, seconds)
        except Exception:  # the same
            logger.warning("Redis cannot be told that %s is left out", name, exc_info=True)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._cooldowns is not None:
            await self._cooldowns.cache.redis_cache.disconnect()


def _open(url: str) -> Any:
    from litellm.caching.dual_cache import DualCache
    from litellm.caching.redis_cache import RedisCache
    from litellm.router_utils.cooldown_cache import CooldownCache

    return CooldownCache(DualCache(redis_cache=RedisCache(url=url)), default_cooldown_time=0.0)
