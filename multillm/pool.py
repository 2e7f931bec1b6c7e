"""A pool: models, policy and call settings in one file or object."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from multillm.cautious import is_file, read_yaml
from multillm.errors import ConfigurationError
from multillm.limits import Limits
from multillm.policy import Policy
from multillm.registry import ModelSpec, Name, Registry
from multillm.rendering import pool_html
from multillm.resources import data_dir
from multillm.settings import CallSettings

__all__ = ["Pool", "load_pool", "pool_names"]

MOST_FAULTS = 12


class Pool(BaseModel):
    """Everything that a run needs to know but the prompt.

    Built in code, or read from YAML by `load_pool`; the keys of the file are the fields below.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    """What the pool is called."""
    description: str = ""
    """What it is for, in a sentence."""
    models: tuple[ModelSpec, ...] = Field(min_length=1)
    """The models, in any order."""
    policy: Policy = Policy()
    """Weights, thresholds, overrides and output budgets."""
    calls: CallSettings = CallSettings()
    """Retries, cooldown, timeouts, sampling."""
    limits: Limits = Limits()
    """Most time, cost and tokens for a run and for a period."""
    splitter: str = "structural"
    """Name of the splitter."""
    classifier: str = "reference"
    """Name of the classifier."""

    @model_validator(mode="after")
    def _labels_agree(self) -> Pool:
        self.policy.check_labels(self.registry.labels)
        return self

    @property
    def registry(self) -> Registry:
        """The models in order of rank."""
        return Registry(models=self.models)

    def __repr__(self) -> str:
        return f"Pool({self.name!r}, {len(self.models)} models, {self.policy!r})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return pool_html(self)


def pool_names() -> tuple[str, ...]:
    """Names of the pools that come with multillm."""
    return tuple(sorted(path.stem for path in (data_dir() / "pools").glob("*.yaml")))


def load_pool(source: str | Path = "default", environ: Mapping[str, str] = os.environ) -> Pool:
    """Read a pool from a shipped preset or a YAML file.

    A file may say ``extends: NAME`` and then gives only what differs: keys of a section,
    fields of a model named by its label, models to add. A model's `env` variable, where
    set, replaces the model name behind its provider.

    Parameters
    ----------
    source : str or Path, default "default"
        Name of a shipped pool, or path of a YAML file.
    environ : mapping, optional
        Environment variables.

    Returns
    -------
    Pool
        The validated pool.

    Raises
    ------
    ConfigurationError
        If there is no such pool or a key is not valid; names file, key, value and what is allowed.

    Examples
    --------
    >>> load_pool("reference").registry.labels[:2]
    ('model::light', 'model::medium')
    """
    path = _find(source)
    content = _read(path)
    try:
        pool = Pool.model_validate({"name": path.stem, **content})
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {_explain(error)}") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from None
    return pool.model_copy(update={"models": tuple(_pointed(spec, environ) for spec in pool.models)})


def _find(source: str | Path) -> Path:
    shipped = data_dir() / "pools" / f"{source}.yaml"
    for path in (shipped, Path(source)):
        if is_file(path):
            return path
    raise ConfigurationError(
        f"no pool {str(source)!r}; give the path of a YAML file or one of {', '.join(pool_names())}"
    )


def _read(path: Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Content of a pool file, laid over the one it extends."""
    here = path.resolve()
    if here in seen:
        raise ConfigurationError(f"{path}: extends leads back to itself; let one of the files stand alone")
    try:
        content = read_yaml(path)
    except ValueError as error:
        raise ConfigurationError(f"{path}: not readable as YAML: {error}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: holds a {type(content).__name__}; a pool is a mapping with the key models")
    base = content.pop("extends", None)
    if base is None:
        return content
    if not isinstance(base, str):
        raise ConfigurationError(f"{path}: extends is {reprlib.repr(base):.80}; allowed is the name or path of a pool")
    return _laid_over(_read(_find(base), (*seen, here)), {"name": path.stem, **content})


def _laid_over(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The base with the changes: sections key by key, models label by label, all else replaced."""
    merged = dict(base)
    for key, value in changes.items():
        if key == "models" and _labelled(value) and _labelled(base.get(key)):
            by_label = {entry["label"]: entry for entry in base[key]}
            for entry in value:
                by_label[entry["label"]] = by_label.get(entry["label"], {}) | entry
            merged[key] = list(by_label.values())
        elif isinstance(value, dict) and isinstance(base.get(key), dict):
            merged[key] = _laid_over(base[key], value)
        else:
            merged[key] = value
    return merged


def _labelled(entries: object) -> bool:
    return isinstance(entries, list) and all(
        isinstance(entry, dict) and isinstance(entry.get("label"), str) for entry in entries
    )


def _pointed(spec: ModelSpec, environ: Mapping[str, str]) -> ModelSpec:
    """The model, pointed elsewhere if its environment variable says so."""
    name = environ.get(spec.env, "") if spec.env else ""
    return spec.model_copy(update={"model": f"{spec.served_by}/{name}"}) if name else spec


def _explain(error: ValidationError) -> str:
    """Each fault of a pool file as: key, value, what is allowed."""
    faults = []
    for fault in error.errors(include_url=False)[:MOST_FAULTS]:
        key = ".".join(str(part) for part in fault["loc"]) or "the pool"
        met = "" if isinstance(fault["input"], Mapping | Pool) else f" is {reprlib.repr(fault['input']):.80}"
        faults.append(f"{key:.200}{met}: {fault['msg']:.400}")
    return "; ".join(faults) + ("; and more" if error.error_count() > MOST_FAULTS else "")
