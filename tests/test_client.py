"""The client over a real HTTP server that speaks Ollama's API."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

import multillm as ml
from multillm.client import transport
from multillm.testing import Fault, FaultServer, Script
from tests.contracts import ask, check_client, sockets
from tests.pools import small_pool


@asynccontextmanager
async def client_of(server: FaultServer, pool: ml.Pool) -> AsyncIterator[ml.Client]:
    client = await ml.OllamaBackend(server.base_url, {}).open(pool)
    try:
        yield client
    finally:
        await client.aclose()


async def test_the_client_keeps_its_contract_and_closes_its_sockets() -> None:
    with FaultServer({"light": Script(answer="Hello to you.")}) as server:
        before = sockets()
        client = await ml.OllamaBackend(server.base_url, {}).open(small_pool("light"))
        completion = await check_client(client, ask("light"))
        assert server.wait_until_unconnected()
        assert len(sockets() - before) <= 1  # the server's end of a cancelled call may linger
    assert completion.text == "Hello to you."
    assert completion.model == "ollama_chat/light"


async def test_times_and_tokens_are_the_servers_own() -> None:
    script = Script(answer="one two three", load_s=0.08, prompt_s=0.13, token_s=0.05)
    with FaultServer({"light": script}) as server:
        async with client_of(server, small_pool("light")) as client:
            completion = await client.complete(ask("light", "four words of prompt"))
    times = completion.load_s, completion.prompt_s, completion.generation_s
    assert times == pytest.approx((0.08, 0.13, 0.15), abs=0.05)
    assert completion.queue_s == pytest.approx(0.0, abs=0.02)
    assert (completion.input_tokens, completion.output_tokens, completion.tokens_measured) == (4, 3, True)
    assert completion.cost_units == pytest.approx(0.1 * 3 / 1000)
    assert completion.cost_usd is None


async def test_without_counts_tokens_are_estimated_and_times_missing() -> None:
    with FaultServer({"light": Script(answer="x" * 40, counts=False)}) as server:
        async with client_of(server, small_pool("light")) as client:
            completion = await client.complete(ask("light", "y" * 20))
    assert (completion.input_tokens, completion.output_tokens, completion.tokens_measured) == (5, 10, False)
    assert (completion.load_s, completion.prompt_s, completion.generation_s) == (None, None, None)


async def test_an_answer_cut_by_the_budget_says_so() -> None:
    with FaultServer({"light": Script(finish_reason="length")}) as server:
        async with client_of(server, small_pool("light")) as client:
            completion = await client.complete(ask("light", max_output_tokens=7))
    assert completion.truncated
    assert server.requests[0]["options"] == {"num_predict": 7, "temperature": 0.0, "seed": 1}


@pytest.mark.parametrize(
    "faulty",
    [
        Script(faults=[Fault.BUSY]),
        Script(faults=[Fault.BROKEN]),
        Script(faults=[Fault.ERROR_BODY]),
        Script(faults=[Fault.MALFORMED]),
    ],
)
async def test_a_passing_fault_is_retried_on_the_same_model(faulty: Script) -> None:
    with FaultServer({"light": faulty}) as server:
        async with client_of(server, small_pool("light", calls={"num_retries": 1})) as client:
            completion = await client.complete(ask("light"))
    failed, served = completion.attempts
    assert failed.label == served.label == "light"
    assert failed.error
    assert served.error is None
    assert completion.fallback_reason is None
    assert server.called("light") == 2


async def test_a_connection_cut_short_is_survived() -> None:
    with FaultServer({"light": Script(faults=[Fault.RESET])}) as server:
        async with client_of(server, small_pool("light", calls={"num_retries": 1})) as client:
            assert (await client.complete(ask("light"))).text == "An answer."
    assert server.called("light") == 2


async def test_fallbacks_are_called_in_their_order_and_counted_one_by_one() -> None:
    with FaultServer(
        {
            "light": Script(faults=[Fault.BUSY] * 9),
            "middle": Script(faults=[Fault.BROKEN] * 9),
            "heavy": Script(answer="Here."),
        }
    ) as server:
        async with client_of(server, small_pool("light", "middle", "heavy")) as client:
            completion = await client.complete(ask("light", fallbacks=("middle", "heavy")))
    assert [attempt.label for attempt in completion.attempts] == ["light", "middle", "heavy"]
    assert (completion.label, completion.model, completion.text) == ("heavy", "ollama_chat/heavy", "Here.")
    assert completion.fallback_reason is not None
    assert completion.fallback_reason.startswith("light: server busy, please try again")
    assert completion.cost_units == pytest.approx(0.3 * 1 / 1000)


async def test_white_space_is_a_failure_that_moves_on() -> None:
    with FaultServer({"light": Script(faults=[Fault.EMPTY]), "heavy": Script()}) as server:
        async with client_of(server, small_pool("light", "heavy")) as client:
            completion = await client.complete(ask("light", fallbacks=("heavy",)))
            assert completion.label == "heavy"
            server.scripts["heavy"] = Script(faults=[Fault.EMPTY])
            with pytest.raises(ml.EmptyCompletion, match="without text"):
                await client.complete(ask("heavy"))


async def test_thoughts_without_an_answer_are_no_answer() -> None:
    thinking = Script(answer="", finish_reason="length", message={"thinking": "Hm."})
    with FaultServer({"light": thinking}) as server:
        async with client_of(server, small_pool("light")) as client:
            with pytest.raises(ml.EmptyCompletion, match="finish reason length"):
                await client.complete(ask("light"))


async def test_when_nothing_serves_the_error_names_every_call_and_a_remedy() -> None:
    with FaultServer(
        {"light": Script(faults=[Fault.BUSY] * 9), "heavy": Script(faults=[Fault.ERROR_BODY] * 9)}
    ) as server:
        async with client_of(server, small_pool("light", "heavy")) as client:
            with pytest.raises(ml.CompletionError) as caught:
                await client.complete(ask("light", fallbacks=("heavy",)))
    assert caught.value.label == "light"
    assert [attempt.label for attempt in caught.value.attempts] == ["light", "heavy"]
    message = str(caught.value)
    assert "2 calls to light on ollama_chat/light, heavy on ollama_chat/heavy" in message
    assert "llm server loading model" in message
    assert "multillm doctor" in message
    assert "Traceback" not in message
    assert "\n" not in message


async def test_a_model_that_is_gone_is_not_asked_twice() -> None:
    with FaultServer({"light": Script()}) as server:
        async with client_of(server, small_pool("light", calls={"num_retries": 2})) as client:
            del server.scripts["light"]
            with pytest.raises(ml.CompletionError, match="model 'light' not found") as caught:
                await client.complete(ask("light"))
    assert len(caught.value.attempts) == server.called("light") == 1


async def test_a_deployment_that_failed_is_left_out_for_a_while() -> None:
    calls = {"allowed_fails": 0, "cooldown_s": 60}
    with FaultServer({"light": Script(), "heavy": Script()}) as server:
        async with client_of(server, small_pool("light", "heavy", calls=calls)) as client:
            del server.scripts["light"]
            await client.complete(ask("light", fallbacks=("heavy",)))
            completion = await client.complete(ask("light", fallbacks=("heavy",)))
    assert server.called("light") == 1
    assert completion.attempts == (ml.Attempt("heavy", "ollama_chat/heavy"),)
    assert completion.fallback_reason == "light: left out for 60 s after earlier failures (calls.cooldown_s)"


async def test_no_answer_in_time_is_a_timeout() -> None:
    with FaultServer({"light": Script(faults=[Fault.HANG] * 9)}) as server:
        async with client_of(server, small_pool("light", calls={"timeout_s": 0.3})) as client:
            with pytest.raises(ml.CompletionTimeout, match="allow more time"):
                await client.complete(ask("light"))


async def test_a_request_that_no_thread_was_free_to_prepare_speaks_against_no_deployment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "PREPARE_S", 0.2)
    loop, leave = asyncio.get_running_loop(), threading.Event()
    with FaultServer({"light": Script(answer="At last.")}) as server, ThreadPoolExecutor(1) as threads:
        async with client_of(server, small_pool("light", calls={"timeout_s": 0.2, "allowed_fails": 0})) as client:
            loop.set_default_executor(threads)
            working = loop.run_in_executor(None, leave.wait)
            with pytest.raises(ml.CompletionTimeout, match="nothing was sent to ollama_chat/light") as told:
                await client.complete(ask("light"))
            leave.set()
            await working
            monkeypatch.undo()
            completion = await client.complete(ask("light"))
        assert server.called("light") == 1
    assert not told.value.attempts
    assert completion.text == "At last."


async def test_a_prompt_over_the_window_is_never_cut_in_silence() -> None:
    with FaultServer({"light": Script()}) as server:
        async with client_of(server, small_pool("light", context_tokens=8192)) as client:
            with pytest.raises(ml.ContextOverflow, match="larger context window"):
                await client.complete(ask("light", "a " * 9000))
    assert server.requests[0]["truncate"] is False
    assert server.requests[0]["shift"] is False


async def test_a_request_asks_for_a_larger_window_only_if_it_needs_one() -> None:
    with FaultServer({"light": Script()}) as server:
        async with client_of(server, small_pool("light")) as client:
            await client.complete(ask("light"))
            await client.complete(ask("light", "word " * 3000))
            await client.complete(ask("light", "word " * 5000))
    windows = [request["options"].get("num_ctx") for request in server.requests]
    assert windows == [None, 8192, 16384]


async def test_calls_over_the_limit_wait_and_their_wait_is_measured() -> None:
    with FaultServer({"light": Script(prompt_s=0.1)}) as server:
        async with client_of(server, small_pool("light", max_parallel=2)) as client:
            completions = await asyncio.gather(*(client.complete(ask("light")) for _ in range(6)))
    assert server.peak["light:latest"] == 2
    waits = sorted(completion.queue_s or 0.0 for completion in completions)
    assert waits[0] < 0.1
    assert waits[-1] > 0.2
    assert all(completion.latency_s >= (completion.queue_s or 0.0) - 0.05 for completion in completions)


async def test_a_cancelled_call_stops_at_the_server_and_leaves_no_task() -> None:
    with FaultServer({"light": Script(faults=[Fault.HANG] * 9)}) as server:
        async with client_of(server, small_pool("light", calls={"timeout_s": 30})) as client:
            task = asyncio.create_task(client.complete(ask("light")))
            while not server.called("light"):
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(server.wait_until_unconnected)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_two_clients_do_not_close_each_others_connections() -> None:
    with FaultServer({"light": Script(prompt_s=0.2)}) as server:
        async with client_of(server, small_pool("light")) as staying:
            async with client_of(server, small_pool("light")) as leaving:
                await leaving.complete(ask("light"))
                under_way = asyncio.create_task(staying.complete(ask("light")))
                await asyncio.sleep(0.05)
            assert (await under_way).text == "An answer."
        assert server.wait_until_unconnected()


async def test_a_closed_client_says_so() -> None:
    with FaultServer({"light": Script()}) as server:
        async with client_of(server, small_pool("light")) as client:
            pass
        with pytest.raises(ml.BackendUnavailable, match="closed"):
            await client.complete(ask("light"))


async def test_an_unknown_label_is_refused_before_any_call() -> None:
    with FaultServer({"light": Script()}) as server:
        async with client_of(server, small_pool("light")) as client:
            with pytest.raises(ml.ConfigurationError, match="'heavy'; the pool has light"):
                await client.complete(ask("light", fallbacks=("heavy",)))
    assert not server.requests


async def test_every_model_needs_a_deployment() -> None:
    with pytest.raises(ml.ConfigurationError, match="no deployment serves light"):
        ml.ModelClient([], small_pool("light").registry)


async def test_keys_never_reach_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    """A server that echoes its caller's key, as some do when they refuse it."""
    secret = "very-secret-value-123"
    pool = small_pool("light", credentials=("LIGHT_KEY",))
    with FaultServer({"light": Script()}) as server:
        server.scripts.clear()
        deployment = ml.Deployment(
            "light", f"ollama_chat/{secret}", {"api_base": server.base_url, "api_key": "another-secret-value"}
        )
        client = ml.ModelClient([deployment], pool.registry, pool.calls, environ={"LIGHT_KEY": secret})
        with pytest.raises(ml.CompletionError) as caught:
            await client.complete(ask("light"))
        await client.aclose()
    assert server.headers[0]["authorization"]
    assert secret not in str(caught.value).replace(f"ollama_chat/{secret}", "")
    assert "another-secret-value" not in str(caught.value)
    assert capfd.readouterr().err == ""


async def test_litellm_is_quiet_about_models_it_does_not_know(capfd: pytest.CaptureFixture[str]) -> None:
    with FaultServer({"light": Script(faults=[Fault.BUSY] * 9)}) as server:
        async with client_of(server, small_pool("light")) as client:
            with pytest.raises(ml.CompletionError):
                await client.complete(ask("light"))
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "")


async def test_a_priced_model_costs_dollars_and_goes_through_our_connections() -> None:
    """A cloud model through LiteLLM's own provider for it; only the address is the loopback server's."""
    pool = small_pool("cloud", model="mistral/mistral-small-latest")
    with FaultServer({"mistral-small-latest": Script()}) as server:
        params = {"api_base": f"{server.base_url}/v1", "api_key": "loopback-key"}
        for _ in range(2):
            client = ml.ModelClient([ml.Deployment("cloud", "mistral/mistral-small-latest", params)], pool.registry)
            completion = await client.complete(ask("cloud"))
            await client.aclose()
            assert await asyncio.to_thread(server.wait_until_unconnected)
    assert completion.cost_usd is not None
    assert completion.cost_usd > 0
    assert (completion.input_tokens, completion.output_tokens) == (2, 2)
    assert completion.model == "mistral/mistral-small-latest"
