"""How model calls are made: retries, cooldown, timeouts, sampling."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["CallSettings"]


class CallSettings(BaseModel):
    """Settings of every call to a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(default=0.3, ge=0.0, le=2.0, allow_inf_nan=False)
    """Sampling temperature."""
    seed: int | None = None
    """Seed of the sampling where the server takes one; None for a new one each call."""
    timeout_s: float = Field(default=120.0, gt=0.0, allow_inf_nan=False)
    """Longest time for one attempt, loading the model included."""
    num_retries: int = Field(default=2, ge=0, le=10)
    """Further attempts at the same model group after a failed one."""
    retry_wait_s: float = Field(default=2.0, ge=0.0, allow_inf_nan=False)
    """Shortest wait before a retry; LiteLLM's exponential back-off lengthens it."""
    allowed_fails: int = Field(default=3, ge=0)
    """Failures within a minute after which a deployment is left out."""
    cooldown_s: float = Field(default=30.0, ge=0.0, allow_inf_nan=False)
    """How long a deployment is left out."""
    max_parallel: int = Field(default=8, ge=1)
    """Most calls at once to a model that sets no limit of its own."""
