"""What comes of each fault, with multillm and with LiteLLM's router alone: python tests/perf/bench_faults.py.

The same servers, models and settings for both: retries, waits, timeouts, cooldown, and for LiteLLM
``fallbacks=[{"mid": ["strong"]}]`` where the stronger model is there. Both may take as long as a sub-task
may in `tests.faults`; what takes longer is ended and told as endless. Every cell is played several times.

The first table is the matrix; the second what LiteLLM alone does otherwise; the third sends calls one after
the other to two deployments of which one always fails, and counts what still goes to it.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

import multillm as ml
from multillm.client.session import quiet_litellm
from multillm.testing import Fault
from tests.faults import (
    CALL_S,
    DOWN_S,
    PROMPT,
    RETRIES,
    RIGHT,
    TIMEOUT_S,
    WAIT_S,
    Case,
    Left,
    Seen,
    When,
    observe,
    servers,
    warm_up,
)

BUDGET = 256
SERIES = 20
WRONG = {"white space", "huge answer", "part of an answer", "wrong answer"}
Cells = dict[tuple[Fault, When, Left], dict[str, list["Outcome"]]]


@dataclass(frozen=True)
class Outcome:
    """What came of one case: what the caller got, after how long, and whether the count of calls was true."""

    got: str
    elapsed_s: float
    told: int | None
    sent: int

    @property
    def miscounted(self) -> bool:
        """Whether more calls were made than were told."""
        return self.told is not None and self.told < self.sent


def of_ours(seen: Seen) -> Outcome:
    """The outcome as multillm's caller sees it."""
    done, error = seen.result.completion, seen.result.error
    got = _judged(done.text) if done else f"error {type(error).__name__}"
    return Outcome(got, seen.elapsed_s, len(seen.attempts), seen.sent)


def _judged(text: str) -> str:
    if text == RIGHT:
        return "right"
    if RIGHT.startswith(text) and text.strip():
        return "part of an answer"
    return "white space" if not text.strip() else "huge answer" if len(text) > 1000 else "wrong answer"


def plain_router(case: Case, deployments: Iterable[ml.Deployment]) -> Any:
    """LiteLLM's router, configured as multillm is."""
    return quiet_litellm().Router(
        model_list=[
            {"model_name": each.label, "litellm_params": {"model": each.model, **each.params}} for each in deployments
        ],
        fallbacks=[{"mid": ["strong"]}] if case.left is Left.UPWARD else [],
        num_retries=RETRIES,
        retry_after=WAIT_S,
        timeout=case.timeout_s,
        allowed_fails=3,
        cooldown_time=30,
    )


async def alone(cases: list[Case]) -> list[Outcome]:
    """The same cases with LiteLLM alone."""
    async with AsyncExitStack() as stack:
        ready = []
        for case in cases:
            bad, good = await stack.enter_async_context(servers(case))
            ready.append((case, plain_router(case, case.deployments(bad, good)), bad, good))
        return await asyncio.gather(*(_play(*each) for each in ready))


async def _play(case: Case, router: Any, bad: Any, good: Any) -> Outcome:
    started = time.perf_counter()
    told = None
    try:
        async with asyncio.timeout(case.call_s):
            if case.when.streamed:
                chunks = await router.acompletion(**_request(), stream=True)
                got = _judged(
                    "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])
                )
            else:
                response = await router.acompletion(**_request())
                got, told = _judged(response.choices[0].message.content or ""), _told(response)
    except TimeoutError:
        got = "endless"
    except Exception as error:  # noqa: BLE001  # whatever LiteLLM raises
        got = f"error {type(error).__name__}"
        told = (getattr(error, "num_retries", None) or 0) + 1
    return Outcome(got, time.perf_counter() - started, told, bad.played.total() + good.played.total())


def _request() -> dict[str, Any]:
    return {"model": "mid", "messages": [{"role": "user", "content": PROMPT}], "max_tokens": BUDGET}


def _told(response: Any) -> int:
    """Calls that LiteLLM says it made: one, its retries and its fallbacks."""
    headers = (getattr(response, "_hidden_params", None) or {}).get("additional_headers") or {}
    keys = "x-litellm-attempted-retries", "x-litellm-attempted-fallbacks"
    return 1 + sum(int(headers.get(key) or 0) for key in keys)


async def matrix(rounds: int, providers: list[str], whens: list[When], slack: float) -> Cells:
    """Every cell, several times, both sides in turn."""
    cells: Cells = defaultdict(lambda: defaultdict(list))
    await warm_up()
    for _ in range(rounds):
        for provider in providers:
            for when in whens:
                for left in Left:
                    cases = [Case(fault, when, left, provider, slack) for fault in Fault]
                    for case, seen in zip(cases, await observe(cases), strict=True):
                        cells[case.fault, when, left]["multillm"].append(of_ours(seen))
                    for case, outcome in zip(cases, await alone(cases), strict=True):
                        cells[case.fault, when, left]["LiteLLM"].append(outcome)
    return cells


def keep(cells: Cells, path: Path) -> None:
    """A row for each cell, side and outcome: how often, of how many, median seconds."""
    rows = []
    for (fault, when, left), sides in cells.items():
        for side, outcomes in sides.items():
            for got in sorted({outcome.got for outcome in outcomes}):
                seconds = [outcome.elapsed_s for outcome in outcomes if outcome.got == got]
                cell = {"fault": fault, "when": when, "left": left, "side": side}
                rows.append({**cell, "outcome": got, "count": len(seconds), "n": len(outcomes)})
                rows[-1]["median_s"] = round(statistics.median(seconds), 2)
    pd.DataFrame(rows).to_csv(path, index=False)


def show(cells: Cells, side: str) -> None:
    """The matrix of one side: what the caller got how often, and the median time."""
    columns = [(when, left) for when in When for left in Left if (Fault.BUSY, when, left) in cells]
    print(f"\n{side}: what the caller got, how often of {len(next(iter(cells.values()))[side])}, median seconds")
    print("| fault | " + " | ".join(f"{when}, {left}" for when, left in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for fault in Fault:
        line = []
        for when, left in columns:
            outcomes = cells[fault, when, left][side]
            counts = Counter(outcome.got for outcome in outcomes)
            seconds = statistics.median(outcome.elapsed_s for outcome in outcomes)
            line.append(", ".join(f"{got} {count}" for got, count in counts.most_common()) + f"; {seconds:.1f} s")
        print(f"| {fault} | " + " | ".join(line) + " |")


def differences(cells: Cells) -> None:
    """Totals of each side, and the faults that each mishandles."""
    print(
        "\n| side | cases | right answers where one was to be had | wrong answers | endless | errors, none to be had | "
        "calls uncounted | median s to a right answer |"
    )
    print("|---" * 8 + "|")
    for side in ("multillm", "LiteLLM"):
        played = [(Case(*key), outcome) for key, sides in cells.items() for outcome in sides[side]]
        to_be_had = [outcome for case, outcome in played if case.serves]
        right = [outcome for outcome in to_be_had if outcome.got == "right"]
        wrong = sum(outcome.got in WRONG for _, outcome in played)
        endless = sum(outcome.got == "endless" for _, outcome in played)
        errors = sum(outcome.got.startswith("error") for case, outcome in played if not case.serves)
        uncounted = sum(outcome.miscounted for case, outcome in played if case.fault is not Fault.DIE)
        seconds = statistics.median(outcome.elapsed_s for outcome in right)
        print(
            f"| {side} | {len(played)} | {len(right)} of {len(to_be_had)} | {wrong} | {endless} | "
            f"{errors} of {len(played) - len(to_be_had)} | {uncounted} | {seconds:.2f} |"
        )
    for side in ("multillm", "LiteLLM"):
        print(f"\n{side} mishandles:")
        for fault in Fault:
            found = Counter(
                problem
                for (met, when, left), sides in cells.items()
                if met is fault
                for outcome in sides[side]
                if (problem := _problem(Case(fault, when, left), outcome))
            )
            if found:
                print(f"- {fault}: " + ", ".join(f"{problem} ({count})" for problem, count in found.most_common()))


def _problem(case: Case, outcome: Outcome) -> str | None:
    if outcome.got not in {"right"} and not outcome.got.startswith("error"):
        return outcome.got
    if case.serves and outcome.got != "right":
        return f"{outcome.got} though {case.left} could serve" if case.left is not Left.NOTHING else "gave up"
    return "calls uncounted" if outcome.miscounted and case.fault is not Fault.DIE else None


async def series(fault: Fault, slack: float) -> None:
    """Calls one after the other at two deployments of which one always fails."""
    case = Case(fault, When.ALWAYS, Left.PEER, slack=slack)
    line = [str(fault)]
    for side in ("multillm", "LiteLLM"):
        async with servers(case) as (bad, good):
            if fault is Fault.DIE:
                bad.stop()
            failed, slowest, started = 0, 0.0, time.perf_counter()
            deployments = case.deployments(bad, good)
            client = ml.ModelClient(deployments, case.pool().registry, case.pool().calls)
            router = plain_router(case, deployments)
            for _ in range(SERIES):
                before = time.perf_counter()
                try:
                    async with asyncio.timeout(case.call_s):
                        if side == "multillm":
                            request = ml.CompletionRequest("mid", tuple(_request()["messages"]), BUDGET)
                            text = (await client.complete(request)).text
                        else:
                            text = (await router.acompletion(**_request())).choices[0].message.content
                    failed += text != RIGHT
                except Exception:  # noqa: BLE001  # whatever LiteLLM raises
                    failed += 1
                slowest = max(slowest, time.perf_counter() - before)
            await client.aclose()
            spent = time.perf_counter() - started
            at_fault = "–" if fault is Fault.DIE else str(bad.played.total())
            line.append(f"{failed} | {at_fault} | {spent:.1f} | {slowest:.1f}")
    print("| " + " | ".join(line) + " |", flush=True)


async def run(rounds: int, providers: list[str], whens: list[When], slack: float, out: Path | None) -> None:
    """All three tables."""
    print(
        f"Python {sys.version.split()[0]}, litellm {version('litellm')}; {RETRIES} retries, {WAIT_S} s between, "
        f"{TIMEOUT_S * slack:g} s for an attempt, {CALL_S * slack:g} s for a call, a dead server away for {DOWN_S} s; "
        f"{', '.join(providers)}, rounds: {rounds}, load of the machine {os.getloadavg()[0]:.1f}"
    )
    cells = await matrix(rounds, providers, whens, slack)
    if out is not None:
        keep(cells, out)
    for side in ("multillm", "LiteLLM"):
        show(cells, side)
    differences(cells)
    print(f"\n{SERIES} calls, one after the other, at two deployments of which one always fails")
    print(
        "| fault | multillm: failed | sent to the failing one | s in all | s, slowest | "
        "LiteLLM: failed | sent to the failing one | s in all | s, slowest |"
    )
    print("|---" * 9 + "|")
    for fault in Fault:
        await series(fault, slack)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--providers", nargs="+", default=["ollama_chat", "openai"])
    parser.add_argument("--when", nargs="+", type=When, default=list(When), help="at which tries the fault happens")
    parser.add_argument(
        "--slack", type=float, default=1.2, help="more time for every attempt and call, on a busy machine"
    )
    parser.add_argument("--out", type=Path, help="a CSV file for the matrices of both sides")
    given = parser.parse_args()
    asyncio.run(run(given.rounds, given.providers, given.when, given.slack, given.out))


if __name__ == "__main__":
    main()
