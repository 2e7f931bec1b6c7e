"""What was measured, kept: one row for each call to a model, in SQLite or PostgreSQL."""

from __future__ import annotations

from multillm.feedback.record import FeedbackRecord
from multillm.feedback.store import FeedbackStore
from multillm.feedback.summary import FeedbackSummary

__all__ = ["FeedbackRecord", "FeedbackStore", "FeedbackSummary"]
