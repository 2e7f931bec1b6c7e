"""One client for all runs that go on at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from multillm.backends.base import Backend
from multillm.completion import Client
from multillm.pool import Pool

__all__ = ["SharedClient"]


@dataclass
class _Lease:
    users: int = 0
    client: Client | None = None
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)


class SharedClient:
    """Opens a client for the first user on an event loop and closes it after the last.

    Parameters
    ----------
    backend : str or Backend
        Name of a backend, ``"auto"``, or the backend itself.
    pool : Pool
        What the backend is to serve.
    """

    def __init__(self, backend: str | Backend, pool: Pool) -> None:
        self.backend = backend
        self.pool = pool
        self._leases: WeakKeyDictionary[asyncio.AbstractEventLoop, _Lease] = WeakKeyDictionary()

    @property
    def backend_name(self) -> str:
        """Name of the backend; ``"auto"`` until the first use has chosen one."""
        return self.backend if isinstance(self.backend, str) else self.backend.name

    async def __aenter__(self) -> Client:
        lease = self._leases.setdefault(asyncio.get_running_loop(), _Lease())
        lease.users += 1
        try:
            async with lease.opening:
                if lease.client is None:
                    lease.client = await self._open()
        except BaseException:
            lease.users -= 1
            raise
        return lease.client

    async def __aexit__(self, *exc_info: object) -> None:
        lease = self._leases[asyncio.get_running_loop()]
        lease.users -= 1
        if lease.users == 0 and lease.client is not None:
            client, lease.client = lease.client, None
            await client.aclose()

    async def _open(self) -> Client:
        if isinstance(self.backend, str):
            from multillm.backends.choice import choose_backend

            self.backend = (await choose_backend(self.backend, self.pool)).backend
        return await self.backend.open(self.pool)
