"""Many prompts, some at once, and none begun before there is room for its result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sized
from contextlib import aclosing, nullcontext
from typing import Any, TypeVar

from multillm.errors import ConfigurationError, InputError, RoutingError
from multillm.orchestration.orchestrator import Orchestrator
from multillm.orchestration.results import PromptResult

__all__ = ["handle_many"]

Item = TypeVar("Item")
Result = TypeVar("Result")


async def handle_many(
    orchestrator: Orchestrator, prompts: Iterable[str], concurrency: int = 8, *, progress: bool = False
) -> AsyncGenerator[PromptResult, None]:
    """Run many prompts, some at once.

    A prompt is begun only when fewer than `concurrency` are under way or wait to be fetched: a slow
    consumer slows the runs down, and nothing piles up.

    Parameters
    ----------
    orchestrator : Orchestrator
        Runs each prompt.
    prompts : iterable of str
        What the user asked; may be a generator, which is read as there is room.
    concurrency : int, default 8
        Most prompts at once. How many calls a model gets at once is for the pool to say (``max_parallel``).
    progress : bool, default False
        Whether to show a progress bar.

    Yields
    ------
    PromptResult
        As they come; `PromptResult.index` tells which prompt it is. A prompt that cannot be planned
        is one of them, with its error.

    Raises
    ------
    ConfigurationError
        If `concurrency` is not a positive number.
    BackendError, FeedbackError
        As for `Orchestrator.handle`; the other runs are cancelled.

    Examples
    --------
    ::

        async for done in ml.handle_many(orchestrator, frame["prompt"], concurrency=32, progress=True):
            answers[done.index] = done.result.merged if done.result else None
    """
    if concurrency < 1:
        raise ConfigurationError(f"concurrency is {concurrency}; allowed are whole numbers from 1")

    async def one(numbered: tuple[int, str]) -> PromptResult:
        index, prompt = numbered
        try:
            return PromptResult(index, prompt, await orchestrator.handle(prompt), None)
        except (InputError, RoutingError) as error:
            return PromptResult(index, prompt, None, error)

    async with orchestrator, aclosing(_bounded(one, enumerate(prompts), concurrency)) as runs:
        with _bar(prompts) if progress else nullcontext() as bar:
            async for run in runs:
                if bar is not None:
                    bar.update()
                yield run


async def _bounded(
    work: Callable[[Item], Coroutine[None, None, Result]], items: Iterable[Item], concurrency: int
) -> AsyncGenerator[Result, None]:
    """Results of `work` for every item, as they come.

    An item is taken only when fewer than `concurrency` are being worked on or wait to be fetched,
    so a slow consumer slows down the work, and an endless iterable is no harm.

    Parameters
    ----------
    work : callable
        Coroutine function of one item.
    items : iterable
        The items; may be a generator.
    concurrency : int
        Most items at once.

    Yields
    ------
    object
        A result. If a task fails, its error is raised and the others are cancelled.
    """
    results: asyncio.Queue[asyncio.Task[Result]] = asyncio.Queue()
    running: set[asyncio.Task[Result]] = set()
    left = iter(items)
    try:
        while True:
            while len(running) < concurrency:
                try:
                    task = asyncio.create_task(work(next(left)))
                except StopIteration:
                    break
                running.add(task)
                task.add_done_callback(results.put_nowait)
            if not running:
                return
            done = await results.get()
            yield done.result()
            running.discard(done)
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)


def _bar(prompts: Iterable[str]) -> Any:
    """A progress bar; it has a thread of its own, so only those who want one get it."""
    from tqdm.auto import tqdm

    return tqdm(total=len(prompts) if isinstance(prompts, Sized) else None, unit="prompt")
