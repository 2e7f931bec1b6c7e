"""Coroutine functions for code that is not async."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from anyio.from_thread import start_blocking_portal

__all__ = ["blocking"]

P = ParamSpec("P")
T = TypeVar("T")


def blocking(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """The same function to be called without ``await``, inside a running event loop too: it has a loop of its own.

    Parameters
    ----------
    function : coroutine function
        Its name ends in ``_async``; that of what comes back does not.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with start_blocking_portal() as portal:
            result: T = portal.call(partial(function, *args, **kwargs))
        return result

    call.__name__ = call.__qualname__ = function.__name__.removesuffix("_async")
    return call
