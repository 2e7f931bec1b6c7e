"""The same calls by plain HTTP and through the client: ``python tests/perf/bench_transport.py FOLDER``.

Plain: one `httpx.AsyncClient` that posts to Ollama's ``/api/chat``. Ours: `ModelClient` over LiteLLM. Latency is
measured on a real Ollama server (``OLLAMA_BASE_URL``, the light model of the pool `small`), the two by turns, in an
order drawn anew for each pair; what is told is the difference of each pair's overheads, where the overhead is the
call's time less what the server itself says it took. Behaviour under faults is observed on a loopback server that
speaks Ollama's protocol. Writes ``transport.csv`` and ``transport.md``.
"""

from __future__ import annotations

import asyncio
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import repeat
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd

import multillm as ml
from multillm.metrics.bootstrap import Estimate, Figures, bootstrap
from multillm.testing import Fault, FaultServer, Script
from tests.pools import small_pool

PAIRS, TOKENS, TIMEOUT_S = 150, 4, 2.0
PROMPT = "Name a colour."
FEATURES = (
    ("retries, with back-off", "by hand", "yes"),
    ("fallback to another model, never below the threshold", "no", "yes"),
    ("cooldown of a deployment that fails", "no", "yes"),
    ("limit of calls at once, by model", "by hand", "yes"),
    ("providers besides Ollama", "no", "all of LiteLLM's"),
    ("price in USD and in cost units", "no", "yes"),
    ("typed errors that name remedy and attempts", "no", "yes"),
    ("prompt over the context window", "cut in silence", "ContextOverflow"),
    ("time in queue, load, prompt and generation", "read by hand", "in every Completion"),
    ("recording and replay", "no", "yes"),
)


def body(model: str, messages: list[dict[str, str]]) -> dict[str, Any]:
    """What is posted to Ollama."""
    options = {"num_predict": TOKENS, "temperature": 0, "seed": 0}
    return {"model": model, "messages": messages, "stream": False, "options": options}


async def plain_call(http: httpx.AsyncClient, model: str) -> Mapping[str, Any]:
    """One call by plain HTTP."""
    answer = await http.post("/api/chat", json=body(model, [{"role": "user", "content": PROMPT}]))
    answer.raise_for_status()
    told: Mapping[str, Any] = answer.json()
    return told


def request(label: str) -> ml.CompletionRequest:
    """The same call for the client."""
    return ml.CompletionRequest(label, ({"role": "user", "content": PROMPT},), TOKENS, temperature=0.0, seed=0)


async def overheads(url: str) -> pd.DataFrame:
    """Milliseconds of each pair of calls beyond what the server says it took, and of processor time."""
    pool = ml.load_pool("small")
    spec = pool.registry["model::smollm2"]
    client = await ml.OllamaBackend(url, {}).open(pool)
    rng, rows = random.Random(0), []

    async with httpx.AsyncClient(base_url=url, timeout=120) as http:

        async def plain() -> float:
            told = await plain_call(http, spec.served_name)
            return float(told["total_duration"]) * 1e-9

        async def ours() -> float:
            done = await client.complete(request(spec.label))
            return sum(part or 0.0 for part in (done.load_s, done.prompt_s, done.generation_s, done.queue_s))

        async def timed(side: str) -> dict[str, float]:
            wall, cpu = time.perf_counter(), time.process_time()
            server_s = await sides[side]()
            added_s = time.perf_counter() - wall - server_s
            return {side: 1000 * added_s, f"{side}_cpu": 1000 * (time.process_time() - cpu)}

        sides: dict[str, Callable[[], Awaitable[float]]] = {"plain": plain, "ours": ours}
        for _ in range(5):
            await plain()
            await ours()
        for pair in range(PAIRS):
            first, second = rng.sample(list(sides), 2)
            rows.append({"pair": pair} | await timed(first) | await timed(second))
    await client.aclose()
    return pd.DataFrame(rows)


FAULTS: dict[str, Iterable[Fault]] = {
    "refuses the connection": (),
    "hangs": repeat(Fault.HANG),
    "hangs once, then answers": (Fault.HANG,),
    "answers 503 once, then answers": (Fault.BUSY,),
    "answers 503 for ever": repeat(Fault.BUSY),
    "cuts the connection once, then answers": (Fault.RESET,),
    "answers 200 with an error in it": repeat(Fault.ERROR_BODY),
}


async def behaviour() -> list[dict[str, object]]:
    """What each side does when the server fails: outcome, calls made, seconds until the caller knows."""
    rows: list[dict[str, object]] = []
    for fault, faults in FAULTS.items():
        for side in ("plain", "ours"):
            with FaultServer({"light": Script(faults=faults)}) as server:
                url = server.base_url if faults else "http://127.0.0.1:9"
                started = time.perf_counter()
                outcome = await (_plain_outcome(url) if side == "plain" else _our_outcome(url, bool(faults)))
                seconds = time.perf_counter() - started
                rows.append(
                    {"fault": fault, "side": side, "outcome": outcome, "calls": server.called("light"), "s": seconds}
                )
    return rows


async def _plain_outcome(url: str) -> str:
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S) as http:
        try:
            told = await plain_call(http, "light")
        except httpx.HTTPError as error:
            return f"{type(error).__name__}"
    return "answer" if "message" in told else "no error: the body is taken for an answer"


async def _our_outcome(url: str, there: bool) -> str:
    calls = {"num_retries": 2, "retry_wait_s": 0, "timeout_s": TIMEOUT_S}
    pool = small_pool("light", calls=calls)
    params = {"api_base": url, "extra_body": {"truncate": False, "shift": False}}
    client = ml.ModelClient(
        [ml.Deployment("light", "ollama_chat/light", params, local=True)], pool.registry, pool.calls
    )
    try:
        done = await client.complete(request("light"))
    except ml.CompletionError as error:
        return f"{type(error).__name__} after {len(error.attempts)} attempts"
    finally:
        with suppress(ml.MultillmError):
            await client.aclose()
    return f"answer at attempt {len(done.attempts)}"


def median(values: Figures) -> Estimate:
    """Median with its bootstrap interval over pairs."""

    def of(weights: Figures) -> Figures:
        return np.array([np.median(np.repeat(values, row.astype(int))) for row in weights])

    return bootstrap(of, len(values), np.random.default_rng(0))


def table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _observed(row: Mapping[str, Any]) -> str:
    return f"{row['outcome']}; {row['calls']} calls; {row['s']:.1f} s"


def document(times: pd.DataFrame, faults: list[dict[str, object]], server: str, load: float) -> str:
    """The comparison as Markdown."""
    plain, ours, plain_cpu, ours_cpu = (
        times[column].to_numpy(float) for column in ("plain", "ours", "plain_cpu", "ours_cpu")
    )
    medians = [
        (name, *(f"{found.value:.1f} [{found.low:.1f}, {found.high:.1f}]" for found in (median(wall), median(cpu))))
        for name, wall, cpu in (
            ("plain HTTP", plain, plain_cpu),
            ("through the client", ours, ours_cpu),
            ("added by the client", ours - plain, ours_cpu - plain_cpu),
        )
    ]
    told = [(fault, *(_observed(row) for row in faults if row["fault"] == fault)) for fault in FAULTS]
    late_plain, late_ours = (statistics.quantiles(values, n=20)[-1] for values in (plain, ours))
    versions = f"Python {platform.python_version()}, litellm {version('litellm')}, httpx {version('httpx')}, {server}"
    return f"""# Plain HTTP against the client

{versions}; {datetime.now(UTC).date().isoformat()}; load average {load:.1f} on {os.cpu_count()} cores, so that the
times are above those of an idle machine.

## Overhead of a call

Wall time of a call less what the server says it took, and processor time of the calling process; {len(times)} pairs,
one call each in random order, {TOKENS} output tokens of smollm2:135m; median with its 95 % bootstrap interval over
pairs.

{table(("", "wall, ms", "processor, ms"), medians)}

95th percentile of wall time: plain HTTP {late_plain:.1f} ms, client {late_ours:.1f} ms.

## When the server fails

Loopback server with Ollama's protocol; time limit {TIMEOUT_S:g} s for an attempt, the client with 2 retries without
wait. Calls are those that reached the model.

{table(("the server", "plain HTTP", "client"), told)}

## What each offers

{table(("", "plain HTTP", "client"), list(FEATURES))}
"""


async def compare(folder: Path) -> None:
    """Measure, observe, write."""
    from multillm.backends import OllamaBackend

    backend = OllamaBackend()
    found = await backend.look()
    load = os.getloadavg()[0]
    times = await overheads(backend.base_url)
    faults = await behaviour()
    folder.mkdir(parents=True, exist_ok=True)
    times.round(3).to_csv(folder / "transport.csv", index=False)
    (folder / "transport.md").write_text(document(times, faults, f"Ollama {found.version}", load), "utf-8")


def main() -> None:
    """Write the comparison to the folder named."""
    asyncio.run(compare(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
