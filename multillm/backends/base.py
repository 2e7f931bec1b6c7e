"""What every backend offers: a look at whether it is ready, and a client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from multillm.completion import Client
from multillm.pool import Pool
from multillm.rendering import status_html

__all__ = ["Backend", "BackendStatus", "Identifies", "ServedModel"]


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

    def __repr__(self) -> str:
        return f"BackendStatus({self.name}, {'ready' if self.ready else 'not ready'}: {self.summary})"

    def _repr_html_(self) -> str:
        return status_html(self)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """Which model exactly answers for a label, as far as it can be told.

    Attributes
    ----------
    model : str
        Its name where it runs.
    server : str or None
        What runs it, with version.
    digest : str or None
        SHA-256 that its provider or its file has.
    quantisation : str or None
        How its weights are rounded.
    parameters : str or None
        How many weights it has.
    """

    model: str
    server: str | None = None
    digest: str | None = None
    quantisation: str | None = None
    parameters: str | None = None


@runtime_checkable
class Identifies(Protocol):
    """A backend that can tell which models it serves."""

    async def identify(self, pool: Pool) -> Mapping[str, ServedModel]:
        """The model behind each label of the pool.

        Raises
        ------
        BackendUnavailable
            If the server does not answer.
        """
        ...


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
