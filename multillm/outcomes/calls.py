"""From the calls that a feedback store keeps to the two frames of an outcome table."""

from __future__ import annotations

import pandas as pd

from multillm.errors import OutcomesError
from multillm.outcomes.schema import MEASURES, PROMPT_COLUMNS

__all__ = ["rows_and_prompts"]

COSTS = {"cost units": "cost_units", "USD": "cost_usd"}


def rows_and_prompts(feedback: pd.DataFrame, cost_unit: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measures by prompt and label, and the prompts; see `Outcomes.from_feedback`."""
    if cost_unit not in COSTS:
        raise OutcomesError(f"feedback has no costs in {cost_unit!r}; choose {' or '.join(COSTS)}")
    names = {"prompt_sha256": "prompt_id", "served_label": "model", COSTS[cost_unit]: "cost"}
    if absent := [column for column in (*names, "asked_label") if column not in feedback]:
        raise OutcomesError(f"feedback has no column {', '.join(absent)}; pass what FeedbackStore.frame() returns")
    calls = feedback[feedback["served_label"].notna()].rename(columns=names).reset_index(drop=True)
    if calls.empty:
        raise OutcomesError(f"none of {len(feedback)} calls was answered; outcomes need one that was")
    calls = calls.reindex(columns=[*dict.fromkeys((*PROMPT_COLUMNS, "model", "asked_label", *MEASURES))])
    calls["latency_s"] = calls["latency_s"].where(calls["model"] == calls["asked_label"])
    rows = calls.groupby(["prompt_id", "model"], sort=False, as_index=False)[list(MEASURES)].mean()
    prompts = calls[list(PROMPT_COLUMNS)].groupby("prompt_id", sort=False, as_index=False).first()
    return rows, prompts
