"""Every error that multillm raises on purpose.

::

    MultillmError
    ├── InputError (ValueError)          the prompt cannot be used
    ├── ConfigurationError (ValueError)  a pool, policy or setting is not valid
    ├── RoutingError                     no model of the pool can take the sub-task
    ├── BackendError
    │   ├── BackendUnavailable           the server does not answer, the engine does not start
    │   ├── ModelMissing                 the server answers but lacks a model
    │   └── RecordingMissing             the replay backend has no such answer
    ├── CompletionError                  a model call failed after retries and fallbacks
    │   ├── CompletionTimeout            no answer within the time allowed
    │   │   └── DeadlineExceeded         the time of the sub-task or of the run was up
    │   ├── BudgetExceeded               the call could cost more than is left, and was not made
    │   ├── ContextOverflow              the prompt does not fit the model's context window
    │   ├── Cancelled                    the run was cancelled before the answer was there
    │   ├── EmptyCompletion              the model answered with no text
    │   └── UpstreamFailed               a sub-task whose answer is needed has none
    ├── FeedbackError                    the feedback store cannot be read or written
    ├── OutcomesError (ValueError)       an outcome table breaks its schema or lacks what is asked of it
    │   └── DatasetUnavailable           a public data set is neither on disk nor to be downloaded
    ├── EstimatorError                   a quality estimator cannot be fitted, stored or used
    ├── BenchmarkError                   a benchmark's folder or manifest does not fit what is asked of it
    └── SandboxUnavailable               this machine cannot lock down a process for generated code

A message states the value met, what is allowed, and the remedy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multillm.completion import Attempt

__all__ = [
    "BackendError",
    "BackendUnavailable",
    "BenchmarkError",
    "BudgetExceeded",
    "Cancelled",
    "CompletionError",
    "CompletionTimeout",
    "ConfigurationError",
    "ContextOverflow",
    "DatasetUnavailable",
    "DeadlineExceeded",
    "EmptyCompletion",
    "EstimatorError",
    "FeedbackError",
    "InputError",
    "ModelMissing",
    "MultillmError",
    "OutcomesError",
    "RecordingMissing",
    "RoutingError",
    "SandboxUnavailable",
    "UpstreamFailed",
]


class MultillmError(Exception):
    """Base of every error raised by multillm."""


class InputError(MultillmError, ValueError):
    """The prompt cannot be used: it is not text, or there is nothing in it."""


class ConfigurationError(MultillmError, ValueError):
    """A pool file, a policy or a setting is not valid."""


class RoutingError(MultillmError):
    """No model of the pool can take the sub-task."""


class BackendError(MultillmError):
    """Something that serves models is not there or not ready."""


class BackendUnavailable(BackendError):
    """The server does not answer or the engine cannot start."""


class ModelMissing(BackendError):
    """The server answers, but a model of the pool is not on it."""


class RecordingMissing(BackendError):
    """The replay backend holds no answer to this request."""


class CompletionError(MultillmError):
    """A model call failed after every retry and fallback.

    Attributes
    ----------
    label : str
        Model group that was asked for.
    attempts : tuple of Attempt
        Every call that was made, in order, each with its model and error.
    """

    def __init__(self, message: str, *, label: str, attempts: Sequence[Attempt] = ()) -> None:
        super().__init__(message)
        self.label = label
        self.attempts = tuple(attempts)

    def __reduce__(self) -> tuple[Callable[..., CompletionError], tuple[object, ...]]:
        """How it gets from one process to another: arguments that have names would be lost."""
        return partial(type(self), label=self.label, attempts=self.attempts), self.args


class CompletionTimeout(CompletionError):
    """No answer came within the time allowed."""


class DeadlineExceeded(CompletionTimeout):
    """The time that a sub-task or a run may take was up."""


class BudgetExceeded(CompletionError):
    """The call could have cost more than is left of a budget, and was not made."""


class ContextOverflow(CompletionError):
    """The prompt does not fit the model's context window."""


class Cancelled(CompletionError):
    """The run was cancelled before the answer was there."""


class EmptyCompletion(CompletionError):
    """The model answered with no text."""


class UpstreamFailed(CompletionError):
    """The sub-task was not called, since one whose answer it needs has none."""


class FeedbackError(MultillmError):
    """The feedback store cannot be read or written, or a value has no place in it."""


class OutcomesError(MultillmError, ValueError):
    """An outcome table breaks its schema or lacks what is asked of it."""


class DatasetUnavailable(OutcomesError):
    """A public data set is neither on disk nor to be downloaded."""


class EstimatorError(MultillmError):
    """A quality estimator cannot be fitted, stored or used."""


class BenchmarkError(MultillmError):
    """A benchmark's folder or manifest does not fit what is asked of it."""


class SandboxUnavailable(MultillmError):
    """The machine cannot lock down a process for generated code, so that none is run."""
