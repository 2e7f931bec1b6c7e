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
    """Longest time for one attempt, from the request to the end of the answer."""
    load_timeout_s: float = Field(default=60.0, ge=0.0, allow_inf_nan=False)
    """Further time for an attempt at a local model that has not answered for four minutes: it may have to be loaded."""
    num_retries: int = Field(default=2, ge=0, le=10)
    """Further attempts at the same model group after a failed one, at another deployment if there is one."""
    retry_wait_s: float = Field(default=2.0, ge=0.0, allow_inf_nan=False)
    """Wait before a deployment is tried again; doubled each time, up to 8 s unless it starts higher."""
    allowed_fails: int = Field(default=3, ge=0)
    """Failures in a row, within a minute, that a deployment may have; one more and it is left out."""
    cooldown_s: float = Field(default=30.0, ge=0.0, allow_inf_nan=False)
    """How long a deployment is left out."""
    max_parallel: int = Field(default=8, ge=1)
    """Most calls at once to a model that sets no limit of its own."""
