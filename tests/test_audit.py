"""The audit of dependencies tells what is vulnerable, and what it could not look up, from a service on loopback."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKED = "".join(f"{name}==1.0 --hash=sha256:{'0' * 64}\n" for name in ("sound", "broken"))
ADVISORY = {
    "id": "PYSEC-2026-1",
    "summary": "It breaks.",
    "details": "It breaks.",
    "published": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "broken", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
            "versions": ["1.0"],
        }
    ],
}


class Service(BaseHTTPRequestHandler):
    """Answers as the API of osv does."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"vulns": [ADVISORY]} if asked["package"]["name"] == "broken" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


def audit(tmp_path: Path, osv_url: str) -> "subprocess.CompletedProcess[str]":
    uv = Path(sys.executable).with_name("uv")
    had = subprocess.run([uv, "tool", "run", "pip-audit", "--version"], capture_output=True, timeout=300, check=False)
    if had.returncode:
        pytest.skip("pip-audit cannot be had here")
    (tmp_path / "lock").write_text(LOCKED)
    command = [sys.executable, str(ROOT / ".ci" / "audit"), "--lock", str(tmp_path / "lock"), "--service", "osv"]
    return subprocess.run([*command, "--osv-url", osv_url], capture_output=True, text=True, timeout=120, check=False)


def test_a_vulnerable_package_is_named_with_the_version_that_mends_it(service: str, tmp_path: Path) -> None:
    done = audit(tmp_path, service)
    assert done.stdout.splitlines() == [
        "audit by osv: 2 of 2 locked packages were looked up",
        "audit: 1 of the packages looked up are known to be vulnerable",
        "audit: broken 1.0: PYSEC-2026-1, mended in 1.1",
    ]
    assert done.returncode == 1


def test_where_nothing_can_be_asked_it_says_so_and_fails_nothing(tmp_path: Path) -> None:
    done = audit(tmp_path, "http://127.0.0.1:9/v1/query")
    first, last = done.stdout.splitlines()
    assert "audit by osv: nothing was looked up" in first
    assert last == "audit: no service could be asked, so nothing is known of any package"
    assert done.returncode == 0
