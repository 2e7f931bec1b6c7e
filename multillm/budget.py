"""Lets a call begin only if everything under way and everything before fits the limit together with it."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

__all__ = ["Budget", "Overspent", "Reservation", "Spending", "fits"]

ROUNDING = 1 + 1e-9
"""Costs that add up to the limit may exceed it by the rounding of the sum."""


@dataclass(frozen=True, slots=True)
class Spending:
    """Cost and tokens.

    Attributes
    ----------
    cost_units : float
        Cost, in the pool's units.
    tokens : int
        Input and output tokens together.
    """

    cost_units: float = 0.0
    tokens: int = 0

    def __add__(self, other: Spending) -> Spending:
        return Spending(self.cost_units + other.cost_units, self.tokens + other.tokens)


def fits(spending: Spending, cost_units: float, tokens: float) -> bool:
    """Whether a spending is within limits."""
    return spending.cost_units <= cost_units * ROUNDING and spending.tokens <= tokens


class Overspent(Exception):
    """The call could go beyond the limit, whatever the calls under way give back."""


class Reservation:
    """What one call has reserved; `settle` it with what the call took."""

    def __init__(self, most: Spending) -> None:
        self.most = most
        self.took = Spending()

    def settle(self, took: Spending) -> None:
        """Say what the call took; without it, nothing."""
        self.took = took


class Budget:
    """A limit on cost and tokens, shared by calls of any thread and event loop.

    Parameters
    ----------
    cost_units : float or None
        Most cost; None for no limit.
    tokens : int or None
        Most tokens; None for no limit.

    Attributes
    ----------
    spent : Spending
        What was settled.
    """

    def __init__(self, cost_units: float | None, tokens: int | None) -> None:
        self.cost_units = math.inf if cost_units is None else cost_units
        self.tokens = math.inf if tokens is None else tokens
        self.spent = Spending()
        self._open: set[Reservation] = set()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._lock = threading.Lock()

    def left(self) -> tuple[float, float]:
        """Cost units and tokens that are neither spent nor reserved."""
        with self._lock:
            taken = sum((reservation.most for reservation in self._open), self.spent)
        return self.cost_units - taken.cost_units, self.tokens - taken.tokens

    @asynccontextmanager
    async def reserve(self, most: Spending) -> AsyncIterator[Reservation]:
        """Reserve the most that a call can take, for as long as the block lasts.

        Waits while calls under way may give back what is missing.

        Raises
        ------
        Overspent
            If they cannot: what is spent already leaves too little.
        """
        reservation = Reservation(most)
        await self._enter(reservation)
        try:
            yield reservation
        finally:
            self._leave(reservation)

    async def _enter(self, reservation: Reservation) -> None:
        while (turn := self._try(reservation)) is not None:
            await turn

    def _try(self, reservation: Reservation) -> asyncio.Future[None] | None:
        """Reserve, or hand back what to wait for."""
        with self._lock:
            if not self._fits(self.spent + reservation.most):
                raise Overspent
            if self._fits(sum((other.most for other in self._open), self.spent + reservation.most)):
                self._open.add(reservation)
                return None
            loop = asyncio.get_running_loop()
            turn = loop.create_future()
            self._waiting.append((loop, turn))
            return turn

    def _fits(self, spending: Spending) -> bool:
        return fits(spending, self.cost_units, self.tokens)

    def _leave(self, reservation: Reservation) -> None:
        with self._lock:
            self._open.discard(reservation)
            self.spent = self.spent + reservation.took
            waiting, self._waiting = self._waiting, []
        for loop, turn in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake, turn)


def _wake(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
