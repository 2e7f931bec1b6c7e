"""The outcome table: the one table that metrics, tuners, estimators and plots read."""

from multillm.outcomes.parts import PartitionedOutcomes
from multillm.outcomes.schema import MEASURES, PROMPT_COLUMNS
from multillm.outcomes.table import Outcomes

__all__ = ["MEASURES", "PROMPT_COLUMNS", "Outcomes", "PartitionedOutcomes"]
