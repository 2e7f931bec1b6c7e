"""From pool, prompts and backend to an ablation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multillm.bench.ablation import SPLITTINGS, Ablation, arm_name
from multillm.bench.arms import Arm, PipelineArm
from multillm.bench.blocking import blocking
from multillm.bench.journal import Journal
from multillm.bench.manifest import Settings
from multillm.bench.rows import ROUTED
from multillm.bench.running import Backends, Prompts, measure
from multillm.pool import Pool
from multillm.registry import ModelSpec
from multillm.scores import NeverSplitter
from multillm.splitting import Splitter

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["ablate", "ablate_async"]


async def ablate_async(
    pool: str | Path | Pool = "small",
    prompts: Prompts = "core",
    backend: Backends = "auto",
    *,
    client: Client | None = None,
    out: str | Path | None = None,
    limit: int | None = None,
    sha256: str | None = None,
    note: str = "",
    progress: bool = True,
    **settings: Any,
) -> Ablation:
    """Measure what splitting and routing are each worth.

    `ablate` is the same for code that is not async, and works inside a running event loop too.

    The pipeline is run on every prompt with its splitter and with none, and each time with its router and with each
    model alone. A call that several arms make is made once and its answer shared. With a folder a run that was cut
    off goes on where it stopped, as that of `run_benchmark` does.

    Parameters
    ----------
    pool, prompts, backend, client, out, limit, sha256, note, progress
        As of `run_benchmark`. With a `ReplayBackend` no model is asked, and an answer that the recording does not
        hold ends the run.
    **settings
        As of `run_benchmark`, but for ``routed``, which is always measured.

    Returns
    -------
    Ablation
        Every arm's figures, by kind of prompt, and their differences to whole prompts on the best single model.

    Raises
    ------
    RecordingMissing
        If a recording does not hold an answer that is needed.
    BenchmarkError, BackendError, InputError, ConfigurationError
        As of `run_benchmark`.

    Examples
    --------
    ::

        ablation = ml.ablate("small", backend="ollama", out="runs/ablation", run_code=True)
        again = ml.ablate("small", backend=ml.ReplayBackend(ablation.recording), run_code=True)
    """
    return await measure(
        Ablation,
        _variants,
        pool,
        prompts,
        backend,
        client=client,
        out=out,
        limit=limit,
        sha256=sha256,
        note=note,
        progress=progress,
        settings={**settings, "routed": True},
    )


ablate = blocking(ablate_async)


def _variants(pool: Pool, settings: Settings, journal: Journal) -> list[Arm]:
    splitters: dict[str, str | Splitter] = dict(zip(SPLITTINGS, (pool.splitter, NeverSplitter()), strict=True))
    return [
        PipelineArm(arm_name(splitting, chooser), part, settings, journal, splitter)
        for splitting, splitter in splitters.items()
        for chooser, part in _choosers(pool)
    ]


def _choosers(pool: Pool) -> Iterator[tuple[str, Pool]]:
    """The pool with its router, and each of its models by itself, without fallback."""
    yield ROUTED, pool
    for spec in pool.registry.usable():
        yield spec.label, _only(spec, pool)


def _only(spec: ModelSpec, pool: Pool) -> Pool:
    models = (spec.model_copy(update={"fallback_only": False}),)
    return pool.model_copy(update={"models": models, "policy": pool.policy.model_copy(update={"overrides": {}})})
