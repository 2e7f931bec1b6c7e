from .record import FeedbackRecord as FeedbackRecord
from .store import FeedbackStore as FeedbackStore
from .summary import FeedbackSummary as FeedbackSummary
