"""The command line against a loopback Ollama: what it prints, and how it exits."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import multillm as ml
from multillm.testing import Fault, FaultServer, Script

MODELS = [spec.served_name for spec in ml.load_pool("reference", environ={}).registry]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer({name: Script(answer=f"Answer of {name}.") for name in MODELS}) as running:
        yield running


def multillm(
    *arguments: str, home: Path, server: FaultServer | None = None, stdin: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    clean = {
        "PATH": str(Path(sys.executable).parent),
        "HOME": str(home),
        "COLUMNS": "200",
        "OLLAMA_BASE_URL": server.base_url if server else "http://127.0.0.1:9",
    }
    command = [sys.executable, "-m", "multillm.cli", *arguments]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, env=clean | environ, timeout=120, check=False
    )


def test_the_demo_goes_from_mapping_to_feedback_summary(tmp_path: Path, server: FaultServer) -> None:
    done = multillm("demo", home=tmp_path, server=server)
    assert done.returncode == 0, done.stderr
    for words in (
        "model::light",
        "model::balanced",
        "Routing table",
        "Wall clock",
        "Answer of granite4.1:3b.",
        "2 calls",
    ):
        assert words in done.stdout
    assert server.called("granite4.1:3b") == server.called("gemma3:4b") == 1


@pytest.mark.parametrize(("arguments", "environ"), [(("--dry-run",), {}), ((), {"DRY_RUN": "1"})])
def test_a_dry_run_calls_no_model(
    tmp_path: Path, server: FaultServer, arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    done = multillm("demo", *arguments, home=tmp_path, server=server, **environ)
    assert done.returncode == 0, done.stderr
    assert "model::light" in done.stdout
    assert "Answer of" not in done.stdout
    assert not server.requests


def test_route_prints_json_without_any_server(tmp_path: Path) -> None:
    done = multillm("route", "--json", "Explain what a mutex is and then write a spinlock in C.", home=tmp_path)
    first, second = json.loads(done.stdout)
    assert (first["label"], second["task_type"]) == ("model::light", "code_generation")
    assert {candidate["role"] for candidate in first["candidates"]} >= {"chosen", "fallback 1"}


def test_run_puts_the_answer_alone_on_standard_output(tmp_path: Path, server: FaultServer) -> None:
    done = multillm("run", "--backend", "ollama", home=tmp_path, server=server, stdin="Explain what a mutex is.")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Answer of granite4.1:3b.\n"
    assert "Routing table" in done.stderr


def test_run_stays_within_its_budget_and_its_deadline(tmp_path: Path, server: FaultServer) -> None:
    prompt = "Explain what a mutex is."
    poor = multillm("run", "--backend", "ollama", "--max-tokens", "100", prompt, home=tmp_path, server=server)
    assert poor.returncode == 1, poor.stderr
    assert "the run's budget has 100 tokens left" in poor.stdout
    assert not server.requests
    server.scripts |= {name: Script(faults=[Fault.HANG] * 9) for name in MODELS}
    late = multillm("run", "--backend", "ollama", "--deadline", "1", "--json", prompt, home=tmp_path, server=server)
    assert late.returncode == 1, late.stderr
    assert json.loads(late.stdout)["results"][0]["error"]["type"] == "DeadlineExceeded"


def test_a_prompt_comes_from_a_file_too(tmp_path: Path, server: FaultServer) -> None:
    (tmp_path / "prompt.txt").write_text("Explain what a mutex is.")
    done = multillm("run", "--json", "-f", str(tmp_path / "prompt.txt"), home=tmp_path, server=server)
    assert json.loads(done.stdout)["results"][0]["completion"]["output_tokens"] == 3


def test_a_failed_sub_task_is_exit_1_and_never_an_answer(tmp_path: Path) -> None:
    scripts = {name: Script(faults=[Fault.BROKEN] * 99) for name in MODELS}
    pool = tmp_path / "pool.yaml"
    pool.write_text("extends: default\ncalls: {num_retries: 0, retry_wait_s: 0}")
    with FaultServer(scripts) as server:
        done = multillm("run", "--pool", str(pool), "Explain what a mutex is.", home=tmp_path, server=server)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("> **Not answered.**")


def test_an_interrupt_ends_with_130_and_loses_no_row(tmp_path: Path) -> None:
    store = tmp_path / ".local" / "share" / "multillm" / "feedback.sqlite"
    with FaultServer({name: Script(faults=[Fault.HANG] * 9) for name in MODELS}) as server:
        environ = {"PATH": str(Path(sys.executable).parent), "HOME": str(tmp_path), "OLLAMA_BASE_URL": server.base_url}
        command = [sys.executable, "-m", "multillm.cli", "run", "--backend", "ollama", "Explain what a mutex is."]
        running = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not server.requests and time.monotonic() < deadline:
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
        assert server.wait_until_unconnected()
    assert running.returncode == 130, said
    assert "Traceback" not in said
    with ml.FeedbackStore(store) as kept:
        assert kept.frame()["error_type"].tolist() == ["Cancelled"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", ""), 3, "the prompt is empty"),
        (("run", "-f", "/nowhere.txt"), 3, "cannot be read"),
        (("run", "--pool", "nowhere", "hi"), 3, "no pool 'nowhere'"),
        (("run", "--backend", "ollama", "hi"), 4, "OLLAMA_BASE_URL"),
        (("run", "--backend", "magic", "hi"), 3, "magic"),
        (("run", "--nonsense"), 2, "--nonsense"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_an_exit_code(
    tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = multillm(*arguments, home=tmp_path)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_names_what_is_missing_and_the_command_that_mends_it(tmp_path: Path) -> None:
    with FaultServer({MODELS[0]: Script()}) as server:
        done = multillm("doctor", home=tmp_path, server=server)
    assert done.returncode == 4
    for model in MODELS[1:]:
        assert f"ollama pull {model}" in done.stdout
    assert "multillm setup" in done.stdout
    assert "WATSONX_APIKEY" in done.stdout


def test_nothing_that_a_model_writes_can_steer_the_terminal(tmp_path: Path) -> None:
    hostile = Script(answer="\x1b]0;owned\x07[red]plain[/red]\x1b[2J")
    with FaultServer(dict.fromkeys(MODELS, hostile)) as server:
        done = multillm("run", "Explain what a mutex is.", home=tmp_path, server=server)
    assert done.stdout == "]0;owned[red]plain[/red][2J\n"
