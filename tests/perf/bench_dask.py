"""Short prompts classified and routed by two Dask workers, one of which is killed: python tests/perf/bench_dask.py.

Distinct prompts of at most 80 characters, made from ``data/gold/train.jsonl``, lie in parquet files of 100,000. They go
through ``classify_many`` and ``route_many`` into parquet again: a tenth of them in this process by pandas, the same
tenth by Dask, all of them by Dask, and all of them once more with one of the workers killed in the middle. Each worker
is a process with one thread. The tables are compared: the tenth whole, a sample of all against pandas, and the run
with a loss against the one without.
"""

import argparse
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dask.dataframe as dd
import pandas as pd
import psutil
from distributed import Client, LocalCluster

import multillm as ml

PER_FILE = 100_000
SHORT = 80
SAMPLE = 100_000
MIB = 2**20
COLUMNS = ["number", "task_type", "complexity", "tier", "input_tokens", "confidence", "label", "utility"]


def write_prompts(folder: Path, rows: int) -> None:
    """Files of distinct short prompts."""
    short = [prompt.prompt for prompt in ml.load_gold("train") if len(prompt.prompt) <= SHORT]
    folder.mkdir(parents=True)
    for start in range(0, rows, PER_FILE):
        numbers = range(start, min(rows, start + PER_FILE))
        texts = [f"{short[number % len(short)]} {number // len(short)}" for number in numbers]
        pd.DataFrame({"number": numbers, "prompt": texts}).to_parquet(folder / f"part-{start:012}.parquet")


def routed(prompts: Any) -> Any:
    """Type, complexity and label of every prompt, of pandas or of Dask."""
    profiles = ml.classify_many(prompts["prompt"])
    routes = ml.route_many(profiles)
    return profiles.assign(number=prompts["number"], label=routes["label"], utility=routes["utility"])[COLUMNS]


def counted(part: pd.DataFrame, folder: str) -> pd.DataFrame:
    """Pass a partition on; note which process made it."""
    with Path(folder, f"{os.getpid()}.txt").open("a") as file:
        file.write(f"{len(part)}\n")
    return part


def by_pandas(files: list[Path], out: Path) -> None:
    """One process, one file after the other."""
    out.mkdir(parents=True)
    for file in files:
        routed(pd.read_parquet(file)).to_parquet(out / file.name)


def by_dask(files: list[Path], out: Path, counts: Path) -> None:
    """All workers."""
    counts.mkdir(parents=True)
    table = routed(dd.read_parquet([str(file) for file in files]))
    table = table.map_partitions(counted, str(counts), meta=table._meta)
    table.to_parquet(str(out), write_index=False)


def work_of(counts: Path) -> dict[int, int]:
    """Rows by process."""
    return {int(path.stem): sum(map(int, path.read_text().split())) for path in counts.glob("*.txt")}


def processor_s() -> float:
    """Processor time of this process and of its children that live."""
    here = psutil.Process()
    times = [process.cpu_times() for process in (here, *here.children(recursive=True))]
    return float(sum(time.user + time.system for time in times))


def timed(run: Callable[[], None]) -> tuple[float, float]:
    """Seconds on the clock and of the processors."""
    began, worked = time.perf_counter(), processor_s()
    run()
    return time.perf_counter() - began, processor_s() - worked


def peak_mib() -> tuple[int, float]:
    """Process and the most memory that it has had."""
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return os.getpid(), peak / 1024


def kill_in_the_middle(counts: Path, rows: int, victim: int) -> threading.Thread:
    """Kill a worker once half of the rows are done."""

    def wait_and_kill() -> None:
        while not counts.exists() or sum(work_of(counts).values()) < rows // 2:
            time.sleep(0.05)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=wait_and_kill, daemon=True)
    killer.start()
    return killer


def read(folder: Path) -> pd.DataFrame:
    """A table in the order of the prompts."""
    return pd.read_parquet(folder).sort_values("number", ignore_index=True)


def same(one: pd.DataFrame, other: pd.DataFrame) -> str:
    """Whether two tables hold the same values to the last bit."""
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    return f"{len(one):,} rows the same"


def told(name: str, rows: int, taken: tuple[float, float], by: dict[int, int] | None = None) -> None:
    """Figures of a run; what a killed process worked, nobody knows."""
    clock, worked = taken
    of_processor = f"{worked / rows * 1e6:7.1f} us of processor a row" if "killed" not in name else ""
    print(f"{name:42} {clock:8.1f} s {rows / clock:10,.0f} rows/s {of_processor}")
    for pid, n in (by or {}).items():
        print(f"    process {pid}: {n:,} rows, {n / clock:,.0f} rows/s")


def main(rows: int, folder: Path) -> None:
    """Run everything and print the figures."""
    shutil.rmtree(folder, ignore_errors=True)
    write_prompts(folder / "prompts", rows)
    files = sorted((folder / "prompts").iterdir())
    tenth = files[: max(1, len(files) // 10)]
    few = sum(len(pd.read_parquet(file, columns=["number"])) for file in tenth)
    size = sum(file.stat().st_size for file in files)
    print(f"{rows:,} prompts in {len(files)} files, {size / rows:.1f} bytes each on disk; {os.cpu_count()} cores")
    print(", ".join(f"{name} {version(name)}" for name in ("dask", "pandas", "numpy", "pyarrow")))
    ml.route_many(ml.classify_many(pd.Series(["Define entropy."])))
    told("pandas, one process", few, timed(lambda: by_pandas(tenth, folder / "pandas")))
    print(f"    peak memory {peak_mib()[1]:,.0f} MiB")
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        by_dask(tenth[:1] * 2, folder / "warm-up", folder / "warm-up-counts")
        empty = client.run(peak_mib)
        print("    peak memory before: " + ", ".join(f"process {pid}: {mib:,.0f} MiB" for pid, mib in empty.values()))
        for name, some, count in (("few", tenth, few), ("all", files, rows)):
            counts = folder / f"{name}-counts"
            taken = timed(lambda some=some, name=name, counts=counts: by_dask(some, folder / name, counts))  # type: ignore[misc]
            told(f"Dask, two workers, {count:,} rows", count, taken, work_of(counts))
            peaks = client.run(peak_mib)
            print("    peak memory: " + ", ".join(f"process {pid}: {mib:,.0f} MiB" for pid, mib in peaks.values()))
        counts = folder / "killed-counts"
        victim = next(iter(client.run(os.getpid).values()))
        killer = kill_in_the_middle(counts, rows, victim)
        taken = timed(lambda: by_dask(files, folder / "killed", counts))
        killer.join()
        told(f"Dask, process {victim} killed", rows, taken, work_of(counts))
    print("pandas against Dask: " + same(read(folder / "pandas"), read(folder / "few")))
    found = read(folder / "all")
    sample = found.sample(min(SAMPLE, rows), random_state=0).sort_values("number", ignore_index=True)
    asked = pd.concat([part[part["number"].isin(sample["number"])] for part in map(pd.read_parquet, files)])
    print("sample of all against pandas: " + same(routed(asked.reset_index(drop=True)), sample))
    print("with a loss against without: " + same(read(folder / "killed"), found))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="?", default=10_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="multillm-dask-") as place:
        main(given.rows, Path(place, "run"))
