"""Recording answers and giving them again."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import multillm as ml
from multillm.testing import Fault, FaultServer, Script
from tests.contracts import ask, check_client
from tests.pools import small_pool


@pytest.fixture
async def recording(tmp_path: Path) -> Path:
    path = tmp_path / "deep" / "answers.jsonl"
    with FaultServer(
        {"light": Script(answer="Grüße,\u2028“you”\x85.", token_s=0.03), "heavy": Script(faults=[Fault.BUSY])}
    ) as server:
        client = ml.RecordingClient(
            await ml.OllamaBackend(server.base_url, {}).open(small_pool("light", "heavy")), path
        )
        await client.complete(ask("light"))
        await client.complete(ask("heavy", fallbacks=("light",)))
        await client.aclose()
    return path


async def test_a_replay_keeps_the_contract_and_tells_all_it_recorded(recording: Path) -> None:
    pool = small_pool("light", "heavy")
    completion = await check_client(await ml.ReplayBackend(recording).open(pool), ask("light"))
    assert completion.text == "Grüße,\u2028“you”\x85."
    assert completion.replayed
    assert completion.generation_s is not None
    assert completion.generation_s > 0.05
    fallen = await (await ml.ReplayBackend(recording).open(pool)).complete(ask("heavy", fallbacks=("light",)))
    assert [attempt.label for attempt in fallen.attempts] == ["heavy", "light"]
    assert fallen.label == "light"


async def test_a_recording_that_comes_with_the_package_is_found_by_name() -> None:
    for backend in (ml.ReplayBackend("quickstart"), (await ml.choose_backend("replay:quickstart")).backend):
        status = await backend.check(ml.load_pool())
        assert status.ready
        assert status.mapping["model::light"] == "openai/qwen2.5-coder-0.5b-instruct-q4_k_m (recorded)"


async def test_a_replay_takes_as_long_as_its_speed_says(recording: Path) -> None:
    client = await ml.ReplayBackend(recording, speed=2.0).open(small_pool("light"))
    started = time.perf_counter()
    completion = await client.complete(ask("light"))
    assert time.perf_counter() - started >= completion.latency_s / 2
    with pytest.raises(ml.ConfigurationError, match="speed is 0"):
        ml.ReplayBackend(recording, speed=0)


async def test_what_was_not_recorded_is_missing_and_says_how_to_record_it(recording: Path) -> None:
    client = await ml.ReplayBackend(recording).open(small_pool("light"))
    for request in (ask("light", "Something else?"), replace(ask("light"), seed=2), ask("heavy", temperature=0.5)):
        with pytest.raises(ml.RecordingMissing, match="RecordingClient") as caught:
            await client.complete(request)
        assert request.label in str(caught.value)
        assert request.messages[0]["content"] in str(caught.value)
        assert str(recording) in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[: len(line) // 2],
        lambda line: "[]",
        lambda line: json.dumps({"key": "x"}),
        lambda line: line.replace("Say hello.", "Say more."),
        lambda line: json.dumps({**json.loads(line), "surplus": 1}),
    ],
)
async def test_a_damaged_line_is_named(recording: Path, damage: object) -> None:
    lines = recording.read_text("utf-8").splitlines()
    lines[1] = damage(lines[1])  # type: ignore[operator]
    recording.write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(ml.ConfigurationError, match=r"answers\.jsonl, line 2 is no recorded answer"):
        await ml.ReplayBackend(recording).open(small_pool("light"))
    assert not (await ml.ReplayBackend(recording).check(small_pool("light"))).ready


async def test_a_recording_that_is_not_there_comes_with_a_remedy(tmp_path: Path) -> None:
    status = await ml.ReplayBackend(tmp_path / "none.jsonl").check(small_pool("light"))
    assert not status.ready
    assert "RecordingClient" in status.remedies[0]
    with pytest.raises(ml.BackendUnavailable, match=r"none\.jsonl"):
        await ml.ReplayBackend(tmp_path / "none.jsonl").open(small_pool("light"))


async def test_a_recording_says_what_it_holds(recording: Path) -> None:
    status = await ml.ReplayBackend(recording).check(small_pool("light", "other"))
    assert status.ready
    assert status.summary == f"{recording} holds 2 recorded answers."
    assert status.mapping == {"light": "ollama_chat/light (recorded)", "other": "nothing recorded"}


async def test_a_recording_holds_no_key_and_no_address(tmp_path: Path) -> None:
    pool = small_pool("light")
    with FaultServer({"light": Script()}) as server:
        params = {"api_base": server.base_url, "api_key": "never-to-be-written"}
        client = ml.ModelClient([ml.Deployment("light", "ollama_chat/light", params)], pool.registry, pool.calls)
        recorder = ml.RecordingClient(client, tmp_path / "a.jsonl")
        await recorder.complete(ask("light"))
        await recorder.aclose()
    written = (tmp_path / "a.jsonl").read_text("utf-8")
    assert "never-to-be-written" not in written
    assert server.base_url not in written


def test_a_replay_does_without_litellm(recording: Path) -> None:
    code = (
        "import asyncio, sys, multillm as ml\n"
        "from tests.contracts import ask\n"
        "from tests.pools import small_pool\n"
        "async def main():\n"
        f"    client = await ml.ReplayBackend({str(recording)!r}).open(small_pool('light'))\n"
        "    print((await client.complete(ask('light'))).output_tokens, 'litellm' in sys.modules)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "False"]


FULL = """
import resource, sys
from pathlib import Path
from multillm.backends import append_line
from multillm.errors import BackendUnavailable
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
for length in (60, 60, 20):
    try:
        append_line(path, "x" * (length - 1) + "\\n")
    except BackendUnavailable as error:
        print(error)
"""


def test_a_line_that_a_full_disk_would_cut_is_refused_and_the_lines_around_it_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    told = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True).stdout
    assert "only 40 of 60 bytes could be written" in told
    assert "free space" in told
    assert [len(line) for line in path.read_text().splitlines()] == [59, 19]
