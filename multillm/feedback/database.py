"""From a path or URL to a database that can be used; its errors in plain words."""

from __future__ import annotations

import math
import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from multillm.errors import FeedbackError
from multillm.resources import user_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "connect",
    "feedback_errors",
    "file_identity",
    "file_of",
    "in_memory",
    "open_engine",
    "parse_url",
    "short",
    "shown",
]

WRITING = "multillm_writing"

WRITABLE = (
    "give a path in a folder that may be written; "
    "to read a closed store from one that may not, sqlite:///file:/PATH?immutable=1&uri=true"
)
REMEDIES = {
    "SQLITE_BUSY": "another program holds it: close that program, or give a longer timeout_s",
    "55P03": "another session holds it: end that session, or give a longer timeout_s",
    "SQLITE_READONLY": f"it may only be read: {WRITABLE}",
    "42501": "the role may not do this: grant it USAGE and CREATE on the schema, or give another role",
    "SQLITE_CANTOPEN": WRITABLE,
    "SQLITE_NOTADB": "the file is left as it is: move it away, or give another path",
    "SQLITE_CORRUPT": "the file is left as it is: restore a copy, or save what can be read with sqlite3's .recover",
    "SQLITE_FULL": "free space on the disk",
    "SQLITE_IOERR": "see that the disk is sound and that no quota or limit is reached",
    "53100": "free space on the server's disk",
    "57P": "the server is going down or coming up: try again when it runs",
}
"""What to do, by SQLite's error name or PostgreSQL's SQLSTATE."""


def parse_url(url: str | os.PathLike[str] | URL | None) -> URL:
    """Find the URL of a database.

    Parameters
    ----------
    url : str, path, URL or None
        A file of SQLite, ``:memory:``, or any URL of SQLAlchemy; None for the user's own file.
        ``postgresql://`` stands for ``postgresql+psycopg://``.

    Raises
    ------
    FeedbackError
        If it cannot be read as a URL.
    """
    text = os.fspath(user_dir() / "feedback.sqlite") if url is None else url if isinstance(url, URL) else os.fspath(url)
    if isinstance(text, str) and "://" not in text:
        parsed = URL.create("sqlite", database=text if text == ":memory:" else os.path.expanduser(text))  # noqa: PTH111
    else:
        parsed = _read_url(text)
    if parsed.drivername in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    path = file_of(parsed)
    return parsed if path is None else parsed.set(database=os.fspath(path.absolute()))


def _read_url(url: str | URL) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        scheme = str(url).partition("://")[0]  # the rest may hold a password
        raise FeedbackError(
            f"{scheme}://... is not a database URL; allowed is a path or dialect://user:password@host:port/database, "
            "with special characters of the password percent-encoded"
        ) from None


def shown(url: URL) -> str:
    """Write the URL without password and options."""
    if url.get_backend_name() == "sqlite":
        return f"{url.drivername}:///{url.database or ':memory:'}"  # rendered, it would be percent-encoded
    return url.set(query={}).render_as_string(hide_password=True)


def short(url: URL) -> str:
    """Shorten the URL to one line: of a file only the name, so that it reads the same on every machine."""
    path = url.database or ""
    return f"{url.drivername}:///…/{os.path.basename(path)}" if os.path.isabs(path) else shown(url)  # noqa: PTH117, PTH119


def in_memory(url: URL) -> bool:
    """Whether the database goes away with the process."""
    return url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}


def file_of(url: URL) -> Path | None:
    """File of an SQLite URL; None for other databases, memory, and SQLite's own ``file:`` URIs."""
    if url.get_backend_name() != "sqlite" or in_memory(url) or str(url.database).startswith("file:"):
        return None
    return Path(str(url.database))


def file_identity(path: Path | None) -> tuple[int, int] | None:
    """Which file is at a path now; None if there is none."""
    try:
        found = None if path is None else os.stat(path)  # noqa: PTH116  # for every row; Path.stat takes twice as long
    except FileNotFoundError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)


def open_engine(url: URL, timeout_s: float) -> Engine:
    """Open an engine for the database; a missing SQLite file is created, readable by its owner alone."""
    path = file_of(url)
    if path is not None and not path.exists():
        _create_file(path)
    options: dict[str, Any] = {}
    if url.get_backend_name() == "sqlite":
        options["connect_args"] = {"timeout": timeout_s, "check_same_thread": False}
    elif url.get_backend_name() == "postgresql":
        options["connect_args"] = {"connect_timeout": max(1, math.ceil(timeout_s))}
    if in_memory(url):  # one connection, which threads take in turn
        options |= {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0}
    try:
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise FeedbackError(
            f"the driver is not installed ({error}); for PostgreSQL, install multillm[postgresql] and give postgresql://..."
        ) from error
    _listen(engine, timeout_s)
    return engine


def _create_file(path: Path) -> None:
    """Put a private file in WAL mode in place, whole: SQLite does not wait its turn when it sets that mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
        draft = Path(folder) / "draft"
        draft.touch(mode=0o600)
        with closing(sqlite3.connect(draft)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")  # kept in the file; its side files take its mode
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first
        except OSError:  # no hard links on this file system: an empty file will do, without WAL
            path.touch(mode=0o600)


def _listen(engine: Engine, timeout_s: float) -> None:
    """Begin transactions so that writers queue up instead of failing, each at most `timeout_s`."""
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def set_up(connection: sqlite3.Connection, _: object) -> None:
            connection.isolation_level = None  # the driver begins nothing by itself
            connection.execute("PRAGMA synchronous=FULL")

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            writing = connection.get_execution_options().get(WRITING)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    elif engine.dialect.name == "postgresql":

        @event.listens_for(engine, "begin")
        def limit_wait(connection: Connection) -> None:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, round(timeout_s * 1000))}")


@contextmanager
def connect(engine: Engine, *, writing: bool) -> Iterator[Connection]:
    """Connect within one transaction: committed at the end, undone if anything fails."""
    with engine.connect() as connection:
        connection.execution_options(**{WRITING: writing})
        with connection.begin():
            yield connection


@contextmanager
def feedback_errors(url: URL) -> Iterator[None]:
    """Turn errors of database, driver and file system into FeedbackError."""
    try:
        yield
    except FeedbackError as error:
        raise FeedbackError(f"{shown(url)}: {error}") from error.__cause__
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        reason = getattr(error, "orig", None) or error
        code = str(getattr(reason, "sqlite_errorname", None) or getattr(reason, "sqlstate", None) or "")
        remedy = next((text for prefix, text in REMEDIES.items() if code.startswith(prefix)), _remedy(error))
        said = getattr(getattr(reason, "diag", None), "message_primary", None) or str(reason)
        raise FeedbackError(f"{shown(url)}: {' '.join(said.split())}; {remedy}") from error


def _remedy(error: Exception) -> str:
    if isinstance(error, OSError):
        return "give a path in a folder that may be written"
    return "see that the database can be reached and that its tables may be created and written"
