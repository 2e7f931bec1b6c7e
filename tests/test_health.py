"""Which deployment is called next: peers first, the failing left out, nobody for ever."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, strategies as st

import multillm as ml
from multillm.client.failures import Failure
from multillm.client.health import Endpoint, Group, Turns
from multillm.testing import Fault, FaultServer, Script
from tests.contracts import ask
from tests.pools import small_pool

PASSING = Failure(ml.CompletionError, "busy")
LASTING = Failure(ml.CompletionError, "no such model", passing=False)
OF_THE_REQUEST = Failure(ml.ContextOverflow, "too long", passing=False, against_deployment=False)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def group(clock: Clock, deployments: int = 1, shared: Any = None, **settings: float) -> Group:
    calls = ml.CallSettings.model_validate({"num_retries": 2, "retry_wait_s": 0, "cooldown_s": 30} | settings)
    made = [ml.Deployment("light", f"ollama_chat/{n}", local=True) for n in range(deployments)]
    return Group(made, calls, clock, random.Random(0), shared)


async def all_turns(turns: Turns, failure: Failure) -> list[str]:
    """Who is called if everyone fails so."""
    called = []
    while endpoint := await turns.next():
        called.append(endpoint.key)
        turns.failed(endpoint, failure)
    return called


@given(deployments=st.integers(1, 5), retries=st.integers(0, 10))
async def test_a_retry_goes_to_a_peer_that_was_not_asked_yet(deployments: int, retries: int) -> None:
    called = await all_turns(Turns(group(Clock(), deployments, num_retries=retries, allowed_fails=99), False), PASSING)
    assert len(called) == retries + 1
    assert len(set(called)) == min(deployments, retries + 1)
    counts = [called.count(key) for key in set(called)]
    assert max(counts) - min(counts) <= 1


@given(deployments=st.integers(1, 5), retries=st.integers(0, 10))
async def test_what_lasts_is_not_asked_twice_of_the_same_deployment(deployments: int, retries: int) -> None:
    called = await all_turns(Turns(group(Clock(), deployments, num_retries=retries), False), LASTING)
    assert len(called) == len(set(called)) == min(deployments, retries + 1)


async def test_failures_in_a_row_leave_a_deployment_out_until_its_time_has_come(clock: Clock) -> None:
    light = group(clock, allowed_fails=2)
    assert len(await all_turns(Turns(light, False), PASSING)) == 3
    turns = Turns(light, False)
    assert await turns.next() is None
    assert turns.left_out().text == "left out for 30 s after earlier failures (calls.cooldown_s)"
    clock.now += 30.0
    assert await Turns(light, False).next() is not None


async def test_an_answer_between_failures_starts_the_count_anew(clock: Clock) -> None:
    light = group(clock, allowed_fails=1)
    for _ in range(5):
        turns = Turns(light, False)
        endpoint = await turns.next()
        assert endpoint is not None
        turns.failed(endpoint, PASSING)
        again = await turns.next()
        assert again is not None
        turns.served(again)


async def test_failures_of_long_ago_do_not_count(clock: Clock) -> None:
    light = group(clock, allowed_fails=1, num_retries=0)
    for _ in range(5):
        assert await all_turns(Turns(light, False), PASSING) == ["light"]
        clock.now += 61.0


async def test_a_request_at_fault_is_not_held_against_the_deployment(clock: Clock) -> None:
    light = group(clock, allowed_fails=0)
    for _ in range(5):
        assert await all_turns(Turns(light, False), OF_THE_REQUEST) == ["light"]


async def test_where_nothing_else_is_left_a_call_waits_until_another_is_answered(clock: Clock) -> None:
    light = group(clock, allowed_fails=0, num_retries=0)
    [endpoint] = light.endpoints
    await all_turns(Turns(light, False), PASSING)
    waiting = asyncio.create_task(Turns(light, True).next())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    endpoint.served(clock())
    assert await asyncio.wait_for(waiting, 1.0) is endpoint


class Told:
    """What another process has left out, as Redis would tell it."""

    age_s = left_s = 0.0

    async def active(self, names: Sequence[str]) -> dict[str, tuple[float, float]]:
        return dict.fromkeys(names, (self.age_s, self.left_s)) if self.left_s > 0.0 else {}


async def test_what_recovered_once_is_left_out_again_when_another_process_says_so(clock: Clock) -> None:
    told = Told()
    light = group(clock, shared=told, allowed_fails=0, num_retries=0)
    [endpoint] = light.endpoints
    await all_turns(Turns(light, False), PASSING)
    endpoint.served(clock())
    clock.now += 1.0
    told.left_s = 30.0
    assert await Turns(light, False).next() is None
    waiting = asyncio.create_task(Turns(light, True).next())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    endpoint.served(clock())
    assert await asyncio.wait_for(waiting, 1.0) is endpoint


async def test_what_serves_here_is_not_left_out_for_what_another_process_saw_before(clock: Clock) -> None:
    told = Told()
    light = group(clock, shared=told)
    [endpoint] = light.endpoints
    told.left_s = 30.0
    assert await Turns(light, False).next() is None
    clock.now += 2.0
    endpoint.served(clock())
    clock.now += 1.0
    told.age_s, told.left_s = 3.0, 27.0
    assert await Turns(light, False).next() is endpoint
    told.age_s, told.left_s = 0.5, 29.5
    assert await Turns(light, False).next() is None


async def test_a_server_that_asks_for_too_long_a_pause_is_not_waited_for(clock: Clock) -> None:
    light = group(clock, num_retries=5, allowed_fails=99)
    assert await all_turns(Turns(light, True), Failure(ml.CompletionError, "slow down", retry_after_s=3600)) == [
        "light"
    ]


@pytest.mark.parametrize("provider", ["ollama_chat", "openai"])
async def test_a_pause_that_a_server_asks_for_is_kept(provider: str) -> None:
    pool = small_pool("light", calls={"num_retries": 1})
    with FaultServer({"light": Script(faults=[Fault.RATE_LIMITED], retry_after_s=0.4)}) as server:
        base = f"{server.base_url}/v1" if provider == "openai" else server.base_url
        deployment = ml.Deployment("light", f"{provider}/light", {"api_base": base, "api_key": "none"}, local=True)
        client = ml.ModelClient([deployment], pool.registry, pool.calls)
        limited = await client.complete(ask("light"))
        await client.aclose()
    assert 0.4 <= limited.latency_s < 5
    assert [attempt.error for attempt in limited.attempts] == ["rate limit exceeded", None]


async def test_waits_grow_from_retry_to_retry() -> None:
    light = group(Clock(), retry_wait_s=1.0, num_retries=5, allowed_fails=99)
    turns = Turns(light, False)
    [endpoint] = light.endpoints
    waits = []
    for tried in range(6):
        turns._tried[endpoint.key] = tried
        waits.append(turns._backoff_s(endpoint))
    assert waits[0] == 0.0
    for wait_s, least in zip(waits[1:], (1.0, 2.0, 4.0, 8.0, 8.0), strict=True):
        assert least <= wait_s <= least * 1.25


def test_a_model_is_cold_until_it_answers_and_after_four_idle_minutes(clock: Clock) -> None:
    endpoint = Endpoint("light", ml.Deployment("light", "ollama_chat/light", local=True))
    assert endpoint.cold(clock())
    endpoint.served(clock())
    assert not endpoint.cold(clock() + 239)
    assert endpoint.cold(clock() + 241)
    assert not Endpoint("cloud", ml.Deployment("cloud", "openai/cloud")).cold(clock())


@pytest.mark.parametrize("provider", ["ollama_chat", "openai"])
async def test_each_deployment_of_a_group_is_called_where_it_is(provider: str) -> None:
    with FaultServer({"light": Script("One.")}) as one, FaultServer({"light": Script("Two.")}) as two:
        path = "/v1" if provider == "openai" else ""
        deployments = [
            ml.Deployment("light", f"{provider}/light", {"api_base": server.base_url + path, "api_key": "none"})
            for server in (one, two)
        ]
        pool = small_pool("light")
        client = ml.ModelClient(deployments, pool.registry, pool.calls, rng=random.Random(1))
        answers = [await client.complete(ask("light")) for _ in range(12)]
        await client.aclose()
    assert {answer.text for answer in answers} == {"One.", "Two."}
    assert {answer.model for answer in answers} == {f"{provider}/light"}


async def test_a_request_is_sent_once_and_an_answer_beyond_all_bounds_is_broken_off() -> None:
    with FaultServer({"light": Script(faults=[Fault.RESET, Fault.HUGE], huge_bytes=3_000_000)}) as server:
        client = await ml.OllamaBackend(server.base_url, {}).open(small_pool("light"))
        with pytest.raises(ml.CompletionError, match="reset by peer"):
            await client.complete(ask("light"))
        assert server.called("light") == 1
        with pytest.raises(ml.CompletionError, match="longer than 1,012,000 bytes"):
            await client.complete(ask("light"))
        await client.aclose()
        assert server.wait_until_unconnected()


async def test_a_redis_that_does_not_answer_fails_no_call() -> None:
    pool = small_pool("light", calls={"allowed_fails": 0})
    with FaultServer({"light": Script(faults=[Fault.BROKEN])}) as server:
        deployment = ml.Deployment("light", "ollama_chat/light", {"api_base": server.base_url}, local=True)
        environ = {"MULTILLM_REDIS_URL": "redis://:secret-word@127.0.0.1:1/0"}
        client = ml.ModelClient([deployment], pool.registry, pool.calls, environ=environ)
        with pytest.raises(ml.CompletionError, match="light gave no answer"):
            await client.complete(ask("light"))
        assert client._groups["light"].endpoints[0].out_until > 0
        await client.aclose()
