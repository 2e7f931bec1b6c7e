"""From an exception to one safe line."""

import pytest
from hypothesis import given, strategies as st

import multillm as ml
from multillm.client.failures import Redactor, failure_of, one_line


@given(st.text(), st.text(alphabet=st.characters(categories=("L", "N")), min_size=6))
def test_a_known_key_never_survives(text: str, key: str) -> None:
    assert key not in one_line(f"{text} {key} {text}", Redactor([key]))


@pytest.mark.parametrize(
    "text",
    [
        "wrong key sk-abcdef123456",
        "header Authorization: Bearer abcdef123456",
        "GET http://host/?api_key=abcdef123456&x=1",
        "no route to http://user:abcdef123456@host:1/",
    ],
)
def test_what_looks_like_a_key_is_taken_out(text: str) -> None:
    told = one_line(text, Redactor())
    assert "abcdef123456" not in told
    assert "***" in told


@given(st.text())
def test_a_failure_is_one_short_line(text: str) -> None:
    told = one_line(text, Redactor())
    assert len(told) <= 240
    assert len(told.splitlines()) <= 1


def test_the_servers_own_words_are_kept_and_the_wrapping_dropped() -> None:
    wrapped = (
        "litellm.ServiceUnavailableError: Ollama_chatException - "
        '{"error":"server busy"} LiteLLM Retried: 2 times, LiteLLM Max Retries: 2'
    )
    assert one_line(wrapped, Redactor()) == "server busy"


def test_an_error_in_the_answer_says_more_than_the_exception() -> None:
    failure = failure_of(TypeError("not a mapping"), Redactor(), '{"error": {"message": "model is loading"}}')
    assert (failure.kind, failure.text) == (ml.CompletionError, "model is loading")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "1e300"}, 3600.0),
        ({"retry-after": "31536000"}, 3600.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
        ({"retry-after": "Wed, 25 Nov 2026 10:00:30 GMT", "date": "Wed, 25 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 25 Nov 2026 10:00:00 GMT", "date": "Wed, 25 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "Wed, 25 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "Wed, 25 Nov 2026 10:00:30 -0000", "date": "Wed, 25 Nov 2026 10:00:00 GMT"}, None),
    ],
)
def test_a_pause_is_read_whichever_way_a_server_tells_it(headers: dict[str, str], seconds: float | None) -> None:
    error = type("RateLimitError", (Exception,), {"litellm_response_headers": headers})("slow down")
    assert failure_of(error, Redactor()).retry_after_s == seconds


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        ("<html><h1>502 Bad Gateway</h1><hr>nginx</html>", 502, "HTTP 502, 502 Bad Gateway nginx"),
        ("<html><script>alert('x')", 200, "HTTP 200, alert('x')"),
        ("{ }", 418, "HTTP 418, without a word"),
        ("", 503, "HTTP 503, without a word"),
        ("", None, "ValueError"),
        ("server busy", 503, "server busy"),
    ],
)
def test_where_a_server_says_too_little_its_status_is_told(text: str, status: int | None, told: str) -> None:
    assert failure_of(ValueError(text), Redactor(), status=status).text == told


def test_a_path_of_this_machine_is_no_part_of_what_happened() -> None:
    text = 'Invalid response object Traceback (most recent call last): File "/home/me/site-packages/x.py", line 3'
    assert one_line(text, Redactor()) == "Invalid response object"


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("Timeout", "took too long", ml.CompletionTimeout),
        ("APITimeoutError", "took too long", ml.CompletionTimeout),
        ("ContextWindowExceededError", "too long", ml.ContextOverflow),
        ("BadRequestError", "the input length exceeds the context length", ml.ContextOverflow),
        ("BadRequestError", "temperature must be a number", ml.CompletionError),
        ("InternalServerError", "the context length is 3", ml.CompletionError),
    ],
)
def test_each_failure_has_its_kind(name: str, text: str, kind: type[ml.CompletionError]) -> None:
    error = type(name, (Exception,), {})(text)
    assert failure_of(error, Redactor()).kind is kind
