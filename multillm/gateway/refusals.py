"""Our errors as those of OpenAI's API, with the HTTP status that tells its clients what to do.

====== ================================================================
status error
====== ================================================================
400    the request cannot be used, or fits no model's context window
429    it could go beyond a budget
503    nothing is there to run the models, or none of them answered
504    its time was up
500    the gateway's own settings or its feedback store are at fault
====== ================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from litellm.exceptions import (
    BadRequestError,
    ContextWindowExceededError,
    InternalServerError,
    RateLimitError,
    ServiceUnavailableError,
    Timeout,
)

from multillm.errors import (
    BackendError,
    BudgetExceeded,
    CompletionError,
    CompletionTimeout,
    ContextOverflow,
    InputError,
    MultillmError,
    RoutingError,
)

__all__ = ["refusals"]

TIMED_OUT = 504


@contextmanager
def refusals(model: str) -> Iterator[None]:
    """Turn what is raised inside into an exception that LiteLLM's proxy answers with.

    Parameters
    ----------
    model : str
        Model that the caller asked for.
    """
    try:
        yield
    except MultillmError as error:
        raise _refusal(error, model) from error


def _refusal(error: MultillmError, model: str) -> Exception:
    about: dict[str, Any] = {"message": str(error), "model": model, "llm_provider": "multillm"}
    refusal: Exception
    match error:
        case InputError():
            refusal = BadRequestError(**about)
        case RoutingError() | ContextOverflow():
            refusal = ContextWindowExceededError(**about)
        case CompletionTimeout():
            refusal = Timeout(**about, exception_status_code=TIMED_OUT)
        case BudgetExceeded():
            refusal = RateLimitError(**about)
        case BackendError() | CompletionError():
            refusal = ServiceUnavailableError(**about)
        case _:
            refusal = InternalServerError(**about)
    return refusal
