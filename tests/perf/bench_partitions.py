"""An outcome table larger than memory, evaluated and tuned by two Dask workers: python tests/perf/bench_partitions.py.

The table is made: prompts of 1,600 characters from ``data/gold/train.jsonl``, four models whose chance of a right
answer falls with complexity, parquet files of 15,000 prompts. This process and each worker may have so much memory and
no more (RLIMIT_DATA, set before the table is touched; beyond it memory is refused). pandas, in a process of its own
that is given what all three have together, is asked to read the whole table. Then the first files are evaluated and
tuned by pandas, without a limit, and in parts.
"""

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from distributed import Client, LocalCluster
from tqdm import tqdm

import multillm as ml

PER_FILE = 15_000
COMPARED_FILES = 2
CHARACTERS = 1600
REPLICATES = 200
MODELS = {"small": (0.9, 0.9, 1.0), "medium": (0.9, 0.5, 4.0), "large": (0.95, 0.3, 10.0), "huge": (0.97, 0.2, 40.0)}
"""Chance of a right answer at complexity 0, what it loses up to 1, and cost."""
KINDS = ("qa_simple", "reasoning", "documentation")
PROCESSES = 3
MIB = 2**20


def write_part(folder: Path, number: int) -> int:
    """One file of the table; how many bytes it is as a table of pandas."""
    rng = np.random.default_rng(number)
    words = "\n".join(prompt.prompt for prompt in ml.load_gold("train"))
    starts = rng.integers(len(words) - CHARACTERS, size=PER_FILE)
    complexity = rng.random(PER_FILE)
    ids = [f"{number}-{row}" for row in range(PER_FILE)]
    told = [f"{name}: {words[start : start + CHARACTERS]}" for name, start in zip(ids, starts.tolist(), strict=True)]
    kinds = rng.choice(KINDS, PER_FILE)
    prompts = pd.DataFrame({"prompt_id": ids, "prompt": told, "task_type": kinds, "complexity": complexity})
    quality = {name: rng.random(PER_FILE) < top - fall * complexity for name, (top, fall, _) in MODELS.items()}
    cost = {name: price * rng.lognormal(0, 0.3, PER_FILE) for name, (*_, price) in MODELS.items()}
    part = ml.Outcomes.from_matrices(
        prompts, pd.DataFrame(quality).astype(float), pd.DataFrame(cost), name="made", cost_unit="cost units"
    )
    part.write(folder / f"part-{number:04}.parquet")
    return int(part.to_frame().memory_usage(deep=True).sum())


def allowed(mib: int | None) -> None:
    """Refuse this process more memory; None allows all again."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard if mib is None else mib * MIB, hard))


def peak_mib() -> tuple[int, float]:
    """Process and the most memory that it has had."""
    return os.getpid(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read_whole(folder: Path, mib: int) -> str:
    """What comes of reading the table with pandas."""
    allowed(mib)
    try:
        rows = len(pd.read_parquet(folder))
    except (MemoryError, OSError) as error:
        return f"{type(error).__name__} ({str(error) or 'no text'})"
    return f"{rows:,} rows, peak memory {peak_mib()[1]:,.0f} MiB"


def evaluated(table: ml.Outcomes | ml.PartitionedOutcomes) -> ml.Evaluation:
    """Mean quality beside the baselines."""
    return ml.evaluate({"mean": ml.MeanQuality()}, table, replicates=REPLICATES, perturbation=0)


def tuned(table: ml.Outcomes | ml.PartitionedOutcomes) -> ml.TunedPolicy:
    """The policy of most quality within a budget."""
    return ml.tune(table, "quality", 8.0, replicates=REPLICATES)


def compare(files: list[Path], folder: Path) -> None:
    """The same files as one table and in parts."""
    folder.mkdir()
    for file in files:
        (folder / file.name).hardlink_to(file)
    parts = ml.PartitionedOutcomes.read(folder)
    whole = ml.Outcomes.concat([ml.Outcomes.read(file) for file in files])
    one, other = evaluated(whole), evaluated(parts)
    worst = max(
        float(np.nanmax(np.abs(values - one.resamples[key]) / np.maximum(np.abs(one.resamples[key]), 1e-12)))
        for key, values in other.resamples.items()
        if np.isfinite(values).any()
    )
    mine, theirs = tuned(parts), tuned(whole)
    assert mine.policy == theirs.policy
    assert str(mine.quality) == str(theirs.quality)
    print(f"{one.n:,} prompts in parts and by pandas: the same policy, {len(other.resamples)} figures with")
    print(f"    {REPLICATES} resamples each, largest relative difference {worst:.1g}; tuned: {theirs.quality}")


def told(name: str, run: Callable[[], Any], prompts: int, client: Client) -> Any:
    """Run, and print time and memory."""
    began = time.perf_counter()
    found = run()
    took = time.perf_counter() - began
    peaks = [peak_mib(), *client.run(peak_mib).values()]
    memory = ", ".join(f"{mib:,.0f}" for _, mib in peaks)
    print(f"{name:9}{took:8.1f} s {prompts / took:9,.0f} prompts/s, {prompts * len(MODELS) / took:9,.0f} rows/s; ")
    print(f"    peak memory of the caller and each worker so far, MiB: {memory}", flush=True)
    return found


def main(files: int, mib: int, folder: Path) -> None:
    """Make the table, run everything and print the figures."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        made = pool.imap(partial(write_part, folder), range(files))
        size = sum(tqdm(made, total=files, desc="made", disable=None))
    prompts = files * PER_FILE
    disk = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{prompts:,} prompts, {prompts * len(MODELS):,} rows in {files} files; {disk / MIB:,.0f} MiB on disk,")
    print(f"    {size / MIB:,.0f} MiB as a table of pandas; {mib:,} MiB allowed to each of {PROCESSES} processes")
    print(", ".join(f"{name} {version(name)}" for name in ("dask", "pandas", "numpy", "pyarrow")))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        met = pool.apply(read_whole, (folder, PROCESSES * mib))
    print(f"pandas, {PROCESSES * mib:,} MiB allowed: {met}", flush=True)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=mib * MIB) as cluster,
        Client(cluster) as client,
    ):
        allowed(mib)
        client.run(allowed, mib)
        table = ml.PartitionedOutcomes.read(folder)
        print("   ", told("evaluate", lambda: evaluated(table), prompts, client))
        print("   ", told("tune", lambda: tuned(table), prompts, client).quality)
        allowed(None)
        compare(sorted(folder.glob("*.parquet"))[:COMPARED_FILES], folder / "compared")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=int, nargs="?", default=40)
    parser.add_argument("--mib", type=int, default=1280, help="memory of each process")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="multillm-partitions-") as place:
        main(given.files, given.mib, Path(place))
