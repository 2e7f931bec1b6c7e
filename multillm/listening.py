"""Whom a model call tells of its course while it goes on.

A listener stands in the context of the task that makes the call, so that whatever stands between caller and model
(budgets, recordings, shared clients) needs to know nothing of it. Where there is none, nothing is streamed or told.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol

__all__ = ["Listener", "listen", "listener"]


class Listener(Protocol):
    """Is told of a call."""

    wants_text: bool
    """Whether the answer is to be streamed."""

    def piece(self, label: str, text: str) -> None:
        """The answer goes on with this text."""
        ...

    def restarted(self, label: str, reason: str) -> None:
        """The answer broke off: all its text so far is void."""
        ...

    def fell_back(self, label: str, to: str, reason: str) -> None:
        """Another label is called, since the one before gave no answer."""
        ...


_LISTENER: ContextVar[Listener | None] = ContextVar("_LISTENER", default=None)


def listen(told: Listener) -> None:
    """Tell this listener of the calls that the rest of this task makes."""
    _LISTENER.set(told)


def listener() -> Listener | None:
    """Who is to be told of the calls of this task."""
    return _LISTENER.get()
