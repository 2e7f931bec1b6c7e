"""The models that can be routed to."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_serializer, field_validator

from multillm.errors import ConfigurationError
from multillm.quantities import Finite
from multillm.rendering import models_html
from multillm.tasks import TaskType

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ModelSpec", "QualityCurve", "Registry"]


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be of printable characters; it is shown in terminals, tables and logs")
    return text


Name = Annotated[str, Field(min_length=1), AfterValidator(_printable)]


class QualityCurve(BaseModel):
    r"""Quality as a straight line in complexity, kept within 0..1.

    .. math:: Q(c) = \min(1, \max(0, a + b c))
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    intercept: Finite
    """Quality at complexity 0."""
    slope: Finite = 0.0
    """Change of quality from complexity 0 to complexity 1."""

    def __call__(self, complexity: float) -> float:
        """Quality (0..1) at a complexity (0..1)."""
        quality = self.intercept + self.slope * complexity
        return 0.0 if quality < 0.0 else 1.0 if quality > 1.0 else quality  # a third of the time of min and max


class ModelSpec(BaseModel):
    """One model group of the pool: what is routed to, what it costs and what it can do."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    label: Name
    """Symbolic name that is routed to (LiteLLM's model group)."""
    model: Annotated[Name, Field(pattern=r"^[\w.-]+/\S+$")]
    """LiteLLM model string, provider first: ``ollama_chat/gemma3:4b``."""
    rank: int = Field(ge=1)
    """Strength: 1 is the lightest model of the pool."""
    provider: str = ""
    """Who made the model."""
    cost_per_1k: float = Field(ge=0.0, allow_inf_nan=False)
    """Cost units for 1,000 output tokens; 1.0 for the dearest model of the pool."""
    context_tokens: int = Field(gt=0)
    """Context window, in tokens."""
    quality: QualityCurve
    """Expected quality against complexity, until something better is measured."""
    task_types: frozenset[TaskType] = frozenset(TaskType)
    """Task types the model may be given."""
    env: str | None = None
    """Environment variable that, when set, replaces the model name behind the provider."""
    credentials: tuple[str, ...] = ()
    """Environment variables that must all be set for this model to be used."""
    fallback_only: bool = False
    """Never chosen first; called only where every better fallback has failed."""
    max_parallel: int | None = Field(default=None, ge=1)
    """Most calls to this model at once; None for as many as there are."""

    @field_serializer("task_types", when_used="json")
    def _sorted(self, task_types: frozenset[TaskType]) -> list[str]:
        """The same text each time."""
        return sorted(task_types)

    @property
    def served_by(self) -> str:
        """LiteLLM provider: the part of the model string before the first slash."""
        return self.model.partition("/")[0]

    @property
    def served_name(self) -> str:
        """Name of the model at its provider: the part after the first slash."""
        return self.model.partition("/")[2]

    def missing_credentials(self, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
        """Environment variables that this model needs and that are not set."""
        return tuple(name for name in self.credentials if not environ.get(name))

    def __repr__(self) -> str:
        return (
            f"ModelSpec({self.label!r}, {self.model!r}, rank {self.rank}, "
            f"{self.cost_per_1k:g} cost units/1k tokens, {self.context_tokens:,} tokens context)"
        )

    def _repr_html_(self) -> str:
        return models_html([self], "ModelSpec")


class Registry(BaseModel):
    """The models of a pool, in order of rank, each label once.

    Examples
    --------
    >>> from multillm.pool import load_pool
    >>> load_pool("reference").registry["model::light"].served_name
    'granite4.1:3b'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[ModelSpec, ...] = Field(min_length=1)
    """The models, lightest first."""

    @field_validator("models")
    @classmethod
    def _in_rank_order(cls, models: tuple[ModelSpec, ...]) -> tuple[ModelSpec, ...]:
        labels = [spec.label for spec in models]
        twice = sorted(label for label, times in Counter(labels).items() if times > 1)
        if twice:
            raise ValueError(f"label {', '.join(twice)} stands more than once; every label must be unique")
        if all(spec.fallback_only for spec in models):
            raise ValueError("every model is fallback_only; at least one must be open to routing")
        return tuple(sorted(models, key=lambda spec: spec.rank))

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in order of rank."""
        return tuple(spec.label for spec in self.models)

    def usable(self, environ: Mapping[str, str] = os.environ) -> Registry:
        """The registry without the models whose credentials are not set."""
        return Registry(models=tuple(spec for spec in self.models if not spec.missing_credentials(environ)))

    def to_frame(self) -> pd.DataFrame:
        """The models, one row each.

        Returns
        -------
        DataFrame
            Indexed by label: model, rank, provider, cost_per_1k (cost units), context_tokens, quality_intercept and
            quality_slope of the curve, task_types (tuple of str).
        """
        import pandas as pd

        rows = [
            {
                "label": spec.label,
                "model": spec.model,
                "rank": spec.rank,
                "provider": spec.provider,
                "cost_per_1k": spec.cost_per_1k,
                "context_tokens": spec.context_tokens,
                "quality_intercept": spec.quality.intercept,
                "quality_slope": spec.quality.slope,
                "task_types": tuple(sorted(spec.task_types)),
            }
            for spec in self
        ]
        return pd.DataFrame(rows).set_index("label")

    def __iter__(self) -> Iterator[ModelSpec]:  # type: ignore[override]  # a registry is its models, not its fields
        return iter(self.models)

    def __len__(self) -> int:
        return len(self.models)

    def __contains__(self, label: object) -> bool:
        return label in self.labels

    def __getitem__(self, label: str) -> ModelSpec:
        for spec in self.models:
            if spec.label == label:
                return spec
        raise ConfigurationError(f"no model is labelled {label!r}; the pool has {', '.join(self.labels)}")

    def __repr__(self) -> str:
        return f"Registry({', '.join(self.labels)})"

    def _repr_html_(self) -> str:
        return models_html(self, f"Registry of {len(self)} models")
