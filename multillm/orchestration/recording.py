"""From the result of a sub-task to its row in the feedback store."""

from __future__ import annotations

from multillm.feedback import FeedbackRecord
from multillm.orchestration.results import SubTaskResult

__all__ = ["to_record"]


def to_record(run_id: str, result: SubTaskResult) -> FeedbackRecord:
    """Row of one sub-task: decision, completion or error, no quality, since none was measured yet."""
    decision, done, error = result.decision, result.completion, result.error
    profile = decision.profile
    return FeedbackRecord(
        run_id=run_id,
        subtask_index=result.index,
        prompt=profile.text,
        task_type=str(profile.task_type),
        complexity=profile.complexity,
        confidence=profile.confidence,
        asked_label=decision.label,
        decision_rule=str(decision.rule),
        utility=decision.utility,
        expected_quality=decision.chosen.quality,
        served_label=done.label if done else None,
        served_model=done.model if done else None,
        attempts=len(done.attempts if done else getattr(error, "attempts", ())),
        fallback_reason=done.fallback_reason if done else None,
        error_type=type(error).__name__ if error else None,
        error=str(error) if error else None,
        finish_reason=done.finish_reason if done else None,
        latency_s=done.latency_s if done else result.ended_s - result.started_s,
        queue_s=done.queue_s if done else None,
        load_s=done.load_s if done else None,
        prompt_s=done.prompt_s if done else None,
        generation_s=done.generation_s if done else None,
        input_tokens=done.input_tokens if done else None,
        output_tokens=done.output_tokens if done else None,
        tokens_measured=done.tokens_measured if done else None,
        cost_units=done.cost_units if done else None,
        cost_usd=done.cost_usd if done else None,
        answer_length=len(done.text) if done else None,
        replayed=done.replayed if done else False,
    )
