"""What every client must do, whoever serves it."""

import asyncio
from pathlib import Path

import multillm as ml


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
    assert await _cancelled_leaves_nothing(client, request)
    await client.aclose()
    await client.aclose()
    assert not _others()
    return completion


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
