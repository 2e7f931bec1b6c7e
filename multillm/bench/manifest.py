"""The manifest of a benchmark: all that is needed to run it again and to tell two runs apart."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from multillm.backends import Backend, Identifies, ServedModel
from multillm.errors import BenchmarkError
from multillm.files import replacing
from multillm.pool import Pool
from multillm.provenance import today, version_of

__all__ = ["Machine", "Manifest", "PromptSet", "RunKind", "Settings", "served_models"]

RunKind = Literal["benchmark", "ablation"]
PACKAGES = ("multillm", "litellm", "xllamacpp", "numpy", "pandas", "scikit-learn")
GIB = 2**30


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PromptSet(_Frozen):
    """Which prompts were asked."""

    source: str | None
    """Name of the shipped set or of the file; None for prompts made in code."""
    limit: int | None
    """How many of them were asked at most, evenly spaced; None for all."""
    n: int
    """How many were asked."""
    sha256: str
    """Hash of the prompts asked and of what they are held against."""


class Settings(_Frozen):
    """How they were asked."""

    temperature: float = Field(default=0.0, ge=0.0, le=2.0, allow_inf_nan=False)
    """Sampling temperature."""
    seed: int = 0
    """Seed of the first repeat; each further one adds 1."""
    repeats: int = Field(default=1, ge=1)
    """How often each model was asked each prompt."""
    concurrency: int = Field(default=1, ge=1)
    """Calls at once, sub-tasks of the pipeline included. More than one can change answers, even at temperature 0:
    engines that work on several prompts in one batch round differently."""
    routed: bool = False
    """Whether the routed pipeline was measured beside the single models."""
    run_code: bool = False
    """Whether generated code ran in the sandbox; if not, it is unscored."""
    machine_usd_per_hour: float = Field(default=0.10, ge=0.0, allow_inf_nan=False)
    """Shadow price of an hour of the machine for models without a price of their own, in US dollars."""


class Machine(_Frozen):
    """Where the benchmark ran, without names."""

    cpu: str
    """Processor, as the system calls it."""
    cores: int
    """Processors that this process may use."""
    memory_gib: float | None
    """Memory in GiB."""
    system: str
    """Operating system and architecture."""
    python: str
    """Version of Python."""

    @classmethod
    def here(cls) -> Machine:
        """The machine that this runs on."""
        return cls(
            cpu=_cpu(),
            cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            memory_gib=_memory_gib(),
            system=f"{platform.system()} {platform.release()} {platform.machine()}",
            python=platform.python_version(),
        )


class Manifest(_Frozen):
    """What was run, on what, where and when."""

    kind: RunKind = "benchmark"
    """Whether models were measured, or the parts of the pipeline."""
    pool: Pool
    """The pool, its models and call settings as they were used."""
    prompts: PromptSet
    """Which prompts."""
    settings: Settings
    """How they were asked."""
    backend: str
    """Where the models ran."""
    models: Mapping[str, ServedModel]
    """Which model exactly answered for each label, as far as the backend can tell."""
    packages: Mapping[str, str]
    """Versions of the packages that shape the figures."""
    machine: Machine
    """Where the benchmark ran; of one that was spread over a cluster, where it was called from."""
    servers: int = Field(default=1, ge=1)
    """Between how many servers the prompts were shared out."""
    started: date
    """Day on which it began, UTC."""
    note: str = ""
    """What else one has to know to read the figures."""

    @classmethod
    def of(
        cls,
        pool: Pool,
        prompts: PromptSet,
        settings: Settings,
        *,
        kind: RunKind,
        backend: str,
        models: Mapping[str, ServedModel],
        servers: int = 1,
        note: str = "",
        today: Callable[[], date] = today,
    ) -> Manifest:
        """The manifest of a run that begins here and now."""
        packages = {package: found for package in PACKAGES if (found := version_of(package))}
        return cls(
            kind=kind,
            pool=pool,
            prompts=prompts,
            settings=settings,
            backend=backend,
            models=models,
            packages=packages,
            machine=Machine.here(),
            servers=servers,
            started=today(),
            note=note,
        )

    @classmethod
    def read(cls, path: str | Path) -> Manifest:
        """Read the file that `write` made.

        Raises
        ------
        BenchmarkError
            If it is not there or no manifest.
        """
        try:
            return cls.model_validate_json(Path(path).read_text("utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            raise BenchmarkError(
                f"{path} is no manifest of a benchmark ({error}); give the manifest.json of a run"
            ) from None

    def write(self, path: str | Path) -> Path:
        """Store it as JSON; a crash leaves the file as it was before, or whole."""
        path = Path(path)
        with replacing(path) as unfinished:
            unfinished.write_text(self.model_dump_json(indent=1) + "\n", "utf-8")
        return path

    def differences(self, other: Manifest) -> dict[str, tuple[Any, Any]]:
        """What is not the same in another manifest, by dotted key; date and note do not count."""
        mine, theirs = (_flat(m.model_dump(mode="json", exclude={"started", "note"})) for m in (self, other))
        keys = dict.fromkeys([*mine, *theirs])
        return {key: (mine.get(key), theirs.get(key)) for key in keys if mine.get(key) != theirs.get(key)}

    def __repr__(self) -> str:
        return (
            f"Manifest({self.kind}, {self.pool.name!r}, {self.prompts.n} prompts {self.prompts.sha256:.8}, "
            f"{self.backend}, {self.started.isoformat()})"
        )

    __str__ = __repr__


async def served_models(backend: Backend, pool: Pool) -> Mapping[str, ServedModel]:
    """Which model exactly answers for each label; the model string alone where the backend cannot tell more."""
    if isinstance(backend, Identifies):
        return await backend.identify(pool)
    return {spec.label: ServedModel(spec.model) for spec in pool.registry.usable()}


def _flat(content: Any, key: str = "") -> dict[str, Any]:
    """Nested mappings and lists as one mapping of dotted keys."""
    if isinstance(content, dict):
        entries = content.items()
    elif isinstance(content, list) and any(isinstance(entry, dict) for entry in content):
        entries = {entry.get("label", n): entry for n, entry in enumerate(content)}.items()
    else:
        return {key: content}
    parts = (_flat(entry, f"{key}.{name}".strip(".")) for name, entry in entries)
    return {inner: value for part in parts for inner, value in part.items()}


def _cpu() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        told = ""
    names = [line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB, 1)
    except (AttributeError, OSError, ValueError):
        return None
