"""What can go wrong between a caller and a model server."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Fault"]


class Fault(StrEnum):
    """One way to misbehave."""

    NOT_FOUND = "not found"
    """404: the model is gone."""
    TIMEOUT = "timeout"
    """408: the server gave up on the request."""
    RATE_LIMITED = "rate limited"
    """429 with ``Retry-After``."""
    BROKEN = "broken"
    """500: the process that runs the model died."""
    BUSY = "busy"
    """503: the queue is full."""
    OVERFLOW = "overflow"
    """400: the prompt is longer than the context window."""
    ERROR_BODY = "error body"
    """200, and an error instead of an answer."""
    EMPTY = "empty"
    """200, and white space instead of an answer."""
    MALFORMED = "malformed"
    """200, and a web page instead of JSON."""
    TRUNCATED = "truncated"
    """200, and JSON that stops in its middle, in a response that is otherwise whole."""
    WRONG_TYPE = "wrong type"
    """A whole answer that says it is ``text/html``."""
    HUGE = "huge"
    """A valid answer of `Script.huge_bytes`."""
    ENDLESS = "endless"
    """An answer that never ends."""
    DRIP = "drip"
    """One byte every `Script.drip_s`."""
    HANG = "hang"
    """The request is taken and nothing comes back."""
    RESET = "reset"
    """The connection is reset before anything is answered."""
    CUT = "cut"
    """The connection is reset in the middle of the answer."""
    DIE = "die"
    """The whole server dies, with every call under way, refuses connections for `Script.down_s`, and comes back."""

    @property
    def status(self) -> int | None:
        """HTTP status by which the fault is told; None for those that are told otherwise or not at all."""
        return _STATUS.get(self)


_STATUS = {
    Fault.NOT_FOUND: 404,
    Fault.TIMEOUT: 408,
    Fault.RATE_LIMITED: 429,
    Fault.BROKEN: 500,
    Fault.BUSY: 503,
    Fault.OVERFLOW: 400,
}
