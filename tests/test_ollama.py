"""Finding an Ollama server, its models, and what is missing."""

import httpx
import pytest

import multillm as ml
from multillm.backends.ollama import ollama_url
from multillm.testing import FaultServer, Script
from tests.pools import small_pool


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://localhost:11434"),
        ({"OLLAMA_HOST": ""}, "http://localhost:11434"),
        ({"OLLAMA_HOST": "0.0.0.0"}, "http://127.0.0.1:11434"),
        ({"OLLAMA_HOST": "0.0.0.0:8080"}, "http://127.0.0.1:8080"),
        ({"OLLAMA_HOST": ":8080"}, "http://127.0.0.1:8080"),
        ({"OLLAMA_HOST": "models"}, "http://models:11434"),
        ({"OLLAMA_HOST": "models:8080"}, "http://models:8080"),
        ({"OLLAMA_HOST": "http://models:8080/"}, "http://models:8080"),
        ({"OLLAMA_HOST": "https://models"}, "https://models:443"),
        ({"OLLAMA_HOST": "https://models/ollama/"}, "https://models:443/ollama"),
        ({"OLLAMA_HOST": "[::1]:8080"}, "http://[::1]:8080"),
        ({"OLLAMA_HOST": "::"}, "http://[::1]:11434"),
        ({"OLLAMA_HOST": "'models'"}, "http://models:11434"),
        ({"OLLAMA_BASE_URL": "http://base:1/", "OLLAMA_HOST": "host"}, "http://base:1"),
        ({"OLLAMA_BASE_URL": "base:1"}, "http://base:1"),
    ],
)
def test_the_address_is_read_as_ollama_reads_it(environ: dict[str, str], url: str) -> None:
    assert ollama_url(environ) == url


async def test_a_server_with_every_model_is_ready() -> None:
    with FaultServer({"light": Script(), "heavy": Script()}) as server:
        server.loaded.add("light:latest")
        status = await ml.OllamaBackend(server.base_url, {}).check(small_pool("light", "heavy"))
    assert status.ready
    assert status.summary == f"Ollama 0.24.0 at {server.base_url} has every model of the pool 'small'."
    assert status.mapping == {"light": "light (Ollama, loaded)", "heavy": "heavy (Ollama)"}


async def test_missing_models_come_with_the_commands_that_pull_them() -> None:
    pool = small_pool("light", "heavy:7b")
    with FaultServer({"light": Script()}) as server:
        backend = ml.OllamaBackend(server.base_url, {})
        status = await backend.check(pool)
        with pytest.raises(ml.ModelMissing, match="ollama pull heavy:7b"):
            await backend.open(pool)
    assert (status.ready, status.missing, status.remedies) == (False, ("heavy:7b",), ("ollama pull heavy:7b",))
    assert status.mapping["heavy:7b"] == "heavy:7b (not pulled)"


async def test_a_server_that_does_not_answer_comes_with_a_remedy() -> None:
    with FaultServer({}) as server:
        gone = server.base_url
    backend = ml.OllamaBackend(environ={"OLLAMA_BASE_URL": gone})
    status = await backend.check(small_pool("light"))
    assert not status.ready
    assert status.remedies == ("ollama serve",)
    assert gone in status.summary
    assert "OLLAMA_BASE_URL" in status.summary
    with pytest.raises(ml.BackendUnavailable, match="ollama serve"):
        await backend.open(small_pool("light"))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>not Ollama</html>"),
        httpx.Response(200, json=["not", "Ollama"]),
        httpx.Response(200, json={"models": None, "version": "1"}),
        httpx.Response(502),
    ],
)
async def test_whatever_else_answers_is_no_ollama_server(answer: httpx.Response) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(answer.status_code, content=answer.content))
    status = await ml.OllamaBackend("http://models:1", {}, transport).check(small_pool("light"))
    assert not status.ready
    assert "no Ollama server answers" in status.summary


async def test_a_password_in_the_address_is_not_shown() -> None:
    backend = ml.OllamaBackend("http://user:hidden-word@127.0.0.1:9", {})
    status = await backend.check(small_pool("light"))
    assert "hidden-word" not in status.summary + repr(backend)


async def test_models_of_other_providers_pass_through_where_their_credentials_are_set() -> None:
    cloud = ml.ModelSpec(
        label="cloud",
        model="watsonx/some-model",
        rank=9,
        credentials=("CLOUD_KEY",),
        cost_per_1k=1,
        context_tokens=9000,
        quality=ml.QualityCurve(intercept=1),
    )
    pool = small_pool("light")
    pool = pool.model_copy(update={"models": (*pool.models, cloud)})
    with FaultServer({"light": Script()}) as server:
        without = await ml.OllamaBackend(server.base_url, {}).check(pool)
        with_key = await ml.OllamaBackend(server.base_url, {"CLOUD_KEY": "set"}).check(pool)
    assert without.ready
    assert "cloud" not in without.mapping
    assert with_key.ready
    assert with_key.mapping["cloud"] == "watsonx/some-model (through LiteLLM)"
