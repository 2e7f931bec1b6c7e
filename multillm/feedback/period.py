"""What the calls of a period took, looked up without reading the rows of all of it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Double, MetaData, Select, Table, delete, func, insert, select

from multillm.budget import Spending
from multillm.feedback.schema import calls, spending

__all__ = ["PeriodSpending", "metadata", "total"]

PIECES = 200

metadata = MetaData()
sealed = Table(
    "multillm_spending",
    metadata,
    Column("length_s", Double, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("cost_units", Double, nullable=False),
    Column("tokens", BigInteger, nullable=False),
)
"""Sums over pieces of time: the piece of a number begins at number times length after 1970."""


class PeriodSpending:
    """Adds up what calls took since the beginning of a period that ends now.

    Of pieces of time to which no rows are added any more, each a two-hundredth of the period, the sums are kept; rows
    are read only of the newest piece and of the one in which the period begins.

    Parameters
    ----------
    period_s : float
        Length of the period.
    """

    def __init__(self, period_s: float) -> None:
        self._period = timedelta(seconds=period_s)
        self._length_s = period_s / PIECES

    def look_up(self, connection: Connection, now: datetime, settled: datetime) -> Spending:
        """The sum; `settled` is a time before which no row is still to come. Nobody else may look up meanwhile."""
        since = now - self._period
        first = math.ceil(since.timestamp() / self._length_s)
        end = math.floor(settled.timestamp() / self._length_s)
        if end <= first:
            return total(connection, spending(since))
        pieces = sealed.c.length_s == self._length_s, sealed.c.number >= first, sealed.c.number < end
        if connection.execute(select(func.count()).where(*pieces)).scalar_one() < end - first:
            known = set(connection.scalars(select(sealed.c.number).where(*pieces)))
            self._seal(connection, sorted({*range(first, end)} - known), first)
        kept = select(func.sum(sealed.c.cost_units), func.sum(sealed.c.tokens)).where(*pieces)
        read = spending(since, self._time(first)), spending(self._time(end))
        return sum((total(connection, query) for query in read), total(connection, kept))

    def _seal(self, connection: Connection, numbers: list[int], first: int) -> None:
        """Keep the sums of these pieces, and no longer those from before the first."""
        connection.execute(delete(sealed).where(sealed.c.length_s == self._length_s, sealed.c.number < first))
        begins = self._time(first)
        oldest = connection.scalar(select(func.min(calls.c.recorded_at)).where(calls.c.recorded_at >= begins))
        rows = []
        for number in numbers:
            ends = self._time(number + 1)
            empty = oldest is None or ends <= oldest  # as most are in a new store
            took = Spending() if empty else total(connection, spending(self._time(number), ends))
            key = {"length_s": self._length_s, "number": number}
            rows.append({**key, "cost_units": took.cost_units, "tokens": took.tokens})
        connection.execute(insert(sealed), rows)

    def _time(self, number: int) -> datetime:
        return datetime.fromtimestamp(number * self._length_s, UTC)


def total(connection: Connection, query: Select[Any]) -> Spending:
    """What a query for cost units and tokens finds; nothing where there are no rows."""
    cost_units, tokens = connection.execute(query).one()
    return Spending(float(cost_units or 0.0), int(tokens or 0))
