"""Settings of every test, and the databases that several of them need."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from sqlalchemy import URL

# A busy machine is no fault of the code: no test fails for being slow once. The same commit passes or fails for
# everybody: new inputs are looked for by tests/fuzz and by `pytest --hypothesis-profile=search`.
settings.register_profile("multillm", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("multillm")


@pytest.fixture(scope="session")
def server() -> Iterator[URL]:
    """A PostgreSQL server."""
    from tests.postgres_server import postgres_server, server_programs

    programs = server_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed")
    with postgres_server(programs) as running:
        yield running.url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once of each kind."""
    from tests.postgres_server import new_schema

    if request.param == "sqlite":
        return str(tmp_path / "feedback.sqlite")
    server: URL = request.getfixturevalue("server")
    return new_schema(server, f"test_{uuid.uuid4().hex}").render_as_string(hide_password=False)
