"""A budget for a period that holds over all processes and hosts whose feedback store is the same database."""

from __future__ import annotations

import asyncio
import logging
import math
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import BigInteger, Column, Connection, Double, Table, delete, func, insert, select

from multillm.budget import Overspent, Reservation, Spending, fits
from multillm.errors import FeedbackError
from multillm.feedback.period import PeriodSpending, metadata, total
from multillm.feedback.schema import StorableText, UtcDateTime
from multillm.feedback.store import FeedbackStore

__all__ = ["SharedBudget"]

TURN = 0x6D756C74696C6C62
"""Advisory lock of PostgreSQL's that the processes hold in turn."""
LOOK_AGAIN_S = 0.1
HELD_S = 3600.0
"""How long a reservation counts whose process died."""
LATE_S = 60.0
"""How much later than its date a row may be committed, whose call has no reservation."""

logger = logging.getLogger("multillm")
T = TypeVar("T")
R = TypeVar("R")
reservations = Table(
    "multillm_reservations",
    metadata,
    Column("id", StorableText, primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("cost_units", Double, nullable=False),
    Column("tokens", BigInteger, nullable=False),
)


class SharedBudget:
    """A limit on cost and tokens; like `Budget`, with the calls under way kept in the store's database.

    Every reservation is one transaction, and only one process makes one at a time: what all have spent and reserved
    never exceeds the limit together, as long as the clocks of their hosts are within a minute of one another. A process
    that dies leaves its reservations behind for an hour.

    Parameters
    ----------
    store : FeedbackStore
        Holds what was spent.
    period_s : float
        Length of the period, which always ends now.
    cost_units : float or None
        Most cost; None for no limit.
    tokens : int or None
        Most tokens; None for no limit.
    """

    def __init__(self, store: FeedbackStore, period_s: float, cost_units: float | None, tokens: int | None) -> None:
        self._store = store
        self._spending = PeriodSpending(period_s)
        self._cost_units = math.inf if cost_units is None else cost_units
        self._tokens = math.inf if tokens is None else tokens
        self._taken = Spending()
        with store.transaction(writing=True) as connection:
            _take_turn(connection)
            metadata.create_all(connection)

    def left(self) -> tuple[float, float]:
        """Cost units and tokens that were neither spent nor reserved when that was last looked up."""
        return self._cost_units - self._taken.cost_units, self._tokens - self._taken.tokens

    @asynccontextmanager
    async def reserve(self, most: Spending) -> AsyncIterator[Reservation]:
        """Reserve the most that a call can take until the block ends, by when the store must have the call's row.

        Waits while calls under way, of whichever process, may give back what is missing.

        Raises
        ------
        Overspent
            If they cannot: what is spent already leaves too little.
        FeedbackError
            If the database does not answer.
        """
        while (reserved := await self._attempt(most)) is None:
            await asyncio.sleep(LOOK_AGAIN_S)
        try:
            yield Reservation(most)
        finally:
            await _done(_in_thread(self._give_back, reserved))

    async def _attempt(self, most: Spending) -> str | None:
        """Reserve in a thread; one that commits after the caller was cancelled is undone."""
        attempt = _in_thread(self._reserve, most)
        try:
            await _done(attempt)
        except asyncio.CancelledError:
            if attempt.exception() is None and (reserved := attempt.result()) is not None:
                await _done(_in_thread(self._give_back, reserved))
            raise
        return attempt.result()

    def _reserve(self, most: Spending) -> str | None:
        """Id of a reservation; None while others hold what it needs."""
        now, reserved = self._store.now(), None
        with self._store.transaction(writing=True) as connection:
            _take_turn(connection)
            connection.execute(delete(reservations).where(reservations.c.expires_at < now))
            # A call that ends between the two is in both: what is reserved must be read first.
            held = total(connection, select(func.sum(reservations.c.cost_units), func.sum(reservations.c.tokens)))
            spent = self._spending.look_up(connection, now, _settled(connection, now))
            self._taken = spent + held
            if self._fits(self._taken + most):
                reserved = uuid.uuid4().hex
                expires = now + timedelta(seconds=HELD_S)
                row = {"id": reserved, "expires_at": expires, "cost_units": most.cost_units, "tokens": most.tokens}
                connection.execute(insert(reservations), row)
        if reserved is None and not self._fits(spent + most):
            raise Overspent
        return reserved

    def _fits(self, spending: Spending) -> bool:
        return fits(spending, self._cost_units, self._tokens)

    def _give_back(self, reserved: str) -> None:
        """End a reservation; where the database fails, it ends by itself, and no answer is lost for it."""
        try:
            with self._store.transaction(writing=True) as connection:
                connection.execute(delete(reservations).where(reservations.c.id == reserved))
        except FeedbackError as error:
            logger.warning("a reservation counts for up to %.0f s more, as it cannot be given back: %s", HELD_S, error)


def _in_thread(function: Callable[[T], R], argument: T) -> asyncio.Future[R]:
    """Start at once what no cancellation of the caller's stops."""
    return asyncio.get_running_loop().run_in_executor(None, function, argument)


async def _done(work: asyncio.Future[R]) -> None:
    """Wait until work is done, and only then let a cancellation go on."""
    cancelled = None
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


def _take_turn(connection: Connection) -> None:
    """Wait for all others; the transaction's end lets the next one go on. SQLite's writers queue up by themselves."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(TURN)))


def _settled(connection: Connection, now: datetime) -> datetime:
    """A time before which no row is still to come: that of a call under way is dated after its reservation."""
    ends = connection.scalar(select(func.min(reservations.c.expires_at)))
    late = now - timedelta(seconds=LATE_S)
    return late if ends is None else min(late, ends - timedelta(seconds=HELD_S))
