"""What every backend offers: a look at whether it is ready, and a client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from multillm.completion import Client
from multillm.pool import Pool

__all__ = ["Backend", "BackendStatus"]


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """What a backend found when it looked.

    Attributes
    ----------
    name : str
        Name of the backend.
    ready : bool
        Whether it can serve every model of the pool.
    summary : str
        What was found, in a sentence.
    mapping : mapping of str to str
        What answers for each label, in words.
    missing : tuple of str
        Models of the pool that it lacks.
    remedies : tuple of str
        Commands that would make it ready.
    """

    name: str
    ready: bool
    summary: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()


@runtime_checkable
class Backend(Protocol):
    """Where the models of a pool run."""

    name: str

    async def check(self, pool: Pool) -> BackendStatus:
        """Look, without starting anything, whether the pool can be served. Never raises."""
        ...

    async def open(self, pool: Pool) -> Client:
        """A client for the pool, ready to call.

        Raises
        ------
        BackendUnavailable
            If the server does not answer or the engine cannot start.
        ModelMissing
            If a model of the pool is not there.
        """
        ...
