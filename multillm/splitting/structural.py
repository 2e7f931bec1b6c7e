"""The structural splitter: cuts only where a new request begins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, islice, pairwise

from multillm.splitting.base import check_prompt, trimmed
from multillm.splitting.dependencies import dependencies
from multillm.splitting.heads import Request
from multillm.splitting.leadins import skip_lead_in
from multillm.splitting.masking import mask
from multillm.splitting.pieces import read
from multillm.splitting.segmenting import requests as find_requests
from multillm.tasks import SubTask

__all__ = ["StructuralSplitter", "shared_context"]

COURTESY = re.compile(
    r"[\s,]+(?:please|pls|plz|thanks|thank you|thx|cheers|too|as well|while you(?:'re| are) at it)\Z", re.IGNORECASE
)
EDGE = " \t\r\n.,;:!?-*•\u2013\u2014&+"
RIGHT_EDGE = EDGE.removesuffix("+")
JOINT_HINT = re.compile(
    r"(?=[,;.?!:)\n\s])(?:[,;.?!:)]\s*\S|\s(?:and|then|plus|also|as|after|[-&+/\u2192\u2013\u2014]|[-=]>)\s|\n)",
    re.IGNORECASE,
)
SHORTEST_CONTEXT = 3
WHOLE_EDGE = " \t\r\n.,;:!?"


class StructuralSplitter:
    """Cuts where a new request begins; quotations, code and pasted input stay whole."""

    name = "structural"

    def split(self, prompt: str) -> list[SubTask]:
        """Sub-tasks of a prompt, each with what it needs of the others and of the words around it."""
        if JOINT_HINT.search(check_prompt(prompt)) is None:
            return [_whole(prompt)]
        masked = mask(prompt)
        text = read(masked)
        found = [(request, _span(prompt, request)) for request in find_requests(masked, text)]
        requests = [request for request, (start, end) in found if start < end]
        spans = [(start, end) for _, (start, end) in found if start < end]
        if len(spans) < 2:
            return [_whole(prompt)]
        context = shared_context(prompt, masked, spans)
        return [
            SubTask(prompt[start:end], start, end, needs, context)
            for (start, end), needs in zip(spans, dependencies(text, requests), strict=True)
        ]

    def __repr__(self) -> str:
        return "StructuralSplitter()"


def _span(prompt: str, request: Request) -> tuple[int, int]:
    start = request.end - len(prompt[request.start : request.end].lstrip(EDGE))
    end = start + len(prompt[start : request.end].rstrip(RIGHT_EDGE))
    tail = COURTESY.search(prompt, max(start + 1, end - 40), end)
    return trimmed(prompt, start, tail.start(), RIGHT_EDGE) if tail else (start, end)


def shared_context(prompt: str, masked: str, spans: Sequence[tuple[int, int]]) -> str:
    """What stands outside every span and is more than a marker or a courtesy: preamble, situation, input."""
    gaps = pairwise([0, *chain.from_iterable(spans), len(prompt)])
    pieces = []
    for start, end in islice(gaps, 0, None, 2):
        start = skip_lead_in(masked, start, end)  # noqa: PLW2901 - the gap shrinks
        text = prompt[start:end].strip(EDGE)
        if len(text) > SHORTEST_CONTEXT and any(character.isalpha() for character in text):
            pieces.append(prompt[start:end].strip(EDGE))
    return "\n".join(pieces)


def _whole(prompt: str) -> SubTask:
    start, end = trimmed(prompt, 0, len(prompt), WHOLE_EDGE)
    if start == end:
        start, end = trimmed(prompt, 0, len(prompt))
    return SubTask(prompt[start:end], start, end)
