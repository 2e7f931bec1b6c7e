"""From pool, prompts and backend to a run, begun or gone on with: a benchmark, or another that has arms of its own."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from multillm.backends import Backend
from multillm.bench.arms import Arm, LineUp, ModelArm, PipelineArm
from multillm.bench.blocking import blocking
from multillm.bench.journal import Journal
from multillm.bench.kept import MANIFEST, Kept
from multillm.bench.manifest import Manifest, PromptSet, Settings
from multillm.bench.result import Benchmark
from multillm.bench.rows import ROUTED, to_rows
from multillm.bench.sites import Cluster, Here, Job, Site
from multillm.errors import BenchmarkError, ConfigurationError
from multillm.pool import Pool, load_pool
from multillm.progress import CallProgress
from multillm.prompts import BenchmarkPrompt, load_prompts, prompts_frame, prompts_hash

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Backends", "Prompts", "measure", "run_benchmark", "run_benchmark_async"]

Backends = str | Backend | Sequence[str | Backend]
Prompts = str | Path | Sequence[BenchmarkPrompt]
Measuring = TypeVar("Measuring", bound=Kept)
SHOWN = 6
NEVER = 1_000_000


async def run_benchmark_async(
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
) -> Benchmark:
    """Measure every model of a pool on prompts whose answers can be checked.

    `run_benchmark` is the same for code that is not async, and works inside a running event loop too.

    Models are measured one after the other, each warmed up by a call that is in no figure. Failures of the transport
    are tried again by LiteLLM as the pool's call settings say; a wrong answer never is. With a folder every answer is
    on disk before the next is asked for, so that a run which was cut off, even by ``kill -9``, goes on where it
    stopped when the same is run again; only what the transport lost is then asked anew.

    Parameters
    ----------
    pool : str, Path or Pool, default "small"
        Models and call settings; temperature and seed are those of `settings`.
    prompts : str, Path or sequence of BenchmarkPrompt, default "core"
        What to ask; see `load_prompts`.
    backend : str, Backend or sequence of them, default "auto"
        Where the models run; see `choose_backend`. With a client one for each share of the prompts, or one for all.
    client : distributed.Client, optional
        Dask cluster whose workers ask: the prompts are shared out between as many servers as there are backends, or
        workers where one backend is given, which each worker opens by its own environment. The servers must have the
        same models; `concurrency` is that of each. If a worker is lost another one goes on with its share.
    out : str or Path, optional
        Folder for ``manifest.json``, ``answers.jsonl`` (a recording that `ReplayBackend` answers from) and
        ``rows.parquet``. Without it nothing is kept. With a client all workers must see it.
    limit : int, optional
        At most so many prompts, evenly spaced.
    sha256 : str, optional
        Hash that the prompts asked must have; see `prompts_hash`.
    note : str
        What else one has to know to read the figures, such as that the machine was shared.
    progress : bool, default True
        Whether to show a bar.
    **settings
        ``temperature`` (0 by default), ``seed`` (0), ``repeats`` (1), ``concurrency`` (1 call at once, which is what
        makes answers repeat exactly), ``routed`` (False: whether the routed pipeline is measured too, end to end),
        ``run_code`` (False: whether generated code runs in the sandbox; else it is unscored),
        ``machine_usd_per_hour`` (0.10: shadow price of the machine).

    Returns
    -------
    Benchmark
        Rows, outcome table, figures and report.

    Raises
    ------
    BenchmarkError
        If the folder holds a run of something else, and says what differs; or the prompts have another hash; or the
        servers of a cluster have not the same models.
    BackendError
        If nothing is there to run the models, or it went away.
    InputError, ConfigurationError
        If prompts, pool or settings are not valid.
    """
    return await measure(
        Benchmark,
        _models_and_pipeline,
        pool,
        prompts,
        backend,
        client=client,
        out=out,
        limit=limit,
        sha256=sha256,
        note=note,
        progress=progress,
        settings=settings,
    )


run_benchmark = blocking(run_benchmark_async)


async def measure(
    kind: type[Measuring],
    line_up: LineUp,
    pool: str | Path | Pool,
    prompts: Prompts,
    backend: Backends,
    *,
    client: Client | None,
    out: str | Path | None,
    limit: int | None,
    sha256: str | None,
    note: str,
    progress: bool,
    settings: Mapping[str, Any],
) -> Measuring:
    """Measure arms on prompts.

    Parameters
    ----------
    kind : type
        What is made of the rows.
    line_up : callable
        From pool, settings and journal to the arms.
    pool, prompts, backend, client, out, limit, sha256, note, progress, settings
        As of `run_benchmark`.
    """
    how = _settings(settings)
    used = _as_called(pool if isinstance(pool, Pool) else load_pool(pool), how)
    asked = _some(load_prompts(prompts) if isinstance(prompts, str | Path) else tuple(prompts), limit)
    site = _site(backend, client)
    source = Path(prompts).name if isinstance(prompts, str | Path) else None
    about = PromptSet(source=source, limit=limit, n=len(asked), sha256=prompts_hash(asked))
    if sha256 not in {None, about.sha256}:
        raise BenchmarkError(f"the prompts of {source} have the hash {about.sha256}; give those with the hash {sha256}")
    served_by, models = await site.served(used)
    manifest = Manifest.of(
        used, about, how, kind=kind.kind, backend=served_by, models=models, servers=site.servers, note=note
    )
    with tempfile.TemporaryDirectory() as unkept:
        folder = Path(unkept if out is None else out).absolute()
        with _writing(folder):
            manifest = await asyncio.to_thread(_begin, folder, manifest)
        with CallProgress(shown=progress) as shown:
            answers = await site.answers(Job(used, asked, how, line_up, folder), shown)
    rows = to_rows(answers, how.machine_usd_per_hour)
    run = kind(manifest, rows, prompts_frame(asked), None if out is None else folder)
    if out is not None:
        with _writing(folder):
            await asyncio.to_thread(run.write, folder)
    return run


def _models_and_pipeline(pool: Pool, settings: Settings, journal: Journal) -> list[Arm]:
    """Every model by itself and, if asked, the routed pipeline."""
    models = [ModelArm(label, settings, journal) for label in pool.registry.usable().labels]
    return [*models, *([PipelineArm(ROUTED, pool, settings, journal)] if settings.routed else [])]


def _site(backend: Backends, client: Client | None) -> Site:
    if client is not None:
        return Cluster(client, backend)
    if isinstance(backend, Sequence) and not isinstance(backend, str):
        raise ConfigurationError(f"{len(backend)} backends are given and no client; give client= too, or one backend")
    return Here(backend)


def _settings(given: Mapping[str, Any]) -> Settings:
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        faults = "; ".join(f"{fault['loc'][0]} is {fault['input']!r:.60}: {fault['msg']}" for fault in error.errors())
        raise ConfigurationError(f"{faults}; the settings are {', '.join(Settings.model_fields)}") from None


def _as_called(pool: Pool, settings: Settings) -> Pool:
    """The pool with the temperature and seed of the benchmark, and without cooldown: every prompt is asked."""
    if ROUTED in pool.registry:
        raise BenchmarkError(f"a model is labelled {ROUTED!r}, which is the pipeline's name in a benchmark; rename it")
    calls = {"temperature": settings.temperature, "seed": settings.seed, "allowed_fails": NEVER}
    return pool.model_copy(update={"calls": pool.calls.model_copy(update=calls)})


def _some(prompts: tuple[BenchmarkPrompt, ...], limit: int | None) -> tuple[BenchmarkPrompt, ...]:
    """At most so many, evenly spaced, in their order."""
    if limit is not None and limit < 1:
        raise BenchmarkError(f"limit is {limit}; allowed is 1 or more, or None for all prompts")
    if not prompts:
        raise BenchmarkError("there is no prompt; give at least one")
    if limit is None or limit >= len(prompts):
        return prompts
    return tuple(prompts[n * len(prompts) // limit] for n in range(limit))


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """What cannot be written is told with what to do."""
    try:
        yield
    except OSError as error:
        raise BenchmarkError(
            f"{folder} cannot be written to ({error}); make room, or give a folder that may be written to. "
            "The same again goes on where it stopped"
        ) from error


def _begin(folder: Path, manifest: Manifest) -> Manifest:
    """The manifest of the run that is in the folder; a new one is put there before anything is asked."""
    path = folder / MANIFEST
    if not path.is_file():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        manifest.write(path)
        return manifest
    begun = Manifest.read(path)
    if differences := begun.differences(manifest):
        told = [f"{key} was {was!r} and is {now!r}" for key, (was, now) in list(differences.items())[:SHOWN]]
        more = f", and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
        raise BenchmarkError(
            f"{folder} holds another run: {'; '.join(told)}{more}. Run the same again, or give another folder"
        )
    return begun
