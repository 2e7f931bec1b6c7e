"""Rows of many callers in one transaction: a commit waits for the disk, however many rows it has."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DataError

__all__ = ["GroupCommit", "Rows"]

Rows = Sequence[Mapping[str, Any]]


@dataclass(eq=False, slots=True)
class _Entry:
    """What one caller wants written, and what came of it."""

    rows: Rows
    written: bool = False
    error: BaseException | None = None


class GroupCommit:
    """Writes what callers have queued up while the write before theirs went on.

    Whoever gets the turn writes everything that waits, its own rows and those of others; a caller whose rows
    were written by another has nothing left to do.

    Parameters
    ----------
    write : callable
        Writes rows in one transaction of their own, all or none.
    """

    def __init__(self, write: Callable[[Rows], None]) -> None:
        self._write = write
        self._waiting: list[_Entry] = []
        self._turn = threading.Lock()

    def queue(self, rows: Rows) -> Callable[[], None]:
        """Queue rows up at once; the function returned comes back when they are written, or raises why not."""
        entry = _Entry(rows)
        self._waiting.append(entry)
        return lambda: self._finish(entry)

    def _finish(self, entry: _Entry) -> None:
        with self._turn:
            if not entry.written and entry.error is None:
                waiting, self._waiting = self._waiting, []
                self._write_together(waiting)
        if entry.error is not None:
            raise entry.error

    def _write_together(self, entries: Sequence[_Entry]) -> None:
        try:
            self._write([row for entry in entries for row in entry.rows])
        except DataError as error:  # a value that the database refuses must not cost others their rows
            if len(entries) == 1:
                entries[0].error = error
            else:
                for entry in entries:
                    self._write_together([entry])
        except BaseException as error:  # noqa: BLE001  # an interrupt too: nobody may take these rows for written
            for entry in entries:
                entry.error = error
        else:
            for entry in entries:
                entry.written = True
