"""The structural splitter: cuts only where a new request begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from multillm.splitting.base import check_prompt, trimmed
from multillm.tasks import SubTask

__all__ = ["StructuralSplitter"]

REQUEST = (
    "add|analyse|analyze|assess|audit|build|calculate|check|compare|compose|compute|convert|create|critique|debug|"
    "define|derive|describe|design|determine|develop|diagnose|document|draft|estimate|evaluate|explain|extract|"
    "find|fix|generate|give|identify|implement|improve|justify|list|make|name|optimise|optimize|outline|plan|port|"
    "produce|propose|prove|provide|recommend|refactor|rename|review|rewrite|shorten|show|sketch|solve|sort|state|"
    "suggest|summarise|summarize|tell|test|train|translate|update|validate|verify|write"
)
QUESTION = "what|why|how|when|where|which|who|is|are|does|do|should|can|could|would"
LEAD_IN = r"(?:(?:please|kindly|then|also|next|finally|afterwards|can you|could you|would you|i want you to)\s*,?\s+)*"
PROTECTED = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\"[^\"\n]*\"|“[^”]*”|‘[^’]*’|(?<!\w)'[^'\n]*'(?!\w)|https?://\S+", re.DOTALL
)
BOUNDARY = re.compile(
    rf"(?P<joint>(?:\s*[,;.?!:]?\s*\b(?:and\s+then|and\s+also|and|then|also|plus|additionally|as\s+well\s+as|after\s+that)\b,?"
    rf"|\s*[;.?!]|\s*\n+\s*(?:[-*•]|\d+[.)])?|^\s*(?:[-*•]|\d+[.)]))\s+{LEAD_IN})"
    rf"(?=(?:{REQUEST})\b(?!\s+(?:of|is|are|was|were|and)\b)|(?<=[.?!\n]\s)(?:{QUESTION})\b)",
    re.IGNORECASE,
)
BACK_REFERENCE = re.compile(
    r"\b(?:it|its|them|that|this|these|those|the\s+(?:result|results|output|above|former|previous|same))\b",
    re.IGNORECASE,
)
PUNCTUATION = " \t\r\n.,;:!?-*•"


class StructuralSplitter:
    """Cuts at a joint that is followed by a request; quotations, code and addresses stay whole."""

    name = "structural"

    def split(self, prompt: str) -> list[SubTask]:
        """Sub-tasks of a prompt; a later one depends on the one before if it refers back."""
        check_prompt(prompt)
        spans = list(_spans(prompt))
        return [
            SubTask(prompt[start:end], start, end, (index - 1,) if index and _refers_back(prompt[start:end]) else ())
            for index, (start, end) in enumerate(spans)
        ]


def _spans(prompt: str) -> Iterator[tuple[int, int]]:
    """Spans between the joints, each without the punctuation around it."""
    blanked = PROTECTED.sub(lambda match: "x" * len(match.group()), prompt)
    cuts = [(0, 0), *(match.span("joint") for match in BOUNDARY.finditer(blanked)), (len(prompt), len(prompt))]
    for left, right in pairwise(cuts):
        start, end = trimmed(prompt, left[1], right[0], PUNCTUATION)
        if end > start:
            yield start, end


def _refers_back(text: str) -> bool:
    """Whether a request speaks of something it does not name."""
    return BACK_REFERENCE.search(text) is not None
