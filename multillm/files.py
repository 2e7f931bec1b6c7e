"""Files that are there as they were before or whole, never in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["replacing"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside this one, to write to, whose file takes its place once all is written.

    A crash or an error leaves the file that was there before. What a crash has left behind is written over.
    """
    path = path.resolve()  # a link stays one
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        yield unfinished
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    unfinished.replace(path)
