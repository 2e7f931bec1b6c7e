"""Whatever is put in: an answer or a documented error, soon. The targets are those of tests/fuzz."""

import io
import json
import math
import pickle
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import example, given, settings, strategies as st

import multillm as ml
from multillm.client.tracing import Timings
from multillm.datasets.pickles import read_pickle
from tests.fuzz.conversation import PROVIDERS, Conversation
from tests.fuzz.seeds import ARENA, SAID, seeds
from tests.fuzz.targets import TARGETS

CORE = "- label: a\n  model: x/y\n  rank: 1\n  cost_per_1k: 1\n  context_tokens: 9\n  quality: {intercept: 1}\n"


# What fuzzing starts from


@pytest.mark.parametrize("target", TARGETS)
def test_what_fuzzing_starts_from_holds(target: str) -> None:
    made = seeds(target)
    assert len(made) > 1
    for seed in made:
        TARGETS[target](seed)


def test_what_fuzzing_of_streams_starts_from_is_answered_in_both_dialects_and_both_ways() -> None:
    texts = set()
    for way, *body in seeds("stream"):
        try:
            done, _ = Conversation.under_way().answered(PROVIDERS[way & 1], bytes(body), in_pieces=bool(way & 2))
        except ml.CompletionError:
            continue
        texts.add((way, done.text))
    assert texts == {(0, SAID), (1, SAID), (2, "".join(SAID.split())), (3, "".join(SAID.split()))}


def test_what_fuzzing_of_pickles_starts_from_is_read(tmp_path: Path) -> None:
    for seed in seeds("frame"):
        (tmp_path / "table.pkl").write_bytes(seed)
        assert read_pickle(tmp_path / "table.pkl")["m"].tolist() == [0.5, 1.0]


# Prompts

WORDS = [
    "write", "and", "and then", "also", "plus", "as well as", "AND", "explain", "it", "a test", "?", ".", ",", ":", ";",
    "-", "*", "1.", "(", ")", "[", "{", '"', "'", "`", "```", "\n", "\n\n", "\t", "    ", "\x00", "\u202e", "\u200f",
    "\u200d", "\ud800", "\udfff", "\ufeff", "é", "ß", "İ", "漢字", "😀", "<b>", "\x1b[31m", "$", "|", "#", "> ", "\r\n",
]  # fmt: skip


@settings(max_examples=150)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=60).map(" ".join))
def test_any_text_is_split_classified_and_shown_or_refused(text: str) -> None:
    TARGETS["prompt"](text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("prompt", ["", " ", "\n\t\r\n", "\u3000", 7, None, b"Write a poem."])
def test_a_prompt_with_nothing_in_it_is_refused(prompt: Any) -> None:
    with pytest.raises(ml.InputError):
        ml.Orchestrator(store=None).plan(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "and",
        "and then and also plus as well as",
        "\x00",
        "\ud800",
        "\u202eand\u202c",
        "- - - -",
        "```",
        "😀",
        "(" * 3000,
    ],
)
def test_a_prompt_of_nothing_but_marks_is_one_that_can_be_answered(prompt: str) -> None:
    for splitter in ("structural", "reference"):
        [decision] = ml.Orchestrator(store=None, splitter=splitter).plan(prompt)
        assert decision.profile.text in prompt


@pytest.mark.parametrize(
    "piece", ["and then also ", "(", "- a\n  ", "```\n", "\"'", " ", "write a, ", " - ", "\x00\u202e"]
)
def test_a_prompt_of_a_megabyte_takes_seconds_not_minutes(piece: str) -> None:
    text = "Write a poem.\n" + piece * (1_000_000 // len(piece))
    started = time.process_time()
    for splitter in ("structural", "reference"):
        subtasks = ml.split(text, splitter)
    ml.classify(text)
    assert subtasks
    assert time.process_time() - started < 20  # it is about 1; quadratic, it would be hours


NESTED = "Plan a trip.\n" + "".join(f"{'  ' * depth}- Write a\n" for depth in range(1000))


@pytest.mark.parametrize("text", [NESTED, "a" * 10_000_000, "\x00" * 10_000_000], ids=["nested", "letters", "NUL"])
def test_a_list_a_thousand_deep_and_ten_megabytes_are_no_harm(text: str) -> None:
    started = time.process_time()
    for splitter in ("structural", "reference"):
        assert ml.split(text, splitter)
    with pytest.raises(ml.RoutingError, match="tokens of context"):
        ml.Orchestrator(store=None).plan(text)
    assert time.process_time() - started < 30  # it is 1 to 3


# Pools

SCALARS: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["heaviest", "a"])
)
KEYS = st.sampled_from(
    ["label", "model", "rank", "cost_per_1k", "context_tokens", "quality", "intercept", "slope", "task_types", "policy",
     "models", "calls", "extends", "beta", "thresholds", "overrides", "seed", "limits", "reference", "env", "x"]
)  # fmt: skip
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))


@settings(max_examples=120)
@given(st.dictionaries(KEYS, TREES, max_size=5), st.booleans())
def test_any_pool_file_makes_a_pool_or_says_what_is_wrong(content: dict[str, Any], extends: bool) -> None:
    if extends:
        content["extends"] = "reference"
    TARGETS["pool"](yaml.safe_dump(content, allow_unicode=True).encode("utf-8", "replace"))


@settings(max_examples=150)
@given(st.text(st.sampled_from("a:&*-[]{}<>!?\"'|\n ,#%@\t1.~=\\"), max_size=60) | st.binary(max_size=40))
@example("a: 2001-99-99")
@example("a: !!timestamp x")
@example("a: !!bool x")
@example("a: &a [*a]")
@example("? [a]\n: b")
def test_any_text_as_a_pool_file_is_read_or_refused(content: str | bytes) -> None:
    TARGETS["pool"](content.encode() if isinstance(content, str) else content)


LETTERS = list(pairwise("abcdefghijkl"))
BOMB = "".join(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in LETTERS)
MERGES = "".join(f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 9)}]}}\n" for before, name in LETTERS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"a: &a [x, x]\n{BOMB}name: *l\nmodels: *l\n", "name is "),
        (f"a: &a {{x: 1}}\n{MERGES}models: []\n", "merge keys"),
        ("[" * 100_000, "nested too deeply"),
        (f"models: [{'*a, ' * 10}]", "undefined alias"),
        (f"x: {'9' * 5000}", "4300"),
        ("a: " + "x" * 300_000, "longer than 256 kB"),
        ("!!python/object/apply:os.system [id]", "could not determine a constructor"),
        ("models: &m\n" + CORE + CORE, "label a stands more than once"),
        ("extends: demo\nmodels:\n- &x {label: a}\n" + "- *x\n" * 40_000, "models.5.model: Field required"),
        (f"models:\n{CORE}policy: {{alpha: .nan}}", "policy.alpha is nan"),
        (f"models:\n{CORE.replace('1k: 1', '1k: -1')}", "cost_per_1k is -1"),
        (f"models:\n{CORE.replace('1k: 1', '1k: .inf')}", "cost_per_1k is inf"),
        (f"models:\n{CORE.replace('x/y', 'unknown')}", "model is 'unknown'"),
        (f"models:\n{CORE.replace('label: a', 'label: _')}".replace("_", '"\\x1b[2J"'), "printable characters"),
        (f"models:\n{CORE}policy: {{overrides: {{reasoning: nobody}}}}", "'nobody'; allowed: heaviest, a"),
        ("extends: [reference]", "allowed is the name or path of a pool"),
        (f"extends: {'x' * 3000}", "no pool"),
        ('extends: "a\\0b"', "no pool"),
    ],
)  # fmt: skip
def test_a_bad_pool_file_is_refused_soon_and_briefly(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "pool.yaml"
    path.write_text(content)
    started = time.process_time()
    with pytest.raises(ml.ConfigurationError, match=message) as caught:
        ml.load_pool(path)
    assert time.process_time() - started < 10
    assert len(str(caught.value)) < 5000


@pytest.mark.parametrize("other", ["b.yaml", "./b.yaml", "sub/../b.yaml"])
def test_pool_files_that_extend_each_other_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.yaml").write_text(f"extends: {other}")
    (tmp_path / "b.yaml").write_text("extends: sub/../a.yaml")
    with pytest.raises(ml.ConfigurationError, match="extends leads back to itself"):
        ml.load_pool("a.yaml")


# Files of lines

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def mutated(record: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """The record with some of its values replaced by others or left out."""
    changes = st.dictionaries(st.sampled_from(sorted(record)), VALUES, max_size=2)
    return st.tuples(changes, st.sets(st.sampled_from(sorted(record)), max_size=1)).map(
        lambda drawn: (
            json.dumps({key: value for key, value in (record | drawn[0]).items() if key not in drawn[1]}) + "\n"
        ).encode()
    )


GOLD = {
    "id": "1", "prompt": "Do a and do b", "kind": "x", "topic": "y",
    "subtasks": [{"text": "Do a", "task_type": "reasoning", "complexity": "low", "depends_on": []}],
}  # fmt: skip
REQUEST = ml.CompletionRequest("model::light", ({"role": "user", "content": "?"},), 10)
RECORDED = {
    "key": REQUEST.key, "text": "hi", "label": "model::light", "model": "a/b", "finish_reason": "stop",
    "request": {"label": "model::light", "messages": [{"role": "user", "content": "?"}], "max_output_tokens": 10,
                "fallbacks": [], "temperature": 0.3, "seed": None},
    "attempts": [{"label": "model::light", "model": "a/b", "error": None}], "fallback_reason": None, "latency_s": 1.0,
    "queue_s": 0.0, "load_s": None, "prompt_s": 0.1, "generation_s": 0.2, "input_tokens": 1, "output_tokens": 2,
    "tokens_measured": True, "cost_units": 0.1, "cost_usd": None, "replayed": False,
}  # fmt: skip
ANSWERED = {
    "model": "m", "done": True, "done_reason": "stop", "total_duration": 5, "load_duration": 1, "eval_count": 2,
    "prompt_eval_count": 3, "eval_duration": 1, "prompt_eval_duration": 1, "error": None,
    "usage": {"prompt_tokens": 3, "completion_tokens": 2}, "timings": {"prompt_ms": 1.0, "predicted_ms": 2.0},
}  # fmt: skip


@settings(max_examples=100)
@given(mutated(GOLD) | st.binary(max_size=30))
@example(b"[" * 100_000)
@example(b"\xff")
def test_any_file_of_labelled_prompts_is_read_or_refused(content: bytes) -> None:
    TARGETS["gold"](content)


@settings(max_examples=150)
@given(mutated(RECORDED) | st.binary(max_size=30))
@example(b"[" * 100_000 + b"\n")
@example(b"\xff\n")
@example(json.dumps(RECORDED | {"text": 5}).encode() + b"\n")
@example(json.dumps(RECORDED | {"latency_s": "x"}).encode() + b"\n")
@example(json.dumps(RECORDED | {"cost_units": -1}).encode() + b"\n")
@example(json.dumps(RECORDED | {"latency_s": math.inf}).encode() + b"\n")
def test_any_recording_is_replayed_or_refused(content: bytes) -> None:
    TARGETS["recording"](content)


@settings(max_examples=150)
@given(mutated(ANSWERED) | st.binary(max_size=30))
@example(b"[" * 100_000)
@example(b'{"error": {"message": "planted-secret\\n\\u001b[2J"}}')
def test_any_answer_of_a_server_is_understood_or_taken_as_unknown(content: bytes) -> None:
    TARGETS["answer"](content)


MESSAGE = {"role": "assistant", "content": "hi"}
PIECE = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": MESSAGE, "done": False}
LAST = {**PIECE, "done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 2}
CHUNK = {
    "id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
    "choices": [{"index": 0, "delta": MESSAGE, "finish_reason": None}],
}  # fmt: skip
ENDING = {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": ANSWERED["usage"]}
WHOLE = {**CHUNK, "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}], "usage": ANSWERED["usage"]}
LINES = st.lists(mutated(PIECE) | mutated(LAST) | st.binary(max_size=20), max_size=4).map(b"".join)
EVENTS = st.lists(
    st.one_of(mutated(CHUNK), mutated(ENDING), st.just(b"[DONE]\n"), st.binary(max_size=20)).map(
        lambda event: b"data: " + event + b"\n"
    ),
    max_size=5,
).map(b"".join)


@settings(max_examples=120, deadline=None)
@given(
    st.one_of(
        mutated(LAST).map(lambda body: b"\x00" + body),
        mutated(WHOLE).map(lambda body: b"\x01" + body),
        LINES.map(lambda body: b"\x02" + body),
        EVENTS.map(lambda body: b"\x03" + body),
    )
)
@example(b"\x01" + json.dumps(WHOLE | {"choices": []}).encode())
def test_whatever_a_server_sends_is_an_answer_or_a_documented_error(content: bytes) -> None:
    TARGETS["stream"](content)


@pytest.mark.parametrize("lie", [-5, True, "fast", [], {}, float("nan"), float("inf"), 10**400, None])
def test_a_duration_that_a_server_cannot_have_measured_is_unknown(lie: Any) -> None:
    timings = Timings.of({"total_duration": 10**9, "load_duration": lie, "eval_duration": 5 * 10**8})
    assert timings.load_s is None or lie is True
    assert timings.waited_s == pytest.approx(0.5)
    assert timings.generation_s == 0.5


@settings(max_examples=60)
@given(mutated(ARENA) | mutated({"records": [ARENA], "demo": False}) | st.binary(max_size=40))
@example(b"[" * 100_000)
@example(b"# multillm outcomes " + b"[" * 100_000)
@example(b"prompt,x\n1,2,3\n")
def test_any_table_is_read_or_refused(content: bytes) -> None:
    TARGETS["table"](content)


def test_a_stored_table_whose_text_is_no_unicode_is_refused(tmp_path: Path) -> None:
    [parquet] = [seed for seed in seeds("table") if seed.startswith(b"PAR1")]
    path = tmp_path / "outcomes.parquet"
    path.write_bytes(parquet)
    assert ml.load_outcomes(path).models == ("m",)
    path.write_bytes(parquet.replace(b"Which?", b"Wh\xffch?"))
    with pytest.raises(ml.OutcomesError, match="UTF8"):
        ml.load_outcomes(path)


# Pickles


class Calls:
    """Pickles to a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def refused(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "table.pkl"
    path.write_bytes(content)
    with pytest.raises(ml.OutcomesError) as caught:
        read_pickle(path)
    return str(caught.value)


def state(*parts: Any) -> bytes:
    """Opcodes that put a tuple on the stack."""
    return pickle.dumps(parts, 2)[2:-1]


@pytest.mark.parametrize("function", [eval, getattr, __import__, open, pd.eval, pd.read_pickle, np.load, pickle.loads])
def test_a_pickle_calls_nothing_that_it_names(tmp_path: Path, function: Any) -> None:
    assert "it wants" in refused(tmp_path, pickle.dumps(Calls(function, "1")))


@pytest.mark.parametrize("name", ["DataFrame.eval", "DataFrame.query", "core", "eval"])
def test_a_pickle_reaches_nothing_through_what_it_may_name(tmp_path: Path, name: str) -> None:
    named = b"\x80\x04\x8c\x06pandas\x8c" + bytes([len(name)]) + name.encode() + b"\x93."
    assert "it wants" in refused(tmp_path, named)


@pytest.mark.parametrize("target", ["pandas RangeIndex", "pandas.core.indexes.base _new_Index", "pandas DataFrame"])
def test_a_pickle_changes_no_class_and_no_function(tmp_path: Path, target: str) -> None:
    named = f"\x80\x02c{target.replace(' ', chr(10))}\n".encode("latin-1")
    for change in (state(None, {"planted": 1}), pickle.dumps({"planted": 1}, 2)[2:-1]):
        assert "it wants to change a" in refused(tmp_path, named + change + b"b.")
    assert not hasattr(pd.RangeIndex, "planted")


def test_a_pickle_lays_out_no_memory(tmp_path: Path) -> None:
    outside = state(3, "|", None, ("a",), {"a": (np.dtype("f8"), 1_000_000)}, 8, 1, 16)
    assert "it lays out memory" in refused(tmp_path, b"\x80\x02cnumpy\ndtype\nU\x02V8\x85R" + outside + b"b.")


@pytest.mark.parametrize("shape", [(44, 2), (3,), (-1, 2), (2**62, 4)])
def test_a_pickle_makes_no_array_that_is_larger_than_its_content(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    for content in (["a", "b"], b"12"):
        dtype = np.dtype("O" if isinstance(content, list) else "S1")
        made = refused(tmp_path, array + state(1, shape, dtype, False, content) + b"b.")
        assert "content of another length" in made


@settings(max_examples=150)
@given(st.binary(max_size=30), st.integers(0, 900), st.integers(0, 40))
@example(b"\x80\x04R.", 0, 2000)
@example(b"\x80\x04\x8e" + b"\xff" * 7 + b"\x00x.", 0, 2000)
@example(b"\x80\x05\x96" + b"\xff\xff\xff\xff\x00\x00\x00\x00x.", 0, 2000)
def test_any_broken_pickle_is_read_or_refused(garbage: bytes, place: int, length: int) -> None:
    whole = io.BytesIO()
    pd.DataFrame({"m": [0.5, 1.0]}).to_pickle(whole, compression=None)
    content = whole.getvalue()
    TARGETS["frame"](content[:place] + garbage + content[place + length :])
