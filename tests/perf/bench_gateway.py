"""What the pipeline costs inside LiteLLM's proxy: the same calls through both, python tests/perf/bench_gateway.py.

The models are one mock server on the loopback interface, which answers at once. Each side is a gateway of its own;
the sides take turns, round by round, and a ratio is the median over the rounds of one side's time over that of the
proxy alone in the same round. Prompts have one sub-task.

proxy     ``litellm --config``, its model list as LiteLLM's documentation shows it: the caller names the model
declared  the same model of the gateway that serves ours, whose exported config declares its price
ours      ``multillm serve``: split, classified, routed, nothing recorded
recorded  the same with the feedback store on disk
"""

import asyncio
import itertools
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import httpx
import psutil
import yaml

import multillm as ml
from multillm.testing import FaultServer, Script
from tests.gateways import Gateway, multillm_serve, running

ANSWER = "A mutex lets one thread at a time into a section of code."
CALLS = {1: 40, 16: 160}
ROUNDS = int(os.environ.get("ROUNDS", "9"))
NUMBERS = itertools.count()


def gateways(folder: Path, address: str, models: dict[str, str]) -> dict[str, tuple[Gateway, str]]:
    """Each side, and the model that is asked of it."""
    plain = folder / "plain.yaml"
    entries = [
        {"model_name": label, "litellm_params": {"model": f"ollama_chat/{name}", "api_base": address}}
        for label, name in models.items()
    ]
    plain.write_text(yaml.safe_dump({"model_list": entries}))
    alone = [str(Path(sys.executable).with_name("litellm")), "--config", str(plain)]
    environ = {"OLLAMA_BASE_URL": address, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    serve = multillm_serve("--pool", str(folder / "pool.yaml"), "--backend", "ollama")
    ours = Gateway(serve, environ | {"MULTILLM_STORE": "none"}, folder)
    return {
        "proxy": (Gateway(alone, environ, folder), "model::light"),
        "declared": (ours, "model::light"),
        "ours": (ours, "multillm"),
        "recorded": (Gateway(serve, environ | {"MULTILLM_STORE": str(folder / "f.sqlite")}, folder), "multillm"),
    }


async def seconds_each(side: tuple[Gateway, str], concurrency: int, calls: int) -> tuple[float, float]:
    """Wall time per call, and CPU time of the gateway per call, with so many at once."""
    gateway, model = side
    headers = {"Authorization": f"Bearer {gateway.key}"}
    process = psutil.Process(gateway.process.pid)

    async def worker(client: httpx.AsyncClient, count: int) -> None:
        for _ in range(count):
            message = {"role": "user", "content": f"What is a mutex, as in case {next(NUMBERS)}?"}
            body = {"model": model, "messages": [message], "max_tokens": 256, "temperature": 0.3}
            answer = await client.post(f"{gateway.base_url}/v1/chat/completions", json=body)
            assert answer.json()["choices"][0]["message"]["content"] == ANSWER, answer.text

    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        await worker(client, 1)
        wall, cpu = time.perf_counter(), process.cpu_times()
        await asyncio.gather(*(worker(client, calls // concurrency) for _ in range(concurrency)))
        wall, spent = time.perf_counter() - wall, process.cpu_times()
    return wall / calls, (spent.user + spent.system - cpu.user - cpu.system) / calls


def compare(sides: dict[str, tuple[Gateway, str]], concurrency: int, calls: int) -> None:
    """Let the sides take turns, print their medians and ratios."""
    rounds: list[dict[str, tuple[float, float]]] = []
    for number in range(ROUNDS + 1):
        order = list(sides) if number % 2 else list(reversed(sides))
        times = {name: asyncio.run(seconds_each(sides[name], concurrency, calls)) for name in order}
        rounds += [times] if number else []  # the first is for warming up
    for name, (gateway, _) in sides.items():
        wall, cpu = (statistics.median(times[name][kind] for times in rounds) for kind in (0, 1))
        added = statistics.median(times[name][0] - times["proxy"][0] for times in rounds)
        ratios = [times[name][0] / times["proxy"][0] for times in rounds]
        low, middle, high = statistics.quantiles(ratios)
        processor = statistics.median(times[name][1] / times["proxy"][1] for times in rounds)
        print(
            f"{concurrency:>3} at once  {name:9} {1 / wall:6.1f} requests/s  {wall * 1e3:6.2f} ms wall  "
            f"{cpu * 1e3:6.2f} ms CPU  added {added * concurrency * 1e3:+6.2f} ms latency  of proxy: "
            f"{middle:.3f} (quartiles {low:.3f}..{high:.3f}), CPU {processor:.3f}  {_megabytes(gateway)} MB"
        )


def _megabytes(gateway: Gateway) -> int:
    return int(psutil.Process(gateway.process.pid).memory_info().rss / 1e6)


def main() -> None:
    """Both concurrencies."""
    models = {spec.label: spec.served_name for spec in ml.load_pool("default", {}).registry.usable({})}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "pool.yaml").write_text("extends: default\ncalls: {max_parallel: 64}\n")
        models_server = stack.enter_context(FaultServer(dict.fromkeys(models.values(), Script(ANSWER))))
        sides = gateways(folder, models_server.base_url, models)
        stack.enter_context(running(*{id(gateway): gateway for gateway, _ in sides.values()}.values()))
        told = f"Python {sys.version.split()[0]}, litellm {version('litellm')}, {os.cpu_count()} cores, {ROUNDS} rounds"
        print(told, *(f"{name} {_megabytes(gateway)} MB" for name, (gateway, _) in sides.items()), sep=", ")
        for concurrency, calls in CALLS.items():
            compare(sides, concurrency, calls)


if __name__ == "__main__":
    main()
