"""The pipeline behind LiteLLM's proxy, asked by OpenAI's client and by curl; two gateways that share what they know.

Two gateways are started once for all tests. Where Redis or PostgreSQL is not installed they share nothing through it,
and the tests of sharing are skipped.
"""

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import pytest
import yaml

import multillm as ml
from multillm.gateway.config import write_config
from multillm.gateway.sections import BROKE_OFF
from multillm.testing import Fault, FaultServer, Script
from tests.gateways import Gateway, has_redis, multillm_serve, redis_server, running
from tests.postgres_server import new_schema, server_programs

SINGLE = "What is a mutex?"
TWO = "What is a mutex AND implement a spinlock in C."
REVIEW = "Review this function for bugs."
SUMMARY = "Summarise the report."
PASSWORD = "planted-model-password"
ENCODED = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
RUN_TOKENS, RUN_S, BUDGET, ALLOWED_FAILS = 16000, 3, 10.0, 3
POOL = f"""
splitter: reference
classifier: reference
models:
  - {{label: light, model: ollama_chat/light, rank: 1, cost_per_1k: 0.01, task_types: [qa_simple]}}
  - {{label: frail, model: ollama_chat/frail, rank: 1, cost_per_1k: 0.01, task_types: [summarisation]}}
  - {{label: heavy, model: ollama_chat/heavy, rank: 2, cost_per_1k: 0.1,
     task_types: [qa_simple, summarisation, documentation, code_generation, reasoning]}}
  - {{label: dear, model: ollama_chat/dear, rank: 3, cost_per_1k: 1.0, task_types: [code_review]}}
calls: {{num_retries: 0, retry_wait_s: 0, timeout_s: 20, allowed_fails: {ALLOWED_FAILS}, cooldown_s: 60}}
limits: {{period_cost_units: {BUDGET}}}
""".replace("task_types", "context_tokens: 16384, quality: {intercept: 0.9}, task_types")


CALLERS = """
from litellm.proxy._types import UserAPIKeyAuth

async def known(request, api_key):
    name, _, models = api_key.removeprefix("sk-").partition("-may-ask-")
    return UserAPIKeyAuth(api_key=api_key, key_alias=name, models=models.split(","))
"""


def exported(folder: Path, environ: dict[str, str]) -> Gateway:
    """LiteLLM's own command over the exported config, to which callers with keys of their own were added."""
    path = write_config(ml.load_pool(folder / "pool.yaml"), folder / "exported", environ)
    (path.parent / "callers.py").write_text(CALLERS)
    config = yaml.safe_load(path.read_text())
    config["general_settings"] |= {"custom_auth": "callers.known", "custom_auth_run_common_checks": True}
    config["litellm_settings"] |= {"enable_post_custom_auth_checks": True}
    path.write_text(yaml.safe_dump(config))
    return Gateway([str(Path(sys.executable).with_name("litellm")), "--config", str(path)], environ, path.parent)


@dataclass
class Cluster:
    """Two gateways over one model server, and one that is LiteLLM's own command over the exported config."""

    models: FaultServer
    first: Gateway
    second: Gateway
    exported: Gateway
    store: str
    redis: str | None
    shares_budget: bool

    def script(self, model: str, *args: Any, **settings: Any) -> None:
        self.models.scripts[model] = Script(*args, **settings)

    def restore(self) -> None:
        for model in self.models.scripts:
            self.script(model, f"An answer of {model}.")


@pytest.fixture(scope="module")
def whole_cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("gateways")
    (folder / "pool.yaml").write_text(POOL)
    shares_budget = server_programs() is not None
    store = str(folder / "feedback.sqlite")
    if shares_budget:
        schema = new_schema(request.getfixturevalue("server"), f"gateway_{uuid.uuid4().hex}")
        store = schema.render_as_string(hide_password=False)
    with ExitStack() as stack:
        models = stack.enter_context(FaultServer(dict.fromkeys(("light", "frail", "heavy", "dear"), Script())))
        address = models.base_url.replace("http://", f"http://me:{PASSWORD}@")
        environ = {"OLLAMA_BASE_URL": address, "MULTILLM_STORE": store}
        shared = stack.enter_context(redis_server(folder)) if has_redis() else None
        if shared:
            environ["MULTILLM_REDIS_URL"] = shared
        command = multillm_serve(
            *("--pool", str(folder / "pool.yaml"), "--backend", "ollama"),
            *("--max-tokens", str(RUN_TOKENS), "--deadline", str(RUN_S)),
        )
        first, second = (Gateway(command, environ, folder) for _ in range(2))
        third = exported(folder, environ)
        stack.enter_context(running(first, second, third))
        cluster = Cluster(models, first, second, third, store, shared, shares_budget)
        yield cluster
        lets_go_of_everything(first)
        keeps_secrets(cluster)


def lets_go_of_everything(gateway: Gateway) -> None:
    """A gateway that all tests have asked ends as it is told to."""
    assert gateway.stop() == 0
    log = gateway.log.read_text(errors="replace")
    assert "Finished server process" in log
    assert "never retrieved" not in log


def keeps_secrets(cluster: Cluster) -> None:
    """No key or password stands in what the gateways logged, shared or recorded, whatever the tests had go wrong."""
    with ml.FeedbackStore(cluster.store) as store:
        kept = {"store": store.frame().to_csv()}
    for gateway in (cluster.first, cluster.second):
        kept[gateway.log.name] = gateway.log.read_text(errors="replace")
    if cluster.redis:
        import redis

        with redis.Redis.from_url(cluster.redis) as shared:
            shared.config_set("rdbcompression", "no")  # what is dumped is to be read
            kept["redis"] = repr([(key, shared.dump(key)) for key in shared.scan_iter()])
    passwords = [urlsplit(url).password for url in (cluster.store, cluster.redis or "")]
    for secret in filter(None, [cluster.first.key, cluster.second.key, PASSWORD, ENCODED, *passwords]):
        assert [name for name, content in kept.items() if secret in content] == []


@pytest.fixture
def cluster(whole_cluster: Cluster) -> Cluster:
    whole_cluster.restore()
    return whole_cluster


@pytest.fixture
def client(cluster: Cluster) -> Iterator[openai.OpenAI]:
    with cluster.first.client() as client:
        yield client


def ask(client: openai.OpenAI, prompt: str, **params: Any) -> Any:
    return client.chat.completions.create(model="multillm", messages=[{"role": "user", "content": prompt}], **params)


def curl(gateway: Gateway, body: dict[str, Any], *options: str) -> tuple[int, str]:
    """HTTP status and body of the answer."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    command = ["curl", "-sN", "-w", "\n%{http_code}", f"{gateway.base_url}/v1/chat/completions", *options]
    key = ["-H", f"Authorization: Bearer {gateway.key}", "-H", "Content-Type: application/json"]
    told = subprocess.run([*command, *key, "-d", json.dumps(body)], capture_output=True, text=True, check=True).stdout
    content, _, status = told.rpartition("\n")
    return int(status), content


def test_openai_s_client_gets_the_merged_answer_what_was_decided_and_what_it_took(
    cluster: Cluster, client: openai.OpenAI
) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="multillm", messages=[{"role": "user", "content": TWO}]
    )
    answer = raw.parse()
    text = "## 1. What is a mutex\n\nAn answer of light.\n\n## 2. Implement a spinlock in C.\n\nAn answer of heavy."
    assert answer.choices[0].message.content == text
    assert answer.choices[0].finish_reason == "stop"
    told: Any = answer.model_extra and answer.model_extra["multillm"]
    assert [(row["label"], row["task_type"], row["status"]) for row in told["sub_tasks"]] == [
        ("light", "qa_simple", "ok"),
        ("heavy", "code_generation", "ok"),
    ]
    assert raw.headers["llm_provider-x-multillm-labels"] == "light,heavy"
    with ml.FeedbackStore(cluster.store) as store:
        rows = store.frame(run_id=raw.headers["llm_provider-x-multillm-run-id"])
    assert answer.usage is not None
    assert answer.usage.completion_tokens == rows["output_tokens"].sum() == 8
    assert answer.usage.prompt_tokens == rows["input_tokens"].sum() > 0
    assert told["cost_units"] == pytest.approx(rows["cost_units"].sum())
    assert float(raw.headers["x-litellm-response-cost"]) == pytest.approx(told["cost_units"])


def test_a_streamed_answer_comes_piece_by_piece_in_the_order_of_the_prompt(
    cluster: Cluster, client: openai.OpenAI
) -> None:
    cluster.script("light", "Slow, but first in the prompt.", token_s=0.1)
    whole = ask(client, TWO).choices[0].message.content
    began = time.monotonic()
    chunks = [
        (time.monotonic() - began, chunk)
        for chunk in ask(client, TWO, stream=True, stream_options={"include_usage": True})
    ]
    pieces = [
        (when, chunk.choices[0].delta.content)
        for when, chunk in chunks
        if chunk.choices and chunk.choices[0].delta.content
    ]
    assert "".join(piece for _, piece in pieces) == whole
    assert len(pieces) >= 6
    assert pieces[-1][0] - pieces[0][0] > 0.3
    assert pieces[-1][1].endswith("An answer of heavy.")
    assert [c.choices[0].finish_reason for _, c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    [usage] = [chunk.usage for _, chunk in chunks if chunk.usage]
    assert usage.completion_tokens == 6 + 4
    [told] = [chunk.multillm for _, chunk in chunks if hasattr(chunk, "multillm")]
    assert [row["label"] for row in told["sub_tasks"]] == ["light", "heavy"]


def test_text_that_was_read_cannot_be_taken_back(cluster: Cluster, client: openai.OpenAI) -> None:
    cluster.script("light", "One two three four five.", faults=[Fault.CUT], after_tokens=2)
    text = "".join(c.choices[0].delta.content or "" for c in ask(client, SINGLE, stream=True) if c.choices)
    assert text == f"One two{BROKE_OFF}An answer of heavy."


def test_the_conversation_and_the_settings_of_a_request_reach_every_model(
    cluster: Cluster, client: openai.OpenAI
) -> None:
    before: list[Any] = [
        {"role": "developer", "content": "Answer in French."},
        {"role": "user", "content": [{"type": "text", "text": "What is a lock?"}]},
        {"role": "assistant", "content": "Un verrou."},
    ]
    cluster.models.requests.clear()
    client.chat.completions.create(
        model="multillm", messages=[*before, {"role": "user", "content": TWO}], max_tokens=51, temperature=0.7, seed=5
    )
    asked = list(cluster.models.requests)
    assert sorted(body["model"] for body in asked) == ["heavy", "light"]
    for body in asked:
        assert [(m["role"], m["content"]) for m in body["messages"][:-1]] == [
            ("system", "Answer in French."),
            ("user", "What is a lock?"),
            ("assistant", "Un verrou."),
        ]
        assert {name: body["options"][name] for name in ("num_predict", "temperature", "seed")} == {
            "num_predict": 25,
            "temperature": 0.7,
            "seed": 5,
        }


def test_the_auto_router_sends_a_whole_request_to_the_model_that_is_good_enough(
    cluster: Cluster, client: openai.OpenAI
) -> None:
    for model, prompt, served in (
        ("multillm-auto", SINGLE, "light"),
        ("multillm-auto", REVIEW, "dear"),
        ("heavy", SINGLE, "heavy"),
    ):
        answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": prompt}])
        assert answer.choices[0].message.content == f"An answer of {served}."


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("prompt", "params", "status", "words"),
    [
        (" ", {}, 400, "the prompt is empty"),
        (SINGLE, {"stop": ["."]}, 400, "stop cannot be heeded"),
        (SINGLE, {"temperature": 3}, 400, "temperature is 3"),
        (TWO, {"max_tokens": 1}, 400, "1 for 2 sub-tasks"),
        (SINGLE + " word" * 40_000, {}, 400, "tokens of context"),
        (SINGLE + " word" * 9_500, {}, 429, "budget has"),
        (REVIEW, {}, 503, "dear gave no answer"),
    ],
)
def test_an_error_has_the_status_and_the_words_that_say_what_to_do(
    cluster: Cluster, client: openai.OpenAI, prompt: str, params: dict[str, Any], status: int, words: str, stream: bool
) -> None:
    cluster.script("dear", faults=[Fault.BROKEN])
    with pytest.raises(openai.APIStatusError, match=words) as caught:
        ask(client, prompt, stream=stream, **params)
    assert caught.value.status_code == status
    assert isinstance(caught.value.body, dict)
    assert {"message", "type", "param", "code"} <= set(caught.value.body)
    assert caught.value.body["code"] == str(status)


def test_time_that_is_up_is_a_504(cluster: Cluster, client: openai.OpenAI) -> None:
    cluster.script("dear", faults=[Fault.HANG])
    with pytest.raises(openai.APIStatusError, match=rf"its ({RUN_S}\.0|{RUN_S - 1}\.\d) s were up") as caught:
        ask(client, REVIEW)
    assert caught.value.status_code == 504


def test_what_is_answered_is_returned_where_a_part_failed(cluster: Cluster, client: openai.OpenAI) -> None:
    cluster.script("dear", faults=[Fault.BROKEN])
    answer = ask(client, "What is a mutex AND review this function for bugs.")
    assert "An answer of light." in answer.choices[0].message.content
    assert "**Not answered.** dear gave no answer" in answer.choices[0].message.content
    assert answer.multillm["partial"] is True


def test_curl_gets_what_openai_s_client_gets(cluster: Cluster) -> None:
    body = {"model": "multillm", "messages": [{"role": "user", "content": SINGLE}]}
    status, content = curl(cluster.first, body)
    assert (status, json.loads(content)["choices"][0]["message"]["content"]) == (200, "An answer of light.")
    status, content = curl(cluster.first, body | {"stream": True})
    lines = [line.removeprefix("data: ") for line in content.splitlines() if line]
    text = "".join(json.loads(line)["choices"][0]["delta"].get("content", "") for line in lines[:-1])
    assert (status, text, lines[-1]) == (200, "An answer of light.", "[DONE]")
    status, content = curl(cluster.first, body | {"messages": []})
    assert (status, json.loads(content)["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(("key", "status"), [("", 401), ("Bearer sk-somebody-else-s-key", 400)])
def test_nobody_is_served_without_the_key(cluster: Cluster, key: str, status: int) -> None:
    body = {"model": "multillm", "messages": [{"role": "user", "content": SINGLE}]}
    headers = {"Authorization": key} if key else {}
    answer = httpx.post(f"{cluster.first.base_url}/v1/chat/completions", json=body, headers=headers)
    assert (answer.status_code, "error" in answer.json()) == (status, True)


@pytest.mark.parametrize("model", ["multillm", "light"])
@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.RESET, Fault.MALFORMED])
def test_the_password_of_a_model_s_address_reaches_its_server_and_no_caller(
    cluster: Cluster, client: openai.OpenAI, model: str, fault: Fault
) -> None:
    for script in cluster.models.scripts:
        cluster.script(script, faults=itertools.repeat(fault))
    cluster.models.headers.clear()
    with pytest.raises(openai.APIError) as caught:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": SINGLE}])
    assert not [secret for secret in (PASSWORD, ENCODED) if secret in f"{caught.value} {caught.value.body}"]
    assert {headers["authorization"] for headers in cluster.models.headers} == {f"Basic {ENCODED}"}


def test_callers_have_keys_of_their_own_and_are_told_what_streams_cost_too(cluster: Cluster) -> None:
    cluster.script("light", "word " * 100)
    with cluster.exported.client(api_key="sk-reader-may-ask-multillm") as reader:
        costs = [ask(reader, SINGLE).usage.cost]
        chunks = list(ask(reader, SINGLE, stream=True, stream_options={"include_usage": True}))
        costs += [chunk.usage.cost for chunk in chunks if chunk.usage]
        with pytest.raises(openai.PermissionDeniedError, match="not available for this API key"):
            reader.chat.completions.create(model="light", messages=[{"role": "user", "content": SINGLE}])
    assert costs == pytest.approx([0.001, 0.001])


def test_a_deployment_that_one_gateway_found_dead_is_left_out_by_the_other(cluster: Cluster) -> None:
    if not cluster.redis:
        pytest.skip("no Redis server is installed")
    cluster.script("frail", faults=itertools.repeat(Fault.RESET))
    calls = []
    for gateway in (cluster.first, cluster.second):
        before = cluster.models.called("frail")
        with gateway.client() as client:
            answers = [ask(client, SUMMARY).choices[0].message.content for _ in range(8)]
        assert set(answers) == {"An answer of heavy."}
        calls.append(cluster.models.called("frail") - before)
        time.sleep(1.1)  # what Redis says is read once a second
    assert calls == [ALLOWED_FAILS + 1, 0]


async def test_a_period_s_budget_holds_over_both_gateways(cluster: Cluster) -> None:
    if not cluster.shares_budget:
        pytest.skip("no PostgreSQL server is installed")
    cluster.script("dear", "word " * 900, prompt_s=0.3)
    async with cluster.first.async_client() as one, cluster.second.async_client() as other:
        messages: Any = [{"role": "user", "content": REVIEW}]
        asked = (client.chat.completions.create(model="multillm", messages=messages) for client in [one, other] * 12)
        answers = await asyncio.gather(*asked, return_exceptions=True)
    served = [answer for answer in answers if not isinstance(answer, BaseException)]
    refused = [answer for answer in answers if isinstance(answer, openai.RateLimitError)]
    assert len(served) + len(refused) == 24
    with ml.FeedbackStore(cluster.store) as store:
        spent, _ = store.spent(3600)
    assert len(served) in {9, 10}  # of 0.9 each, in steps of at most 1.024, beside the little that the other tests took
    assert BUDGET - 2 * 1.024 < spent <= BUDGET
