"""Where every call to a model is kept: SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

import asyncio
import os
import uuid
import weakref
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import URL, Connection, Engine, func, insert, select, update

from multillm.errors import FeedbackError
from multillm.feedback.database import (
    connect,
    feedback_errors,
    file_identity,
    file_of,
    in_memory,
    open_engine,
    parse_url,
    short,
    shown,
)
from multillm.feedback.grouping import GroupCommit, Rows
from multillm.feedback.record import FeedbackRecord, Rating, to_row
from multillm.feedback.schema import aware, calls, check_schema, create_schema, dtypes, has_schema, spending, utc_now
from multillm.feedback.summary import FeedbackSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pandas as pd

__all__ = ["FeedbackStore"]


class FeedbackStore:
    """Keeps one row for each call, its retries and fallbacks included.

    Threads and processes may write to one store at the same time; only a process forked while a thread writes may
    not, as SQLite forbids it. A call that `record` has returned an id for is committed and on disk: neither a killed
    process nor a power cut loses it.

    Parameters
    ----------
    url : str, path or URL, optional
        A file of SQLite, ``:memory:``, or a URL of SQLAlchemy such as ``postgresql://user@host/database``;
        ``feedback.sqlite`` in the user's data folder if left out. Missing tables are created.
    keep_prompts : bool, default False
        Keep the text of the sub-tasks too. Otherwise only its SHA-256 and length are kept; a short or
        guessable text can be found again from its hash.
    clock : callable, optional
        Timezone-aware present time.
    timeout_s : float, default 30
        Longest wait for a connection, or for a lock that another process holds.

    Raises
    ------
    FeedbackError
        If the database cannot be reached, written or read, or its tables are of another version.

    Notes
    -----
    A NUL or a lone surrogate in a text is stored as U+FFFD; the hash is that of the text as it came.
    Texts of errors are stored as they come.

    A pickled store opens its URL again, password included; one in memory cannot be pickled.

    Examples
    --------
    >>> call = FeedbackRecord("run", 0, "Define entropy.", "qa_simple", 0.1, "light", 1, served_label="light")
    >>> with FeedbackStore(":memory:") as store:
    ...     [row_id] = store.record(call)
    ...     store.rate(row_id, 0.9, source="reader")
    ...     store.summary().avg_quality
    0.9
    """

    def __init__(
        self,
        url: str | os.PathLike[str] | URL | None = None,
        *,
        keep_prompts: bool = False,
        clock: Callable[[], datetime] = utc_now,
        timeout_s: float = 30.0,
    ) -> None:
        self._url = parse_url(url)
        self.keep_prompts = keep_prompts
        self._clock = clock
        self._timeout_s = timeout_s
        with feedback_errors(self._url):
            self._engine = open_engine(self._url, timeout_s)
        self._file: tuple[int, int] | None = None  # known once it is open, which may copy it to another layer
        self._path = file_of(self._url)
        self._pid = os.getpid()
        self._group = GroupCommit(self._insert)
        self._close = weakref.finalize(self, self._engine.dispose)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise
        self._file = file_identity(self._path)

    @property
    def url(self) -> str:
        """Where the rows are, without password and options."""
        return shown(self._url)

    def now(self) -> datetime:
        """The time by which rows are dated."""
        return aware("the clock's time", self._clock())

    def record(self, records: FeedbackRecord | Iterable[FeedbackRecord]) -> list[str]:
        """Keep one call or many, all or none.

        Parameters
        ----------
        records : FeedbackRecord or iterable of FeedbackRecord
            What happened.

        Returns
        -------
        list of str
            The id of each row, in the order given. Once returned, the rows are on disk.

        Raises
        ------
        FeedbackError
            If the rows cannot be written; then none of them is.
        """
        rows = self._rows(records)
        self._written(self._queue(rows))
        return [row["id"] for row in rows]

    async def arecord(self, records: FeedbackRecord | Iterable[FeedbackRecord]) -> list[str]:
        """Keep one call or many from async code, which goes on with other tasks meanwhile; see `record`.

        What tasks record at the same time is written in one transaction, which takes hardly longer than one row.
        """
        rows = self._rows(records)
        await asyncio.to_thread(self._written, self._queue(rows))
        return [row["id"] for row in rows]

    def _rows(self, records: FeedbackRecord | Iterable[FeedbackRecord]) -> list[dict[str, Any]]:
        given = [records] if isinstance(records, FeedbackRecord) else list(records)
        for record in given:
            if not isinstance(record, FeedbackRecord):
                raise FeedbackError(f"record got a {type(record).__name__}; allowed are FeedbackRecord objects")
        fixed = {"recorded_at": self.now()}
        return [{"id": uuid.uuid4().hex} | fixed | to_row(record, keep_prompt=self.keep_prompts) for record in given]

    def _queue(self, rows: Rows) -> Callable[[], None]:
        self._notice_fork()
        return self._group.queue(rows)

    def _written(self, wait: Callable[[], None]) -> None:
        with feedback_errors(self._url):
            wait()

    def _insert(self, rows: Rows) -> None:
        if rows:
            with connect(self._live_engine(), writing=True) as connection:
                connection.execute(insert(calls), rows)

    def rate(self, row_id: str, quality: float, source: str) -> None:
        """Add the measured quality of an answer, in place of an earlier one.

        Parameters
        ----------
        row_id : str
            Id that `record` returned.
        quality : float
            Measured quality, 0..1.
        source : str
            Who or what measured it: a grader, a judge model, a reader.

        Raises
        ------
        FeedbackError
            If no row has that id, the quality is not within 0..1, or the source is empty.
        """
        rating = asdict(Rating(quality, source))
        rated = update(calls).where(calls.c.id == row_id).values(rating)
        with self.transaction(writing=True) as connection:
            if connection.execute(rated).rowcount == 0:
                raise FeedbackError(f"no call has the id {row_id!r:.80}; take one that record returned or frame shows")

    def frame(self, since: datetime | None = None, run_id: str | None = None) -> pd.DataFrame:
        """Read the calls as a table.

        Parameters
        ----------
        since : datetime, optional
            Timezone-aware; only calls recorded at this time or later.
        run_id : str, optional
            Only calls of this run.

        Returns
        -------
        DataFrame
            Indexed by id, oldest first; the columns are the attributes of `FeedbackRecord` with
            recorded_at (datetime64[us, UTC]), tier, prompt_sha256, prompt_length. Texts are ``string``,
            figures ``float64``, counts ``int64`` or, where they can be missing, ``Int64``, flags ``boolean``.
            What is not known is missing.

        Raises
        ------
        FeedbackError
            If the rows cannot be read, or `since` has no timezone.
        """
        import pandas as pd

        query = select(calls).order_by(calls.c.recorded_at, calls.c.run_id, calls.c.subtask_index, calls.c.id)
        if since is not None:
            query = query.where(calls.c.recorded_at >= aware("since", since))
        if run_id is not None:
            query = query.where(calls.c.run_id == run_id)
        with self.transaction(writing=False) as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        frame = pd.DataFrame(rows, columns=list(calls.c.keys()), dtype=object)
        return frame.astype(dtypes()).set_index("id")

    def spent(self, period_s: float) -> tuple[float, int]:
        """Cost units, and tokens of input and output, that calls took in the period up to now, replayed ones left out.

        Raises
        ------
        FeedbackError
            If the rows cannot be read.
        """
        since = self.now() - timedelta(seconds=period_s)
        with self.transaction(writing=False) as connection:
            row = connection.execute(spending(since)).one()  # what is not known counts as nothing
        return float(row[0] or 0.0), int(row[1] or 0)

    def summary(self) -> FeedbackSummary:
        """All calls in figures; ``FeedbackSummary.of(store.frame(...))`` gives those of a part.

        Raises
        ------
        FeedbackError
            If the rows cannot be read.
        """
        return FeedbackSummary.of(self.frame())

    def close(self) -> None:
        """Let go of the database; a second time does nothing."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        if in_memory(self._url):
            raise FeedbackError(f"{self.url} cannot be pickled, it is in this process alone; give the store a path")
        return partial(type(self), keep_prompts=self.keep_prompts, clock=self._clock, timeout_s=self._timeout_s), (
            self._url,
        )

    def __repr__(self) -> str:
        return f"FeedbackStore({short(self._url)!r}, {self._state()})"

    def _state(self) -> str:
        if not self._close.alive:
            return "closed"
        try:
            with self.transaction(writing=False) as connection:
                return f"{connection.scalar(select(func.count()).select_from(calls))} calls"
        except FeedbackError:
            return "unreadable"

    def _prepare(self) -> None:
        """See that the tables are there and of this version."""
        with self.transaction(writing=False) as connection:
            ready = has_schema(connection)
        if not ready:
            with self.transaction(writing=True) as connection:
                create_schema(connection)
        with self.transaction(writing=False) as connection:
            check_schema(connection)

    @contextmanager
    def transaction(self, *, writing: bool) -> Iterator[Connection]:
        """A transaction on the database; its errors are FeedbackErrors."""
        with feedback_errors(self._url), connect(self._live_engine(), writing=writing) as connection:
            yield connection

    def _live_engine(self) -> Engine:
        if not self._close.alive:
            raise FeedbackError("the store is closed; open it again with FeedbackStore(...)")
        self._notice_fork()
        if self._file is not None and self._file != file_identity(self._path):
            raise FeedbackError(
                "the file was moved, deleted or replaced after it was opened, and what is written now would be lost: "
                "put it back, or open the store again"
            )
        return self._engine

    def _notice_fork(self) -> None:
        """See that a forked process uses neither its parent's connections nor its parent's turn to write."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._group = GroupCommit(self._insert)
            if not in_memory(self._url):
                self._engine.dispose(close=False)
