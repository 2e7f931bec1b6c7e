"""Where one sentence asks for several things."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from multillm.splitting.heads import NAMING, WORD, Head, Kind, read_head
from multillm.splitting.lexicon import (
    AUXILIARIES,
    COMMUNICATING_VERBS,
    CONSTRAINT_VERBS,
    DELIVERABLES,
    DETERMINERS,
    LOOKING_VERBS,
    NOUN_LIKE_VERBS,
    PIPELINE_VERBS,
    REQUEST_VERBS,
    STEP_VERBS,
    UNFINISHED,
    WH_WORDS,
    words,
)
from multillm.splitting.masking import FILLER

__all__ = ["Cut", "cuts", "embedded_head"]

JOINT = re.compile(
    r"(?=[,(\s])(?:\([^()\n]{0,400}\)|(?P<joint>,|\s(?:[-\u2013\u2014+&](?=\s)|(?:and|then|plus|also|as\s+well\s+as|after\s+(?:that|which|this))\b)))",
    re.IGNORECASE,
)
OPENER = re.compile(
    r"[,:]\s|\s[-\u2013\u2014]\s|\s(?:so|and|but)\s(?=(?:please|can|could|would|i\s+need|i\s+want)\b)", re.IGNORECASE
)
JOINED = re.compile(r"\s*(?:and|or|then|but|also)\b(?!\s+(?:please|can|could|would|i)\b)", re.IGNORECASE)
CONDITION = re.compile(r"(?:if|when|unless|where)\b[^,.;:\n]{1,120},", re.IGNORECASE)
COLON = re.compile(r":(?=\s)")
SCOPE = re.compile(
    r"\b(?:(?:that|which|who)\s+(?!\w+s\b)|(?:where|should|must|can|could|will|would|may|if|when|while|let)\b)"
)
PURPOSE = re.compile(r"\bto\s+([a-z-]+)")
ACTIONS = REQUEST_VERBS | STEP_VERBS | CONSTRAINT_VERBS | LOOKING_VERBS
SEQUENCE = re.compile(r"then|also|plus|after|as\s+well", re.IGNORECASE)
OBJECT_MARKS = frozenset("\"`'(</[" + FILLER)
WINDOW = 300
ACTORS = frozenset(["i", "we", "you", "they", "one"])
INVERTING = frozenset(["do", "does", "did", "can", "could", "should", "would", "will"])
BEING = frozenset(["is", "are", "was", "were"])
SUBJECTS = words(
    """
    i we you they he she it the these those any this that my our a an there
    """
)


class Cut(NamedTuple):
    """A place where a new request begins.

    Attributes
    ----------
    end : int
        Where the request before it ends.
    head : Head
        How the new request opens.
    """

    end: int
    head: Head


def cuts(masked: str, head: Head, end: int) -> Iterator[Cut]:
    """Places within a sentence, opened by `head`, at which a further request begins."""
    if head.kind is not Kind.QUESTION:
        colon = COLON.search(masked, head.start, end)
        end = colon.start() if colon else end
    left, position = head, head.start
    while match := JOINT.search(masked, position, end):
        position = match.end()
        if match.lastgroup != "joint":
            continue
        right, resume = _head_after(masked, match.start(), end)
        if _separates(masked, left, match.start(), right, end):
            yield Cut(match.start(), right)
            left = right
        position = max(position, resume)


def _head_after(masked: str, start: int, end: int) -> tuple[Head, int]:
    """Head after a joint; a condition before the verb counts as part of the request."""
    right = read_head(masked, start, end)
    condition = CONDITION.match(masked, right.start, end)
    if condition is None:
        return right, right.start
    inner = read_head(masked, condition.end(), end)
    return inner._replace(start=right.start), inner.start


def embedded_head(masked: str, start: int, end: int) -> Head | None:
    """The request that a statement leads up to: "For the blog, write ..."."""
    for match in OPENER.finditer(masked, start, end):
        if JOINED.match(masked, match.end()):
            continue
        head = read_head(masked, match.end(), end)
        if head.kind is Kind.QUESTION and (head.verb in WH_WORDS or head.after in SUBJECTS):
            return head
        if head.kind is Kind.REQUEST and (head.verb not in NOUN_LIKE_VERBS or head.after in DETERMINERS):
            return head
    return None


def _separates(masked: str, left: Head, joint: int, right: Head, end: int) -> bool:
    before = masked[max(left.start, joint - WINDOW) : joint]
    words = WORD.findall(before)
    if len(words) < 2 or words[-1].lower() in UNFINISHED:
        return False
    if right.verb == NAMING:
        return left.verb == NAMING
    if right.kind is Kind.WISH or left.kind is Kind.WISH:
        return right.kind in (Kind.WISH, Kind.QUESTION) and (right.verb not in WH_WORDS or right.after in AUXILIARIES)
    if right.kind is Kind.REQUEST:
        return _takes_object(right) and _new_request(before, left, right, masked[joint : right.start])
    return right.kind is Kind.QUESTION and _new_question(
        before, left, right, masked[right.start : min(end, right.start + WINDOW)]
    )


def _takes_object(head: Head) -> bool:
    """Whether something follows the verb that can be its object."""
    return bool(head.after) and (head.after[0].isalnum() or head.after in OBJECT_MARKS)


def _new_request(before: str, left: Head, right: Head, joint: str) -> bool:
    """Whether an imperative after a weak joint asks for something of its own."""
    if left.kind is Kind.LOOK or (
        left.verb in AUXILIARIES and left.after in ACTORS and right.verb not in COMMUNICATING_VERBS
    ):
        return False
    sequence = SEQUENCE.search(joint) is not None
    has_object = right.after in DETERMINERS
    noun = right.verb in NOUN_LIKE_VERBS and not (has_object or sequence)
    if noun or (left.verb in PIPELINE_VERBS and right.verb in PIPELINE_VERBS):
        return False
    if SCOPE.search(before) or any(word in ACTIONS for word in PURPOSE.findall(before)):
        asked = right.verb in COMMUNICATING_VERBS or right.after in DELIVERABLES
        return asked or (right.verb not in STEP_VERBS and (sequence or "," in joint))
    return True


def _new_question(before: str, left: Head, right: Head, text: str) -> bool:
    """Whether a question after a weak joint wants an answer of its own."""
    words = len(WORD.findall(text))
    if right.verb in WH_WORDS:
        if left.kind is Kind.QUESTION:
            return words > 2
        inverted = right.after in INVERTING or right.verb in ("what's", "whats", "who's")
        return words > 3 and (inverted or (right.after in BEING and not _asks_inside(before)))
    if left.kind is Kind.QUESTION:
        return words > 2 and before.rsplit(maxsplit=1)[-1].lower() not in AUXILIARIES
    return words > 2 and right.after in SUBJECTS


def _asks_inside(before: str) -> bool:
    return any(word.lower() in WH_WORDS for word in WORD.findall(before))
