"""Progress of a benchmark's shares, from the workers of a Dask cluster to where the benchmark was called."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from multillm.progress import CallProgress

__all__ = ["SharesProgress", "WorkerProgress"]


class WorkerProgress(CallProgress):
    """Counts on a worker, and has it shown where the benchmark was called.

    Parameters
    ----------
    topic : str
        Dask topic that is listened to there.
    share : str
        Whose answers are counted.
    """

    def __init__(self, topic: str, share: str) -> None:
        super().__init__(shown=False)
        self._topic = topic
        self._share = share
        self._numbers = count()

    def expect(self, answers: int) -> None:
        """Tell how many are wanted."""
        self._tell(answers=answers)

    def count(self, tokens: int, replayed: bool, failed: bool) -> None:
        """Tell of one."""
        self._tell(tokens=tokens, replayed=replayed, failed=failed)

    def _tell(self, **figures: int) -> None:
        from distributed import get_worker

        get_worker().log_event(self._topic, {"share": self._share, "number": next(self._numbers), **figures})


class SharesProgress:
    """Shows what the workers tell: of each share first how many answers are wanted, then each answer, all numbered.

    A share that starts again because its worker was lost tells the same numbers again; those count once.

    Parameters
    ----------
    progress : CallProgress
        Where it is shown.
    """

    def __init__(self, progress: CallProgress) -> None:
        self._progress = progress
        self._told: dict[str, int] = {}

    def take(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """Show one event of the topic, which comes with its time."""
        _, told = event
        share, number = told["share"], told["number"]
        if number <= self._told.get(share, -1):
            return
        self._told[share] = number
        if number == 0:
            self._progress.expect(told["answers"])
        else:
            self._progress.count(told["tokens"], told["replayed"], told["failed"])
