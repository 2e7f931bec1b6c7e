"""Choosing a backend."""

from pathlib import Path

import pytest

import multillm as ml
from multillm.backends import look
from multillm.testing import FaultServer, Script
from tests.pools import small_pool


async def test_auto_takes_ollama_if_it_has_every_model() -> None:
    with FaultServer({"light": Script()}) as server:
        choice = await ml.choose_backend("auto", small_pool("light"), {"OLLAMA_BASE_URL": server.base_url})
    assert choice.backend.name == "ollama"
    assert choice.status.ready
    assert choice.reason.startswith("Ollama 0.24.0")


async def test_auto_falls_to_the_embedded_model_and_says_why() -> None:
    with FaultServer({"light": Script()}) as server:
        choice = await ml.choose_backend("auto", small_pool("heavy"), {"OLLAMA_BASE_URL": server.base_url})
    assert choice.backend.name == "embedded"
    assert choice.reason.startswith("Not ollama: ")
    assert "heavy" in choice.reason
    assert "SmolLM2-135M-Instruct is ready" in choice.reason


async def test_auto_with_nothing_ready_names_every_remedy(tmp_path: Path) -> None:
    with FaultServer({"light": Script()}) as server:
        environ = {"OLLAMA_BASE_URL": server.base_url, "MULTILLM_MODEL": str(tmp_path / "none.gguf")}
        with pytest.raises(ml.BackendUnavailable) as caught:
            await ml.choose_backend("auto", small_pool("heavy"), environ)
        status = await look("auto", small_pool("heavy"), environ)
    assert "ollama pull heavy" in str(caught.value)
    assert "MULTILLM_MODEL" in str(caught.value)
    assert not status.ready
    assert set(status.remedies) == {"ollama pull heavy", "set MULTILLM_MODEL to a GGUF file that exists"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ollama", ml.OllamaBackend), ("embedded", ml.EmbeddedBackend), ("replay:some/file.jsonl", ml.ReplayBackend)],
)
async def test_a_backend_is_found_by_its_name_ready_or_not(name: str, kind: type) -> None:
    choice = await ml.choose_backend(name, small_pool("light"), {"OLLAMA_BASE_URL": "http://127.0.0.1:9"})
    assert isinstance(choice.backend, kind)
    assert isinstance(choice.backend, ml.Backend)


@pytest.mark.parametrize("name", ["", "replay", "replay:", "openai", "Ollama"])
async def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(ml.ConfigurationError, match="auto, ollama, embedded or replay:PATH"):
        await ml.choose_backend(name, small_pool("light"), {})
