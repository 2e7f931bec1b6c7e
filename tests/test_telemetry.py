"""What a run tells: spans, log records, and one id from prompt to feedback row."""

import asyncio
import gzip
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import multillm as ml
from multillm import testing
from tests.pools import small_pool
from tests.scripted import Script, ScriptedBackend, echo

TWO = "Explain what a mutex is AND implement a spinlock in C."
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Spans that ended while a tracer provider was set up."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter
    provider.shutdown()


def handled(script: Script = echo) -> tuple[ml.RunResult, ml.FeedbackStore]:
    store = ml.FeedbackStore(":memory:")
    return ml.Orchestrator(backend=ScriptedBackend(script), store=store).handle_sync(TWO), store


def failing(request: ml.CompletionRequest) -> tuple[float, str | Exception]:
    tried = [ml.Attempt(request.label, "ollama_chat/x", "out of memory")]
    return 0.0, ml.CompletionTimeout("no answer in time", label=request.label, attempts=tried)


def named(spans: InMemorySpanExporter) -> dict[str, list[ReadableSpan]]:
    found: dict[str, list[ReadableSpan]] = {}
    for one in spans.get_finished_spans():
        found.setdefault(one.name, []).append(one)
    return found


# Spans


def test_a_run_is_one_trace_from_prompt_to_merged_answer(heard: InMemorySpanExporter) -> None:
    result, store = handled()
    spans = named(heard)
    counts = {name: len(found) for name, found in spans.items()}
    assert counts == {
        "multillm run": 1, "multillm split": 1, "multillm classify": 2, "multillm route": 2,
        "chat model::light": 1, "chat model::balanced": 1, "multillm merge": 1,
    }  # fmt: skip
    [run] = spans["multillm run"]
    assert {one.context.trace_id for found in spans.values() for one in found if one.context} == {run.context.trace_id}
    inner = [one for found in spans.values() for one in found if one is not run]
    assert all(one.parent and one.parent.span_id == run.context.span_id for one in inner)
    told = [dict(one.attributes or {})["multillm.run_id"] for one in [run, *inner]]
    assert set(told) == {result.run_id} == set(store.frame()["run_id"])


def test_a_call_is_told_by_the_conventions_for_generative_ai(heard: InMemorySpanExporter) -> None:
    result, _ = handled()
    [call] = named(heard)["chat model::balanced"]
    asked = result.results[1].decision.max_output_tokens
    assert call.kind is trace.SpanKind.CLIENT
    assert dict(call.attributes or {}) == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "scripted",
        "gen_ai.request.model": "model::balanced", "gen_ai.request.max_tokens": asked,
        "gen_ai.request.temperature": 0.3, "gen_ai.request.seed": 2026,
        "gen_ai.response.model": "scripted/model::balanced",
        "gen_ai.response.finish_reasons": ("stop",), "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 10,
        "multillm.run_id": result.run_id, "multillm.subtask_index": 1, "multillm.served_label": "model::balanced",
        "multillm.cost_units": 0.01, "multillm.replayed": False,
    }  # fmt: skip


def test_a_failed_call_is_marked_with_its_error_and_its_attempts(heard: InMemorySpanExporter) -> None:
    handled(failing)
    spans = named(heard)
    [call] = spans["chat model::light"]
    assert call.status.status_code is StatusCode.ERROR
    assert (call.attributes or {})["error.type"] == "CompletionTimeout"
    [attempt] = call.events
    assert dict(attempt.attributes or {}) == {
        "gen_ai.response.model": "ollama_chat/x",
        "multillm.error": "out of memory",
    }
    assert (spans["multillm run"][0].attributes or {})["multillm.failed"] == 2


def test_a_run_that_cannot_be_is_marked_as_failed(heard: InMemorySpanExporter) -> None:
    with pytest.raises(ml.InputError):
        ml.Orchestrator(backend=ScriptedBackend(echo), store=None).handle_sync(" ")
    [run] = named(heard)["multillm run"]
    assert (run.attributes or {})["error.type"] == "InputError"


@pytest.mark.parametrize(("asked", "told"), [("", False), ("no_content", False), ("true", True), ("SPAN_ONLY", True)])
def test_prompts_and_answers_are_told_only_if_asked_for(
    heard: InMemorySpanExporter,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
    told: bool,
) -> None:
    monkeypatch.setenv(CONTENT, asked)
    with caplog.at_level(logging.DEBUG, "multillm"):
        handled()
    everything = "".join(one.to_json() for one in heard.get_finished_spans())
    records = "".join(str(vars(record)) for record in caplog.records if record.name == "multillm")
    for text in ("mutex", "spinlock", "Answer to"):
        assert (text in everything) is told
        assert (text in records) is told
    if told:
        [call] = named(heard)["chat model::light"]
        [message] = json.loads(str((call.attributes or {})["gen_ai.output.messages"]))
        assert message["parts"][0]["content"].startswith("Answer to:")


def test_concurrent_runs_do_not_mix_up_their_ids(heard: InMemorySpanExporter) -> None:
    async def both() -> list[ml.RunResult]:
        orchestrator = ml.Orchestrator(backend=ScriptedBackend(lambda _: (0.02, "done")), store=None)
        return await asyncio.gather(*(orchestrator.handle(TWO) for _ in range(5)))

    results = asyncio.run(both())
    calls = [one for name, found in named(heard).items() if name.startswith("chat") for one in found]
    ids = [(one.attributes or {})["multillm.run_id"] for one in calls]
    assert sorted(map(str, ids)) == sorted(2 * [result.run_id for result in results])


def test_nothing_is_imported_and_nothing_is_told_where_nobody_listens() -> None:
    code = (
        "import sys, multillm as ml; from multillm.telemetry import span\n"
        "ml.Orchestrator(store=None).plan('What is a mutex?')\n"
        "with span('x') as told: print(told.heard, 'opentelemetry.trace' in sys.modules)\n"
        "import opentelemetry.trace\n"
        "with span('x') as told: print(told.heard)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "False"]


# A collector


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """What takes OTLP over HTTP, on loopback: its address, and what it was sent."""
    sent: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sent.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", sent
        server.shutdown()
        thread.join()


def test_a_collector_is_sent_the_spans_of_a_run_with_the_id_of_its_rows(
    collector: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, sent = collector
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(address)))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    result, store = handled()
    provider.shutdown()
    spans = [
        one
        for body in sent
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for one in scope.spans
    ]
    assert {"multillm run", "multillm split", "multillm classify", "multillm route", "multillm merge"} < {
        one.name for one in spans
    }
    assert len({one.trace_id for one in spans}) == 1
    ids = {field.value.string_value for one in spans for field in one.attributes if field.key == "multillm.run_id"}
    assert ids == {result.run_id} == set(store.frame()["run_id"])


# Log records


def test_a_run_is_logged_with_the_figures_of_its_rows(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "multillm"):
        result, store = handled()
    messages = [record.getMessage().split(" run_id=")[0] for record in caplog.records if record.name == "multillm"]
    assert messages[-1] == "run ended"
    assert messages.count("sub-task running") == messages.count("sub-task answered") == 2
    rows = store.frame().set_index("subtask_index")
    for record in caplog.records:
        fields = vars(record)
        assert fields["run_id"] == result.run_id
        if record.getMessage().startswith("sub-task answered"):
            row = rows.loc[fields["subtask_index"]]
            for name in ("asked_label", "served_label", "served_model", "task_type", "output_tokens", "latency_s"):
                assert fields[name] == row[name]


def test_what_went_wrong_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    handled(failing)
    assert [(r.levelname, vars(r)["error_type"]) for r in caplog.records] == [("WARNING", "CompletionTimeout")] * 2


def test_a_library_that_is_not_asked_prints_nothing() -> None:
    code = (
        "import multillm as ml; from tests.scripted import ScriptedBackend\n"
        "fail = lambda r: (0.0, ml.CompletionTimeout('no answer', label=r.label))\n"
        "print(ml.Orchestrator(backend=ScriptedBackend(fail), store=None).handle_sync('What is a mutex?').failed != ())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True\n", "")


# LiteLLM's callbacks


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_id_of_the_run_reaches_litellm_s_callbacks_for_every_attempt_and_the_feedback_row(
    monkeypatch: pytest.MonkeyPatch, streamed: bool
) -> None:
    await ml.ModelClient.prepare()
    import litellm
    from litellm.integrations.custom_logger import CustomLogger

    class Seen(CustomLogger):
        """A user's own callback."""

        async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            seen.append(("served", kwargs["litellm_params"]["metadata"]))

        async def async_log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            seen.append(("failed", kwargs["litellm_params"]["metadata"]))

    seen: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(litellm, "callbacks", [Seen()])
    for kept in ("success_callback", "failure_callback", "_async_success_callback", "_async_failure_callback"):
        monkeypatch.setattr(litellm, kept, [])
    store = ml.FeedbackStore(":memory:")
    pool = small_pool("light", "heavy", calls={"num_retries": 1, "retry_wait_s": 0})
    broken = testing.Script(faults=repeat(testing.Fault.BROKEN))
    with testing.FaultServer({"light": broken, "heavy": testing.Script()}) as server:
        orchestrator = ml.Orchestrator(pool, ml.OllamaBackend(server.base_url, {}), store=store)
        if streamed:
            async for _ in orchestrator.stream("What is a mutex?"):
                pass
        else:
            await orchestrator.handle("What is a mutex?")
    [row] = store.frame().itertuples()
    assert sorted(came for came, _ in seen) == ["failed", "failed", "served"]
    assert row.attempts == len(seen)
    told = {(call["multillm_run_id"], call["multillm_subtask_index"]) for _, call in seen}
    assert told == {(row.run_id, row.subtask_index)}
