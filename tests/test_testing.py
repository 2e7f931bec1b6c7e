"""The misbehaving server answers as a real Ollama server was seen to answer, and fails as it is told to."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, strategies as st

import multillm as ml
from multillm.testing import Fault, FaultServer, Script
from multillm.testing.script import tokens
from tests.faults import busy

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
    faults = {"busy": Script(faults=[Fault.BUSY]), "broken": Script(faults=[Fault.BROKEN])}
    scripts = {name: faults.get(seen["fault"], Script()) for name in names}
    with FaultServer(scripts) as server:
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


ANSWER = "Of many words, one after the other."
AT_ONCE = {
    Fault.NOT_FOUND: 404,
    Fault.TIMEOUT: 408,
    Fault.RATE_LIMITED: 429,
    Fault.BROKEN: 500,
    Fault.BUSY: 503,
    Fault.OVERFLOW: 400,
    Fault.ERROR_BODY: 200,
    Fault.EMPTY: 200,
    Fault.MALFORMED: 200,
    Fault.TRUNCATED: 200,
    Fault.WRONG_TYPE: 200,
    Fault.HUGE: 200,
}
RAISED: dict[Fault, type[Exception]] = {
    Fault.HANG: httpx.ReadTimeout,
    Fault.RESET: httpx.ReadError,
    Fault.CUT: httpx.ReadError,
    Fault.DIE: httpx.RemoteProtocolError,
}
PATHS = ["/api/chat", "/api/generate", "/v1/chat/completions"]


def post(server: FaultServer, path: str, *, timeout_s: float = 10.0) -> httpx.Response:
    said = {"messages": [{"role": "user", "content": "Say it."}], "prompt": "Say it."}
    return httpx.post(server.base_url + path, json={"model": "light", "stream": False, **said}, timeout=timeout_s)


def answer_in(content: dict[str, Any]) -> str:
    if "choices" in content:
        return str(content["choices"][0]["message"]["content"])
    return str(content["response"] if "response" in content else content["message"]["content"])


def read(server: FaultServer, path: str, silence_s: float) -> tuple[str, Exception | None]:
    """What comes of a streamed answer within three times that silence, and the error that ends it, if one does."""
    came, end = b"", time.monotonic() + 3 * silence_s
    body = {"model": "light", "stream": True, "messages": [{"role": "user", "content": "Say it."}]}
    try:
        with httpx.stream("POST", server.base_url + path, json=body, timeout=silence_s) as response:
            for chunk in response.iter_raw():
                came += chunk
                if time.monotonic() > end:
                    break
    except httpx.HTTPError as error:
        return came.decode(), error
    return came.decode(), None


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("fault", AT_ONCE)
def test_a_fault_that_is_answered_comes_once_and_then_the_answer(fault: Fault, path: str) -> None:
    with FaultServer({"light": Script(answer=ANSWER, faults=[fault], huge_bytes=100_000)}) as server:
        first, second = post(server, path), post(server, path)
    assert first.status_code == AT_ONCE[fault]
    assert answer_in(second.json()) == ANSWER
    assert server.played == {("light:latest", fault): 1, ("light:latest", None): 1}
    if first.status_code >= 400:
        assert "error" in first.json()
        assert ("retry-after" in first.headers) == (fault is Fault.RATE_LIMITED)
    elif fault in {Fault.MALFORMED, Fault.TRUNCATED}:
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            first.json()
    elif fault is not Fault.ERROR_BODY:
        assert (answer_in(first.json()) == ANSWER) == (fault is Fault.WRONG_TYPE)
        assert ("html" in first.headers["content-type"]) == (fault is Fault.WRONG_TYPE)
    assert (len(first.content) > 99_000) == (fault is Fault.HUGE)


@pytest.mark.parametrize("fault", RAISED)
def test_a_fault_of_the_connection_is_seen_as_one(fault: Fault) -> None:
    with FaultServer({"light": Script(faults=[fault], down_s=60)}) as server, pytest.raises(RAISED[fault]):
        post(server, "/api/chat", timeout_s=0.5)


def test_a_server_that_died_refuses_and_comes_back_on_its_port() -> None:
    with FaultServer({"light": Script(faults=[Fault.DIE], down_s=0.3)}) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            post(server, "/api/chat")
        with pytest.raises(httpx.ConnectError):
            post(server, "/api/chat")
        time.sleep(0.4)
        assert post(server, "/api/chat").status_code == 200
        server.stop()
        with pytest.raises(httpx.ConnectError):
            post(server, "/api/chat")
        server.start()
        assert post(server, "/api/chat").status_code == 200


@pytest.mark.parametrize("fault", [Fault.DRIP, Fault.ENDLESS])
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_does_not_end_keeps_sending(fault: Fault, stream: bool) -> None:
    with FaultServer({"light": Script(faults=[fault] * 2, drip_s=0.01)}) as server:
        body = {"model": "light", "stream": stream, "messages": [{"role": "user", "content": "Say it."}]}
        came, end = 0, time.monotonic() + 0.2 * busy()
        with httpx.stream("POST", f"{server.base_url}/api/chat", json=body, timeout=0.1 * busy()) as response:
            for chunk in response.iter_raw():
                came += len(chunk)
                if time.monotonic() > end:
                    break
            else:
                pytest.fail("the answer ended")
        assert came > (5 if fault is Fault.DRIP else 1000)
        assert server.wait_until_unconnected()


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
@pytest.mark.parametrize("fault", sorted(set(Fault) - {Fault.WRONG_TYPE, Fault.HUGE, Fault.EMPTY}))
def test_a_stream_breaks_after_as_many_tokens_as_the_script_says(fault: Fault, path: str) -> None:
    script = Script(answer=ANSWER, faults=[fault], after_tokens=3, drip_s=0.2 * busy(), down_s=60)
    with FaultServer({"light": script}) as server:
        came, error = read(server, path, silence_s=0.1 * busy())
    for word in ("Of", " many", " words,"):
        assert json.dumps(word) in came
    assert '" one"' not in came
    assert "[DONE]" not in came
    assert '"done":true' not in came
    assert error is not None or fault in set(AT_ONCE) | {Fault.ENDLESS}


def test_one_slot_makes_a_line_and_a_full_line_is_busy() -> None:
    script = Script(slots=1, queue=2, prompt_s=0.3)
    with FaultServer({"light": script}) as server, ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: post(server, "/api/chat", timeout_s=5), range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 503, 503]
    took = sorted(answer.json()["total_duration"] for answer in answers if answer.status_code == 200)
    assert took[0] < 0.59e9 < took[2]


def test_a_model_is_loaded_once_and_its_loading_is_told() -> None:
    with FaultServer({"light": Script(load_s=0.1)}) as server:
        first, second = (post(server, "/api/chat").json()["load_duration"] for _ in range(2))
        assert server.loaded == {"light:latest"}
    assert (first, second) == (100_000_000, 1)


def test_random_faults_repeat_with_the_seed_and_keep_their_rates() -> None:
    rates = {Fault.BUSY: 0.15, Fault.RESET: 0.05}
    drawn = [[Script(rates=rates).next_fault(rng) for _ in range(4000)] for rng in map(random.Random, (1, 1, 2))]
    assert drawn[0] == drawn[1] != drawn[2]
    counts = Counter(drawn[0])
    assert counts[Fault.BUSY] / 4000 == pytest.approx(0.15, abs=0.03)
    assert counts[Fault.RESET] / 4000 == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize("rates", [{Fault.BUSY: -0.1}, {Fault.BUSY: 0.7, Fault.HANG: 0.4}])
def test_rates_that_are_no_probabilities_are_refused(rates: dict[Fault, float]) -> None:
    with pytest.raises(ml.ConfigurationError, match="at most 1"):
        Script(rates=rates)


@given(st.text())
def test_tokens_put_together_are_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text


def test_importing_multillm_does_not_load_the_server() -> None:
    probe = "import sys, multillm; sys.exit('multillm.testing' in sys.modules or 'aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
