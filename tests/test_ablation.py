"""Ablations: what is asked, what is shared, what the figures say, and that a recording must be whole."""

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import multillm as ml
from multillm import cli
from multillm.bench.arms import critical_path_s
from multillm.bench.figures import mean_estimate, mean_estimates
from multillm.bench.kept import JOURNAL, ROWS
from multillm.testing import FaultServer, Script
from tests.pools import small_pool
from tests.scripted import Answer, ScriptedBackend

ARMS = ("split, routed", "split, light", "split, heavy", "whole, routed", "whole, light", "whole, heavy")
CITIES = {"France": "Paris", "Spain": "Madrid", "Italy": "Rome"}


def asks_for(country: str) -> ml.BenchmarkPrompt:
    """A prompt for one capital."""
    expected = {"pattern": CITIES[country], "search": True}
    return ml.BenchmarkPrompt(
        country, f"What is the capital of {country}?", ml.TaskType.QA_SIMPLE, "low", "regex", expected, 16
    )


def compound(*countries: str) -> ml.BenchmarkPrompt:
    """A prompt for several."""
    parts = tuple(asks_for(country) for country in countries)
    text = "\n".join(f"{n}. {part.prompt}" for n, part in enumerate(parts, 1))
    return ml.BenchmarkPrompt("+".join(countries), text, ml.TaskType.QA_SIMPLE, "low", "parts", {}, 32, parts)


PROMPTS = (compound("France", "Spain"), compound("Spain", "Italy"), asks_for("France"), asks_for("Italy"))


def knows_one(request: ml.CompletionRequest) -> tuple[float, Answer]:
    """The heavy model names the first capital that it is asked for, the light one knows no Spain."""
    text = request.messages[-1]["content"]
    asked = [country for country in CITIES if country in text]
    asked = [country for country in asked if request.label == "heavy" or country != "Spain"]
    return 0.0, CITIES[asked[0]] if asked else "I do not know."


def run(backend: ml.Backend, out: Path | None = None, pool: ml.Pool | None = None) -> ml.Ablation:
    return ml.ablate(pool or small_pool("light", "heavy"), PROMPTS, backend, out=out, progress=False)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> ml.Ablation:
    return run(ScriptedBackend(knows_one), tmp_path_factory.mktemp("ablation"))


def test_splitting_and_routing_are_each_left_out_and_what_that_changes_is_counted(kept: ml.Ablation) -> None:
    assert kept.arms == ARMS
    quality = {arm: kept.estimate(arm, prompts="compound").value for arm in kept.arms}
    assert quality == dict.fromkeys(ARMS, 0.5) | {"split, heavy": 1.0}
    assert {kept.estimate(arm, prompts="single").value for arm in ARMS} == {1.0}
    assert (kept.best, kept.baseline) == ("heavy", "whole, heavy")
    overall = kept.estimate("split, heavy")
    assert (overall.value, overall.n) == (1.0, 4)
    gap = kept.difference("split, heavy", prompts="compound")
    assert (gap.value, gap.low, gap.high, gap.n) == (0.5, 0.5, 0.5, 2)
    assert kept.difference("split, heavy").value == 0.25
    assert kept.estimate("split, heavy", "calls", "compound").value == 2.0
    assert kept.estimate("whole, heavy", "calls", "compound").value == 1.0
    assert kept.estimate("split, heavy", "output_tokens", "compound").value == 20.0
    assert list(kept.groups) == ["all", "compound", "single", "compound, split"]
    assert kept.verdict("split, heavy", "compound") == "better than whole, heavy: +0.500 [+0.500, +0.500] (n=2)"
    assert kept.verdict("split, routed").startswith("no difference to whole, heavy shown: +0.000")
    with pytest.raises(ml.BenchmarkError, match="prompts all; compound; single"):
        kept.verdict("split, heavy", "triple")


def test_a_call_that_several_arms_make_is_made_once_and_always_with_the_same_budget() -> None:
    backend = ScriptedBackend(knows_one)
    run(backend)
    assert max(Counter(request.key for request in backend.requests).values()) == 1
    asked = [request for request in backend.requests if request.messages[-1]["content"] != "Say OK."]
    assert {request.max_output_tokens for request in asked} == {256}
    per_label = Counter(request.label for request in asked)
    assert per_label["light"] == per_label["heavy"] == len({r.messages[-1]["content"] for r in asked})


def test_a_model_alone_is_never_helped_by_another() -> None:
    policy = ml.Policy(overrides={ml.TaskType.QA_SIMPLE: "heavy"})
    pool = small_pool("light", "heavy").model_copy(update={"policy": policy})
    rows = run(ScriptedBackend(knows_one), pool=pool).rows.query("phase == 'measured'")
    served = rows.groupby("model")["served"].unique().map(list).to_dict()
    assert served["split, light"] == served["whole, light"] == ["light"]
    assert served["split, routed"] == served["whole, routed"] == ["heavy"]


def test_it_goes_on_where_it_stopped_and_repeats_nothing(tmp_path: Path, kept: ml.Ablation) -> None:
    def dying(request: ml.CompletionRequest) -> tuple[float, Answer]:
        if len(first.requests) > 7:
            return 0.0, ml.BackendUnavailable("gone")
        return knows_one(request)

    first = ScriptedBackend(dying)
    with pytest.raises(ml.BackendUnavailable, match="gone"):
        run(first, tmp_path)
    assert not (tmp_path / ROWS).exists()
    second = ScriptedBackend(knows_one)
    whole = run(second, tmp_path)
    held = {request.key for request in first.requests[:7] if request.messages[-1]["content"] != "Say OK."}
    assert not held & {request.key for request in second.requests}
    pd.testing.assert_frame_equal(whole.rows, kept.rows)


def test_a_recording_answers_it_offline_and_one_with_a_gap_is_refused(kept: ml.Ablation, tmp_path: Path) -> None:
    offline = run(ml.ReplayBackend(kept.recording))
    pd.testing.assert_frame_equal(offline.to_frame(), kept.to_frame())
    lines = kept.recording.read_text("utf-8").splitlines(keepends=True)
    for gap in range(len(lines)):
        if "Say OK." not in lines[gap]:
            (tmp_path / JOURNAL).write_text("".join(lines[:gap] + lines[gap + 1 :]), "utf-8")
            with pytest.raises(ml.RecordingMissing, match="holds no answer"):
                run(ml.ReplayBackend(tmp_path / JOURNAL))


def test_it_is_read_back_as_what_it_is(kept: ml.Ablation) -> None:
    assert kept.folder is not None
    again = ml.Ablation.read(kept.folder)
    pd.testing.assert_frame_equal(again.to_frame(), kept.to_frame())
    with pytest.raises(ml.BenchmarkError, match="of the kind 'ablation', not 'benchmark'"):
        ml.Benchmark.read(kept.folder)
    with pytest.raises(ml.BenchmarkError, match="kind was 'ablation' and is 'benchmark'"):
        ml.run_benchmark(
            small_pool("light", "heavy"), PROMPTS, ScriptedBackend(knows_one), out=kept.folder, progress=False
        )


def test_unscored_answers_are_missing_in_every_figure_and_the_best_model_is_then_the_highest() -> None:
    expected = {"name": "f", "tests": [{"call": "f()", "returns": 1}]}
    unscored = ml.BenchmarkPrompt("x", "Write f.", ml.TaskType.CODE_GENERATION, "low", "code", expected, 16)
    found = ml.ablate(small_pool("light", "heavy"), (unscored,), ScriptedBackend(knows_one), progress=False)
    quality = found.estimate("split, routed")
    assert np.isnan(quality.value)
    assert quality.n == 0
    assert found.best == "heavy"
    assert "–" in found._repr_html_()


def test_means_of_columns_are_those_of_each_column_by_itself() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.random((40, 2)), columns=["a", "b"])
    found = mean_estimates(table)
    for column in table:
        alone = mean_estimate(table[column].to_numpy())
        assert found.loc[[str(column)]].to_numpy()[0].tolist() == pytest.approx(
            [alone.value, alone.low, alone.high, alone.n]
        )
    table.iloc[:10, 0] = np.nan
    value, _, _, n = mean_estimates(table).to_numpy()[0]
    assert (value, n) == (pytest.approx(table["a"].to_numpy()[10:].mean()), 30)


async def test_wall_time_is_that_of_the_longest_chain_without_waits_for_a_slot() -> None:
    pool = small_pool("light", calls={"max_parallel": 1})
    orchestrator = ml.Orchestrator(pool, ScriptedBackend(lambda r: (0.05, "done")), store=None)
    result = await orchestrator.handle("Write a function that parses dates, then write tests for it.")
    assert len(result.results) == 2
    assert critical_path_s(result) == pytest.approx(0.1)
    side_by_side = await orchestrator.handle(PROMPTS[0].prompt)
    assert len(side_by_side.results) == 2
    assert critical_path_s(side_by_side) == pytest.approx(0.05)


def test_the_report_and_the_notebook_view_tell_every_arm_and_escape_it(tmp_path: Path) -> None:
    found = run(ScriptedBackend(knows_one), pool=small_pool("light", "<b>"))
    report = found.report()
    assert report.markdown.count("\n## ") == 2 * len({tuple(prompts) for prompts in found.groups.values()})
    assert "| split, light | " in report.markdown
    report.write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"report.md", "report.html", "figures.csv", "quality_all.svg"}
    written = pd.read_parquet(tmp_path / "figures.parquet")
    pd.testing.assert_frame_equal(written.astype({"n": int}), found.to_frame().reset_index(), check_dtype=False)
    assert "<b>" not in found._repr_html_() + report.html
    assert repr(found).startswith("Ablation('small', 4 prompts, split, routed: ")
    drawn = ml.plot_ablation(
        pd.DataFrame(found.to_frame().xs(("all", "quality"), level=("prompts", "figure"))), "quality, 0..1"
    )
    assert [label.get_text() for label in drawn.get_yticklabels()][:2] == ["split, routed", "split, light"]


def test_the_command_runs_it_on_a_real_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pool, prompts, out = tmp_path / "pool.yaml", tmp_path / "prompts.jsonl", tmp_path / "out"
    pool.write_text(json.dumps(small_pool("light", "heavy").model_dump(mode="json")), "utf-8")
    record: dict[str, object] = {"id": "x", "prompt": "Add 2 and 2", "task_type": "qa_simple", "complexity": "low"}
    record |= {"grader": "number", "expected": {"answer": 4}, "max_output_tokens": 16}
    prompts.write_text(json.dumps(record) + "\n", "utf-8")
    monkeypatch.setenv("COLUMNS", "200")
    with FaultServer({"light": Script(answer="3"), "heavy": Script(answer="4")}) as server:
        monkeypatch.setenv("OLLAMA_BASE_URL", server.base_url)
        options = ["--ablate", "--pool", str(pool), "--prompts", str(prompts), "--backend", "ollama", "--out", str(out)]
        monkeypatch.setattr(sys, "argv", ["multillm", "bench", *options])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 0
        assert len(server.requests) == 4  # a warm-up and one answer of each model, shared by all six arms
    assert "whole, heavy" in capsys.readouterr().out
    assert ml.Ablation.read(out).estimate("split, heavy").value == 1.0
