"""A run told as it goes on: events in order, text in pieces, breaks in the middle, and the views that show it."""

import asyncio
import contextvars
import gc
import io
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import multillm as ml
from multillm.client import ModelClient
from multillm.client.transport import Deployment
from multillm.live import RunView
from multillm.orchestration.events import RunEvent
from multillm.progress import RunProgress
from multillm.testing import Fault, FaultServer, Script
from tests.contracts import Heard, ask, check_client, streamed
from tests.pools import small_pool
from tests.scripted import ScriptedBackend, echo

CHAIN = "Write a function that parses dates and then write tests for it."
SPEECH = "one two three four five"
IN_STREAM = [Fault.CUT, Fault.BROKEN, Fault.ERROR_BODY, Fault.TRUNCATED, Fault.MALFORMED, Fault.HANG]


def client(protocol: str, server: FaultServer, **calls: Any) -> ModelClient:
    labels = list(server.scripts)
    pool = small_pool(*labels, calls={"timeout_s": 1, **calls})
    provider, path = {"ollama": ("ollama_chat", ""), "openai": ("openai", "/v1")}[protocol]
    params = {"api_base": server.base_url + path, "api_key": "none"}
    deployments = [Deployment(label, f"{provider}/{label}", params, local=True) for label in labels]
    return ModelClient(deployments, pool.registry, pool.calls)


def states(events: list[RunEvent], index: int) -> list[str]:
    return [type(event).__name__ for event in events if getattr(event, "index", None) == index]


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("protocol", ["ollama", "openai"])
async def test_a_streamed_answer_is_the_answer(protocol: str, counts: bool) -> None:
    script = Script(answer=SPEECH, finish_reason="length", counts=counts)
    with FaultServer({"light": script}) as server:
        completion = await check_client(client(protocol, server), ask("light"))
        assert server.wait_until_unconnected()
    assert completion.text == SPEECH
    assert completion.tokens_measured is counts


@pytest.mark.parametrize("fault", IN_STREAM)
@pytest.mark.parametrize("protocol", ["ollama", "openai"])
async def test_an_answer_that_breaks_off_is_a_failed_attempt_and_its_text_is_void(protocol: str, fault: Fault) -> None:
    scripts = {"light": Script(answer=SPEECH, faults=[fault], after_tokens=2), "heavy": Script(answer="Whole again.")}
    heard = Heard()
    with FaultServer(scripts) as server:
        asked = client(protocol, server)
        completion = await streamed(asked, ask("light", fallbacks=("heavy",)), heard)
        await asked.aclose()
        assert (server.called("light"), server.called("heavy")) == (1, 1)
        assert server.wait_until_unconnected()
    assert [kind for kind, *_ in heard.told] == ["restarted", "fell back"]
    assert heard.told[0][1:3] == ("light", "one two")
    assert "".join(heard.pieces) == completion.text == "Whole again."
    assert [bool(attempt.error) for attempt in completion.attempts] == [True, False]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python collects no garbage within ContextVar.set")
@pytest.mark.parametrize("protocol", ["ollama", "openai"])
async def test_what_a_stream_leaves_sets_no_context_variable_when_it_is_collected(protocol: str) -> None:
    gc.collect()
    with FaultServer({"light": Script(answer=SPEECH)}) as server:
        talker = client(protocol, server)
        await streamed(talker, ask("light"), Heard())
        before = dict(contextvars.copy_context())
        assert gc.collect()
        assert dict(contextvars.copy_context()) == before
        await talker.aclose()


async def test_a_break_is_retried_as_a_whole() -> None:
    heard = Heard()
    with FaultServer({"light": Script(answer=SPEECH, faults=[Fault.BROKEN], after_tokens=3)}) as server:
        asked = client("ollama", server, num_retries=1)
        completion = await streamed(asked, ask("light"), heard)
        await asked.aclose()
    assert [kind for kind, *_ in heard.told] == ["restarted"]
    assert "".join(heard.pieces) == completion.text == SPEECH
    assert len(completion.attempts) == 2


async def test_before_the_first_token_there_is_no_text_to_take_back() -> None:
    heard = Heard()
    scripts = {"light": Script(faults=[Fault.BUSY]), "heavy": Script(answer=SPEECH)}
    with FaultServer(scripts) as server:
        asked = client("openai", server)
        await streamed(asked, ask("light", fallbacks=("heavy",)), heard)
        await asked.aclose()
    [(kind, label, to, reason)] = heard.told
    assert (kind, label, to) == ("fell back", "light", "heavy")
    assert "server busy" in reason


async def test_nothing_is_streamed_where_nobody_listens() -> None:
    with FaultServer({"light": Script()}) as server:
        asked = client("ollama", server)
        await asked.complete(ask("light"))
        await streamed(asked, ask("light"), Heard(wants_text=False))
        await asked.aclose()
        assert [body["stream"] for body in server.requests] == [False, False]


async def test_a_run_is_told_in_order_and_ends_with_its_result(tmp_path: Path) -> None:
    store = ml.FeedbackStore(tmp_path / "feedback.sqlite")
    orchestrator = ml.Orchestrator(backend=ScriptedBackend(echo), store=store)
    events = [event async for event in orchestrator.stream(CHAIN)]
    assert states(events, 0) == states(events, 1) == ["SubTaskWaiting", "SubTaskRunning", "SubTaskDone"]
    done = next(n for n, event in enumerate(events) if isinstance(event, ml.SubTaskDone))
    assert isinstance(events[done + 1], ml.SubTaskRunning)
    assert isinstance(events[-1], ml.RunFinished)
    assert events[-1].result.run_id == store.frame()["run_id"].iloc[0]
    assert len(store.frame()) == 2


async def test_a_streamed_run_leaves_the_rows_that_a_plain_one_leaves(tmp_path: Path) -> None:
    scripts = {"light": Script(answer=SPEECH, faults=[Fault.CUT] * 2, after_tokens=2), "heavy": Script(answer="Whole.")}
    rows = {}
    for way in ("plain", "streamed"):
        with FaultServer(scripts) as server:
            store = ml.FeedbackStore(tmp_path / f"{way}.sqlite")
            backend = ml.OllamaBackend(server.base_url, {})
            orchestrator = ml.Orchestrator(small_pool("light", "heavy"), backend, store=store)
            if way == "plain":
                await orchestrator.handle("Define entropy.")
            else:
                events = [event async for event in orchestrator.stream("Define entropy.")]
                kinds = ["SubTaskWaiting", "SubTaskRunning", "TextPiece", "TextPiece", "TextRestarted", "FellBack"]
                assert states(events, 0) == [*kinds, "TextPiece", "SubTaskDone"]
            frame = store.frame().drop(columns=["run_id", "recorded_at"])
            rows[way] = frame[[column for column in frame if not str(column).endswith("_s")]]
    assert rows["plain"]["served_label"].tolist() == ["heavy"]
    assert rows["plain"]["finish_reason"].tolist() == rows["streamed"]["finish_reason"].tolist()
    same = [column for column in rows["plain"] if column != "fallback_reason"]
    assert rows["plain"][same].astype(str).to_dict("records") == rows["streamed"][same].astype(str).to_dict("records")


async def test_leaving_the_stream_cancels_the_run(tmp_path: Path) -> None:
    store = ml.FeedbackStore(tmp_path / "feedback.sqlite")
    backend = ScriptedBackend(lambda _: (30.0, "late"))
    async with aclosing(ml.Orchestrator(backend=backend, store=store).stream(CHAIN)) as events:
        async for event in events:
            if isinstance(event, ml.SubTaskRunning):
                break
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert backend.closed == 1
    assert set(store.frame()["error_type"]) == {"Cancelled"}


async def test_what_stops_a_run_is_raised_from_its_stream() -> None:
    events = ml.Orchestrator(backend=ScriptedBackend(echo), store=None).stream(" ")
    with pytest.raises(ml.InputError):
        await anext(events)


async def told(*events: RunEvent, pause_s: float = 0.0) -> AsyncGenerator[RunEvent, None]:
    for event in events:
        yield event
        await asyncio.sleep(pause_s)


async def hostile() -> list[RunEvent]:
    """A run with a break and a fallback, whose model writes markup and terminal commands."""
    backend = ScriptedBackend(lambda _: (0.0, "<script>alert(1)</script>\x1b[2J"))
    events = [
        event
        async for event in ml.Orchestrator(backend=backend, store=None).stream("Write a guide to <b>bold</b> tags")
    ]
    return [
        *events[:2],
        ml.TextPiece(0, "model::balanced", "<script>alert(0)"),
        ml.TextRestarted(0, "model::balanced", "reset <i>"),
        ml.FellBack(0, "model::balanced", "model::heavy", "down"),
        ml.TextPiece(0, "model::heavy", "<script>alert(1)\x1b[2J"),
        *events[2:],
    ]


async def test_the_state_of_a_run_follows_its_events() -> None:
    view, seen = RunView(), []
    for event in await hostile():
        view.take(event)
        subtask = view.subtasks[0]
        seen.append((subtask.state, subtask.label, subtask.text))
    assert seen[:5] == [
        ("waiting", "model::balanced", ""),
        ("running", "model::balanced", ""),
        ("running", "model::balanced", "<script>alert(0)"),
        ("running", "model::balanced", ""),
        ("running", "model::heavy", ""),
    ]
    assert view.subtasks[0].state == "ok"
    assert view.result is not None
    shown = view._repr_html_()
    assert "<script>" not in shown
    assert "<i>" not in shown
    assert "reset &lt;i&gt;" in shown


async def test_a_terminal_shows_a_run_and_obeys_none_of_its_text() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=200, color_system=None)
    result = await RunProgress(console).follow(told(*await hostile(), pause_s=0.15))
    assert len(result.results) == 1
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "<script>alert(0)" in shown
    assert "model::balanced: ok" in shown
    assert "\x1b[2J" not in shown


async def test_watch_needs_no_notebook(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "IPython.display", None)  # as if it were not installed
    events = await hostile()
    result = await ml.watch(told(*events))
    assert isinstance(events[-1], ml.RunFinished)
    assert result is events[-1].result
    assert "model::balanced: ok" in capsys.readouterr().out


async def test_a_notebook_has_one_display_that_is_brought_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    updates: list[str] = []

    class Handle:
        def update(self, view: RunView) -> None:
            updates.append(view._repr_html_())

    monkeypatch.setattr("IPython.display.display", lambda view, display_id: Handle())
    monkeypatch.setattr("multillm.progress.console", lambda: Console(force_jupyter=True))
    events = await hostile()
    frozen = await ml.watch(told(*events), clock=lambda: 0.0)
    assert isinstance(events[-1], ml.RunFinished)
    assert frozen is events[-1].result
    assert len(updates) == len(events) - 2  # at a clock that stands still, no text is shown for its own sake
    assert "RunResult(1 sub-task" in updates[-1]
