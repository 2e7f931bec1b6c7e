"""The reference splitter: cuts at conjunctions, whatever they join."""

from __future__ import annotations

import re
from itertools import pairwise

from multillm.splitting.base import check_prompt, trimmed
from multillm.tasks import SubTask

__all__ = ["ReferenceSplitter"]

MARKERS = re.compile(r"\b(?:and also|and then|additionally|plus|as well as|and|also)\b", re.IGNORECASE)
LONGEST_DROPPED = 8


class ReferenceSplitter:
    """Cuts at fixed word markers and drops parts of eight characters or fewer.

    Kept as the article describes it, known faults included: it cuts inside
    noun phrases, quotations and code, and sees no dependency.
    """

    name = "reference"

    def split(self, prompt: str) -> list[SubTask]:
        """Sub-tasks of a prompt; the whole prompt if no part is long enough."""
        check_prompt(prompt)
        cuts = [(0, 0), *(match.span() for match in MARKERS.finditer(prompt)), (len(prompt), len(prompt))]
        spans = [trimmed(prompt, left[1], right[0]) for left, right in pairwise(cuts)]
        kept = [span for span in spans if span[1] - span[0] > LONGEST_DROPPED]
        return [SubTask(prompt[start:end], start, end) for start, end in kept or [trimmed(prompt, 0, len(prompt))]]

    def __repr__(self) -> str:
        return "ReferenceSplitter()"
