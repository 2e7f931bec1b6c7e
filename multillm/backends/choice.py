"""Which backend to use: the one that is named, or the best that is ready."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from multillm.backends.base import Backend, BackendStatus
from multillm.backends.embedded import EmbeddedBackend
from multillm.backends.ollama import OllamaBackend
from multillm.backends.replay import ReplayBackend
from multillm.errors import BackendUnavailable, ConfigurationError
from multillm.markup import message_html
from multillm.pool import Pool, load_pool
from multillm.rendering import status_html

__all__ = ["BACKENDS", "Choice", "choose_backend", "look"]

BACKENDS: dict[str, Callable[..., Backend]] = {"ollama": OllamaBackend, "embedded": EmbeddedBackend}
"""Backends that can be named, in the order in which ``auto`` tries them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A backend, and why it was chosen.

    Attributes
    ----------
    backend : Backend
        What to use.
    reason : str
        Why, in a sentence.
    status : BackendStatus
        What the backend found when it looked.
    """

    backend: Backend
    reason: str
    status: BackendStatus

    def __repr__(self) -> str:
        return f"Choice({self.status.name}: {self.reason})"

    def _repr_html_(self) -> str:
        return f"{message_html(self.reason)}\n{status_html(self.status)}"


async def choose_backend(
    backend: str | Backend = "auto", pool: str | Pool = "default", environ: Mapping[str, str] = os.environ
) -> Choice:
    """Find the backend to use.

    Parameters
    ----------
    backend : str or Backend, default "auto"
        ``auto`` takes Ollama if it answers and has every model of the pool, else the embedded model;
        ``ollama``, ``embedded`` and ``replay:PATH`` are taken at their word, ready or not.
    pool : str or Pool, default "default"
        What is to be served.
    environ : mapping, optional
        Environment variables.

    Raises
    ------
    BackendUnavailable
        If ``auto`` finds none that is ready; the message has every remedy.
    ConfigurationError
        If no backend has that name.
    """
    choice = await _survey(backend, pool, environ)
    if isinstance(choice, BackendStatus):
        raise BackendUnavailable(f"{choice.summary} To mend it, one of: {'; '.join(choice.remedies)}.")
    return choice


async def look(
    backend: str | Backend = "auto", pool: str | Pool = "default", environ: Mapping[str, str] = os.environ
) -> BackendStatus:
    """What would be used, why, and what it found; with ``auto`` and nothing ready, what all of them lack."""
    choice = await _survey(backend, pool, environ)
    return choice if isinstance(choice, BackendStatus) else replace(choice.status, summary=choice.reason)


async def _survey(backend: str | Backend, pool: str | Pool, environ: Mapping[str, str]) -> Choice | BackendStatus:
    """The choice, or what all backends lack."""
    pool = pool if isinstance(pool, Pool) else load_pool(pool, environ)
    if backend != "auto":
        named = _named(backend, environ)
        status = await named.check(pool)
        return Choice(named, f"{named.name} was asked for. {status.summary}", status)
    candidates = [make(environ=environ) for make in BACKENDS.values()]
    statuses = await asyncio.gather(*(candidate.check(pool) for candidate in candidates))
    passed_over: list[str] = []
    for candidate, status in zip(candidates, statuses, strict=True):
        if status.ready:
            return Choice(candidate, " ".join([*passed_over, status.summary]), status)
        passed_over.append(f"Not {status.name}: {status.summary}")
    remedies = tuple(remedy for status in statuses for remedy in status.remedies)
    summary = f"Nothing is ready to run the models. {' '.join(passed_over)}"
    return BackendStatus("none", False, summary, remedies=remedies)


def _named(backend: str | Backend, environ: Mapping[str, str]) -> Backend:
    if not isinstance(backend, str):
        return backend
    kind, _, path = backend.partition(":")
    if kind == "replay" and path:
        return ReplayBackend(path)
    if backend in BACKENDS:
        return BACKENDS[backend](environ=environ)
    raise ConfigurationError(f"no backend {backend!r}; use auto, {', '.join(BACKENDS)} or replay:PATH")
