"""The tables of the feedback store, the same in SQLite and PostgreSQL."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Dialect,
    Double,
    MetaData,
    Select,
    Table,
    Text,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.types import TypeDecorator

from multillm.errors import FeedbackError

__all__ = [
    "SCHEMA_VERSION",
    "StorableText",
    "UtcDateTime",
    "aware",
    "calls",
    "check_schema",
    "create_schema",
    "dtypes",
    "has_schema",
    "spending",
    "utc_now",
]

SCHEMA_VERSION = 1
CREATION_LOCK = 0x6D756C74696C6C6D

# NUL has no place in PostgreSQL's text, a lone surrogate none in UTF-8.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StorableText(TypeDecorator[str]):
    """Text in which a NUL or a lone surrogate becomes U+FFFD, in what is stored and in what is looked for."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Make the text storable."""
        return None if value is None else UNSTORABLE.sub("\ufffd", str(value))


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time: stored in UTC, and timezone-aware when read, which SQLite alone does not do."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn the time into UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn the time into UTC, whatever the server's timezone."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


metadata = MetaData()

versions = Table("multillm_schema", metadata, Column("version", BigInteger, nullable=False))

calls = Table(
    "multillm_calls",
    metadata,
    Column("id", StorableText, primary_key=True),
    Column("recorded_at", UtcDateTime, nullable=False, index=True),
    Column("run_id", StorableText, nullable=False, index=True),
    Column("subtask_index", BigInteger, nullable=False),
    Column("task_type", StorableText, nullable=False),
    Column("complexity", Double, nullable=False),
    Column("tier", StorableText, nullable=False),
    Column("confidence", Double),
    Column("asked_label", StorableText, nullable=False),
    Column("decision_rule", StorableText),
    Column("utility", Double),
    Column("expected_quality", Double),
    Column("served_label", StorableText),
    Column("served_model", StorableText),
    Column("attempts", BigInteger, nullable=False),
    Column("fallback_reason", StorableText),
    Column("error_type", StorableText),
    Column("error", StorableText),
    Column("finish_reason", StorableText),
    Column("latency_s", Double),
    Column("queue_s", Double),
    Column("load_s", Double),
    Column("prompt_s", Double),
    Column("generation_s", Double),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("tokens_measured", Boolean),
    Column("cost_units", Double),
    Column("cost_usd", Double),
    Column("quality", Double),
    Column("quality_source", StorableText),
    Column("replayed", Boolean, nullable=False),
    Column("prompt_sha256", StorableText, nullable=False),
    Column("prompt_length", BigInteger, nullable=False),
    Column("prompt", StorableText),
    Column("answer_length", BigInteger),
)


def has_schema(connection: Connection) -> bool:
    """Whether the tables are there."""
    return inspect(connection).has_table(versions.name)


def create_schema(connection: Connection) -> None:
    """Create the tables, unless another process has just done so."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(CREATION_LOCK)))
    if not has_schema(connection):
        metadata.create_all(connection)
        connection.execute(insert(versions).values(version=SCHEMA_VERSION))


def check_schema(connection: Connection) -> None:
    """See that the tables are of the version that this code reads and writes.

    Raises
    ------
    FeedbackError
        If they are not.
    """
    version = connection.scalar(select(func.max(versions.c.version)))
    if version != SCHEMA_VERSION:
        raise FeedbackError(
            f"the tables are of version {version}; this multillm reads and writes version {SCHEMA_VERSION}: "
            "update multillm, or give another file or database"
        )


def utc_now() -> datetime:
    """Tell the time, UTC."""
    return datetime.now(UTC)


def aware(name: str, time: object) -> datetime:
    """Pass on a time that says which timezone it is in."""
    if not isinstance(time, datetime) or time.utcoffset() is None:
        raise FeedbackError(f"{name} is {time!r:.80}; allowed is a datetime with a timezone, as from datetime.now(UTC)")
    return time


def spending(since: datetime, until: datetime | None = None) -> Select[Any]:
    """Query for what calls have taken since then, and before another time if it is given: cost units and tokens."""
    tokens = func.coalesce(calls.c.input_tokens, 0) + func.coalesce(calls.c.output_tokens, 0)
    query = select(func.sum(calls.c.cost_units), func.sum(tokens))
    query = query.where(calls.c.recorded_at >= since, calls.c.replayed.is_(False))
    return query if until is None else query.where(calls.c.recorded_at < until)


def dtypes() -> dict[str, str]:
    """Name the dtype of each column of the table as pandas has it."""
    plain = {StorableText: "string", Double: "float64", Boolean: "boolean", UtcDateTime: "datetime64[us, UTC]"}
    return {column.name: plain.get(type(column.type), "Int64" if column.nullable else "int64") for column in calls.c}
