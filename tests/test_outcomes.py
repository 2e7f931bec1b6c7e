"""The outcome table: schema, storage, selection."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from multillm.errors import OutcomesError
from multillm.feedback import FeedbackRecord, FeedbackStore
from multillm.outcomes import MEASURES, Outcomes

ROWS = pd.DataFrame(
    {
        "prompt_id": ["a", "a", "b", "b"],
        "model": ["light", "heavy", "light", "heavy"],
        "quality": [0.0, 1.0, 0.5, np.nan],
        "cost": [0.001, 0.02, 0.001, np.nan],
    }
)
PROMPTS = pd.DataFrame({"prompt_id": ["a", "b"], "prompt": ["Why?", "How?"], "group": ["x", "y"]})


def table() -> Outcomes:
    return Outcomes(ROWS, PROMPTS, name="small", cost_unit="USD", licence="MIT")


def test_a_matrix_has_a_row_per_prompt_a_column_per_model_and_nan_where_nothing_was_measured() -> None:
    quality = table().quality_matrix()
    assert list(quality.index) == ["a", "b"]
    assert list(quality.columns) == ["light", "heavy"]
    np.testing.assert_array_equal(quality, [[0.0, 1.0], [0.5, np.nan]])
    assert table().cost_matrix().loc["a", "heavy"] == 0.02


def test_what_was_not_measured_is_missing_not_zero() -> None:
    summary = table().summary()
    assert summary["n"].tolist() == [2, 2]
    assert summary["n_quality"].tolist() == [2, 1]
    assert summary["quality"].tolist() == [0.25, 1.0]
    assert table().rows["latency_s"].isna().all()
    assert summary["median_latency_s"].isna().all()


def test_the_digest_is_that_of_the_content_whatever_its_order_and_its_file(tmp_path: Path) -> None:
    name = table().sha256()
    assert Outcomes(ROWS[::-1], PROMPTS[::-1], name="other", cost_unit="USD").sha256() == name
    assert Outcomes.read(table().write(tmp_path / "a.csv")).sha256() == name
    assert Outcomes.read(table().write(tmp_path / "a.parquet")).sha256() == name
    others = [
        Outcomes(ROWS, PROMPTS, cost_unit="EUR"),
        Outcomes(ROWS.assign(quality=[0.0, 1.0, 0.5, 0.0]), PROMPTS, cost_unit="USD"),
        Outcomes(ROWS, PROMPTS.assign(prompt=["Why?How", "?"]), cost_unit="USD"),
        Outcomes(ROWS, PROMPTS.assign(group=["x", np.nan]), cost_unit="USD"),
        Outcomes(ROWS.rename(columns={"cost": "latency_s"}), PROMPTS, cost_unit="USD"),
    ]
    assert len({name, *(other.sha256() for other in others)}) == 6


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"quality": [0.0, 1.5, 0.0, 0.0]}, "rows, row 1, column quality: 1.5; allowed: 0..1 or missing"),
        ({"quality": [0.0, 1.0, 0.0, "good"]}, "rows, row 3, column quality: 'good'"),
        ({"cost": [0.1, 0.1, -1.0, 0.1]}, "rows, row 2, column cost: -1.0"),
        ({"cost": [0.1, np.inf, 0.1, 0.1]}, "rows, row 1, column cost: inf"),
        ({"model": ["light", "light", "light", "heavy"]}, "rows, row 1, column model: 'light'"),
        ({"model": ["light", None, "light", "heavy"]}, "rows, row 1, column model"),
        ({"prompt_id": ["a", "a", "b", "c"]}, "rows, row 3, column prompt_id: 'c'"),
    ],
)
def test_a_bad_table_is_refused_by_row_column_and_value(change: dict[str, list[str]], says: str) -> None:
    with pytest.raises(OutcomesError) as refused:
        Outcomes(ROWS.assign(**change), PROMPTS, cost_unit="USD")
    assert says in str(refused.value)


def test_costs_need_a_unit() -> None:
    with pytest.raises(OutcomesError, match="cost_unit is empty"):
        Outcomes(ROWS, PROMPTS)


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30)
number = st.one_of(st.just(np.nan), st.floats(0.0, 1.0))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prompts=st.lists(
        st.tuples(text, text | st.none(), text | st.none(), number), min_size=1, max_size=4, unique_by=lambda p: p[0]
    ),
    values=st.lists(number, min_size=40, max_size=40),
    name=text,
    suffix=st.sampled_from([".parquet", ".csv"]),
)
def test_what_is_written_is_read_back_exactly(
    tmp_path: Path,
    prompts: list[tuple[str, str | None, str | None, float]],
    values: list[float],
    name: str,
    suffix: str,
) -> None:
    frame = pd.DataFrame(prompts, columns=["prompt_id", "prompt", "task_type", "complexity"])
    rows = pd.DataFrame({"prompt_id": np.repeat(frame["prompt_id"], 2), "model": ["m,1", 'm"2'] * len(frame)})
    for k, measure in enumerate(MEASURES):
        rows[measure] = values[8 * k : 8 * k + len(rows)]
    before = Outcomes(rows, frame, name=name, cost_unit="USD")
    after = Outcomes.read(before.write(tmp_path / f"table{suffix}"))
    pd.testing.assert_frame_equal(after.rows, before.rows, check_exact=True)
    pd.testing.assert_frame_equal(after.prompts, before.prompts, check_exact=True)
    assert (after.name, after.cost_unit, after.models) == (name, "USD", before.models)


@pytest.mark.parametrize("ids", [["a\r", "a"], ["a\r\n", "\r"], ["1", "1.0"], ["NA", "nan"], ['"', "'"], [" a", "a"]])
@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_names_that_files_like_to_bend_come_back_straight(tmp_path: Path, ids: list[str], suffix: str) -> None:
    rows = pd.DataFrame({"prompt_id": ids, "model": ids[::-1], "quality": [0.1, 1 / 3]})
    before = Outcomes(rows, pd.DataFrame({"prompt_id": ids, "prompt": ids[::-1]}))
    after = Outcomes.read(before.write(tmp_path / f"table{suffix}"))
    pd.testing.assert_frame_equal(after.rows, before.rows, check_exact=True)
    pd.testing.assert_frame_equal(after.prompts, before.prompts, check_exact=True)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    PROMPTS.to_parquet(tmp_path / "foreign.parquet")
    PROMPTS.to_csv(tmp_path / "foreign.csv")
    for path in (tmp_path / "foreign.parquet", tmp_path / "foreign.csv", tmp_path / "absent.csv"):
        with pytest.raises(OutcomesError, match=path.name):
            Outcomes.read(path)
    with pytest.raises(OutcomesError, match=r"\.xlsx"):
        table().write(tmp_path / "table.xlsx")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bytes.csv", b"\xff\xfe\x00"),
        ("header.csv", b"# multillm outcomes {half\nprompt_id,model\na,m\n"),
        ("list.csv", b"# multillm outcomes []\nprompt_id,model\na,m\n"),
        ("number.csv", b"# multillm outcomes {}\nprompt_id,model,cost\na,m,dear\n"),
        ("bytes.parquet", b"junk"),
    ],
)
def test_a_broken_file_is_refused_by_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(OutcomesError, match=name):
        Outcomes.read(tmp_path / name)


def test_filters_keep_rows_and_prompts_together() -> None:
    assert table().filter(groups=["y"]).prompts["prompt_id"].tolist() == ["b"]
    assert table().filter(models=["heavy", "light"]).models == ("heavy", "light")
    assert len(table().take(np.array([1]))) == 1
    with pytest.raises(OutcomesError, match="models light, heavy; groups x, y"):
        table().filter(groups=["z"])


def test_complete_keeps_the_prompts_that_every_model_answered() -> None:
    assert table().complete().prompts["prompt_id"].tolist() == ["a"]
    with pytest.raises(OutcomesError, match="latency_s"):
        table().complete(["latency_s"])


def test_stated_costs_replace_the_measured_ones_and_name_their_unit() -> None:
    stated = table().with_costs({"light": 1.0, "heavy": 3.0}, unit="seconds")
    assert stated.cost_unit == "seconds"
    assert stated.cost_matrix().loc["b", "heavy"] == 3.0
    with pytest.raises(OutcomesError, match="heavy"):
        table().with_costs({"light": 1.0}, unit="seconds")


def test_tables_with_different_cost_units_do_not_concatenate() -> None:
    other = Outcomes(ROWS.assign(prompt_id=["c", "c", "d", "d"]), PROMPTS.assign(prompt_id=["c", "d"]), cost_unit="USD")
    assert len(Outcomes.concat([table(), other])) == 4
    with pytest.raises(OutcomesError, match="USD and s"):
        Outcomes.concat([table(), other.with_costs({"light": 1.0, "heavy": 2.0}, "s")])
    with pytest.raises(OutcomesError, match="row 4, column model"):
        Outcomes.concat([table(), table()])


def call(index: int, prompt: str, label: str | None, **known: Any) -> FeedbackRecord:
    error = None if label else "CompletionTimeout"
    known |= {"served_label": label, "error_type": error}
    return FeedbackRecord("run", index, prompt, "qa_simple", 0.1, "light", 1, **known)


@pytest.mark.parametrize("keep_prompts", [True, False])
def test_what_a_store_keeps_becomes_outcomes(keep_prompts: bool) -> None:
    rated = {"quality": 1.0, "quality_source": "reader"}
    with FeedbackStore(":memory:", keep_prompts=keep_prompts) as store:
        store.record(
            [
                call(0, "Why?", "light", cost_units=1.0, output_tokens=10, latency_s=1.0, **rated),
                call(1, "Why?", "light", cost_units=3.0, output_tokens=30, latency_s=2.0, **rated | {"quality": 0.0}),
                call(2, "Why?", "heavy", cost_units=9.0, cost_usd=0.5, latency_s=60.0, fallback_reason="timeout"),
                call(3, "How?", "light", cost_units=1.0),
                call(4, "Who?", None),
            ]
        )
        outcomes, dollars = (Outcomes.from_feedback(store.frame(), cost_unit=unit) for unit in ("cost units", "USD"))
    assert outcomes.prompts["prompt_id"].tolist() == [sha256(text).hexdigest() for text in (b"Why?", b"How?")]
    assert outcomes.prompts["prompt"].dropna().tolist() == (["Why?", "How?"] if keep_prompts else [])
    assert outcomes.prompts["task_type"].tolist() == ["qa_simple", "qa_simple"]
    assert outcomes.models == ("light", "heavy")
    np.testing.assert_array_equal(outcomes.quality_matrix(), [[0.5, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(outcomes.cost_matrix(), [[2.0, 9.0], [1.0, np.nan]])
    np.testing.assert_array_equal(dollars.cost_matrix(), [[np.nan, 0.5], [np.nan, np.nan]])
    np.testing.assert_array_equal(outcomes.matrix("latency_s"), [[1.5, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(outcomes.matrix("output_tokens"), [[20.0, np.nan], [np.nan, np.nan]])


def test_feedback_that_measures_no_model_is_refused() -> None:
    with FeedbackStore(":memory:") as store:
        with pytest.raises(OutcomesError, match="none of 0 calls"):
            Outcomes.from_feedback(store.frame())
        store.record(call(0, "Who?", None))
        with pytest.raises(OutcomesError, match="none of 1 calls"):
            Outcomes.from_feedback(store.frame())
        with pytest.raises(OutcomesError, match="no column served_label"):
            Outcomes.from_feedback(store.frame().drop(columns="served_label"))
        with pytest.raises(OutcomesError, match="choose cost units or USD"):
            Outcomes.from_feedback(store.frame(), cost_unit="s")


def test_the_html_of_a_table_escapes_what_it_shows() -> None:
    rows = ROWS.assign(model=["<b>", "h", "<b>", "h"])
    shown = Outcomes(rows, PROMPTS, name="<script>", cost_unit="USD")._repr_html_()
    assert "<script>" not in shown
    assert "<b>" not in shown
    assert "&lt;script&gt;" in shown
