"""Keys and passwords reach the servers that they are for, and nothing else."""

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import multillm as ml
from multillm.client.transport import split_credentials

KEY, PASSWORD, DATABASE = "Zq7-planted-key-9f3a", "hunter2 planted/pw", "s3same-planted-db"
ENCODED = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
QUOTED = "hunter2%20planted%2Fpw"
SECRETS = (KEY, PASSWORD, DATABASE, ENCODED, QUOTED)


class Indiscreet(BaseHTTPRequestHandler):
    """A model server that says back every secret it is told when it refuses."""

    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization", ""))
        self.send_error(404)

    def do_POST(self) -> None:
        told = self.headers.get("Authorization", "")
        self.seen.append(told)
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "fail" in str(asked["messages"]):
            kind, _, secret = told.partition(" ")
            plain = base64.b64decode(secret).decode() if kind == "Basic" else secret
            said = f"Incorrect API key provided: {told}, that is {plain}, at {self.path}"
            self._answer(401, {"error": {"message": said, "type": "x"} if "chat/comp" in self.path else said})
        elif "chat/completions" in self.path:
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Fine."}}
            counts = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
            self._answer(200, {"id": "1", "object": "chat.completion", "created": 1, "model": "m",
                               "choices": [choice], "usage": counts})  # fmt: skip
        else:
            self._answer(200, {"model": "m", "message": {"role": "assistant", "content": "Fine."}, "done": True,
                               "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 2})  # fmt: skip

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def indiscreet() -> Iterator[tuple[int, list[str]]]:
    """Port of such a server, and what it was told."""
    seen: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Indiscreet,), {"seen": seen}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, seen
    server.shutdown()
    thread.join()
    server.server_close()


EVERYTHING = """
import asyncio, json, logging, pickle, sys, traceback
from pathlib import Path
folder, port, key, quoted, database = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5]
logging.basicConfig(level=logging.DEBUG, filename=folder / "log")
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=(folder / "spans").open("w"))))
trace.set_tracer_provider(provider)
import multillm as ml
from multillm.backends import BackendStatus
from multillm.bench import run_benchmark

places = {
    "a key": ("openai/m", {"api_base": f"http://127.0.0.1:{port}/v1", "api_key": key}),
    "a password": ("openai/m", {"api_base": f"http://user:{quoted}@127.0.0.1:{port}/v1", "api_key": "none"}),
    "ollama": ("ollama_chat/m", {"api_base": f"http://user:{quoted}@127.0.0.1:{port}"}),
}

class Backend:
    name = "planted"
    def __init__(self, place):
        self.model, self.params = places[place]
    async def check(self, pool):
        return BackendStatus(self.name, True, "as given")
    async def open(self, pool):
        await ml.ModelClient.prepare()
        self.deployments = [ml.Deployment(spec.label, self.model, self.params) for spec in pool.registry]
        calls = pool.calls.model_copy(update={"num_retries": 1, "retry_wait_s": 0.0, "cooldown_s": 0.0})
        client = ml.ModelClient(self.deployments, pool.registry, calls)
        return ml.RecordingClient(client, folder / "recording.jsonl")

def keep(name, *shown):
    (folder / name).write_text("\\n".join(map(str, shown)))

async def streamed(orchestrator, prompt):
    return [event async for event in orchestrator.stream(prompt, text=False)]

served = []
for place in places:
    store = ml.FeedbackStore(folder / "feedback.sqlite", keep_prompts=True)
    orchestrator = ml.Orchestrator(ml.load_pool("reference"), Backend(place), store=store)
    for prompt in ("What is a mutex?", "What is a fail?"):
        keep(f"{place} {prompt[10:]} events", *asyncio.run(streamed(orchestrator, prompt)))
        result = orchestrator.handle_sync(prompt)
        served.append(not result.failed)
        errors = [part for r in result.results if r.error for part in traceback.format_exception(r.error)]
        keep(f"{place} {prompt[10:]}", result, result._repr_html_(), json.dumps(result.to_dict()), result.merged,
             result.to_frame().to_csv(), result.results, *errors, orchestrator.client.backend.deployments,
             vars(orchestrator.client.backend.deployments[0].__class__), pickle.dumps(result))
    keep("store", store, store.frame().to_csv(), store.summary())
    measured = run_benchmark("small", backend=Backend(place), out=folder / f"bench {place}", limit=1, progress=False)
    keep(f"{place} bench", measured, measured._repr_html_(), pickle.dumps(measured))
assert served == [True, False] * 3, served

async def look():
    backend = ml.OllamaBackend(f"http://user:{quoted}@127.0.0.1:{port}", {})
    keep("ollama status", backend, await backend.check(ml.load_pool("reference")))
    try:
        await backend.open(ml.load_pool("reference"))
    except ml.BackendError as error:
        keep("ollama error", *traceback.format_exception(error))
asyncio.run(look())

try:
    ml.FeedbackStore(f"postgresql://user:{database}@127.0.0.1:1/x?application_name={database}", timeout_s=1)
except ml.FeedbackError as error:
    keep("database error", *traceback.format_exception(error), repr(error))
"""


@pytest.mark.parametrize("litellm_log", ["", "DEBUG"])
def test_no_artefact_of_a_run_holds_a_secret(
    indiscreet: tuple[int, list[str]], tmp_path: Path, litellm_log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, seen = indiscreet
    monkeypatch.setenv("PLANTED_API_KEY", KEY)
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
    if litellm_log:
        monkeypatch.setenv("LITELLM_LOG", litellm_log)
    command = [sys.executable, "-c", EVERYTHING, str(tmp_path), str(port), KEY, QUOTED, DATABASE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {f"Bearer {KEY}", f"Basic {ENCODED}"} <= set(seen)
    paths = [path for path in tmp_path.rglob("*") if path.is_file()]
    files = {str(path.relative_to(tmp_path)): path.read_bytes().decode("utf-8", "replace") for path in paths}
    assert {f"bench {place}/manifest.json" for place in ("a key", "a password", "ollama")} < set(files)
    assert "multillm.run_id" in files["spans"]
    assert "Incorrect API key provided" in files["a key fail?"]
    assert len(files["log"]) > 10_000
    for name, content in {**files, "output": done.stdout + done.stderr}.items():
        found = [secret for secret in SECRETS if secret in content]
        assert not found, f"{name} holds {found}: {content[max(0, content.index(found[0]) - 200) :][:300]}"
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    assert {modes["feedback.sqlite"], modes["recording.jsonl"]} == {"0o600"}
    assert {modes[f"bench {place}"] for place in ("a key", "a password", "ollama")} == {"0o700"}


@pytest.mark.parametrize(
    ("url", "address", "header"),
    [
        ("http://localhost:11434", "http://localhost:11434", ""),
        ("http://user:pw@host/v1?x=@", "http://host/v1?x=@", "Basic dXNlcjpwdw=="),
        ("http://user:p%40w@host", "http://host", "Basic dXNlcjpwQHc="),
        ("https://token@host", "https://host", "Basic dG9rZW4="),
        ("http://[", "http://[", ""),
        ("", "", ""),
    ],
)
def test_user_and_password_of_an_address_go_into_a_header(url: str, address: str, header: str) -> None:
    assert split_credentials(url) == (address, header)


def test_a_deployment_shows_where_it_is_but_no_secret() -> None:
    params = {"api_base": f"http://user:{QUOTED}@host/v1", "api_key": KEY}
    assert repr(ml.Deployment("light", "openai/m", params)) == "Deployment('light', 'openai/m', at http://host/v1)"
