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
        from litellm.caching.dual_cache import DualCache
        from litellm.caching.redis_cache import RedisCache
        from litellm.router_utils.cooldown_cache import CooldownCache

        self._redis = RedisCache(url=url)
        self._cooldowns = CooldownCache(DualCache(redis_cache=self._redis), default_cooldown_time=0.0)

    async def left_s(self, names: Sequence[str]) -> Mapping[str, float]:
        """For how many seconds more each deployment that is left out stays so."""
        try:
            active = await self._cooldowns.async_get_active_cooldowns(list(names), None)
        except Exception:  # no fault of Redis may fail a call
            logger.warning("Redis does not say which deployments are left out", exc_info=True)
            return {}
        now = time.time()
        return {name: found["timestamp"] + found["cooldown_time"] - now for name, found in active}

    async def leave_out(self, name: str, seconds: float, reason: str) -> None:
        """Tell that a deployment is left out from now on."""
        try:
            await asyncio.to_thread(self._cooldowns.add_deployment_to_cooldown, name, RuntimeError(reason), 0, seconds)
        except Exception:  # the same
            logger.warning("Redis cannot be told that %s is left out", name, exc_info=True)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.disconnect()  # type: ignore[no-untyped-call]  # LiteLLM leaves it so
