"""What happens in a run as log records of the logger ``multillm``: quiet unless the caller asks to see them.

Every record carries its figures as fields (``extra``), named like the columns of the feedback store, and the
``run_id`` that its rows have; a formatter for JSON shows them all. Texts of prompts and answers are left out unless
``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` is ``true``.

======== =========================================================
level    records
======== =========================================================
WARNING  a sub-task failed; another label answered for the one asked
INFO     a run ended; a sub-task was answered
DEBUG    a sub-task waits or is on its way, with its decision
======== =========================================================
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from multillm.orchestration.events import SubTaskDone, SubTaskEvent, SubTaskWaiting
from multillm.orchestration.results import RunResult, SubTaskResult
from multillm.telemetry import content_wanted, run_context

__all__ = ["note_event", "note_run"]

logger = logging.getLogger("multillm")
logger.addHandler(logging.NullHandler())


def note_event(event: SubTaskEvent) -> None:
    """Log a change in a sub-task's state."""
    level, what = _headline(event)
    if logger.isEnabledFor(level):
        _log(level, what, _decided(event) | (_ended(event.result) if isinstance(event, SubTaskDone) else {}))


def note_run(result: RunResult) -> None:
    """Log the end of a run."""
    if logger.isEnabledFor(logging.INFO):
        figures = {"backend": result.backend, "subtasks": len(result.results), "failed": len(result.failed)}
        _log(logging.INFO, "run ended", figures | {"total_ms": result.total_ms, "cost_units": result.cost_units})


def _headline(event: SubTaskEvent) -> tuple[int, str]:
    if not isinstance(event, SubTaskDone):
        return logging.DEBUG, f"sub-task {'waiting' if isinstance(event, SubTaskWaiting) else 'running'}"
    if event.result.completion is None:
        return logging.WARNING, "sub-task failed"
    if event.result.completion.label != event.decision.label:
        return logging.WARNING, "sub-task answered by a fallback"
    return logging.INFO, "sub-task answered"


def _decided(event: SubTaskEvent) -> dict[str, object]:
    decision = event.decision
    return {
        "subtask_index": event.index,
        "task_type": str(decision.profile.task_type),
        "complexity": decision.profile.complexity,
        "asked_label": decision.label,
        "decision_rule": str(decision.rule),
        "utility": decision.utility,
        "prompt": decision.profile.text if content_wanted() else None,
    }


def _ended(result: SubTaskResult) -> dict[str, object]:
    done, error = result.completion, result.error
    if done is None:
        attempts = len(getattr(error, "attempts", ()))
        return {"error_type": type(error).__name__, "error": str(error), "attempts": attempts}
    return {
        "served_label": done.label,
        "served_model": done.model,
        "attempts": len(done.attempts),
        "fallback_reason": done.fallback_reason,
        "finish_reason": done.finish_reason,
        "latency_s": done.latency_s,
        "input_tokens": done.input_tokens,
        "output_tokens": done.output_tokens,
        "cost_units": done.cost_units,
        "answer": done.text if content_wanted() else None,
    }


def _log(level: int, what: str, fields: Mapping[str, object]) -> None:
    """Log what is known; the same figures in the text and as fields."""
    known = {name: value for name, value in {**run_context(), **fields}.items() if value is not None}
    logger.log(level, "%s %s", what, " ".join(f"{name}={value!r}" for name, value in known.items()), extra=known)
