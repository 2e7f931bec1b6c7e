"""What is left of the feedback store after kill -9 amid writing: python tests/perf/bench_durability.py [ROUNDS].

Eight processes write one row after the other into the same store, SQLite's and PostgreSQL's. In every round some of
them are killed after two thirds of the rows, then all others; the next round goes on with what is left. Told are rows
acknowledged, found again and lost, rows found that nobody was told of (what each process was writing just then), and
the processes killed.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from multillm.feedback import FeedbackStore
from tests.postgres_server import new_schema, postgres_server, server_programs
from tests.stores import PROCESSES, killed_writers

ROWS = 600


def line(name: str, url: str, rounds: int) -> str:
    """Figures of one database."""
    started = time.perf_counter()
    told: list[str] = []
    for _ in range(rounds):
        told += killed_writers(url, ROWS)
    spent = time.perf_counter() - started
    with FeedbackStore(url) as store:
        kept = set(store.frame().index)
    acknowledged = set(told)
    twice = len(told) - len(acknowledged)
    found = len(acknowledged & kept)
    cells = [name, PROCESSES * rounds, len(acknowledged), found, len(acknowledged) - found, twice]
    return " | ".join(map(str, [*cells, len(kept - acknowledged), f"{spent:.1f}"]))


def main() -> None:
    """Print a line for each database."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print(f"Python {sys.version.split()[0]}, {rounds} rounds, load of the machine {os.getloadavg()[0]:.1f}")
    print("database | killed | acknowledged | found | lost | told twice | found though not told | s")
    with tempfile.TemporaryDirectory() as folder:
        print(line("SQLite", str(Path(folder) / "feedback.sqlite"), rounds), flush=True)
    programs = server_programs()
    if programs is None:
        print("PostgreSQL: no server is installed")
        return
    with postgres_server(programs) as server:
        url = new_schema(server.url, "durability").render_as_string(hide_password=False)
        print(line("PostgreSQL", url, rounds), flush=True)


if __name__ == "__main__":
    main()
