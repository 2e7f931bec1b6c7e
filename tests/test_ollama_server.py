"""The loopback server answers as a real Ollama server was seen to answer."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ollama_server import OllamaServer, Script

GOLDEN = json.loads((Path(__file__).parent / "golden" / "ollama.json").read_text("utf-8"))
OVERFLOW = 5000


def shape(value: Any) -> Any:
    """Keys in their order, and the type of what is behind them."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return type(value).__name__


def parsed(response: httpx.Response) -> Any:
    kind = response.headers["content-type"]
    if "ndjson" in kind:
        lines = [json.loads(line) for line in response.text.splitlines()]
        return [lines[0], lines[-1]]
    return response.json() if "json" in kind else response.text


@pytest.mark.parametrize("seen", GOLDEN["exchanges"], ids=lambda seen: seen["name"])
def test_the_loopback_server_answers_as_the_real_one(seen: dict[str, Any]) -> None:
    names = ("smollm2:135m", "qwen2.5-coder:0.5b")
    faults = {"busy": Script(busy=1), "broken": Script(broken=1)}
    scripts = {name: faults.get(seen["fault"], Script()) for name in names}
    with OllamaServer(scripts).running_on_loopback() as server:
        if seen["name"] == "get-ps-one-loaded":
            server.loaded.add(names[1])
        sent = seen["sent"]
        if "too-long" in seen["name"]:
            sent["messages"][0]["content"] = "word " * OVERFLOW
        method = "GET" if sent is None else "POST"
        response = httpx.request(method, server.base_url + seen["path"], json=sent)
    assert (response.status_code, response.headers["content-type"]) == (seen["status"], seen["content_type"])
    answer = parsed(response)
    if response.status_code == 200 and not isinstance(answer, str):
        assert shape(answer) == shape(seen["answer"])
    else:
        assert answer == seen["answer"]
