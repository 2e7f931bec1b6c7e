"""Benchmarks: real models on prompts whose answers can be checked, reproducible to the last answer."""

from multillm.bench.ablating import ablate, ablate_async
from multillm.bench.ablation import Ablation
from multillm.bench.manifest import Manifest
from multillm.bench.rerun import Reproduction, reproduce_benchmark, reproduce_benchmark_async
from multillm.bench.result import Benchmark
from multillm.bench.running import run_benchmark, run_benchmark_async

__all__ = [
    "Ablation",
    "Benchmark",
    "Manifest",
    "Reproduction",
    "ablate",
    "ablate_async",
    "reproduce_benchmark",
    "reproduce_benchmark_async",
    "run_benchmark",
    "run_benchmark_async",
]
