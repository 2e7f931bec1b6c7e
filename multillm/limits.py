"""What a run, and all runs of a period, may take."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Limits"]

DAY_S = 86400.0


class Limits(BaseModel):
    """Most time, cost and tokens; a call that could go beyond is not made. None: no limit.

    A call counts with the most that it can take until it has ended, and with what it took from then
    on: output tokens at the price of the dearest model that may serve, input tokens estimated from
    above. What a failed attempt took before it failed is known to no one and not counted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    subtask_s: float | None = Field(default=None, gt=0.0, allow_inf_nan=False)
    """Longest time for a sub-task's call: waits, loading a model, retries and fallbacks included."""
    run_s: float | None = Field(default=None, gt=0.0, allow_inf_nan=False)
    """Longest time for a run, from its first call; what is answered by then is returned."""
    run_cost_units: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)
    """Most cost units for a run."""
    run_tokens: int | None = Field(default=None, ge=0)
    """Most tokens for a run, input and output together."""
    period_s: float = Field(default=DAY_S, gt=0.0, allow_inf_nan=False)
    """Length of the period, which always ends now."""
    period_cost_units: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)
    """Most cost units for all calls that the feedback store holds of the period."""
    period_tokens: int | None = Field(default=None, ge=0)
    """Most tokens for all calls that the feedback store holds of the period, input and output together."""

    @property
    def of_run(self) -> bool:
        """Whether a run has a budget."""
        return self.run_cost_units is not None or self.run_tokens is not None

    @property
    def of_period(self) -> bool:
        """Whether a period has a budget."""
        return self.period_cost_units is not None or self.period_tokens is not None
