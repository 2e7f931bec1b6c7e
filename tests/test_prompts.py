"""The shipped benchmark prompts: complete, checkable, reproducible; and the loader."""

import json
import re
import tomllib
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import multillm as ml
from multillm.grading import programs
from multillm.grading.programs import code_of
from multillm.grading.sandbox import SandboxLimits, evaluate
from multillm.promptgen import render
from multillm.promptgen.written import source
from multillm.prompts import CANARY
from multillm.resources import data_dir
from multillm.tasks import TaskType

PROMPTS = ml.load_prompts()
GRADED = [part for prompt in PROMPTS for part in (prompt.parts or (prompt,))]
CODE = [prompt for prompt in GRADED if prompt.grader == "code"]
QUICK = [prompt for prompt in PROMPTS if all(part.grader != "code" for part in (prompt.parts or (prompt,)))]
FOLDER = data_dir() / "prompts"
ROOT = Path(__file__).parent.parent
VALIDITY = source("validity")


def reference(prompt: ml.BenchmarkPrompt) -> str:
    return "\n\n".join(map(reference, prompt.parts)) if prompt.parts else str(prompt.expected["reference"])


def test_the_generator_gives_the_committed_file_byte_for_byte() -> None:
    assert render().encode() == (FOLDER / "core.jsonl").read_bytes()


def test_every_type_and_level_is_covered() -> None:
    assert len(PROMPTS) >= 300
    single = Counter((prompt.task_type, prompt.complexity) for prompt in PROMPTS if prompt.kind == "single")
    types = [kind for kind in TaskType if kind is not TaskType.OTHER]
    assert single == {(kind, level): 15 for kind in types for level in ("low", "medium", "high")}
    compound = Counter(prompt.complexity for prompt in PROMPTS if prompt.kind == "compound")
    assert compound == {"low": 20, "medium": 20, "high": 20}


def test_no_prompt_stands_twice_and_answers_are_short() -> None:
    assert len({prompt.prompt for prompt in PROMPTS}) == len(PROMPTS)
    assert len({part.prompt_id for part in GRADED} | {prompt.prompt_id for prompt in PROMPTS}) == len(GRADED) + 60
    assert max(prompt.max_output_tokens for prompt in PROMPTS) <= 256


@pytest.mark.parametrize("prompt", [p for p in QUICK if p.kind == "single"], ids=lambda prompt: prompt.prompt_id)
def test_the_reference_earns_full_marks_and_its_budget_holds_it(prompt: ml.BenchmarkPrompt) -> None:
    assert ml.grade(prompt, reference(prompt)) == ml.Score(1.0)
    assert len(reference(prompt)) / 3 <= prompt.max_output_tokens


@pytest.mark.parametrize("prompt", [p for p in PROMPTS if p.kind == "compound"], ids=lambda prompt: prompt.prompt_id)
def test_a_merged_document_with_every_reference_earns_full_marks(prompt: ml.BenchmarkPrompt) -> None:
    merged = "\n\n".join(f"## {n}. {p.prompt.capitalize()}\n\n{reference(p)}" for n, p in enumerate(prompt.parts, 1))
    for part in prompt.parts:
        heard = merged if part.grader != "code" else None
        if heard:
            whole = replace(prompt, parts=(part, part))
            assert ml.grade(whole, heard).value == 1.0, part.prompt_id


def test_solutions_pass_their_tests() -> None:
    for prompt in CODE[::4]:
        assert ml.grade(prompt, reference(prompt), run_code=True) == ml.Score(1.0), prompt.prompt_id


@pytest.mark.parametrize("prompt", [p for p in CODE if "```" in p.prompt], ids=lambda prompt: prompt.prompt_id)
def test_faulty_code_given_back_unchanged_earns_nothing(
    monkeypatch: pytest.MonkeyPatch, prompt: ml.BenchmarkPrompt
) -> None:
    monkeypatch.setattr(programs, "evaluate", partial(evaluate, limits=SandboxLimits(cpu_s=1)))
    faulty = code_of(prompt.prompt, prompt.expected["name"])
    assert faulty
    assert ml.grade(prompt, f"Here you are:\n```python\n{faulty}```", run_code=True).value == 0


def test_no_story_ends_below_nought() -> None:
    assert min(prompt.expected["answer"] for prompt in GRADED if prompt.grader == "number") >= 0


def test_no_constant_function_passes() -> None:
    for prompt in CODE:
        results = {json.dumps(test.get("returns", test.get("raises"))) for test in prompt.expected["tests"]}
        assert len(results) > 1 or len(prompt.expected["tests"]) == 1, prompt.prompt_id


@pytest.mark.parametrize(
    "answer",
    ["", "I don't know.", "As a language model I cannot answer this.", "{}", "```python\n```", "A, B, C and D",
     "{prompt}",
     "Sure! {prompt}\n", "> **Cut short** at the budget of 7 tokens."],
)  # fmt: skip
def test_empty_answers_and_echoes_earn_nothing(answer: str) -> None:
    earned = {p.prompt_id: ml.grade(p, answer.replace("{prompt}", p.prompt)).value for p in QUICK}
    assert {name: value for name, value in earned.items() if value} == {}


@pytest.mark.parametrize("grader", ["facts", "json_schema", "regex", "exact"])
def test_the_answer_to_another_prompt_earns_next_to_nothing(grader: str) -> None:
    prompts = [prompt for prompt in PROMPTS if prompt.grader == grader]
    swapped = zip(prompts, [*prompts[5:], *prompts[:5]], strict=True)
    assert np.mean([ml.grade(prompt, reference(other)).value for prompt, other in swapped]) < 0.1


def validity() -> dict[str, list[float]]:
    """Score of each kind of answer to every prompt whose answer is graded by facts."""
    scores: dict[str, list[float]] = {}
    names = sorted(VALIDITY)
    prompts = {prompt.prompt_id: prompt for prompt in PROMPTS if prompt.grader == "facts"}
    assert names == sorted(prompts)
    for position, name in enumerate(names):
        good = VALIDITY[name]["good"]
        words = good.split()
        answers = {
            "good": good,
            "bad": VALIDITY[name]["bad"],
            "truncated": " ".join(words[: max(3, len(words) // 3)]),
            "off-topic": VALIDITY[names[(position + 7) % len(names)]]["good"],
            "echo": prompts[name].prompt,
            "first sentence": prompts[name].prompt.split("\n\n")[-1].split(". ")[0],
        }
        for kind, answer in answers.items():
            value = ml.grade(prompts[name], answer).value
            assert value is not None
            scores.setdefault(kind, []).append(value)
    return scores


def test_the_grader_of_facts_separates_good_answers_from_bad_ones() -> None:
    scores = validity()
    good = scores["good"]
    auc = {
        kind: roc_auc_score([1] * len(good) + [0] * len(bad), good + bad)
        for kind, bad in scores.items()
        if bad is not good
    }
    assert np.mean(good) > 0.95
    assert min(auc["bad"], auc["truncated"], auc["off-topic"], auc["echo"]) > 0.98
    assert auc["first sentence"] > 0.85
    told = (FOLDER / "README.md").read_text("utf-8")
    for kind, value in auc.items():
        assert f"| {kind} | {np.mean(scores[kind]):.2f} | {value:.3f} |" in told


def test_the_datasheet_counts_what_is_there() -> None:
    told = (FOLDER / "README.md").read_text("utf-8")
    for grader, count in Counter(part.grader for part in GRADED).items():
        assert re.search(rf"\| `{grader}` \| {count} \|", told), grader
    assert ml.prompts_hash(PROMPTS) in told
    assert CANARY in told


def test_every_line_carries_the_canary() -> None:
    lines = (FOLDER / "core.jsonl").read_text("utf-8").splitlines()
    assert all(json.loads(line)["canary"] == CANARY for line in lines)


def test_the_prompts_come_with_the_package() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert build["force-include"]["data/prompts"] == "multillm/data/prompts"


def test_solutions_run_well_within_the_limits() -> None:
    slowest = next(prompt for prompt in CODE if prompt.expected["name"] == "evaluate")
    code = code_of(reference(slowest), "evaluate")
    assert code
    assert evaluate(code, ["evaluate('1+' * 200 + '1')"], SandboxLimits(cpu_s=1)).outcomes == ({"value": 201},)


def test_the_hash_is_of_the_content() -> None:
    assert ml.prompts_hash(PROMPTS) == ml.prompts_hash(ml.load_prompts(FOLDER / "core.jsonl"))
    assert ml.prompts_hash(PROMPTS) != ml.prompts_hash(PROMPTS[1:])
    assert ml.prompts_hash(PROMPTS) != ml.prompts_hash(PROMPTS[::-1])


def test_the_table_has_what_an_outcome_table_needs() -> None:
    table = ml.prompts_frame(PROMPTS)
    assert list(table) == ["prompt_id", "prompt", "kind", "task_type", "complexity", "grader", "max_output_tokens"]
    assert set(table["complexity"]) == {0.2, 0.5, 0.8}
    assert table["kind"].value_counts().to_dict() == {"single": 270, "compound": 60}


def test_a_prompt_is_shown_in_a_line() -> None:
    assert repr(PROMPTS[0]).startswith("BenchmarkPrompt('code_generation-low-01', single, code_generation, low, code, ")
    assert "\n" not in repr(PROMPTS[0])


RECORD: dict[str, Any] = {
    "id": "a", "prompt": "Say 4.", "task_type": "qa_simple", "complexity": "low", "grader": "number",
    "expected": {"answer": 4}, "max_output_tokens": 8,
}  # fmt: skip


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in RECORD.items() if name != key}


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ("{", "line 1: not a benchmark prompt: Expecting property name"),
        ("[1]", "the line holds a list; an object is wanted"),
        ("[" * 100_000, "line 1: not a benchmark prompt"),
        (without("id"), "the key 'id' is missing"),
        (without("grader"), "the key 'grader' is missing"),
        (RECORD | {"expect": 1}, "unknown key 'expect'; allowed: canary, complexity"),
        (RECORD | {"complexity": "easy"}, "complexity is 'easy'; allowed: low, medium, high"),
        (RECORD | {"complexity": []}, "complexity is"),
        (RECORD | {"task_type": "poem"}, "'poem' is not a valid TaskType"),
        (RECORD | {"expected": 4}, "expected is 4; an object is wanted"),
        (RECORD | {"max_output_tokens": 0}, "max_output_tokens is 0; a whole number from 1 is wanted"),
        (RECORD | {"max_output_tokens": True}, "max_output_tokens is True"),
        (RECORD | {"prompt": " "}, "prompt is ' '; a text is wanted"),
        (RECORD | {"parts": [RECORD]}, "parts must be a list of at least two prompts"),
        (RECORD | {"parts": "ab"}, "parts must be a list of at least two prompts"),
        (RECORD | {"prompt": "Say 5.", "parts": [RECORD, RECORD]}, "the text of part 'a' is not a span of the prompt"),
        (RECORD | {"parts": [RECORD | {"parts": [RECORD, RECORD]}] * 2}, "part 'a' has parts of its own"),
    ],
)
def test_a_bad_line_is_named_with_its_fault(tmp_path: Path, record: object, fault: str) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text(record if isinstance(record, str) else json.dumps(record), "utf-8")
    with pytest.raises(ml.InputError) as raised:
        ml.load_prompts(path)
    assert str(path) in str(raised.value)
    assert "line 1" in str(raised.value)
    assert fault in str(raised.value)


def test_a_bad_file_is_named_with_its_fault(tmp_path: Path) -> None:
    with pytest.raises(ml.InputError, match="no benchmark prompts at 'nowhere'; give 'core' or a JSON lines file"):
        ml.load_prompts("nowhere")
    path = tmp_path / "prompts.jsonl"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ml.InputError, match="not UTF-8 text"):
        ml.load_prompts(path)
    path.write_text("\n\n", "utf-8")
    with pytest.raises(ml.InputError, match="there is no prompt in it"):
        ml.load_prompts(path)
    path.write_text(f"\n{json.dumps(RECORD)}\n{json.dumps(RECORD)}\n", "utf-8")
    with pytest.raises(ml.InputError, match=r"line 3: .*id 'a' stands in line 2 too"):
        ml.load_prompts(path)
    path.write_text(json.dumps(RECORD), "utf-8")
    assert ml.load_prompts(path)[0].expected == {"answer": 4}
