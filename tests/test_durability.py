"""Nothing that the feedback store has acknowledged is lost, whatever happens; what cannot be done is said plainly."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, event, text

import multillm as ml
from multillm.errors import FeedbackError
from multillm.feedback import FeedbackStore
from multillm.feedback.grouping import GroupCommit, Rows
from tests.postgres_server import PostgresServer, new_schema, postgres_server, server_programs
from tests.scripted import ScriptedBackend, echo
from tests.stores import SERVED, another_connection, execute, killed_writers, start_writers

# Many writers


def test_eight_processes_write_every_row_exactly_once(url: str) -> None:
    with start_writers(url, 8, 25) as writers:
        acknowledged, errors = writers.communicate(timeout=60)
    assert (errors, writers.returncode) == ("", 0)
    with FeedbackStore(url) as store:
        frame = store.frame()
    assert sorted(acknowledged.split()[1::2]) == sorted(frame.index)
    rows = set(zip(frame["run_id"], frame["subtask_index"], strict=True))
    assert rows == {(f"run {process}", n) for process in range(8) for n in range(25)}
    assert len(frame) == 200


RACERS = """
import os, sys, time
from multillm.feedback import FeedbackRecord, FeedbackStore
call = FeedbackRecord("run", 0, "Define entropy.", "qa_simple", 0.1, "light", 1, served_label="light")
for url in sys.argv[1:]:
    start = time.monotonic() + 0.02
    for _ in range(8):
        if os.fork() == 0:
            while time.monotonic() < start:
                pass
            with FeedbackStore(url) as store:
                store.record(call)
            os._exit(0)
    assert [os.wait()[1] for _ in range(8)] == [0] * 8
"""


def test_processes_that_open_a_new_store_at_the_same_moment_do_not_collide(tmp_path: Path) -> None:
    paths = [tmp_path / str(n) / "feedback.sqlite" for n in range(4)]
    done = subprocess.run([sys.executable, "-c", RACERS, *paths], capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    for path in paths:
        with FeedbackStore(path) as store:
            assert len(store.frame()) == 8
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_processes_killed_while_they_write_lose_nothing_they_were_told_is_kept(url: str) -> None:
    acknowledged = killed_writers(url, 240)
    assert len(acknowledged) == len(set(acknowledged)) >= 240
    with FeedbackStore(url) as store:
        kept = store.frame().index
        assert set(acknowledged) <= set(kept)
        assert len(kept) - len(acknowledged) <= 8  # what each was writing just then
        store.record(SERVED)


@pytest.mark.parametrize("where", ["memory", "database"])
def test_threads_share_a_store(where: str, url: str) -> None:
    with FeedbackStore(":memory:" if where == "memory" else url) as store:
        threads = [
            threading.Thread(target=lambda n=n: [store.record(replace(SERVED, run_id=f"run {n}")) for _ in range(10)])
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.frame()["run_id"].value_counts().to_dict() == {f"run {n}": 10 for n in range(8)}


def test_a_forked_process_has_connections_of_its_own(url: str) -> None:
    code = f"""
import os
from multillm.feedback import FeedbackRecord, FeedbackStore
store = FeedbackStore({url!r})
call = FeedbackRecord("run", 0, "Define entropy.", "qa_simple", 0.1, "light", 1, served_label="light")
store.record(call)
for _ in range(2):
    if (child := os.fork()) == 0:
        for _ in range(5):
            store.record(call)
        os._exit(0)
    store.record(call)
    assert os.waitpid(child, 0)[1] == 0
print(len(store.frame()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("13\n", "")


# Rows of many callers in one transaction


def commits(rows: int) -> tuple[list[str], list[str], int]:
    """Record so many rows from as many tasks; the ids given, the ids kept, and how many transactions it took."""
    written = 0

    def count(*_: object) -> None:
        nonlocal written
        written += 1

    async def all_at_once(store: FeedbackStore) -> list[list[str]]:
        return await asyncio.gather(*(store.arecord(replace(SERVED, subtask_index=n)) for n in range(rows)))

    with FeedbackStore(":memory:") as store:
        event.listen(store._engine, "commit", count)
        given = asyncio.run(all_at_once(store))
        event.remove(store._engine, "commit", count)
        return [row_id for ids in given for row_id in ids], list(store.frame().index), written


def test_rows_recorded_at_the_same_time_share_a_commit_and_every_caller_gets_its_own_ids() -> None:
    given, kept, written = commits(256)
    assert sorted(given) == sorted(kept)
    assert written < 64


TASKS = """
import asyncio, os, sys
from multillm.feedback import FeedbackRecord, FeedbackStore
call = FeedbackRecord("run", 0, "Define entropy.", "qa_simple", 0.1, "light", 1, served_label="light")
async def write(store):
    while True:
        [row_id] = await store.arecord(call)
        os.write(1, f"{row_id}\\n".encode())
async def main():
    with FeedbackStore(sys.argv[1]) as store:
        await asyncio.gather(*(write(store) for _ in range(64)))
asyncio.run(main())
"""


def test_a_process_killed_amid_shared_commits_loses_nothing_it_was_told_is_kept(url: str) -> None:
    with subprocess.Popen([sys.executable, "-c", TASKS, url], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(1000)]
        writer.kill()
        lines += writer.stdout.readlines()
    acknowledged = {line.strip() for line in lines if line.endswith("\n")}
    with FeedbackStore(url) as store:
        kept = set(store.frame().index)
    assert acknowledged <= kept
    assert len(kept) - len(acknowledged) <= 64


def test_what_cannot_be_written_is_acknowledged_to_nobody(url: str) -> None:
    async def all_at_once(store: FeedbackStore) -> list[Any]:
        return await asyncio.gather(*(store.arecord(SERVED) for _ in range(32)), return_exceptions=True)

    with FeedbackStore(url, timeout_s=0.2) as store:
        with held(url):
            errors = asyncio.run(all_at_once(store))
        assert {type(error) for error in errors} == {FeedbackError}
        assert len({id(error) for error in errors}) == 32
        assert store.frame().empty
        assert len(asyncio.run(all_at_once(store))) == len(store.frame()) == 32


def test_a_row_that_the_database_refuses_costs_the_others_nothing(tmp_path: Path) -> None:
    async def all_at_once(store: FeedbackStore) -> list[Any]:
        calls = [replace(SERVED, prompt="x" * (50_000 if n == 7 else 5), subtask_index=n) for n in range(16)]
        return await asyncio.gather(*map(store.arecord, calls), return_exceptions=True)

    with FeedbackStore(tmp_path / "feedback.sqlite", keep_prompts=True) as store:

        @event.listens_for(store._engine, "checkout")
        def limit(connection: sqlite3.Connection, *_: object) -> None:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 40_000)

        answers = asyncio.run(all_at_once(store))
        assert "string or blob too big" in str(answers[7])
        assert set(store.frame()["subtask_index"]) == set(range(16)) - {7}


def test_whoever_writes_for_others_and_is_interrupted_leaves_nobody_waiting() -> None:
    started, allowed = threading.Event(), threading.Event()

    def write(rows: Rows) -> None:
        started.set()
        allowed.wait(10)
        raise KeyboardInterrupt

    group = GroupCommit(write)
    seen: list[type[BaseException]] = []

    def caller() -> None:
        try:
            group.queue([{"id": "x"}])()
        except BaseException as error:  # noqa: BLE001
            seen.append(type(error))

    threads = [threading.Thread(target=caller) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.wait(10)
    allowed.set()
    for thread in threads:
        thread.join(10)
    assert seen == [KeyboardInterrupt] * 4


# Full disks

FILLER = """
import json, resource, sys, time
from pathlib import Path
from multillm.errors import FeedbackError
from multillm.feedback import FeedbackRecord, FeedbackStore
url, ballast, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
call = FeedbackRecord("run", 0, "Define entropy. " * 20, "qa_simple", 0.1, "light", 1, served_label="light")
acknowledged = []
with FeedbackStore(url, keep_prompts=True) as store:
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        for _ in range(100_000):
            acknowledged += store.record([call] * 7)
    except FeedbackError as error:
        message = str(error)
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    Path(ballast).unlink(missing_ok=True)
    for _ in range(100):
        try:
            acknowledged += store.record(call)
            break
        except FeedbackError:  # a server may need a while to come up again
            time.sleep(0.2)
    else:
        sys.exit("it cannot be written to any more")
with FeedbackStore(url) as store:
    kept = set(store.frame().index)
print(json.dumps([len(acknowledged), len(set(acknowledged) - kept), len(kept - set(acknowledged)), message]))
"""


def filled(command: list[str]) -> tuple[int, str]:
    """Write until nothing more fits, make room, go on; how many rows were kept, and the message in between."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    acknowledged, lost, unasked, message = json.loads(done.stdout)
    assert lost == 0
    assert unasked == 0
    return acknowledged, message


def test_a_limit_of_file_size_loses_nothing_and_is_explained(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FILLER, str(tmp_path / "feedback.sqlite"), str(tmp_path / "none"), "400000"]
    acknowledged, message = filled(command)
    assert acknowledged > 100
    assert "see that the disk is sound and that no quota or limit is reached" in message


def small_disk(folder: Path, size: str, then: str) -> list[str]:
    """A command to run others with a small file system mounted at a folder; skipped where that is not allowed."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = [
        "unshare",
        "--mount",
        *user,
        "sh",
        "-c",
        f'mount -t tmpfs -o size={size} none "{folder}" && {then}',
        "sh",
    ]
    try:
        subprocess.run([*command[:-2], f'mount -t tmpfs none "{folder}"'], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small file system cannot be mounted here")
    return command


def test_a_full_disk_loses_nothing_and_is_explained(tmp_path: Path) -> None:
    ballast = tmp_path / "ballast"
    then = f'dd if=/dev/zero of="{ballast}" bs=1k count=200 status=none && exec "$@"'
    command = small_disk(tmp_path, "700k", then)
    acknowledged, message = filled(
        [*command, sys.executable, "-c", FILLER, str(tmp_path / "feedback.sqlite"), str(ballast), "0"]
    )
    assert acknowledged > 100
    assert "database or disk is full; free space on the disk" in message


SERVED_FROM = """
import shutil, subprocess, sys
from pathlib import Path
from tests.postgres_server import postgres_server, server_programs
folder, filler = sys.argv[1:]
with postgres_server(server_programs(), Path(folder)) as server:
    ballast = Path(folder) / "ballast"
    ballast.write_bytes(bytes(8 << 20))
    rest = (Path(folder) / "rest").open("wb")
    rest.write(bytes(max(0, shutil.disk_usage(folder).free - (2 << 20))))
    rest.flush()
    url = server.url.render_as_string(hide_password=False)
    sys.exit(subprocess.run([sys.executable, "-c", filler, url, str(ballast), "0"]).returncode)
"""


def test_a_full_disk_of_the_server_loses_nothing_and_is_explained() -> None:
    if server_programs() is None:
        pytest.skip("no PostgreSQL server is installed")
    if os.geteuid() != 0:
        pytest.skip("PostgreSQL does not run as the root of a user namespace, where its disk would be mounted")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        command = small_disk(Path(folder), "120m,mode=1777", 'exec "$@"')
        acknowledged, message = filled([*command, sys.executable, "-c", SERVED_FROM, folder, FILLER])
    assert acknowledged > 100
    assert "free space on the server's disk" in message


# A server that breaks down


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    programs = server_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed")
    with postgres_server(programs) as running:
        yield running


def test_a_server_that_crashes_and_comes_back_has_every_acknowledged_row(own_server: PostgresServer) -> None:
    with FeedbackStore(own_server.url, timeout_s=2) as store:
        acknowledged: list[str] = []

        def write_on() -> None:
            while True:
                acknowledged.extend(store.record(SERVED))

        crash = threading.Timer(0.5, own_server.crash)
        crash.start()
        with pytest.raises(FeedbackError, match=r"see that the database can be reached|the server is going down"):
            write_on()
        crash.join()
        with pytest.raises(FeedbackError, match="see that the database can be reached"):
            store.record(SERVED)
        own_server.start()
        acknowledged += store.record(SERVED)
        assert set(acknowledged) <= set(store.frame().index)
        assert len(store.frame()) - len(acknowledged) <= 1
        assert len(acknowledged) > 10


# Trouble


def spoil(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "not a database":
        path.write_bytes(b"these are my notes, not a database\n" * 300)
    elif how == "cut short":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))


def open_and_write(path: Path) -> None:
    with FeedbackStore(path) as store:
        store.record(SERVED)


@pytest.mark.parametrize("how", ["not a database", "cut short", "overwritten inside"])
def test_a_corrupt_file_is_refused_and_left_as_it_is(tmp_path: Path, how: str) -> None:
    path = tmp_path / "feedback.sqlite"
    with FeedbackStore(path) as store:
        store.record([replace(SERVED, run_id=f"run {n}") for n in range(200)])
    spoil(path, how)
    before = path.read_bytes()
    with pytest.raises(FeedbackError, match=r"(not a database|malformed); the file is left as it is") as caught:
        open_and_write(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused(url: str) -> None:
    FeedbackStore(url).close()
    execute(url, "UPDATE multillm_schema SET version = 2")
    with pytest.raises(FeedbackError, match="version 2; this multillm reads and writes version 1: update multillm"):
        FeedbackStore(url)


def test_a_lost_schema_version_is_refused(url: str) -> None:
    FeedbackStore(url).close()
    execute(url, "DELETE FROM multillm_schema")
    with pytest.raises(FeedbackError, match="version None"):
        FeedbackStore(url)


@contextmanager
def held(url: str) -> Iterator[None]:
    """Another connection that lets nobody write."""
    if "://" not in url:
        with closing(sqlite3.connect(url, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            yield
        return
    with another_connection(url) as connection:
        connection.execute(text("LOCK TABLE multillm_calls IN ACCESS EXCLUSIVE MODE"))
        yield


def test_a_locked_database_is_waited_for_no_longer_than_allowed(url: str) -> None:
    with FeedbackStore(url, timeout_s=0.2) as store:
        with held(url), pytest.raises(FeedbackError, match=r"lock.*; another .* holds it: .* give a longer timeout_s"):
            store.record(SERVED)
        assert len(store.record(SERVED)) == 1
        assert len(store.frame()) == 1


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(FeedbackError, match="give a path in a folder that may be written"):
        FeedbackStore(tmp_path / "file" / "sub" / "feedback.sqlite")
    with pytest.raises(FeedbackError, match="unable to open database file"):
        FeedbackStore(tmp_path)


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Root may write anywhere; nobody may not."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """A folder with a store that anybody may read and nobody write."""
    folder = Path(tempfile.mkdtemp())
    with FeedbackStore(folder / "feedback.sqlite") as store:
        store.record(SERVED)
    (folder / "feedback.sqlite").chmod(0o444)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_read_only_folder_is_refused_with_a_way_to_read_it(read_only_folder: Path) -> None:
    with ordinary_user():
        with pytest.raises(FeedbackError, match=r"Permission denied.*give a path in a folder that may be written"):
            FeedbackStore(read_only_folder / "new.sqlite")
        with pytest.raises(FeedbackError, match=r"immutable=1&uri=true"):
            FeedbackStore(read_only_folder / "feedback.sqlite")
        with FeedbackStore(f"sqlite:///file:{read_only_folder}/feedback.sqlite?immutable=1&uri=true") as store:
            assert store.summary().total_calls == 1
            with pytest.raises(FeedbackError, match="readonly database; it may only be read: give a path"):
                store.record(SERVED)


def test_a_role_that_may_not_create_tables_is_told_what_it_needs(server: URL) -> None:
    url = new_schema(server, "guarded")
    for statement in ("CREATE ROLE reader LOGIN PASSWORD 'x'", "GRANT USAGE ON SCHEMA guarded TO reader"):
        execute(url.render_as_string(hide_password=False), statement)
    with pytest.raises(FeedbackError, match="permission denied for schema guarded; the role may not do this: grant it"):
        FeedbackStore(url.set(username="reader", password="x"))


def test_a_connection_that_the_server_dropped_is_made_again(server: URL) -> None:
    url = new_schema(server, "dropped")
    with FeedbackStore(url) as store:
        store.record(SERVED)
        others = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
        drop = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
        execute(url.render_as_string(hide_password=False), drop)
        store.record(SERVED)
        assert len(store.frame()) == 2


@pytest.mark.parametrize("what", ["deleted", "replaced"])
def test_a_file_that_was_taken_away_under_the_store_is_not_written_to_in_vain(tmp_path: Path, what: str) -> None:
    path, away = tmp_path / "feedback.sqlite", tmp_path / "away.sqlite"
    with FeedbackStore(path) as store:
        store.record(SERVED)
        path.rename(away)
        if what == "replaced":
            FeedbackStore(path).close()
        before = path.read_bytes() if path.exists() else None
        for use in (lambda: store.record(SERVED), store.frame):
            with pytest.raises(FeedbackError, match="moved, deleted or replaced after it was opened"):
                use()
        assert (path.read_bytes() if path.exists() else None) == before
        if what == "deleted":
            away.rename(path)
            store.record(SERVED)
            assert len(store.frame()) == 2


def test_a_prompt_is_planned_but_not_run_where_no_store_can_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setattr("multillm.feedback.database.user_dir", lambda: tmp_path / "file")
    backend = ScriptedBackend(echo)
    orchestrator = ml.Orchestrator(backend=backend)
    assert [decision.label for decision in orchestrator.plan("What is a mutex?")] == ["model::light"]
    with pytest.raises(FeedbackError, match="give a path in a folder that may be written"):
        orchestrator.handle_sync("What is a mutex?")
    assert not backend.requests
