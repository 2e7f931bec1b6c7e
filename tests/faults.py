"""The fault matrix: each fault, in a whole answer or in the middle of a stream, at the first try or at every one,
with a peer, a stronger model or nothing left.

The model asked for is ``mid``. Where a peer is left, a second server has it too; where an upward fallback
is left, ``strong`` is in the pool. ``weak`` always answers and is below the threshold: nobody may ask it.
"""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import multillm as ml
from multillm.backends import BackendStatus
from multillm.testing import Fault, FaultServer, Script

PROMPT = "Define entropy."
RIGHT = "Right, and in more than two words."
TOKENS = 3
RETRIES = 2
TIMEOUT_S = 1.0
WAIT_S = 0.2
CALL_S = 10.0
DOWN_S = 0.3


def busy() -> float:
    """How much longer everything takes on this machine just now."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class When(StrEnum):
    """At which tries the fault happens."""

    FIRST = "first try"
    ALWAYS = "all tries"
    STREAM = f"first try, after {TOKENS} tokens of a stream"
    STREAM_ALWAYS = f"all tries, after {TOKENS} tokens of a stream"

    @property
    def always(self) -> bool:
        """Whether it happens at every try."""
        return self in {When.ALWAYS, When.STREAM_ALWAYS}

    @property
    def streamed(self) -> bool:
        """Whether the answer is streamed."""
        return self in {When.STREAM, When.STREAM_ALWAYS}


class Left(StrEnum):
    """What is there besides the deployment at fault."""

    PEER = "peer"
    UPWARD = "upward"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Case:
    """One cell of the matrix."""

    fault: Fault
    when: When
    left: Left
    provider: str = "ollama_chat"
    slack: float = 1.0

    @property
    def timeout_s(self) -> float:
        """Longest time for an attempt."""
        return TIMEOUT_S * self.slack

    @property
    def call_s(self) -> float:
        """Longest time for a call."""
        return CALL_S * self.slack

    def script(self) -> Script:
        """How the deployment at fault behaves."""
        faults: Iterable[Fault] = itertools.repeat(self.fault) if self.when.always else [self.fault]
        after = TOKENS if self.when.streamed else 0
        return Script(
            RIGHT, faults, after_tokens=after, down_s=DOWN_S, retry_after_s=0.3, drip_s=0.1, huge_bytes=1_500_000
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """Model groups of the pool."""
        return ("weak", "mid", "strong") if self.left is Left.UPWARD else ("weak", "mid")

    @property
    def serves(self) -> bool:
        """Whether a right answer is there to be had."""
        if self.fault is Fault.WRONG_TYPE or self.left is not Left.NOTHING:
            return True
        gone = self.fault is Fault.NOT_FOUND and not self.when.streamed
        return not (self.when.always or gone or self.fault in {Fault.OVERFLOW, Fault.EMPTY})

    def deployments(self, bad: FaultServer, good: FaultServer) -> list[ml.Deployment]:
        """Where each label is served."""
        made = [self._deployment(label, bad if label == "mid" else good) for label in self.labels]
        return [*made, self._deployment("mid", good)] if self.left is Left.PEER else made

    def _deployment(self, label: str, server: FaultServer) -> ml.Deployment:
        if self.provider == "openai":
            params: dict[str, Any] = {"api_base": f"{server.base_url}/v1", "api_key": "none"}
        else:
            params = {"api_base": server.base_url, "extra_body": {"truncate": False}}
        return ml.Deployment(label, f"{self.provider}/{label}", params, local=True)

    def pool(self) -> ml.Pool:
        """The pool; quality and price rise with the rank."""
        quality = {"weak": 0.3, "mid": 0.8, "strong": 0.9}
        models = tuple(
            ml.ModelSpec(
                label=label,
                model=f"{self.provider}/{label}",
                rank=rank,
                cost_per_1k=0.3 * rank,
                context_tokens=8192,
                quality=ml.QualityCurve(intercept=quality[label]),
            )
            for rank, label in enumerate(self.labels, 1)
        )
        calls = ml.CallSettings(timeout_s=self.timeout_s, load_timeout_s=0, num_retries=RETRIES, retry_wait_s=WAIT_S)
        return ml.Pool(name="faults", models=models, calls=calls, limits=ml.Limits(subtask_s=self.call_s))


@dataclass
class Seen:
    """What came of a case."""

    case: Case
    elapsed_s: float
    result: ml.SubTaskResult
    rows: list[dict[Any, Any]]
    sent: int
    asked_weak: int
    closed: bool
    heard: str | None

    @property
    def attempts(self) -> tuple[ml.Attempt, ...]:
        """Every call as multillm tells it."""
        told = self.result.completion or self.result.error
        return tuple(getattr(told, "attempts", ()))


@dataclass
class Deployed:
    """A backend for given deployments."""

    deployments: list[ml.Deployment]
    name: str = field(default="deployed")

    async def check(self, pool: ml.Pool) -> BackendStatus:
        """Always ready."""
        return BackendStatus(self.name, True, "as given")

    async def open(self, pool: ml.Pool) -> ml.ModelClient:
        """A client for them."""
        return ml.ModelClient(self.deployments, pool.registry, pool.calls)


@asynccontextmanager
async def servers(case: Case) -> AsyncIterator[tuple[FaultServer, FaultServer]]:
    """The server at fault and the sound one."""
    sound = {"weak": Script("Weak guess."), "mid": Script(RIGHT), "strong": Script(RIGHT)}
    with FaultServer({"mid": case.script()}) as bad, FaultServer(sound) as good:
        yield bad, good


async def warm_up() -> None:
    """Calls that go well: LiteLLM imports for a second at the first ones of a process, and blocks meanwhile."""
    case = Case(Fault.WRONG_TYPE, When.FIRST, Left.NOTHING)
    async with servers(case) as (bad, good):
        orchestrator = ml.Orchestrator(case.pool(), Deployed(case.deployments(bad, good)), store=None)
        await _whole(orchestrator)
        await _streamed(orchestrator)


async def observe(cases: list[Case]) -> list[Seen]:
    """Play cases at the same time; their clients are all opened before the first call."""
    await warm_up()
    async with AsyncExitStack() as stack:
        ready = []
        for case in cases:
            bad, good = await stack.enter_async_context(servers(case))
            store = stack.enter_context(ml.FeedbackStore(":memory:"))
            orchestrator = ml.Orchestrator(case.pool(), Deployed(case.deployments(bad, good)), store=store)
            await orchestrator.__aenter__()
            ready.append((case, bad, good, store, orchestrator))
        return await asyncio.gather(*(_play(*each) for each in ready))


async def _play(
    case: Case, bad: FaultServer, good: FaultServer, store: ml.FeedbackStore, orchestrator: ml.Orchestrator
) -> Seen:
    started = time.perf_counter()
    run, heard = await (_streamed(orchestrator) if case.when.streamed else _whole(orchestrator))
    elapsed_s = time.perf_counter() - started
    await orchestrator.__aexit__(None, None, None)
    closed = [await asyncio.to_thread(server.wait_until_unconnected) for server in (bad, good)]
    rows = [dict(row) for _, row in store.frame().iterrows()]
    sent = bad.played.total() + good.played.total()
    return Seen(case, elapsed_s, run.results[0], rows, sent, good.called("weak"), all(closed), heard)


async def _whole(orchestrator: ml.Orchestrator) -> tuple[ml.RunResult, None]:
    return await orchestrator.handle(PROMPT), None


async def _streamed(orchestrator: ml.Orchestrator) -> tuple[ml.RunResult, str]:
    """The run's result, and what stands in a view that shows the answer as it comes."""
    heard = ""
    async with aclosing(orchestrator.stream(PROMPT)) as events:
        async for event in events:
            match event:
                case ml.TextPiece(text=text):
                    heard += text
                case ml.TextRestarted():
                    heard = ""
                case ml.RunFinished(result=result):
                    return result, heard
    raise AssertionError("the stream ended without a result")
