"""What every client must do, whoever serves it."""

import asyncio
import threading
from dataclasses import asdict
from pathlib import Path

import multillm as ml
from multillm.listening import listen


def ask(label: str, text: str = "Say hello.", **more: object) -> ml.CompletionRequest:
    """A request that repeats exactly: temperature 0 and a seed."""
    settings: dict[str, object] = {"max_output_tokens": 12, "temperature": 0.0, "seed": 1, **more}
    return ml.CompletionRequest(label, ({"role": "user", "content": text},), **settings)  # type: ignore[arg-type]


def sockets() -> set[str]:
    """Sockets that this process holds open."""
    links = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.startswith("socket:"):
            links.add(target)
    return links


def own_threads() -> set[threading.Thread]:
    """Threads but the pools of asyncio and AnyIO, one for each event loop, and of LiteLLM, one for the process."""
    pools = "asyncio_", "AnyIO worker", "litellm-logging"
    return {thread for thread in threading.enumerate() if not thread.name.startswith(pools)}


class Heard:
    """Listener that keeps what it is told."""

    def __init__(self, *, wants_text: bool = True) -> None:
        self.wants_text = wants_text
        self.pieces: list[str] = []
        self.told: list[tuple[str, ...]] = []

    def piece(self, label: str, text: str) -> None:
        self.pieces.append(text)

    def restarted(self, label: str, reason: str) -> None:
        self.told.append(("restarted", label, "".join(self.pieces), reason))
        self.pieces.clear()

    def fell_back(self, label: str, to: str, reason: str) -> None:
        self.told.append(("fell back", label, to, reason))


async def streamed(client: ml.Client, request: ml.CompletionRequest, heard: Heard) -> ml.Completion:
    """The answer to a request whose caller listens."""

    async def call() -> ml.Completion:
        listen(heard)
        return await client.complete(request)

    return await asyncio.create_task(call())


async def check_client(client: ml.Client, request: ml.CompletionRequest) -> ml.Completion:
    """Hold a client to its contract, close it, and hand back an answer of it."""
    assert isinstance(client, ml.Client)
    completion = await client.complete(request)
    assert completion.request == request
    assert completion.label in {request.label, *request.fallbacks}
    assert completion.text.strip()
    assert completion.finish_reason in {"stop", "length"}
    assert completion.attempts[-1] == ml.Attempt(completion.label, completion.model)
    assert all(attempt.error for attempt in completion.attempts[:-1])
    assert (completion.fallback_reason is None) == (completion.label == request.label)
    spent = [completion.queue_s, completion.load_s, completion.prompt_s, completion.generation_s]
    assert all(seconds is None or seconds >= 0 for seconds in spent)
    assert completion.latency_s >= 0
    assert completion.input_tokens > 0
    assert completion.output_tokens > 0
    assert completion.cost_units >= 0
    await _streams_the_same(client, request, completion)
    assert await _cancelled_leaves_nothing(client, request)
    await client.aclose()
    await client.aclose()
    assert not _others()
    return completion


async def _streams_the_same(client: ml.Client, request: ml.CompletionRequest, completion: ml.Completion) -> None:
    """Who listens hears the answer in pieces, and gets the very same completion, times aside."""
    heard = Heard()
    again = await streamed(client, request, heard)
    assert "".join(heard.pieces) == again.text
    assert len(heard.pieces) > 1
    assert _without_times(again) == _without_times(completion)
    deaf = Heard(wants_text=False)
    assert _without_times(await streamed(client, request, deaf)) == _without_times(completion)
    assert not deaf.pieces


def _without_times(completion: ml.Completion) -> dict[str, object]:
    """The completion; of durations only whether they are known."""
    return {name: value is None if name.endswith("_s") else value for name, value in asdict(completion).items()}


def _others() -> set[str]:
    return {str(task) for task in asyncio.all_tasks() - {asyncio.current_task()}}


async def _cancelled_leaves_nothing(client: ml.Client, request: ml.CompletionRequest) -> bool:
    task = asyncio.create_task(client.complete(request))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return task.cancelled()
    return task.done()
