"""Outcomes in parts: evaluated and tuned as one table is, and what cannot be told of parts is refused."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import multillm as ml
from multillm.metrics.bootstrap import Resamples, bootstrap, resample, weighted_mean
from tests.cluster import local_cluster
from tests.test_partitions import die_once
from tests.test_tuning import outcomes

CUTS = ((0, 90), (90, 91), (91, 250), (250, 300))
ROUTERS = {"curves": ml.LinearCurves(), "learned": ml.LearnedQuality(), "mean": ml.MeanQuality()}
MODULE = sys.modules[Resamples.__module__]

# Dask (2026.8) calls pandas (3.1) in a way that pandas is about to give up.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame:DeprecationWarning")


def today() -> date:
    return date(2026, 1, 2)


@pytest.fixture(scope="module")
def whole() -> ml.Outcomes:
    """Prompts of which one lacks a quality and one a model."""
    table = outcomes()
    rows = table.rows.drop(index=0)
    return ml.Outcomes(rows.assign(quality=rows["quality"].where(rows.index != 30)), table.prompts, cost_unit="USD")


@pytest.fixture(scope="module")
def parts(whole: ml.Outcomes, tmp_path_factory: pytest.TempPathFactory) -> ml.PartitionedOutcomes:
    folder = tmp_path_factory.mktemp("outcomes")
    for start, stop in CUTS:
        whole.take(np.arange(start, stop)).write(folder / f"part-{start:03}.parquet")
    return ml.PartitionedOutcomes.read(folder)


@pytest.mark.parametrize(
    "how",
    [
        {"objective": "quality", "constraint": 0.5},
        {"objective": "cost", "constraint": 0.7, "by": "group", "folds": 3, "seed": 3},
        {"objective": "arena"},
    ],
)
def test_tuning_in_parts_is_tuning_in_one_table(
    whole: ml.Outcomes, parts: ml.PartitionedOutcomes, how: dict[str, Any]
) -> None:
    one, other = (ml.tune(table, replicates=50, today=today, **how) for table in (whole, parts))
    assert other.policy == one.policy
    pd.testing.assert_frame_equal(other.front, one.front, rtol=1e-12)
    np.testing.assert_allclose(other.estimator.lines_, one.estimator.lines_, rtol=1e-12, atol=1e-12)
    for name in ("cost", "quality"):
        mine, theirs = getattr(other, name), getattr(one, name)
        assert mine.n == theirs.n == 298
        np.testing.assert_allclose([mine.value, mine.low, mine.high], [theirs.value, theirs.low, theirs.high], 1e-12)
    assert dict(other.relative_cost) == pytest.approx(dict(one.relative_cost), rel=1e-12)
    assert "298 prompts, 2 left out" in other.provenance["data"]


@pytest.mark.parametrize(
    "how", [{}, {"by": "group", "folds": 3, "seed": 2}, {"resampled": "group", "willingness": 0.3}]
)
def test_every_figure_of_parts_is_that_of_one_table(
    whole: ml.Outcomes, parts: ml.PartitionedOutcomes, how: dict[str, Any]
) -> None:
    one = ml.evaluate(ROUTERS, whole, replicates=30, perturbation=0, **how)
    other = ml.evaluate(ROUTERS, parts, replicates=30, **how)
    assert {name for name, _ in set(one.resamples) - set(other.resamples)} == {"data-set oracle"}
    for key, values in other.resamples.items():
        np.testing.assert_allclose(values, one.resamples[key], rtol=1e-9, atol=1e-12, err_msg=str(key))
    for table in ("curves", "by_task_type"):
        mine, theirs = (getattr(each, table) for each in (other, one))
        theirs = theirs[theirs["router"] != "data-set oracle"].sort_values(list(theirs)[:3], ignore_index=True)
        mine = mine.sort_values(list(mine)[:3], ignore_index=True)
        pd.testing.assert_frame_equal(mine, theirs, rtol=1e-9)
    assert (other.n, other.left_out, other.best_single) == (one.n, one.left_out, one.best_single)


class DiesOnce(ml.MeanQuality):
    """Mean qualities; the first process that predicts by them is killed."""

    def predict(self, prompts: pd.DataFrame | Sequence[str]) -> pd.DataFrame:
        die_once(pd.Series(dtype=str), os.environ["MULTILLM_TEST_MARK"])
        return super().predict(prompts)


def test_a_worker_killed_in_the_middle_changes_nothing_and_no_graph_is_large(
    whole: ml.Outcomes, parts: ml.PartitionedOutcomes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MULTILLM_TEST_MARK", str(tmp_path / "mark"))
    with local_cluster() as client, dask.config.set({"distributed.admin.large-graph-warning-threshold": "0.2MB"}):
        before = set(client.scheduler_info(n_workers=-1)["workers"])
        found = ml.evaluate({"mean": DiesOnce()}, parts, replicates=500)
        tuned = ml.tune(parts, replicates=500)
        assert (tmp_path / "mark").exists()
        assert set(client.scheduler_info(n_workers=-1)["workers"]) != before
    wanted = ml.evaluate({"mean": ml.MeanQuality()}, whole, replicates=500, perturbation=0)
    np.testing.assert_allclose(found.resamples["mean", "aiq"], wanted.resamples["mean", "aiq"], rtol=1e-9)
    assert str(tuned.quality) == str(ml.tune(whole, replicates=500).quality)


def test_a_dask_table_is_cut_as_it_is_partitioned(whole: ml.Outcomes) -> None:
    frame = whole.to_frame()
    divisions = [0, 90, 120, 300]
    cut = dd.concat(
        [
            dd.from_pandas(frame[frame["prompt_id"].isin(whole.prompts["prompt_id"][a:b])], npartitions=1, sort=False)
            for a, b in pairwise(divisions)
        ],
        interleave_partitions=True,
    )
    parts = ml.PartitionedOutcomes.from_frame(cut, name="cut", cost_unit="USD")
    found = ml.evaluate(ml.MeanQuality(), parts, replicates=10, baselines=False)
    wanted = ml.evaluate(ml.MeanQuality(), whole, replicates=10, baselines=False, perturbation=0)
    np.testing.assert_allclose(
        found.resamples["MeanQuality()", "aiq"], wanted.resamples["MeanQuality()", "aiq"], rtol=1e-12
    )


def test_what_parts_cannot_tell_or_hold_is_refused(
    whole: ml.Outcomes, parts: ml.PartitionedOutcomes, tmp_path: Path
) -> None:
    with pytest.raises(ml.OutcomesError, match="one order"):
        ml.evaluate(ml.MeanQuality(), parts, pair=("model::light", "model::heavy"))
    with pytest.raises(ml.OutcomesError, match=r"fitted to 2\d\d prompts in one place; allowed by fit_prompts: 100"):
        ml.evaluate(ml.LinearCurves(), parts, fit_prompts=100)
    with pytest.raises(ml.OutcomesError, match="needs constraint"):
        ml.tune(parts, "cost")
    with pytest.raises(ml.OutcomesError, match=r"no \.parquet file"):
        ml.PartitionedOutcomes.read(tmp_path)
    with pytest.raises(ml.OutcomesError, match="no Dask DataFrame"):
        ml.PartitionedOutcomes.from_frame(whole.to_frame())
    whole.take(np.arange(60)).write(tmp_path / "a.parquet")
    whole.take(np.arange(59, 90)).write(tmp_path / "b.parquet")
    with pytest.raises(ml.OutcomesError, match=r"1 prompts of .* are in two parts"):
        ml.tune(ml.PartitionedOutcomes.read(tmp_path))
    (tmp_path / "b.parquet").write_bytes(b"no parquet")
    with pytest.raises(ml.OutcomesError, match=r"b\.parquet is not readable"):
        ml.tune(ml.PartitionedOutcomes.read(tmp_path))


@given(st.lists(st.integers(0, 57), max_size=4), st.booleans())
def test_a_part_is_drawn_as_it_stands_in_the_whole(cuts: list[int], many: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "DRAWN_AT_ONCE", 10 if many else 100)
        patch.setattr(MODULE, "BLOCK", 7)
        whole = resample(57, 5, np.random.default_rng(1))
        drawn = Resamples.of(57, 5, np.random.default_rng(1))
        edges = sorted([0, *cuts, 57])
        pieces = [drawn.part(start, stop) for start, stop in pairwise(edges) if stop > start]
        np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)


def test_poisson_resamples_give_the_intervals_of_drawing_with_replacement(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random(5_000)
    spread = []
    for at_once in (10_000, 100):
        monkeypatch.setattr(MODULE, "DRAWN_AT_ONCE", at_once)
        found = bootstrap(lambda weights: weighted_mean(values, weights), len(values), np.random.default_rng(2))
        spread.append(found.high - found.low)
    assert spread[1] == pytest.approx(spread[0], rel=0.1)
    assert spread[1] == pytest.approx(2 * 1.96 * values.std() / len(values) ** 0.5, rel=0.1)
