"""A client that answers from a script: what a test wants a model to do, and when."""

import asyncio
from collections.abc import Callable

import multillm as ml
from multillm.backends import BackendStatus

Answer = str | Exception
Script = Callable[[ml.CompletionRequest], tuple[float, Answer]]


class ScriptedBackend:
    """Backend whose answers, delays and failures a test writes down."""

    name = "scripted"

    def __init__(self, script: Script, finish_reason: str = "stop") -> None:
        self.script = script
        self.finish_reason = finish_reason
        self.requests: list[ml.CompletionRequest] = []
        self.running = 0
        self.most_running = 0
        self.opened = 0
        self.closed = 0

    async def check(self, pool: ml.Pool) -> BackendStatus:
        return BackendStatus(self.name, True, "answers from a script", dict.fromkeys(pool.registry.labels, "a script"))

    async def open(self, pool: ml.Pool) -> "ScriptedBackend":
        self.opened += 1
        return self

    async def aclose(self) -> None:
        self.closed += 1

    async def complete(self, request: ml.CompletionRequest) -> ml.Completion:
        self.requests.append(request)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            delay_s, answer = self.script(request)
            await asyncio.sleep(delay_s)
        finally:
            self.running -= 1
        if isinstance(answer, Exception):
            raise answer
        return ml.Completion(
            request=request,
            text=answer,
            label=request.label,
            model=f"scripted/{request.label}",
            finish_reason=self.finish_reason,
            attempts=(ml.Attempt(request.label, f"scripted/{request.label}"),),
            latency_s=delay_s,
            input_tokens=5,
            output_tokens=10,
            tokens_measured=True,
            cost_units=0.01,
        )


def echo(request: ml.CompletionRequest) -> tuple[float, Answer]:
    """Answer at once with the last line that was asked."""
    return 0.0, "Answer to: " + request.messages[-1]["content"].splitlines()[-1]
