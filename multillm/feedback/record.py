"""What the feedback store takes: one call with its retries and fallbacks."""

from __future__ import annotations

import hashlib
import math
import sys
from dataclasses import dataclass, fields
from functools import cache
from numbers import Integral, Real
from typing import Annotated, get_args, get_type_hints

from multillm.errors import FeedbackError
from multillm.tasks import ComplexityTier

__all__ = ["FeedbackRecord", "check_value", "to_row"]


@dataclass(frozen=True, slots=True)
class _Allowed:
    """Values that a field may have."""

    kind: type
    described: str
    low: float = -sys.float_info.max
    high: float = sys.float_info.max

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, self.kind):
            return False
        if isinstance(value, Integral):
            return self.low <= int(value) <= self.high
        return not isinstance(value, Real) or self.low <= float(value) <= self.high


Text = Annotated[str, _Allowed(str, "text")]
Flag = Annotated[bool, _Allowed(bool, "True or False")]
Count = Annotated[int, _Allowed(Integral, "a whole number, 0 or more", 0, 2**63 - 1)]
Figure = Annotated[float, _Allowed(Real, "a finite number")]
Amount = Annotated[float, _Allowed(Real, "a finite number, 0 or more", 0)]
Share = Annotated[float, _Allowed(Real, "a number from 0 to 1", 0, 1)]


@dataclass(frozen=True, slots=True)
class FeedbackRecord:
    """One sub-task's call, with its retries and fallbacks. What is not known is None; NaN counts as None.

    Attributes
    ----------
    run_id : str
        Run that the sub-task belongs to.
    subtask_index : int
        Position of the sub-task in the prompt, from 0.
    prompt : str
        Text of the sub-task. The store keeps its hash and length, the text itself only if told to.
    task_type : str
        Kind of deliverable.
    complexity : float
        How hard it is, 0..1.
    asked_label : str
        Model group that was chosen.
    attempts : int
        Calls made, retries and fallbacks included.
    confidence : float or None
        Probability that the task type is right.
    decision_rule : str or None
        What made the choice.
    utility : float or None
        Utility of the model group chosen.
    expected_quality : float or None
        Quality the router expected of it, 0..1.
    served_label, served_model : str or None
        Model group and LiteLLM model string that answered; None if none did.
    fallback_reason : str or None
        Why the label asked for did not serve.
    error_type, error : str or None
        Class and text of the error; None if the call succeeded.
    finish_reason : str or None
        ``stop`` if the model came to its end, ``length`` if the budget cut it short.
    latency_s : float or None
        From the request to the whole answer, or to the failure, waits and retries included.
    queue_s, load_s, prompt_s, generation_s : float or None
        Time waiting for a free slot, loading the model, reading the prompt and writing the answer.
    input_tokens, output_tokens : int or None
        Length of prompt and answer.
    tokens_measured : bool or None
        True if the server counted the tokens; False if they are estimated from the text.
    cost_units : float or None
        Price of the answer in the pool's cost units.
    cost_usd : float or None
        Price in US dollars where the model has one.
    answer_length : int or None
        Length of the answer, in characters.
    replayed : bool
        True if the answer, its times included, comes from a recording.
    quality : float or None
        Measured quality of the answer, 0..1.
    quality_source : str or None
        Who or what measured it.

    Raises
    ------
    FeedbackError
        If a value is outside what is allowed, a quality has no source, an error has no type, or there
        is neither a label that served nor an error.
    """

    run_id: Text
    subtask_index: Count
    prompt: Text
    task_type: Text
    complexity: Share
    asked_label: Text
    attempts: Count
    confidence: Share | None = None
    decision_rule: Text | None = None
    utility: Figure | None = None
    expected_quality: Share | None = None
    served_label: Text | None = None
    served_model: Text | None = None
    fallback_reason: Text | None = None
    error_type: Text | None = None
    error: Text | None = None
    finish_reason: Text | None = None
    latency_s: Amount | None = None
    queue_s: Amount | None = None
    load_s: Amount | None = None
    prompt_s: Amount | None = None
    generation_s: Amount | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    tokens_measured: Flag | None = None
    cost_units: Amount | None = None
    cost_usd: Amount | None = None
    answer_length: Count | None = None
    replayed: Flag = False
    quality: Share | None = None
    quality_source: Text | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.default is not None or not _unknown(value):
                check_value(field.name, value)
        if self.served_label is None and self.error_type is None:
            raise FeedbackError("served_label and error_type are both None; say which label served or what went wrong")
        if self.error is not None and self.error_type is None:
            raise FeedbackError(f"error is {self.error!r:.80} and error_type is None; name the error's class too")
        if not _unknown(self.quality) and not self.quality_source:
            raise FeedbackError(f"quality is {self.quality} and has no quality_source; say who or what measured it")

    @property
    def tier(self) -> ComplexityTier:
        """Complexity tier."""
        return ComplexityTier.of(self.complexity)

    def __repr__(self) -> str:
        outcome = self.error_type if self.error_type else f"served by {self.served_label}"
        return f"FeedbackRecord({self.run_id!r:.40} {self.subtask_index}, {self.task_type}, {outcome})"


@cache
def _allowed() -> dict[str, _Allowed]:
    """Read what each field allows from its annotation."""
    hints = get_type_hints(FeedbackRecord, include_extras=True)
    inner = {name: hint if hasattr(hint, "__metadata__") else get_args(hint)[0] for name, hint in hints.items()}
    return {name: hint.__metadata__[0] for name, hint in inner.items()}


def check_value(name: str, value: object) -> None:
    """See that a known value is one that the field allows.

    Raises
    ------
    FeedbackError
        If it is not.
    """
    allowed = _allowed()[name]
    if value not in allowed:
        raise FeedbackError(f"{name} is {value!r:.80}; allowed is {allowed.described}")


def _unknown(value: object) -> bool:
    return value is None or (isinstance(value, Real) and not isinstance(value, Integral) and math.isnan(value))


def to_row(record: FeedbackRecord, *, keep_prompt: bool) -> dict[str, object]:
    """Turn a record into values of the table's columns; the prompt is kept as text only if told to."""
    row = {field.name: _plain(getattr(record, field.name)) for field in fields(FeedbackRecord)}
    return row | {
        "tier": record.tier,
        "prompt": record.prompt if keep_prompt else None,
        "prompt_sha256": hashlib.sha256(record.prompt.encode("utf-8", "surrogatepass")).hexdigest(),
        "prompt_length": len(record.prompt),
    }


def _plain(value: object) -> object:
    """Make NumPy's types plain, which drivers refuse."""
    if _unknown(value):
        return None
    if isinstance(value, bool | str):
        return value
    return int(value) if isinstance(value, Integral) else float(value)  # type: ignore[arg-type]
