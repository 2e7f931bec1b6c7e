"""A PostgreSQL server of the tests' own: a fresh data folder, a free port, gone afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import URL

PASSWORD = "p@ss/word?"


def server_programs() -> Path | None:
    """Folder of initdb and pg_ctl; None where no server is installed."""
    named = shutil.which("pg_config")
    asked = subprocess.run([named, "--bindir"], capture_output=True, text=True, check=True).stdout if named else "/none"
    folders = [Path(asked.strip()), *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@dataclass(frozen=True)
class PostgresServer:
    """Programs, folder and port of a server."""

    programs: Path
    folder: Path
    port: int

    @property
    def url(self) -> URL:
        """Its first database."""
        return URL.create("postgresql", "multillm", PASSWORD, "127.0.0.1", self.port, "postgres")

    def create(self) -> None:
        """Make the data folder."""
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if owner := self._owner():
            for path in (self.folder, password):
                shutil.chown(path, owner)
        options = ["-U", "multillm", "-A", "scram-sha-256", f"--pwfile={password}", "--no-sync", "-E", "UTF8"]
        self._run("initdb", *options, "--wal-segsize=1")

    def start(self) -> None:
        """Start, or start again."""
        self._run("pg_ctl", "-w", "-o", f"-p {self.port} -h 127.0.0.1 -k {self.folder} -c timezone=Asia/Tokyo", "start")

    def crash(self) -> None:
        """Stop without tidying up: the next start has to recover from the log."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), "-D", str(self.folder / "data"), *arguments]
        owner = self._owner()
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            subprocess.run(command, stdout=log, stderr=log, check=True, user=owner, extra_groups=[] if owner else None)

    @staticmethod
    def _owner() -> str | None:
        return "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root


@contextmanager
def postgres_server(programs: Path, parent: Path | None = None) -> Iterator[PostgresServer]:
    """A running server, its data in a new folder below `parent`."""
    folder = Path(tempfile.mkdtemp(prefix="multillm-postgres-", dir=parent))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = PostgresServer(programs, folder, free.getsockname()[1])
    try:
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.crash()
    finally:
        shutil.rmtree(folder)
        (folder.parent / f"{folder.name}.log").unlink(missing_ok=True)


def new_schema(server: URL, name: str) -> URL:
    """The server's database, in an empty schema."""
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("CREATE SCHEMA {}").format(psycopg.sql.Identifier(name)))
    return server.update_query_dict({"options": f"-csearch_path={name}"})
