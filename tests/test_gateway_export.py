"""A pool as the config of LiteLLM's proxy: what stands in it, and that LiteLLM decides by it as we do."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import multillm as ml
from multillm.classification import get_classifier
from multillm.cli import app
from multillm.client.session import quiet_litellm
from multillm.gateway.config import AUTO, proxy_config, write_config
from multillm.gateway.conversation import read_request
from multillm.gateway.plugins import TIERS, Thresholds
from multillm.gateway.upward import upward_fallbacks
from multillm.router import RoutingRule
from multillm.tasks import SubTask, TaskProfile

CLOUD = {"WATSONX_URL": "https://example.org", "WATSONX_APIKEY": "planted-key-1", "WATSONX_PROJECT_ID": "planted-id"}


def many_prompts(count: int) -> list[str]:
    """Prompts of all kinds, compound ones among them, which are routed as a whole here."""
    gold = [example.prompt for part in ("train", "test") for example in ml.load_gold(part)]
    checked = [prompt.prompt for prompt in ml.load_prompts("core")]
    return list(dict.fromkeys(gold + checked))[:count]


def router_of(config: Path) -> Any:
    """The router that LiteLLM's proxy makes of a config, without proxy and pipeline around it."""
    from litellm.proxy.types_utils.utils import get_instance_fn

    content = yaml.safe_load(config.read_text())
    for entry in content["model_list"]:
        if routing := entry["litellm_params"].get("complexity_router_config"):
            routing["classifier_plugin"] = get_instance_fn(routing["classifier_plugin"], str(config))
            routing["plugins"] = [get_instance_fn(path, str(config)) for path in routing["plugins"]]
    settings = {name: value for name, value in content["router_settings"].items() if name != "redis_url"}
    return quiet_litellm().Router(model_list=content["model_list"], ignore_invalid_deployments=True, **settings)


async def decided(router: Any, prompts: list[str]) -> tuple[list[str], list[str]]:
    """Label and tier that LiteLLM decides on for each prompt."""
    labels, tiers = [], []
    for prompt in prompts:
        messages = [{"role": "user", "content": prompt}]
        routed = await router.async_pre_routing_hook(model=AUTO, request_kwargs={}, messages=messages)
        labels.append(routed.model)
        tiers.append(str(routed.routing_decision["tier"]))
    return labels, tiers


@pytest.mark.parametrize("name", ["default", "reference"])
async def test_litellm_decides_by_the_exported_file_as_we_do(name: str, tmp_path: Path) -> None:
    pool = ml.load_pool(name)
    prompts = many_prompts(1000)
    assert len(set(prompts)) == 1000
    made = router_of(write_config(pool, tmp_path))
    labels, tiers = await decided(made, prompts)
    made.discard()
    router, classifier = ml.TaskRouter(pool.registry.usable(), pool.policy), get_classifier(pool.classifier)
    ours = [router.route(classifier.classify(SubTask(prompt, 0, len(prompt)))) for prompt in prompts]
    assert labels == [decision.label for decision in ours]
    assert tiers == [TIERS[decision.profile.tier] for decision in ours]
    assert len(set(labels)) >= 3


PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 2_000_000}}


async def narrowed(*contents: object) -> Any:
    """What the thresholds leave of a conversation's candidates."""
    quiet_litellm()
    from litellm.types.router import RoutingContext

    pool = ml.load_pool("small")
    messages: Any = [{"role": "user", "content": content} for content in contents]
    context = RoutingContext(
        raw_messages=messages, structured_messages=messages, candidate_models=list(pool.registry.labels)
    )
    return await Thresholds(get_classifier(pool.classifier), ml.TaskRouter(pool.registry, pool.policy)).run(context)


async def test_a_picture_takes_no_room_in_a_context_window() -> None:
    question = {"type": "text", "text": "What is a mutex?"}
    alone = await narrowed("What is a mutex?")
    assert len(alone.candidate_models) == 1
    for contents in ([[PICTURE], "What is a mutex?"], [[PICTURE, question]]):
        assert (await narrowed(*contents)).candidate_models == alone.candidate_models


async def test_a_picture_alone_is_not_routed_by_an_earlier_question() -> None:
    context = await narrowed("What is a mutex?", [PICTURE])
    assert context.candidate_models == list(ml.load_pool("small").registry.labels)
    assert context.signals == {}


async def test_a_request_that_fits_no_model_is_refused_in_litellm_s_terms() -> None:
    refused = quiet_litellm().exceptions.ContextWindowExceededError
    with pytest.raises(refused, match="tokens of context"):
        await narrowed("word " * 400_000)


@pytest.mark.parametrize("name", ml.pool_names())
def test_a_fallback_is_good_enough_wherever_the_label_it_stands_in_for_is(name: str) -> None:
    pool = ml.load_pool(name, {})
    router = ml.TaskRouter(pool.registry, pool.policy)
    fallbacks = upward_fallbacks(pool.registry, pool.policy)
    for task_type in ml.TaskType:
        for step in range(101):
            decision = router.route(TaskProfile(SubTask("x", 0, 1), task_type, step / 100, 1))
            if decision.rule is RoutingRule.HIGHEST_QUALITY:
                continue
            good = {c.label for c in decision.candidates if (c.quality or 0.0) >= decision.threshold}
            chosen = pool.registry[decision.label]
            for target in fallbacks.get(decision.label, []):
                assert target in good
                assert task_type in pool.registry[target].task_types
                assert pool.registry[target].rank >= chosen.rank


def test_a_label_that_no_other_can_stand_in_for_has_no_fallback() -> None:
    fallbacks = upward_fallbacks(ml.load_pool("default", {}).registry, ml.load_pool("default", {}).policy)
    assert fallbacks["model::light"] == ["model::medium", "model::balanced", "model::heavy", "model::cloud"]
    assert fallbacks["model::balanced"] == ["model::heavy", "model::cloud"]
    assert "model::cloud" not in fallbacks


def test_the_config_has_prices_windows_and_times_of_the_pool_and_no_secret() -> None:
    pool = ml.load_pool("default", {})
    environ = CLOUD | {"OLLAMA_BASE_URL": "https://me:planted-password@models.example.org"}
    config = proxy_config(pool, environ)
    models = {entry["model_name"]: entry for entry in config["model_list"]}
    assert list(models) == ["multillm", AUTO, *pool.registry.labels]
    balanced = models["model::balanced"]
    assert balanced["litellm_params"]["model"] == "ollama_chat/gemma3:4b"
    assert balanced["litellm_params"]["output_cost_per_token"] == 0.00035
    assert balanced["litellm_params"]["api_base"] == "https://models.example.org"
    assert balanced["litellm_params"]["extra_headers"] == {"Authorization": "os.environ/OLLAMA_AUTHORIZATION"}
    assert balanced["model_info"]["max_input_tokens"] == 32768
    settings = config["router_settings"]
    assert (settings["cooldown_time"], settings["allowed_fails"], settings["num_retries"]) == (30.0, 3, 2)
    assert settings["timeout"] == pool.calls.timeout_s + pool.calls.load_timeout_s
    assert settings["redis_url"] == "os.environ/MULTILLM_REDIS_URL"
    assert "planted" not in yaml.safe_dump(config)
    assert "model::cloud" not in {entry["model_name"] for entry in proxy_config(pool, {})["model_list"]}


def test_the_command_writes_what_litellm_is_started_with(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["export", "litellm", "--pool", "small", "--out", str(tmp_path / "gateway")])
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "gateway").iterdir()} == {
        "config.yaml",
        "pool.yaml",
        "multillm_gateway.py",
    }
    assert ml.load_pool(tmp_path / "gateway" / "pool.yaml") == ml.load_pool("small")


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "the last message has the role None"),
        ([{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}], "the role 'assistant'"),
        ([{"role": "tool", "content": "4"}], r"messages\[0\] is of a tool"),
        ([{"role": "assistant", "content": None, "tool_calls": [{}]}, {"role": "user", "content": "x"}], "of a tool"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}], "not text"),
        ([{"role": "user", "content": 5}], "not text"),
        ([{"role": "user", "content": []}], "not text"),
    ],
)
def test_messages_that_cannot_be_heeded_are_refused(messages: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ml.InputError, match=words):
        read_request(messages, {})


@pytest.mark.parametrize("params", [{"tools": [{}]}, {"n": 2}, {"response_format": {}}, {"top_p": 0.5}, {"seed": "x"}])
def test_parameters_that_cannot_be_heeded_are_refused_by_name(params: dict[str, Any]) -> None:
    with pytest.raises(ml.InputError, match=next(iter(params))):
        read_request([{"role": "user", "content": "Hi."}], params)


def test_a_limit_that_is_given_twice_is_refused() -> None:
    with pytest.raises(ml.InputError, match="give one of them"):
        read_request([{"role": "user", "content": "Hi."}], {"max_tokens": 7, "max_completion_tokens": 8})


def test_parameters_that_change_nothing_are_let_through() -> None:
    params = {"n": 1, "stream": True, "user": "me", "stop": None, "max_completion_tokens": 7}
    prompt, options = read_request([{"role": "user", "content": "Hi."}], params)
    assert (prompt, options.max_output_tokens, options.history) == ("Hi.", 7, ())


def test_the_client_is_held_open_no_longer_than_the_event_loop() -> None:
    quiet_litellm()
    from multillm.gateway.pipeline import Pipeline

    held: list[str] = []

    class Client:
        async def __aenter__(self) -> None:
            held.append("opened")

        async def __aexit__(self, *exc_info: object) -> None:
            held.append("closed")

    model: Any = Pipeline(Client())  # type: ignore[arg-type]

    async def two_requests() -> None:
        for _ in range(2):
            model._keep_open()
            await asyncio.sleep(0)
        assert len(model._open) == 1

    for _ in range(2):
        asyncio.run(two_requests())
        assert not model._open
    assert held == ["opened", "closed"] * 2


@pytest.mark.parametrize("key", [None, ""])
def test_an_address_that_others_can_reach_is_not_served_without_a_key(
    monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    monkeypatch.delenv("LITELLM_MASTER_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("LITELLM_MASTER_KEY", key)
    done = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0", "--port", "1"])  # refused
    assert done.exit_code != 0
    assert "no key is set" in done.output + str(done.exception)
