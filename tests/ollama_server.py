"""A loopback HTTP server that speaks Ollama's API as a real one (0.24) does, with faults on demand.

Answers are scripted; the protocol (paths, fields, status codes, error texts, durations in
nanoseconds) is what a real server sends.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

__all__ = ["OllamaServer", "Script", "ollama_server"]

VERSION = "0.24.0"
CREATED = "2026-11-22T23:28:48.043656201Z"
DETAILS = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "134.52M",
    "quantization_level": "Q4_1",
}


@dataclass
class Script:
    """How one model behaves. Faults happen first, in the order of the fields, each as often as it says."""

    answer: str = "An answer."
    done_reason: str = "stop"
    busy: int = 0  # 503, queue full
    broken: int = 0  # 500
    reset: int = 0  # connection cut
    hang: int = 0  # no answer until the server closes
    error_body: int = 0  # 200 with an error in it
    malformed: int = 0  # 200 with no JSON in it
    empty: int = 0  # 200 with white space for an answer
    delay_s: float = 0.0
    context_length: int = 4096
    counts: bool = True  # whether token counts and durations are reported
    message: Mapping[str, str] | None = None  # more fields of the message, such as thinking

    def next_fault(self) -> str | None:
        for fault in ("busy", "broken", "reset", "hang", "error_body", "malformed", "empty"):
            left = getattr(self, fault)
            if left > 0:
                setattr(self, fault, left - 1)
                return fault
        return None


@dataclass
class OllamaServer:
    """What the tests see of the server."""

    scripts: dict[str, Script]
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    active: dict[str, int] = field(default_factory=dict)
    peak: dict[str, int] = field(default_factory=dict)
    open_connections: int = 0
    loaded: set[str] = field(default_factory=set)
    base_url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running_on_loopback(self) -> Iterator[OllamaServer]:
        """Listen for as long as the block lasts."""
        handler = type("Handler", (_Handler,), {"state": self})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.base_url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            self.closing.set()
            server.shutdown()
            server.server_close()
            thread.join(2)

    def called(self, model: str) -> int:
        """How many chats the model was asked for."""
        return sum(request["model"] == model for request in self.requests)

    def wait_until_unconnected(self, seconds: float = 2.0) -> bool:
        """Whether every connection is closed before the time is up."""
        end = time.monotonic() + seconds
        while self.open_connections and time.monotonic() < end:
            time.sleep(0.01)
        return self.open_connections == 0

    def entry(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "model": name,
            "modified_at": CREATED,
            "size": 98363334,
            "digest": "6e5e2797757c2969ad8635f854e8a535bf6003bfb8971642764dbd7c02aae40e",
            "details": DETAILS,
        }

    def running(self, name: str) -> dict[str, Any]:
        kept = {key: value for key, value in self.entry(name).items() if key != "modified_at"}
        length = self.scripts[name].context_length
        return {**kept, "expires_at": CREATED, "size_vram": 0, "context_length": length}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: ClassVar[OllamaServer]

    def setup(self) -> None:
        super().setup()
        with self.state.lock:
            self.state.open_connections += 1

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            with self.state.lock:
                self.state.open_connections -= 1

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        state = self.state
        if self.path == "/":
            return self._send(200, b"Ollama is running", "text/plain; charset=utf-8")
        if self.path == "/api/version":
            return self._json(200, {"version": VERSION})
        if self.path == "/api/tags":
            return self._json(200, {"models": [state.entry(name) for name in state.scripts]})
        if self.path == "/api/ps":
            return self._json(200, {"models": [state.running(name) for name in sorted(state.loaded)]})
        return self._send(404, b"404 page not found", "text/plain")

    def do_POST(self) -> None:
        try:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        except ValueError:
            return self._json(400, {"error": "unexpected EOF"})
        name = body.get("model", "")
        name = name if name in self.state.scripts or ":" in name else f"{name}:latest"
        if self.path == "/v1/chat/completions":
            return self._openai(body)
        if not body.get("model"):
            return self._json(400, {"error": "model is required"})
        if self.path == "/api/show":
            return self._show(name, body)
        if self.path not in {"/api/chat", "/api/generate"}:
            return self._send(404, b"404 page not found", "text/plain")
        with self.state.lock:
            self.state.requests.append(body)
            self.state.headers.append(dict(self.headers.items()))
        if name not in self.state.scripts:
            return self._json(404, {"error": f"model '{body.get('model')}' not found"})
        with self._slot(name):
            return self._answer(name, body)

    @contextmanager
    def _slot(self, name: str) -> Iterator[None]:
        state = self.state
        with state.lock:
            state.active[name] = state.active.get(name, 0) + 1
            state.peak[name] = max(state.peak.get(name, 0), state.active[name])
        try:
            yield
        finally:
            with state.lock:
                state.active[name] -= 1

    def _openai(self, body: Mapping[str, Any]) -> None:
        """Ollama's OpenAI-compatible endpoint, which other providers' clients can be pointed at."""
        if body["model"] not in self.state.scripts and body["model"] != "mistral-small-latest":
            told = f"model '{body['model']}' not found"
            error = {"message": told, "type": "not_found_error", "param": None, "code": None}
            return self._json(404, {"error": error}, "application/json")
        choice = {"index": 0, "message": {"role": "assistant", "content": "An answer."}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 26, "completion_tokens": 3, "total_tokens": 29}
        head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1795390382, "model": body["model"]}
        content = {**head, "system_fingerprint": "fp_ollama", "choices": [choice], "usage": usage}
        return self._json(200, content, "application/json")

    def _show(self, name: str, body: Mapping[str, Any]) -> None:
        if name not in self.state.scripts:
            return self._json(404, {"error": f"model '{body.get('model')}' not found"})
        info = {"general.architecture": "llama", "llama.context_length": 8192}
        return self._json(200, {"details": DETAILS, "model_info": info, "capabilities": ["completion"]})

    def _answer(self, name: str, body: Mapping[str, Any]) -> None:
        script = self.state.scripts[name]
        with self.state.lock:
            fault = script.next_fault()
        if fault == "busy":
            text = "server busy, please try again.  maximum pending requests exceeded"
            return self._json(503, {"error": text})
        if fault == "broken":
            return self._json(500, {"error": "an error was encountered while running the model: unexpected EOF"})
        if fault == "reset":
            return self._reset()
        if fault == "hang":
            return self._wait_for_the_caller_to_go()
        if fault == "error_body":
            return self._json(200, {"error": "unexpected server status: llm server loading model"})
        if fault == "malformed":
            return self._send(200, b"<html>gateway</html>", "text/html")
        if body.get("messages") == []:
            self.state.loaded.add(name)
            said = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "load"}
            return self._json(200, {"model": body["model"], "created_at": CREATED, **said})
        prompt = body.get("prompt") or " ".join(message["content"] for message in body.get("messages", []))
        window = (body.get("options") or {}).get("num_ctx") or script.context_length
        tokens = len(prompt.split())
        if tokens > window and body.get("truncate") is False:
            return self._json(400, {"error": "the input length exceeds the context length"})
        time.sleep(script.delay_s)
        self.state.loaded.add(name)
        return self._reply(body, script, "\n " if fault == "empty" else script.answer, min(tokens, window))

    def _reply(self, body: Mapping[str, Any], script: Script, answer: str, tokens: int) -> None:
        def part(text: str) -> dict[str, Any]:
            said: dict[str, Any]
            if self.path == "/api/generate":
                said = {"response": text}
            else:
                said = {"message": {"role": "assistant", "content": text, **(script.message or {})}}
            return {"model": body["model"], "created_at": CREATED, **said}

        end: dict[str, Any] = {"done": True, "done_reason": script.done_reason}
        if self.path == "/api/generate":
            end["context"] = [1, 2]
        if script.counts:
            end |= {
                "total_duration": 400_000_000 + int(script.delay_s * 1e9),
                "load_duration": 80_000_000,
                "prompt_eval_count": tokens,
                "prompt_eval_duration": 130_000_000,
                "eval_count": max(1, len(answer.split())),
                "eval_duration": 150_000_000 + int(script.delay_s * 1e9),
            }
        if body.get("stream", True):
            pieces = [json.dumps(part(piece) | {"done": False}) for piece in answer.split(" ")]
            lines = "\n".join([*pieces, json.dumps(part("") | end)]) + "\n"
            return self._send(200, lines.encode(), "application/x-ndjson")
        return self._json(200, part(answer) | end)

    def _wait_for_the_caller_to_go(self) -> None:
        self.close_connection = True
        while not self.state.closing.wait(0.01):
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return

    def _reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def _json(self, status: int, content: Mapping[str, Any], kind: str = "application/json; charset=utf-8") -> None:
        self._send(status, json.dumps(content, separators=(",", ":")).encode(), kind)

    def _send(self, status: int, body: bytes, kind: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError, ValueError):
            self.close_connection = True


@contextmanager
def ollama_server(**scripts: Script) -> Iterator[OllamaServer]:
    """Run the server for as long as the block lasts; each keyword is a model, pulled with the tag ``latest``."""
    with OllamaServer({f"{name}:latest": script for name, script in scripts.items()}).running_on_loopback() as server:
        yield server
