"""Where one sentence asks for several things."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from multillm.splitting.base import FILLER
from multillm.splitting.heads import ADDRESSING_VERBS, NAMING, WORD, Head, Kind, read_head
from multillm.splitting.lexicon import (
    AUXILIARIES,
    COMMUNICATING_VERBS,
    DELIVERABLES,
    DETERMINERS,
    JUDGING_VERBS,
    LOOKING_VERBS,
    MAKING_VERBS,
    NOUN_LIKE_VERBS,
    PIPELINE_VERBS,
    REQUEST_VERBS,
    STEP_VERBS,
    UNFINISHED,
    WH_WORDS,
    words,
)

__all__ = ["Cut", "cuts", "embedded_head"]

JOINT = re.compile(
    r"[,(\s](?:(?<=,)|(?<=\s)(?:(?:[-\u2013\u2014+&/\u2192]|[-=]>)(?=\s)"
    r"|(?i:and|then|plus|also|as\s+well\s+as|after\s+(?:that|which|this))\b)|(?<=\()[^()\n]{0,400}\))"
)
OPENER = re.compile(
    r"[,:]\s|\s[-\u2013\u2014]\s|\s(?:so|and|but)\s(?=(?:please|can|could|would|i\s+need|i\s+want)\b)", re.IGNORECASE
)
JOINED = re.compile(r"\s*(?:and|or|then|but|also)\b(?!\s+(?:please|can|could|would|i)\b)", re.IGNORECASE)
OBLIGED = re.compile(
    r"\b(?:it|they|he|she|this|that|there|\w+s)\s+(?:should|must|can|could|will|would|may|might|needs?\s+to|ha(?:s|ve)\s+to)\b[^.;:]*\Z",
    re.IGNORECASE,
)
ALTERNATIVE = re.compile(r",\s+or\b", re.IGNORECASE)
FURTHER = re.compile(r"\s*(?:,\s*)?(?:as\s+well\s+as|and\s+(?:also|then)|plus|then|[+&])\s", re.IGNORECASE)
POLITE = re.compile(r"\b(?:please|pls|kindly|(?:can|could|would)\s+you)\b", re.IGNORECASE)
REPORTING = re.compile(
    r"(?:(?:tell|show)\s+(?:me|us)|let\s+(?:me|us)\s+know|say|list|note|report|point\s+out|flag|mark)\s+"
    r"(?:what|which|where|whether|if|how|any|anything|every|all|(?:the|all\s+the)\s+(?:mistakes|errors|issues|problems|bugs|faults))\b",
    re.IGNORECASE,
)
CONDITION = re.compile(
    r"(?:if|when|unless|where|once|based\s+on|using|from|given|with|for\s+each|taking|considering|on\s+the\s+(?:basis|strength)\s+of)\b"
    r"[^,.;:\n]{1,120},",
    re.IGNORECASE,
)
CONDITION_OPENERS = words("if when unless where once based using from given with for taking considering on")
ASKED_VERBS = REQUEST_VERBS - STEP_VERBS
ASKING_KINDS = frozenset([Kind.REQUEST, Kind.QUESTION, Kind.WISH])
COLON = re.compile(r":(?=\s)")
SCOPE = re.compile(
    r"\b(?:(?:that|which|who)\s+(?!\w+s\b|(?:down|up|out|in|to|for|with|at|on|from|and|as|by)\b)|how\s+to"
    r"|(?:where|should|shall|must|can|(?<!what )(?:could|might)|will|would|may|if|when|while|let)\b)"
)
PROGRAM = re.compile(
    r"\b(?:script|program|macro|function|job|playbook|bot|daemon|command|tool|query|trigger|task)\s+to\s+\w+[^.;:]*\Z"
)
OBLIGATION = re.compile(r"\b(?:shall|must)\b")
PURPOSE = re.compile(r"\bto\s+([a-z-]+)")
ACTIONS = REQUEST_VERBS | STEP_VERBS | LOOKING_VERBS
SEQUENCE = re.compile(r"then|also|plus|after|as\s+well", re.IGNORECASE)
OBJECT_MARKS = frozenset("\"`'(</[" + FILLER)
WINDOW = 300
ACTORS = frozenset(["i", "we", "you", "they", "one"])
INVERTING = frozenset(["do", "does", "did", "can", "could", "should", "would", "will"])
THIRD_PERSONS = frozenset(["he", "she", "they"])
INSPECTING = frozenset(
    ["look", "go", "read", "listen", "check", "lint", "inspect", "examine", "study", "scan", "browse"]
)
UNASKING_VERBS = MAKING_VERBS - JUDGING_VERBS | words(
    "add play book rate translate rewrite schedule convert fix reserve"
)
CONTRACTED = frozenset(["what's", "what’s", "whats", "who's", "who’s", "where's", "where’s"])
RELATIVE_WORDS = frozenset(["who", "whom", "whose", "which", "where", "when"])
DEGREE = re.compile(
    r"how\s+\w+\s+(?:\w+\s+){0,2}?(?:is|are|was|were|does|do|did|can|should|would|will)\b", re.IGNORECASE
)
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
    limit = end
    if head.kind is not Kind.QUESTION and masked.find(":", head.start, end) >= 0:
        end = _end_of_words(masked, head.start, end)
    left, position, series = head, head.start, False
    while match := JOINT.search(masked, position, end):
        joint, position = match.span()
        if masked[joint] == "(":
            continue
        right, resume = _head_after(masked, joint, end)
        if right.kind in ASKING_KINDS and _separates(masked, left, joint, right, limit, series=series):
            yield Cut(joint, right)
            left, series = right, right.kind is Kind.REQUEST
        position = max(position, resume)


def _end_of_words(masked: str, start: int, end: int) -> int:
    """Where a colon announces data or an explanation, unless all that it announces is a quotation."""
    for colon in COLON.finditer(masked, start, end):
        if masked[colon.end() : colon.end() + 2].strip() != FILLER:
            return colon.start()
    return end


def _head_after(masked: str, start: int, end: int) -> tuple[Head, int]:
    """Head after a joint; a condition before the verb counts as part of the request."""
    right = read_head(masked, start, end)
    condition = CONDITION.match(masked, right.start, end) if right.verb in CONDITION_OPENERS else None
    if condition is None:
        return right, right.start
    inner = read_head(masked, condition.end(), end)
    return inner._replace(start=right.start), inner.start


def embedded_head(masked: str, start: int, end: int, asks: bool) -> Head | None:
    """The request that a statement leads up to: "For the blog, write ..."; `asks` if a question mark closes it."""
    for match in OPENER.finditer(masked, start, end):
        if JOINED.match(masked, match.end()):
            continue
        head = read_head(masked, match.end(), end)
        if not asks and head.verb in RELATIVE_WORDS:
            continue
        if _asks_clearly(head) and not OBLIGED.search(masked, max(start, match.start() - WINDOW), match.start()):
            return head
    return None


def _asks_clearly(head: Head) -> bool:
    if head.kind is Kind.QUESTION:
        return head.verb in WH_WORDS or head.after in SUBJECTS
    return head.kind is Kind.REQUEST and (head.verb not in NOUN_LIKE_VERBS or head.after in DETERMINERS)


def _separates(masked: str, left: Head, joint: int, right: Head, end: int, *, series: bool) -> bool:  # noqa: PLR0911 - one return a rule
    before = masked[max(left.start, joint - WINDOW) : joint]
    words = WORD.findall(before)
    if len(words) < 2 or (not before.endswith(FILLER) and _is_unfinished(words[-1], masked[joint])):
        return False
    marker = masked[joint : right.start]
    if ALTERNATIVE.match(marker) or (left.verb in INSPECTING and REPORTING.match(masked, right.start)):
        return False
    if right.verb == NAMING:
        return left.verb == NAMING or (
            left.verb in MAKING_VERBS
            and FURTHER.match(marker) is not None
            and not DELIVERABLES.isdisjoint(word.lower() for word in words[1:9])
        )
    if right.kind is Kind.WISH or left.kind is Kind.WISH:
        if left.kind is Kind.WISH and POLITE.search(marker):
            return True
        return right.kind in (Kind.WISH, Kind.QUESTION) and (right.verb not in WH_WORDS or right.after in AUXILIARIES)
    if right.kind is Kind.REQUEST:
        return _takes_object(right) and _new_request(before, left, right, marker, series=series)
    return _new_question(before, left, right, marker, masked[right.start : min(end, right.start + WINDOW)])


def _is_unfinished(word: str, joint: str) -> bool:
    """Whether a clause cannot end with a word; before a comma an auxiliary may, and "A" may be a unit."""
    lowered = word.lower()
    return lowered in UNFINISHED and word != "A" and not (joint == "," and lowered in AUXILIARIES)


def _takes_object(head: Head) -> bool:
    """Whether something follows the verb that can be its object."""
    return bool(head.after) and (head.after[0].isalnum() or head.after in OBJECT_MARKS)


def _new_request(before: str, left: Head, right: Head, joint: str, *, series: bool) -> bool:  # noqa: PLR0911 - one return a rule
    """Whether an imperative after a weak joint, perhaps in a series of them, asks for something of its own."""
    if left.kind is Kind.LOOK or (
        left.verb in AUXILIARIES and left.after in ACTORS and right.verb not in COMMUNICATING_VERBS
    ):
        return False
    sequence = SEQUENCE.search(joint) is not None
    if left.verb in WH_WORDS and left.after in INVERTING and joint.strip(" ,\n").lower() == "and" and "," not in joint:
        return False
    if right.verb in STEP_VERBS and right.after in ("everything", "all"):
        return right.verb == "put"
    has_object = right.after in DETERMINERS
    addressed = right.verb in ADDRESSING_VERBS and right.after == "to"
    noun = right.verb in NOUN_LIKE_VERBS and not (has_object or sequence or addressed or series)
    if noun or (left.verb in PIPELINE_VERBS and right.verb in PIPELINE_VERBS):
        return False
    if PROGRAM.search(before):
        return _is_asked(right)
    opening = len(left.verb) if left.kind is Kind.QUESTION else 0
    if SCOPE.search(before, opening) or any(word in ACTIONS for word in PURPOSE.findall(before)):
        return _is_asked(right) or (
            right.verb in ASKED_VERBS and (sequence or ("," in joint and not OBLIGATION.search(before)))
        )
    return True


def _is_asked(right: Head) -> bool:
    """Whether one asks an assistant, rather than a program, for something like this."""
    return right.verb in COMMUNICATING_VERBS or right.after in DELIVERABLES or right.after in ("me", "us")


def _new_question(before: str, left: Head, right: Head, marker: str, text: str) -> bool:
    """Whether a question after a weak joint wants an answer of its own."""
    words = len(text.split())
    if right.verb in WH_WORDS:
        if left.kind is Kind.QUESTION:
            return words > 2 or (words == 2 and right.verb in CONTRACTED)
        inverted = right.after in INVERTING or right.verb in CONTRACTED
        inverted = inverted or DEGREE.match(text) is not None
        if words > 3 and (inverted or (right.after in BEING and not _asks_inside(before))):
            return True
        return words > 3 and left.verb in UNASKING_VERBS and SEQUENCE.search(marker) is not None
    if left.kind is Kind.REQUEST and right.after in THIRD_PERSONS:
        return False
    if left.kind is Kind.QUESTION:
        return words > 2 and before.rsplit(maxsplit=1)[-1].lower() not in AUXILIARIES
    return words > 2 and right.after in SUBJECTS


def _asks_inside(before: str) -> bool:
    return any(word.lower() in WH_WORDS for word in WORD.findall(before))
