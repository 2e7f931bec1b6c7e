"""Columns of Dask: the same as those of pandas, on workers of which one dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from operator import add
from pathlib import Path
from typing import Any

import dask
import dask.dataframe as dd
import httpx
import pandas as pd
import pytest
from dask.delayed import delayed
from distributed import Client

import multillm as ml
from multillm.partitions import Parts
from tests.cluster import local_cluster

# Dask (2026.8) calls pandas (3.1) in a way that pandas is about to give up.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame:DeprecationWarning")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with local_cluster() as running:
        yield running


@pytest.fixture(scope="module")
def prompts() -> pd.Series:
    texts = [prompt.prompt for prompt in ml.load_gold("test")]
    return pd.Series(texts, index=pd.Index(range(0, 2 * len(texts), 2), name="number"), name="prompt")


def computed(lazy: Any) -> pd.DataFrame:
    """What a lazy table holds."""
    found: pd.DataFrame = lazy.compute()
    return found


def routed(texts: pd.Series) -> pd.DataFrame:
    """From prompts to the labels of their sub-tasks."""
    return ml.route_many(ml.classify_many(ml.split_many(texts)["text"]))


@pytest.mark.parametrize(
    "function",
    [
        ml.split_many,
        ml.classify_many,
        lambda texts: ml.classify_many(ml.split_many(texts)["text"], "reference", chunk=7),
        routed,
    ],
)
@pytest.mark.parametrize("parts", [1, 7])
def test_a_column_of_dask_gives_lazily_what_pandas_gives(
    client: Client, prompts: pd.Series, function: Callable[[pd.Series], pd.DataFrame], parts: int
) -> None:
    partitioned = dd.from_pandas(prompts, npartitions=parts)
    lazy = function(partitioned)
    assert isinstance(lazy, dd.DataFrame)
    assert (lazy.npartitions, lazy.divisions) == (partitioned.npartitions, partitioned.divisions)
    wanted = function(prompts)
    pd.testing.assert_frame_equal(computed(lazy), wanted, check_exact=True)
    pd.testing.assert_frame_equal(lazy._meta, wanted.iloc[:0], check_index_type=False)


def test_types_survive_parquet_and_strings_route_like_categories(
    client: Client, prompts: pd.Series, tmp_path: Path
) -> None:
    dd.from_pandas(prompts.to_frame(), npartitions=3).to_parquet(tmp_path / "prompts")
    profiles = ml.classify_many(dd.read_parquet(tmp_path / "prompts")["prompt"])
    profiles.to_parquet(tmp_path / "profiles")
    read = dd.read_parquet(tmp_path / "profiles").astype({"task_type": "string"})
    wanted = ml.route_many(ml.classify_many(prompts))
    pd.testing.assert_frame_equal(computed(ml.route_many(read)), wanted, check_exact=True)


def test_bad_values_raise_our_errors_when_their_partition_is_computed(client: Client) -> None:
    texts = dd.from_pandas(pd.Series(["Define entropy.", None, "Explain it.", " "]), npartitions=2)
    for function in (ml.split_many, ml.classify_many):
        with pytest.raises(ml.InputError, match=r"1 of 2 [a-z]+ are missing"):
            computed(function(texts).partitions[0])
        with pytest.raises(ml.InputError, match="empty"):
            computed(function(texts).partitions[1])
    with pytest.raises(ml.InputError, match="no column 'task_type'"):
        ml.route_many(texts.to_frame("text"))
    with pytest.raises(ml.ConfigurationError, match="no splitter is called"):
        ml.split_many(texts, "fortune")
    profiles = pd.DataFrame({"task_type": ["poetry"], "complexity": [0.5], "input_tokens": [9]})
    with pytest.raises(ml.InputError, match="'poetry' is no task type"):
        computed(ml.route_many(dd.from_pandas(profiles, npartitions=1)))
    profiles = profiles.assign(task_type="other", input_tokens=10**9)
    with pytest.raises(ml.RoutingError, match="largest window"):
        computed(ml.route_many(dd.from_pandas(profiles, npartitions=1)))


def die_once(texts: pd.Series, mark: str) -> pd.Series:
    """Pass a partition on; the first process that comes here is killed."""
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return texts
    os.kill(os.getpid(), signal.SIGKILL)
    return texts


def test_a_worker_killed_in_the_middle_changes_nothing(client: Client, prompts: pd.Series, tmp_path: Path) -> None:
    before = set(client.scheduler_info(n_workers=-1)["workers"])
    partitioned = dd.from_pandas(prompts, npartitions=12)
    mortal = partitioned.map_partitions(die_once, str(tmp_path / "mark"), meta=partitioned._meta)
    pd.testing.assert_frame_equal(computed(routed(mortal)), routed(prompts), check_exact=True)
    assert (tmp_path / "mark").exists()
    assert set(client.scheduler_info(n_workers=-1)["workers"]) != before


def test_the_dashboard_names_tasks_by_our_functions(client: Client, prompts: pd.Series) -> None:
    computed(routed(dd.from_pandas(prompts, npartitions=3)))
    parts = Parts([delayed(len)(text) for text in prompts[:2]])
    parts.total(abs, add)
    names = set(client.run_on_scheduler(lambda dask_scheduler: [*dask_scheduler.task_prefixes]))
    assert {"split_many", "abs", "added"} <= {name.partition("-")[0] for name in names}, names
    assert not [name for name in names if "lambda" in name]
    assert b"bokeh" in httpx.get(client.dashboard_link).content.lower()


def test_dask_is_imported_by_nobody_but_the_user() -> None:
    code = "import sys, pandas as pd, multillm as ml; ml.split_many(pd.Series(['Hi.'])); print('dask' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_threads_do_as_well(prompts: pd.Series) -> None:
    with dask.config.set(scheduler="threads"):
        found = computed(ml.classify_many(dd.from_pandas(prompts, npartitions=4)))
    pd.testing.assert_frame_equal(found, ml.classify_many(prompts), check_exact=True)
