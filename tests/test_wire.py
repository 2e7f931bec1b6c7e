"""Whatever bytes a server answers with: a right answer, or a failure that says what came and leaves nothing behind."""

import asyncio
import gzip
import json
import resource
import time
from typing import Any

import pytest

import multillm as ml
from multillm.client.transport import CALL
from tests.canned import canned, http
from tests.contracts import Heard, ask, streamed
from tests.faults import warm_up
from tests.pools import small_pool

WAYS = [(provider, stream) for provider in ("ollama_chat", "openai") for stream in (False, True)]
END = {"done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 2}
JSON = "Content-Type: application/json"
MESSAGE = {"role": "assistant", "content": "Right."}


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    asyncio.run(warm_up())


def client_of(base_url: str, provider: str = "ollama_chat") -> ml.ModelClient:
    pool = small_pool("light", calls={"timeout_s": 10})
    params = {"api_base": base_url + ("/v1" if provider == "openai" else ""), "api_key": "none"}
    deployment = ml.Deployment("light", f"{provider}/light", params, local=True)
    return ml.ModelClient([deployment], pool.registry, pool.calls)


async def answered(answer: bytes, provider: str, stream: bool) -> ml.Completion | ml.CompletionError:
    """What the client makes of an answer; it is asked for once, and everything is closed."""
    heard = Heard(wants_text=stream)
    async with canned(answer) as server:
        client = client_of(server.base_url, provider)
        [done] = await asyncio.gather(streamed(client, ask("light"), heard), return_exceptions=True)
        await client.aclose()
        assert len(server.asked) == 1
    assert not [task for task in asyncio.all_tasks() if task.get_name() == CALL]
    if isinstance(done, ml.CompletionError):
        assert not {"\n", "Traceback"} & {*str(done), *str(done).split()}
        return done
    assert isinstance(done, ml.Completion)
    assert not stream or "".join(heard.pieces) == done.text
    return done


@pytest.mark.parametrize(("provider", "stream"), WAYS)
async def test_a_request_counts_even_where_litellm_fails_to_tell_of_it(
    monkeypatch: pytest.MonkeyPatch, provider: str, stream: bool
) -> None:
    from litellm.litellm_core_utils.litellm_logging import Logging

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the log is full")

    monkeypatch.setattr(Logging, "_pre_call", fails)
    error = await answered(http("{}", "500 Internal Server Error", JSON), provider, stream)
    assert isinstance(error, ml.CompletionError)
    assert len(error.attempts) == 1


# No answer of a model at all

PAGE = "<html><head><title>502 Bad Gateway</title></head><body><hr>nginx</body></html>"
CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "disconnected"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "Bad status line"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "disconnected"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "received 0 of 99 bytes"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"model":', "received 9 of 99 bytes"),
        (f"{CHUNKED}9\r\n{{".encode(), "Not enough data"),
        (f"{CHUNKED}zz\r\n{{".encode(), "Invalid character in chunk size"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", "more than 8190 bytes"),
        (http(PAGE, "502 Bad Gateway", "Content-Type: text/html"), "HTTP 502, 502 Bad Gateway nginx"),
        (http("<html>sign in</html>", "401 Unauthorized"), "HTTP 401, sign in"),
        (http("{}", "418 I'm a teapot", JSON), "HTTP 418, without a word"),
        (http("", "503 Service Unavailable"), "HTTP 503, without a word"),
        (http("", "307 Temporary Redirect", "Location: /elsewhere"), "sends the request on to /elsewhere"),
        (http(gzip.compress(b"{}"), "200 OK", JSON, "Content-Encoding: gzip"), r"compressed \(gzip\)"),
        (http("[" * 200_000, "200 OK", JSON), "recursion|before its end"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
async def test_what_is_no_answer_of_a_model_is_told_for_what_it_is(answer: bytes, told: str) -> None:
    for provider, stream in WAYS:
        error = await answered(answer, provider, stream)
        assert isinstance(error, ml.CompletionError)
        assert error.attempts[0].error
        with pytest.raises(ml.CompletionError, match=told):
            raise error


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_a_prompt_is_not_sent_on_to_another_host(status: str) -> None:
    whole = http(json.dumps({"model": "light", "message": MESSAGE, **END}), "200 OK", JSON)
    async with canned(whole, "127.0.0.2") as other:
        place = f"http://127.0.0.2:{other.port}/api/chat"
        for provider, stream in WAYS:
            error = await answered(http("", status, f"Location: {place}"), provider, stream)
            assert isinstance(error, ml.CompletionError)
            assert place in str(error)
    assert not other.asked


async def test_an_answer_that_grows_when_unpacked_takes_neither_time_nor_memory() -> None:
    bomb = gzip.compress(gzip.compress(bytes(400_000_000), 1), 1)
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    for provider, stream in WAYS:
        error = await answered(http(bomb, "200 OK", JSON, "Content-Encoding: gzip, gzip"), provider, stream)
        assert isinstance(error, ml.CompletionError)
    assert time.perf_counter() - started < 3.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


# JSON that is no answer


def whole(provider: str, message: Any = MESSAGE, **rest: Any) -> bytes:
    content = (
        {"model": "light", "message": message, **END, **rest}
        if provider == "ollama_chat"
        else {
            "id": "1", "object": "chat.completion", "created": 1, "model": "light",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}, **rest,
        }
    )  # fmt: skip
    return http(json.dumps(content), "200 OK", JSON)


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("provider", ["ollama_chat", "openai"])
@pytest.mark.parametrize(
    "message",
    [None, "Right.", [], {"content": 5}, {"content": ["Right."]}, {"content": {"text": "Right."}}, {"content": None}],
    ids=str,
)
async def test_a_message_of_another_shape_is_no_answer(provider: str, message: Any) -> None:
    assert isinstance(await answered(whole(provider, message), provider, False), ml.CompletionError)


@pytest.mark.parametrize("choices", [[], None, [None]])
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
async def test_an_answer_without_a_choice_is_a_failed_attempt(choices: Any) -> None:
    assert isinstance(await answered(whole("openai", choices=choices), "openai", False), ml.CompletionError)


@pytest.mark.parametrize("provider", ["ollama_chat", "openai"])
@pytest.mark.parametrize("rest", [{"thinking": "Hm."}, {"reasoning_content": "Hm."}, {"tool_calls": True}], ids=str)
async def test_thoughts_and_tool_calls_alone_are_no_answer(provider: str, rest: dict[str, Any]) -> None:
    function = {"name": "f", "arguments": "{}" if provider == "openai" else {}}
    calls = [{"id": "1", "type": "function", "function": function}]
    message = {"role": "assistant", "content": "", **(rest if "tool_calls" not in rest else {"tool_calls": calls})}
    assert isinstance(await answered(whole(provider, message), provider, False), ml.EmptyCompletion)


@pytest.mark.parametrize("provider", ["ollama_chat", "openai"])
@pytest.mark.parametrize(("read", "written"), [(-3, 2), (3, -2), (0, 0), (3, 10**12), (10**12, 2), (3, 10**30)])
async def test_counts_that_cannot_be_are_not_believed(provider: str, read: int, written: int) -> None:
    counts: dict[str, Any] = (
        {"prompt_eval_count": read, "eval_count": written}
        if provider == "ollama_chat"
        else {"usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}}
    )
    done = await answered(whole(provider, **counts), provider, False)
    assert isinstance(done, ml.Completion)
    assert not done.tokens_measured
    assert 0 < done.input_tokens + done.output_tokens < 10


# Streams


def lines(*texts: str, end: bool = True) -> str:
    said = [{"message": {"role": "assistant", "content": text}, "done": False} for text in texts]
    closing = [{"message": {"role": "assistant", "content": ""}, **END}] if end else []
    return "".join(
        json.dumps({"model": "light", "created_at": "2026-01-01T00:00:00Z", **each}) + "\n" for each in said + closing
    )


def events(*texts: str, reason: str | None = "stop", done: bool = True, index: int = 0) -> str:
    deltas: list[tuple[dict[str, str], str | None]] = [({"content": text}, None) for text in texts]
    if reason:
        deltas.append(({}, reason))
    head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "light"}
    chunks = [{**head, "choices": [{"index": index, "delta": d, "finish_reason": r}]} for d, r in deltas]
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + ("data: [DONE]\n\n" if done else "")


@pytest.mark.parametrize(
    ("provider", "stream", "text"),
    [
        ("ollama_chat", lines("He", "llo"), "Hello"),
        ("ollama_chat", "\n\n" + lines("He", "llo").replace("\n", "\r\n\r\n"), "Hello"),
        ("ollama_chat", lines('{"done": true}\n', "Hello"), '{"done": true}\nHello'),
        ("openai", events("He", "llo"), "Hello"),
        ("openai", ": ping\n\n" + events("He", "llo").replace("\n\n", "\r\n\r\n: ping\r\n\r\n"), "Hello"),
        ("openai", events("He", "llo").replace("data: ", "data:"), "Hello"),
        ("openai", events("He", "llo", done=False), "Hello"),
        ("openai", events("He", "llo", reason=None), "Hello"),
        (
            "openai",
            events("He", reason=None, done=False) + events("x", index=1, reason=None, done=False) + events("llo"),
            "Hello",
        ),
        ("openai", events("Hello") + events(" again"), "Hello"),
    ],
)
async def test_a_stream_that_comes_to_its_end_is_the_answer(provider: str, stream: str, text: str) -> None:
    done = await answered(http(stream), provider, True)
    assert isinstance(done, ml.Completion)
    assert done.text == text


@pytest.mark.parametrize(
    ("provider", "stream", "told"),
    [
        ("ollama_chat", "", "stops before its end"),
        ("ollama_chat", lines("He", "llo", end=False), "stops before its end"),
        ("ollama_chat", lines('{"done": true}\n', end=False), "stops before its end"),
        ("ollama_chat", lines("He") + lines("llo", end=False), "goes on after the end"),
        ("ollama_chat", lines("Hello") + lines("Hello"), "goes on after the end"),
        ("ollama_chat", lines("He", end=False) + '{"error": "out of memory"}\n' + lines("llo"), "out of memory"),
        ("openai", "", "stops before its end"),
        ("openai", events("He", reason=None, done=False), "stops before its end"),
        ("openai", events("data: [DONE]\n\n", reason=None, done=False), "stops before its end"),
        ("openai", events("He", done=False) + events("llo"), "goes on after the end"),
        (
            "openai",
            events("He", reason=None, done=False) + 'data: {"error": {"message": "out of memory"}}\n\n',
            "out of memory",
        ),
    ],
)
async def test_a_stream_without_its_end_or_beyond_it_is_a_failed_attempt(provider: str, stream: str, told: str) -> None:
    error = await answered(http(stream), provider, True)
    assert isinstance(error, ml.CompletionError)
    with pytest.raises(ml.CompletionError, match=told):
        raise error


# Addresses


async def test_an_address_of_ipv6_is_called() -> None:
    body = whole("ollama_chat")
    try:
        async with canned(body, "::1") as server:
            client = client_of(f"http://[::1]:{server.port}")
            assert (await client.complete(ask("light"))).text == "Right."
            await client.aclose()
    except OSError:
        pytest.skip("this machine has no IPv6")


@pytest.mark.parametrize("provider", ["ollama_chat", "openai"])
@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://nobody.invalid:11434", "Cannot connect to host nobody.invalid:11434"),
        ("http://127.0.0.1:9", "Cannot connect to host 127.0.0.1:9"),
        ("http://127.0.0.1:99999", "Port out of range"),
        ("127.0.0.1:11434", "to mend it"),
        ("ftp://127.0.0.1", "to mend it"),
        ("http://", "to mend it"),
    ],
)
async def test_an_address_where_nobody_is_is_named(provider: str, address: str, told: str) -> None:
    client = client_of(address, provider)
    with pytest.raises(ml.CompletionError, match=told):
        await client.complete(ask("light"))
    await client.aclose()
