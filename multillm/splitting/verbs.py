"""What kinds of work the verb that opens a clause may ask for."""

from __future__ import annotations

from functools import lru_cache

from multillm.splitting.heads import Head, Kind
from multillm.splitting.lexicon import (
    CHANGING_VERBS,
    JUDGING_VERBS,
    MAKING_VERBS,
    MEASURING_VERBS,
    REPAIRING_VERBS,
    STEP_VERBS,
    TELLING_VERBS,
    TEXT_VERBS,
)

__all__ = ["verb_classes"]

ASKING, OTHER = ("asking",), ("other",)
CLASSES = {
    "making": MAKING_VERBS,
    "changing": CHANGING_VERBS,
    "telling": TELLING_VERBS,
    "judging": JUDGING_VERBS,
    "measuring": MEASURING_VERBS,
    "repairing": REPAIRING_VERBS,
    "text": TEXT_VERBS,
    "step": STEP_VERBS,
}


def verb_classes(head: Head) -> tuple[str, ...]:
    """Names of the kinds of verb that open a clause; "asking" for a question, "other" if none."""
    return ASKING if head.kind is Kind.QUESTION else _classes(head.verb)


@lru_cache(maxsize=10_000)
def _classes(verb: str) -> tuple[str, ...]:
    return tuple([name for name, verbs in CLASSES.items() if verb in verbs]) or OTHER
