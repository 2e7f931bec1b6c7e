"""What the feedback store takes: one call with its retries and fallbacks."""

from __future__ import annotations

import hashlib
import math
import reprlib
from dataclasses import fields
from typing import Self

from pydantic import ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import ArgsKwargs, ErrorDetails

from multillm.errors import FeedbackError
from multillm.quantities import Amount, Count, Finite, Share
from multillm.tasks import ComplexityTier

__all__ = ["FeedbackRecord", "Rating", "to_row"]

STRICT = ConfigDict(strict=True)


class _Checked:
    """NumPy's numbers are taken; an error is a FeedbackError with field, value and what is allowed."""

    @model_validator(mode="wrap")
    @classmethod
    def _checked(cls, given: ArgsKwargs, handler: ModelWrapValidatorHandler[Self]) -> Self:
        named = {name: _plain(value) for name, value in (given.kwargs or {}).items()}
        try:
            return handler(ArgsKwargs(tuple(map(_plain, given.args)), named))
        except ValidationError as error:
            raise FeedbackError("; ".join(_fault(fault, cls) for fault in error.errors())) from None


@dataclass(frozen=True, slots=True, config=STRICT)
class Rating(_Checked):
    """A measured quality.

    Attributes
    ----------
    quality : float
        Measured quality, 0..1.
    quality_source : str
        Who or what measured it.

    Raises
    ------
    FeedbackError
        If a value is outside what is allowed.
    """

    quality: Share
    quality_source: str

    def __post_init__(self) -> None:
        if not self.quality_source:
            raise FeedbackError("quality_source is empty; say who or what measured the quality")


@dataclass(frozen=True, slots=True, config=STRICT)
class FeedbackRecord(_Checked):
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

    run_id: str
    subtask_index: Count
    prompt: str
    task_type: str
    complexity: Share
    asked_label: str
    attempts: Count
    confidence: Share | None = None
    decision_rule: str | None = None
    utility: Finite | None = None
    expected_quality: Share | None = None
    served_label: str | None = None
    served_model: str | None = None
    fallback_reason: str | None = None
    error_type: str | None = None
    error: str | None = None
    finish_reason: str | None = None
    latency_s: Amount | None = None
    queue_s: Amount | None = None
    load_s: Amount | None = None
    prompt_s: Amount | None = None
    generation_s: Amount | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    tokens_measured: bool | None = None
    cost_units: Amount | None = None
    cost_usd: Amount | None = None
    answer_length: Count | None = None
    replayed: bool = False
    quality: Share | None = None
    quality_source: str | None = None

    def __post_init__(self) -> None:
        if self.served_label is None and self.error_type is None:
            raise FeedbackError("served_label and error_type are both None; say which label served or what went wrong")
        if self.error is not None and self.error_type is None:
            raise FeedbackError(f"error is {self.error!r:.80} and error_type is None; name the error's class too")
        if self.quality is not None and not self.quality_source:
            raise FeedbackError(f"quality is {self.quality} and has no quality_source; say who or what measured it")

    @property
    def tier(self) -> ComplexityTier:
        """Complexity tier."""
        return ComplexityTier.of(self.complexity)

    def __repr__(self) -> str:
        outcome = self.error_type if self.error_type else f"served by {self.served_label}"
        return f"FeedbackRecord({self.run_id!r:.40} {self.subtask_index}, {self.task_type}, {outcome})"


def _fault(fault: ErrorDetails, kind: type) -> str:
    """Field, value and what is allowed; a value given by position is named as well."""
    place = fault["loc"][0]
    name = fields(kind)[place].name if isinstance(place, int) and place < len(fields(kind)) else place
    return f"{name} is {reprlib.repr(fault['input']):.80}: {fault['msg']}"


def _plain(value: object) -> object:
    """NumPy's numbers as Python's; NaN, which stands for what is not known, as None."""
    if getattr(value, "ndim", None) == 0:
        value = value.item()  # type: ignore[attr-defined]  # only NumPy's numbers have ndim
    return None if isinstance(value, float) and math.isnan(value) else value


def to_row(record: FeedbackRecord, *, keep_prompt: bool) -> dict[str, object]:
    """Turn a record into values of the table's columns; the prompt is kept as text only if told to."""
    return {field.name: getattr(record, field.name) for field in fields(record)} | {
        "tier": record.tier,
        "prompt": record.prompt if keep_prompt else None,
        "prompt_sha256": hashlib.sha256(record.prompt.encode("utf-8", "surrogatepass")).hexdigest(),
        "prompt_length": len(record.prompt),
    }
