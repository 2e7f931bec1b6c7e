"""A PostgreSQL server of the tests' own: a fresh data folder, a free port, gone afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def postgres_server(programs: Path) -> Iterator[URL]:
    """A running server; the URL is that of its first database."""
    owner = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="multillm-postgres-"))
    (folder / "password").write_text(PASSWORD)
    if owner:
        for path in (folder, folder / "password"):
            shutil.chown(path, owner)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(folder / "data"), *arguments]
        with (folder.parent / f"{folder.name}.log").open("ab") as log:
            subprocess.run(command, stdout=log, stderr=log, check=True, user=owner, extra_groups=[] if owner else None)

    try:
        run(
            "initdb",
            "-U",
            "multillm",
            "-A",
            "scram-sha-256",
            f"--pwfile={folder / 'password'}",
            "--no-sync",
            "-E",
            "UTF8",
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        run("pg_ctl", "-w", "-o", f"-p {port} -h 127.0.0.1 -k {folder} -F -c timezone=Asia/Tokyo", "start")
        try:
            yield URL.create("postgresql", "multillm", PASSWORD, "127.0.0.1", port, "postgres")
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
        (folder.parent / f"{folder.name}.log").unlink(missing_ok=True)


def new_schema(server: URL, name: str) -> URL:
    """The server's database, in an empty schema."""
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("CREATE SCHEMA {}").format(psycopg.sql.Identifier(name)))
    return server.update_query_dict({"options": f"-csearch_path={name}"})
