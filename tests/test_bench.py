"""Benchmarks: what is measured, kept, gone on with and told."""

import getpass
import json
import multiprocessing
import platform
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import multillm as ml
from multillm import cli
from multillm.backends import read_recording
from multillm.bench.kept import JOURNAL, MANIFEST, ROWS
from multillm.bench.manifest import Manifest
from multillm.bench.page import Section
from multillm.bench.rows import seconds_of_machine
from multillm.resources import data_dir
from multillm.testing import FaultServer, Script
from tests.killable import measure
from tests.pools import small_pool
from tests.scripted import Answer, ScriptedBackend

KINDS = ("qa_simple", "reasoning", "summarisation")
LEVELS = ("low", "medium", "high")
TIMES = ["latency_s", "queue_s", "load_s", "prompt_s", "generation_s", "machine_s", "tokens_per_s", "price_usd"]


def sums(count: int) -> tuple[ml.BenchmarkPrompt, ...]:
    """Prompts that ask for a sum."""
    return tuple(
        ml.BenchmarkPrompt(
            f"sum-{n}",
            f"What is {n} plus {n}?",
            ml.TaskType(KINDS[n % 3]),
            LEVELS[n % 3],
            "number",
            {"answer": 2 * n},
            16,
        )
        for n in range(count)
    )


def write_sums(path: Path, count: int) -> None:
    """The same as a file."""
    shared = {"task_type": "qa_simple", "complexity": "low", "grader": "number", "max_output_tokens": 16}
    own = [{"id": p.prompt_id, "prompt": p.prompt, "expected": dict(p.expected)} for p in sums(count)]
    path.write_text("".join(json.dumps(line | shared) + "\n" for line in own), "utf-8")


def wrong_every(step: int) -> Callable[[ml.CompletionRequest], tuple[float, Answer]]:
    """Models that add rightly, but the light one not to every so manyth prompt; the warm-up gets a greeting."""

    def script(request: ml.CompletionRequest) -> tuple[float, Answer]:
        words = request.messages[-1]["content"].split()
        if words[0] != "What":
            return 0.0, "OK."
        n = int(words[2])
        return 0.001 * (n % 3), str(2 * n + (request.label == "light" and n % step == 0))

    return script


def run(backend: ScriptedBackend, prompts: tuple[ml.BenchmarkPrompt, ...] = sums(12), **more: Any) -> ml.Benchmark:
    pool = more.pop("pool", small_pool("light", "heavy"))
    return ml.run_benchmark(pool, prompts, backend, progress=False, **more)


def asked(backend: ScriptedBackend) -> list[tuple[str, str]]:
    return [(request.label, request.messages[-1]["content"]) for request in backend.requests]


def test_every_model_gets_every_prompt_once_one_model_after_the_other_with_no_more_at_once_than_allowed() -> None:
    backend = ScriptedBackend(wrong_every(4))
    benchmark = run(backend, concurrency=3)
    labels = [label for label, _ in asked(backend)]
    assert labels == ["light"] * 13 + ["heavy"] * 13
    assert asked(backend)[0] == ("light", "Say OK.")
    assert asked(backend)[13] == ("heavy", "Say OK.")
    assert len(set(asked(backend))) == 26
    assert backend.most_running == 3
    alone = ScriptedBackend(wrong_every(4))
    run(alone, routed=True)
    assert alone.most_running == 1
    assert {(r.temperature, r.seed, r.fallbacks) for r in backend.requests} == {(0.0, 0, ())}
    assert (backend.opened, backend.closed) == (1, 1)
    assert repr(benchmark) == "Benchmark('small', 12 prompts, quality: light 0.750, heavy 1.000)"


def test_rows_are_in_order_and_warm_ups_are_kept_but_counted_nowhere() -> None:
    benchmark = run(ScriptedBackend(wrong_every(4)), concurrency=5)
    rows = benchmark.to_frame()
    assert rows["phase"].tolist() == ["warm-up"] * 2 + ["measured"] * 24
    assert rows["prompt_id"].tolist()[2:] == [prompt.prompt_id for prompt in sums(12)] * 2
    assert benchmark.figures.set_index(["model", "task_type"]).loc[("light", "all"), "answers"] == 12
    assert rows.loc[rows["phase"] == "warm-up", "quality"].isna().all()
    assert len(benchmark.outcomes.rows) == 24


def test_outcomes_go_into_evaluation_and_tuning_as_they_are() -> None:
    benchmark = run(ScriptedBackend(wrong_every(2)), sums(60))
    evaluation = ml.evaluate(ml.LinearCurves(), benchmark.outcomes, folds=3, replicates=50)
    assert evaluation.estimate("light", "quality").value == 0.5
    assert evaluation.cost_unit == "USD"
    assert 0.5 <= ml.tune(benchmark.outcomes, folds=3, replicates=50).quality.value <= 1.0
    assert benchmark.difference("heavy", "light").value == 0.5
    assert benchmark.outcomes_in("cost units").rows["cost"].tolist() == pytest.approx([0.01] * 120)
    with pytest.raises(ml.BenchmarkError, match="choose USD, s, cost units"):
        benchmark.outcomes_in("EUR")
    with pytest.raises(ml.BenchmarkError, match="there are light, heavy"):
        benchmark.difference("light", "huge")


async def test_it_works_inside_a_running_loop_and_can_be_awaited() -> None:
    inside = run(ScriptedBackend(wrong_every(4)))
    awaited = await ml.run_benchmark_async(
        small_pool("light", "heavy"), sums(12), ScriptedBackend(wrong_every(4)), progress=False
    )
    pd.testing.assert_frame_equal(inside.rows, awaited.rows)


def test_repeats_take_seeds_of_their_own_and_are_averaged_in_the_outcomes() -> None:
    backend = ScriptedBackend(lambda r: (0.0, "0" if r.seed == 7 else "1"))
    benchmark = run(backend, sums(1), repeats=3, seed=7)
    assert [r.seed for r in backend.requests if r.label == "light"] == [7, 7, 8, 9]
    assert benchmark.rows["repeat"].tolist()[2:] == [0, 1, 2] * 2
    assert benchmark.outcomes.rows["quality"].tolist() == pytest.approx([1 / 3, 1 / 3])


def test_a_lost_call_has_an_error_and_no_quality_and_alone_is_asked_again(tmp_path: Path) -> None:
    def flaky(request: ml.CompletionRequest) -> tuple[float, Answer]:
        if "3 plus" in request.messages[-1]["content"]:
            return 0.0, ml.CompletionTimeout("no answer", label=request.label)
        return wrong_every(4)(request)

    lost = run(ScriptedBackend(flaky), out=tmp_path)
    row = lost.rows[(lost.rows["prompt_id"] == "sum-3") & (lost.rows["model"] == "heavy")].iloc[0]
    assert row["error"] == "CompletionTimeout: no answer"
    assert pd.isna(row["quality"])
    assert pd.isna(row["latency_s"])
    assert lost.figures["lost"].tolist()[0] == 1
    assert lost.outcomes.rows["quality"].count() == 22

    again = ScriptedBackend(wrong_every(4))
    whole = run(again, out=tmp_path)
    assert asked(again) == [(label, text) for label in ("light", "heavy") for text in ("Say OK.", "What is 3 plus 3?")]
    assert whole.rows["error"].isna().all()
    assert whole.rows.drop(columns=TIMES).equals(run(ScriptedBackend(wrong_every(4))).rows.drop(columns=TIMES))


def test_what_the_model_itself_failed_at_is_a_wrong_answer_and_is_not_asked_again(tmp_path: Path) -> None:
    def mute(request: ml.CompletionRequest) -> tuple[float, Answer]:
        if request.label == "light" and "4 plus" in request.messages[-1]["content"]:
            return 0.0, ml.EmptyCompletion("an answer without text", label=request.label)
        return wrong_every(100)(request)

    first = run(ScriptedBackend(mute), out=tmp_path)
    row = first.rows[(first.rows["prompt_id"] == "sum-4") & (first.rows["model"] == "light")].iloc[0]
    assert (row["quality"], row["error"]) == (0.0, "EmptyCompletion: an answer without text")
    again = ScriptedBackend(mute)
    second = run(again, out=tmp_path)
    assert again.requests == []
    pd.testing.assert_frame_equal(first.rows, second.rows)


def test_a_server_that_is_gone_stops_the_run_and_the_next_one_goes_on(tmp_path: Path) -> None:
    calls = 0

    def dying(request: ml.CompletionRequest) -> tuple[float, Answer]:
        nonlocal calls
        calls += 1
        if calls > 8:
            return 0.0, ml.CompletionError("connection refused", label=request.label)
        return 0.0, wrong_every(4)(request)[1]

    backend = ScriptedBackend(dying)
    with pytest.raises(ml.BackendUnavailable, match=r"the last 1\d calls to light failed.*goes on where it stopped"):
        run(backend, sums(40), out=tmp_path)
    assert len(backend.requests) <= 8 + 10 + 4
    assert not (tmp_path / ROWS).exists()
    again = ScriptedBackend(wrong_every(4))
    run(again, sums(40), out=tmp_path)
    assert len(again.requests) == 2 + 2 * 40 - 7


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"prompts": sums(13)}, r"prompts\.n was 12 and is 13"),
        ({"seed": 3}, r"settings\.seed was 0 and is 3"),
        ({"run_code": True}, r"settings\.run_code was False and is True"),
        ({"pool": small_pool("light", "huge")}, r"pool\.models\.heavy\.label was 'heavy' and is None"),
        (
            {"pool": small_pool("light", "heavy", cost_per_1k=0.7)},
            r"pool\.models\.light\.cost_per_1k was 0\.1 and is 0\.7",
        ),
    ],
)
def test_another_run_in_the_same_folder_is_refused_and_says_what_differs(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    run(ScriptedBackend(wrong_every(4)), out=tmp_path)
    backend = ScriptedBackend(wrong_every(4))
    with pytest.raises(ml.BenchmarkError, match=f"holds another run.*{told}"):
        run(backend, out=tmp_path, **change)
    assert backend.requests == []


def test_a_line_that_a_crash_cut_short_is_asked_again_with_notice(tmp_path: Path) -> None:
    whole = run(ScriptedBackend(wrong_every(4)), out=tmp_path)
    journal = tmp_path / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-40])
    backend = ScriptedBackend(wrong_every(4))
    with pytest.warns(RuntimeWarning, match=r"answers\.jsonl: the last line .* a crash cut it short"):
        again = run(backend, out=tmp_path)
    assert len(backend.requests) == 2  # the warm-up of the one model, and the answer cut short
    pd.testing.assert_frame_equal(whole.rows.drop(columns=TIMES), again.rows.drop(columns=TIMES))
    assert len(read_recording(journal)) == 26


def test_the_journal_is_a_recording_that_answers_the_same_benchmark_offline(tmp_path: Path) -> None:
    live = run(ScriptedBackend(wrong_every(4)), out=tmp_path, routed=True)
    offline = run(ml.ReplayBackend(tmp_path / JOURNAL), routed=True)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(live.rows, offline.rows)


def test_a_finished_run_is_read_back_from_its_folder(tmp_path: Path) -> None:
    live = run(ScriptedBackend(wrong_every(4)), out=tmp_path, note="on a Monday")
    read = ml.Benchmark.read(tmp_path)
    pd.testing.assert_frame_equal(live.rows, read.rows)
    pd.testing.assert_frame_equal(live.outcomes.to_frame(), read.outcomes.to_frame())
    assert read.manifest == live.manifest
    assert read.recording == live.recording == tmp_path / JOURNAL
    with pytest.raises(ml.BenchmarkError, match="out=FOLDER"):
        _ = run(ScriptedBackend(wrong_every(4))).recording
    assert read.provenance().endswith("on a Monday")
    with pytest.raises(ml.BenchmarkError, match=r"nothing/manifest\.json is no manifest"):
        ml.Benchmark.read(tmp_path / "nothing")


def test_the_pipeline_is_measured_end_to_end_on_the_merged_answer() -> None:
    def parts(request: ml.CompletionRequest) -> tuple[float, Answer]:
        text = request.messages[-1]["content"]
        return 0.0, "12" if "plus" in text else "Paris" if "capital" in text else "OK."

    one = ml.BenchmarkPrompt("a", "What is 5 plus 7?", ml.TaskType.QA_SIMPLE, "low", "number", {"answer": 12}, 16)
    two = ml.BenchmarkPrompt(
        "b",
        "Tell me the capital of France.",
        ml.TaskType.QA_SIMPLE,
        "low",
        "regex",
        {"pattern": "Paris", "search": True},
        16,
    )
    both = ml.BenchmarkPrompt("both", f"{two.prompt} {one.prompt}", one.task_type, "low", "parts", {}, 32, (two, one))
    backend = ScriptedBackend(parts)
    benchmark = run(backend, (both, one), routed=True)
    routed = benchmark.rows[benchmark.rows["model"] == "routed"].set_index("prompt_id")
    assert routed.loc["both", "calls"] == 2
    assert routed.loc["both", "quality"] == 1.0
    assert routed.loc["both", "cost_units"] == pytest.approx(0.02)
    assert routed.loc["both", "served"] in {"light", "heavy", "light, heavy", "heavy, light"}
    assert benchmark.models == ("light", "heavy")
    assert set(benchmark.outcomes.models) == {"light", "heavy"}
    assert benchmark.difference("routed", "light").n == 2


def test_a_model_labelled_like_the_pipeline_is_refused() -> None:
    with pytest.raises(ml.BenchmarkError, match="labelled 'routed'"):
        run(ScriptedBackend(wrong_every(4)), pool=small_pool("routed"))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"limit": 0}, "limit is 0"),
        ({"repeats": 0}, "repeats is 0"),
        ({"heat": 1}, "heat is 1.*the settings are temperature, seed"),
        ({"sha256": "abc"}, "give those with the hash abc"),
        ({"prompts": ()}, "there is no prompt"),
    ],
)
def test_what_cannot_be_run_is_refused(more: dict[str, Any], told: str) -> None:
    with pytest.raises((ml.BenchmarkError, ml.ConfigurationError), match=told):
        run(ScriptedBackend(wrong_every(4)), **more)


def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    backend = ScriptedBackend(wrong_every(4))
    with pytest.raises(ml.BenchmarkError, match=r"cannot be written to .* give a folder"):
        ml.run_benchmark("small", backend=backend, out=tmp_path / "file" / "run", progress=False)
    assert not backend.requests


def test_a_limit_takes_prompts_from_all_over_the_set() -> None:
    backend = ScriptedBackend(wrong_every(4))
    assert run(backend, sums(12), limit=4).rows["prompt_id"].tolist()[2:6] == ["sum-0", "sum-3", "sum-6", "sum-9"]


def test_local_models_cost_the_machine_time_and_priced_ones_their_price() -> None:
    class Timed(ScriptedBackend):
        async def complete(self, request: ml.CompletionRequest) -> ml.Completion:
            done = await super().complete(request)
            if request.label == "heavy":
                return replace(done, cost_usd=0.25, prompt_s=1.0, generation_s=2.0)
            return replace(done, prompt_s=12.0, generation_s=24.0, load_s=5.0, queue_s=7.0, latency_s=48.0)

    benchmark = run(Timed(wrong_every(4)), machine_usd_per_hour=0.5)
    prices = benchmark.outcomes.cost_matrix().mean()
    assert prices["light"] == pytest.approx(36 * 0.5 / 3600)
    assert prices["heavy"] == 0.25
    assert benchmark.outcomes_in("s").cost_matrix()["light"].mean() == pytest.approx(36)
    assert "shadow price of 0.5 USD per hour" in benchmark.outcomes.source
    speed = benchmark.figures.set_index(["model", "task_type"])["tokens_per_s"]
    assert speed["light", "all"] == pytest.approx(10 / 24)


def test_without_the_servers_own_times_the_machine_worked_from_slot_to_answer() -> None:
    request = ml.CompletionRequest("light", (), 1)
    done = ml.Completion(request, "x", "light", "m", "stop", (), 5.0, 1, 1, True, 0.0, queue_s=2.0)
    assert seconds_of_machine(done) == 3.0


def test_a_model_and_the_pipeline_are_timed_alike_without_the_wait_for_a_slot() -> None:
    class Queued(ScriptedBackend):
        async def complete(self, request: ml.CompletionRequest) -> ml.Completion:
            return replace(await super().complete(request), queue_s=7.0, load_s=1.0, latency_s=10.0)

    rows = run(Queued(wrong_every(4)), routed=True).rows
    assert set(rows["model"]) == {"light", "heavy", "routed"}
    assert set(rows["phase"]) == {"measured", "warm-up"}
    assert rows["latency_s"].tolist() == pytest.approx([3.0] * len(rows))
    assert (rows["queue_s"] == 7.0).all()


async def test_the_manifest_names_models_exactly_and_neither_host_nor_user_nor_path(tmp_path: Path) -> None:
    with FaultServer({"light": Script(answer="4"), "heavy": Script(answer="4")}) as server:
        backend = ml.OllamaBackend(server.base_url, {})
        await ml.run_benchmark_async(
            small_pool("light", "heavy"), sums(3), backend, out=tmp_path / "kept", progress=False
        )
    written = (tmp_path / "kept" / MANIFEST).read_text("utf-8")
    told = Manifest.read(tmp_path / "kept" / MANIFEST)
    assert told.models["light"].digest == "6e5e2797757c2969ad8635f854e8a535bf6003bfb8971642764dbd7c02aae40e"
    assert told.models["light"].quantisation == "Q4_1"
    assert told.models["heavy"].server == "Ollama 0.24.0"
    assert told.prompts.sha256 == ml.prompts_hash(sums(3))
    assert {"multillm", "litellm"} <= set(told.packages)
    for private in (platform.node(), f"/{getpass.getuser()}", str(Path.home()), str(tmp_path), server.base_url):
        assert private not in written
    assert told.model_copy(update={"note": "x"}).differences(told) == {}


async def test_the_embedded_model_is_known_by_the_hash_of_its_file() -> None:
    served = await ml.EmbeddedBackend(environ={}).identify(small_pool("light"))
    assert served["light"].digest == "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    assert served["light"].model == "smollm2-135m-instruct-q4_1.gguf"


def test_the_report_compares_routers_and_is_written_as_markdown_html_and_parquet(tmp_path: Path) -> None:
    report = run(ScriptedBackend(wrong_every(3)), sums(60), routed=True).report()
    assert report.routing is not None
    frame = report.routing.to_frame().set_index("router")
    quality, gain = frame["quality"].astype(float).to_dict(), frame["gain"].astype(float).to_dict()
    assert quality["light"] == pytest.approx(2 / 3)
    assert quality["oracle"] == quality["heavy"] == 1.0
    assert {"random", "curves", "learned", "tuned policy, held out", "routed pipeline, live"} <= set(frame.index)
    assert gain["routed pipeline, live"] <= 0.0
    assert "| heavy less light | +0.333 [" in report.markdown
    assert "| single | one | 60 | " in report.markdown
    report.write(tmp_path)
    assert "<svg" in (tmp_path / "report.html").read_text("utf-8")
    assert ml.Outcomes.read(tmp_path / "outcomes.parquet").models == ("light", "heavy")
    assert set(pd.read_parquet(tmp_path / "figures.parquet")["model"]) == {"light", "heavy", "routed"}
    assert (tmp_path / "routing" / "cost_quality.svg").is_file()
    assert report._repr_html_().count("<table") == 6
    assert report.markdown.count("\n## ") == 6


def test_a_report_on_few_prompts_says_that_routers_were_not_compared() -> None:
    report = run(ScriptedBackend(wrong_every(3))).report()
    assert report.routing is None
    assert "Not compared" in report.markdown


def test_nothing_in_a_table_breaks_out_of_its_cell() -> None:
    section = Section("T", "", ("<b>", "x"), (("a|b", "c\nd"),))
    assert "| a\\|b | c d |" in section.markdown()
    assert "<b>" not in section.html()
    pool = small_pool("<script>")
    benchmark = run(ScriptedBackend(wrong_every(3)), pool=pool)
    assert "<script>" not in benchmark._repr_html_() + benchmark.report().html


def test_a_rerun_is_held_against_the_first_run(tmp_path: Path) -> None:
    prompts = tmp_path / "sums.jsonl"
    write_sums(prompts, 8)
    pool = small_pool("light", "heavy")
    ml.run_benchmark(pool, prompts, ScriptedBackend(wrong_every(4)), out=tmp_path / "first", progress=False)

    same = ml.reproduce_benchmark(
        tmp_path / "first" / MANIFEST, ScriptedBackend(wrong_every(4)), prompts=prompts, progress=False
    )
    assert same.met
    assert same.changed().empty
    assert "16 of 16 answers the same, within tolerances" in repr(same)
    other = ml.reproduce_benchmark(tmp_path / "first", ScriptedBackend(wrong_every(2)), prompts=prompts, progress=False)
    assert not other.met
    assert other.changed()["prompt_id"].tolist() == ["sum-2", "sum-6"]
    checks = other.to_frame().set_index(["check", "model"])
    assert not checks.loc[("quality", "light"), "met"]
    assert checks.loc[("quality", "heavy"), "met"]
    assert not checks.loc[("same answers", "light"), "held"]  # no promise of a scripted backend
    prompts.write_text(prompts.read_text("utf-8").replace("plus 7", "plus 8"), "utf-8")
    with pytest.raises(ml.BenchmarkError, match="give those with the hash"):
        ml.reproduce_benchmark(tmp_path / "first", ScriptedBackend(wrong_every(4)), prompts=prompts, progress=False)


def test_the_command_measures_writes_and_reproduces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(*arguments: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["multillm", "bench", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capsys.readouterr()

    prompts, pool, out = tmp_path / "sums.jsonl", tmp_path / "pool.yaml", tmp_path / "run"
    write_sums(prompts, 6)
    pool.write_text(json.dumps(small_pool("light", "heavy").model_dump(mode="json")), "utf-8")
    monkeypatch.setenv("COLUMNS", "160")
    light = Script(answer="2")
    heavy = Script(answer=lambda prompt: str(2 * int(prompt.split()[2])))
    with FaultServer({"light": light, "heavy": heavy}) as server:
        monkeypatch.setenv("OLLAMA_BASE_URL", server.base_url)
        options = ("--pool", str(pool), "--prompts", str(prompts), "--backend", "ollama", "--out", str(out))
        code, printed, _ = command(*options)
        assert code == 0
        assert "+0.833" in printed
        assert f"written to {out}" in printed.replace("\n", "")
        assert {path.name for path in out.iterdir()} >= {"manifest.json", "answers.jsonl", "rows.parquet", "report.md"}
        light.answer = "4"
        again = ("--reproduce", str(out / "manifest.json"), "--prompts", str(prompts))
        code, printed, _ = command(*again)
        assert code == 0
        assert "6 of 12 answers the same, within tolerances" in printed
        light.answer = "none"
        code, printed, _ = command(*again)
        assert code == 1
        assert "not met" in printed
        code, _, told = command(*options, "--seed", "1")
        assert code == 3
        assert "settings.seed was 0 and is 1" in told


@pytest.mark.slow
def test_twenty_kills_at_random_points_lose_nothing_and_repeat_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 40
    prompts = tmp_path / "sums.jsonl"
    write_sums(prompts, count)
    pool = tmp_path / "pool.yaml"
    pool.write_text(json.dumps(small_pool("light", "heavy").model_dump(mode="json")), "utf-8")

    def answer(prompt: str) -> str:
        return str(sum(int(word.strip("?")) for word in prompt.split() if word.strip("?").isdigit()))

    context = multiprocessing.get_context("forkserver")
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    context.set_forkserver_preload(["tests.killable", "litellm"])
    dice = random.Random(20261124)
    points = sorted(dice.sample(range(1, 3 * count), 20))
    scripts = {name: Script(answer=answer, prompt_s=0.005) for name in ("light", "heavy")}
    with FaultServer(scripts) as server:
        arguments = (str(pool), str(prompts), server.base_url)
        uninterrupted = context.Process(target=measure, args=(*arguments, str(tmp_path / "whole")))
        uninterrupted.start()
        uninterrupted.join(120)
        assert uninterrupted.exitcode == 0
        once = len(server.requests)
        journal = tmp_path / "killed" / JOURNAL
        for point in points:
            held = _held(journal)
            before = len(server.requests)
            victim = context.Process(target=measure, args=(*arguments, str(tmp_path / "killed")))
            victim.start()
            _wait_for(journal, point, victim)
            time.sleep(dice.uniform(0.0, 0.02))
            victim.kill()
            victim.join(30)
            assert victim.exitcode == -9
            again = {(r["model"], r["messages"][-1]["content"]) for r in list(server.requests)[before:]}
            assert not again & held
        last = context.Process(target=measure, args=(*arguments, str(tmp_path / "killed")))
        last.start()
        last.join(120)
        assert last.exitcode == 0
        assert len(server.requests) - once <= once + 20 * (4 + 1)
    whole, killed = (ml.Benchmark.read(tmp_path / name) for name in ("whole", "killed"))
    pd.testing.assert_frame_equal(whole.rows.drop(columns=TIMES), killed.rows.drop(columns=TIMES))
    assert whole.figures["quality"].tolist() == killed.figures["quality"].tolist()
    assert len(killed.rows) == 2 + 3 * count


def _held(journal: Path) -> set[tuple[str, str]]:
    """Model and prompt of what was answered for good, but the warm-up."""
    if not journal.exists():
        return set()
    requests = [json.loads(line)["request"] for line in journal.read_text("utf-8").splitlines()]
    return {(r["label"], r["messages"][-1]["content"]) for r in requests if r["max_output_tokens"] == 16}


def _wait_for(journal: Path, lines: int, victim: Any) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and victim.is_alive():
        if journal.exists() and journal.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.002)
    pytest.fail(f"the run ended, or stood still, before {lines} answers")


@pytest.fixture(scope="module")
def shipped() -> ml.Benchmark:
    return ml.Benchmark.read("small")


def test_the_shipped_run_is_of_the_shipped_prompts_and_has_a_score_for_every_answer(shipped: ml.Benchmark) -> None:
    prompts = ml.load_prompts("core")
    assert shipped.manifest.prompts.sha256 == ml.prompts_hash(prompts)
    outcomes = shipped.outcomes
    assert (len(outcomes), outcomes.models) == (len(prompts), ("model::smollm2", "model::qwen"))
    assert len(prompts) >= 300
    assert outcomes.rows[["quality", "cost", "latency_s"]].notna().all(axis=None)
    assert all(model.digest for model in shipped.manifest.models.values())
    pd.testing.assert_frame_equal(
        ml.Outcomes.read(data_dir() / "outcomes" / "small" / "outcomes.parquet").to_frame(), outcomes.to_frame()
    )
    pd.testing.assert_frame_equal(
        pd.read_parquet(data_dir() / "outcomes" / "small" / "figures.parquet"), shipped.figures, check_dtype=False
    )


async def test_the_shipped_recording_answers_every_prompt_and_each_answer_earns_its_score(
    shipped: ml.Benchmark,
) -> None:
    client = await ml.ReplayBackend(shipped.recording).open(shipped.manifest.pool)
    rows = shipped.rows.set_index(["model", "prompt_id"])
    answers, scores = rows["answer"].to_dict(), rows["quality"].to_dict()
    for label in shipped.models:
        for prompt in ml.load_prompts("core"):
            message = {"role": "user", "content": prompt.prompt}
            request = ml.CompletionRequest(label, (message,), prompt.max_output_tokens, temperature=0.0, seed=0)
            done = await client.complete(request)
            assert done.text == answers[label, prompt.prompt_id]
            score = ml.grade(prompt, done.text)
            assert score.value in {None, scores[label, prompt.prompt_id]}  # code is not run here


def test_the_shipped_files_tell_of_no_host_user_or_folder(shipped: ml.Benchmark) -> None:
    folder = shipped.recording.parent
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 3_000_000
    for path in folder.rglob("*.*"):
        if path.suffix in {".json", ".md", ".html", ".csv", ".txt"}:
            written = path.read_text("utf-8")
            assert "/home/" not in written
            assert "/tmp/" not in written
            assert "127.0.0.1" not in written
