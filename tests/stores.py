"""What tests of the feedback store share."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, text

from multillm.feedback import FeedbackRecord

SERVED = FeedbackRecord("run", 0, "Define entropy.", "qa_simple", 0.1, "model::light", 1, served_label="model::light")


@contextmanager
def another_connection(url: str) -> Iterator[Connection]:
    """A transaction of somebody else in the same database."""
    engine = create_engine(
        f"sqlite:///{url}" if "://" not in url else url.replace("postgresql:", "postgresql+psycopg:")
    )
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def execute(url: str, statement: str) -> None:
    """Do this behind the store's back."""
    with another_connection(url) as connection:
        connection.execute(text(statement))


# Processes that write

PROCESSES = 8
WRITERS = """
import os, sys
from multillm.feedback import FeedbackRecord, FeedbackStore
url, processes, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def write(run):
    with FeedbackStore(url) as store:
        for n in range(rows):
            call = FeedbackRecord(run, n, "Define entropy.", "qa_simple", 0.1, "light", 1, served_label="light")
            os.write(1, f"{os.getpid()} {store.record(call)[0]}\\n".encode())
for number in range(1, processes):
    if os.fork() == 0:
        write(f"run {number}")
        os._exit(0)
write("run 0")
for _ in range(1, processes):
    assert os.wait()[1] == 0
"""


def start_writers(url: str, processes: int, rows: int) -> "subprocess.Popen[str]":
    """Processes that each open the store, write rows one by one, and print their own id and those they are given."""
    command = [sys.executable, "-c", WRITERS, url, str(processes), str(rows)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def killed_writers(url: str, rows: int) -> list[str]:
    """Rows acknowledged by eight writing processes, of which some are killed after two thirds, then all others."""
    with start_writers(url, PROCESSES, 1_000_000) as writers:
        assert writers.stdout is not None
        lines = [writers.stdout.readline() for _ in range(rows * 2 // 3)]
        seen = sorted({int(line.split()[0]) for line in lines} - {writers.pid})[::2]
        for process in seen:
            os.kill(process, signal.SIGKILL)
        lines += [writers.stdout.readline() for _ in range(rows - len(lines))]
        os.killpg(writers.pid, signal.SIGKILL)
        lines += writers.stdout.readlines()
    return [line.split()[1] for line in lines if line.endswith("\n")]
