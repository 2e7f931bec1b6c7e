"""What a clause opens with: a request, a question, a constraint or a statement."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from multillm.splitting.leadins import skip_lead_in
from multillm.splitting.lexicon import (
    AUXILIARIES,
    CONSTRAINT_VERBS,
    DETERMINERS,
    FUNCTION_WORDS,
    LOOKING_VERBS,
    NOUN_LIKE_VERBS,
    OBJECT_OPENERS,
    REQUEST_VERBS,
    WH_WORDS,
    words,
)

__all__ = ["ASKING", "Head", "Kind", "Request", "read_head"]

WORDS = re.compile(r"([A-Za-z][\w'’-]*)(?:\s*([A-Za-z][\w'’-]*|\d[\d.,]*|[^\w\s]))?(?:\s*([A-Za-z][\w'’-]*))?")
CLOSING = re.compile(
    r"(?:write\s+(?:down|out)|show|explain|check|verify)\s+(?:each|every|all)\s+(?:the\s+|your\s+)?(?:steps?|workings?)\b"
    r"|(?:check|verify|double-check)\s+your\s+(?:results?|answers?|work|calculations?|solutions?)\b|"
    r"(?:explain|show|justify|give|state|describe|say|defend)\s+(?:me\s+)?(?:your|all\s+(?:your|the))\b"
    r"|(?:give|show|provide|list|include|add|cite|name)\s+(?:me\s+)?(?:(?:an?|one|two|some|few|couple|of|any|actual|"
    r"concrete|minimal|short|brief|quick|small|simple|relevant|specific)\s+)*"
    r"(?:examples?|reasons?|sources?|details?|explanation|argument|type\s+hints?|comments)\b(?!\s+to\b)"
    r"|(?:explain|say|state|describe)\s+(?:how\s+sure|how\s+confident|why(?:\s*[.,;!?]|\s*$|\s+(?:you|not|or)\b)|which\s+\w+\s+you\s+(?:used?|rel(?:y|ied)|chose|applied|assumed?))"
    r"|(?:write|answer|explain|do|respond|reply|put|phrase)\s+(?:it\s+|them\s+|this\s+|everything\s+)?(?:in|using|with|at|like|as|from)\b"
    r"(?!\s+(?:\w+\s+){1,6}(?:what|how|why|when|whether|which)\b)"
    r"|(?:explain|justify|discuss|elaborate|compare)\s*(?:[.,;!?]|$)|explain\s+the\s+trade-?offs?\b|justify\b"
    r"|comment\s+(?:it|(?:all\s+|on\s+)?(?:the|your)\s+code)\b|leave\s+out\b|(?:leave|keep)\s+(?:everything|all|the\s+rest)\b|(?:make|leave|set)\s+(?:sure|certain)\b|call\s+(?:it|them|the)\b|take\s+(?:care|into)\b"
    r"|(?:return|output|present|format|structure|organi[sz]e|arrange|sort|group|order)\s+(?:it|them|everything|the\s+(?:results?|output|answers?))\b",
    re.IGNORECASE,
)
NO_OBJECT = words(
    """
    of is are was were and or but has had have will would can could should may might does did than being been
    be
    """
)
NOUN_FOLLOWED = NO_OBJECT | frozenset(["attached", "below", "above", "included", "enclosed", "pasted"])
NUMBERED_NOUNS = words("class figure grade note phase question release season step")
COMPOUNDING = frozenset(["notes", "request", "requests", "suite", "results", "base", "dump", "attached", "below"])
ADDRESSING_VERBS = frozenset(["reply", "talk", "speak", "write"])
NOT_ASKING = frozenset(["not", "n't", "also"])


CLOSING_VERBS = words(
    """
    explain show justify give state describe say defend provide list include add cite name write answer do respond
    reply put phrase discuss elaborate check verify double-check compare make leave set call take return output
    present format structure organise organize arrange sort group order tell comment keep
    """
)


class Kind(StrEnum):
    """What a clause does."""

    REQUEST = "request"
    QUESTION = "question"
    CONSTRAINT = "constraint"
    LOOK = "look"
    STATEMENT = "statement"


ASKING = frozenset([Kind.REQUEST, Kind.QUESTION, Kind.LOOK])


class Head(NamedTuple):
    """How a clause opens.

    Attributes
    ----------
    kind : Kind
        What the clause does.
    start : int
        Where it begins, lead-ins and markers passed over.
    verb, after : str
        First two words, lower-cased.
    """

    kind: Kind
    start: int
    verb: str
    after: str


class Request(NamedTuple):
    """A request on the way to becoming a sub-task.

    Attributes
    ----------
    head : Head
        How it opens.
    start, end : int
        What it spans.
    """

    head: Head
    start: int
    end: int


def read_head(masked: str, start: int, end: int) -> Head:
    """What a clause opens with.

    Parameters
    ----------
    masked : str
        Prompt with what is protected overwritten.
    start, end : int
        The clause.

    Returns
    -------
    Head
        Its kind, where it begins and its first words.
    """
    begin = skip_lead_in(masked, start, end)
    match = WORDS.match(masked, begin, end)
    if match is None:
        return Head(Kind.STATEMENT, begin, "", "")
    first, second, third = match.groups("")
    verb, after = first.lower(), second.lower()
    kind = _kind(verb, "" if second == "A" else after, third.lower())
    if kind is Kind.REQUEST and verb in CLOSING_VERBS and CLOSING.match(masked, begin, end):
        kind = Kind.CONSTRAINT
    return Head(kind, begin, verb, after)


def _kind(verb: str, after: str, third: str) -> Kind:  # noqa: PLR0911 - one return a rule reads best
    if verb in WH_WORDS:
        return Kind.QUESTION
    if (verb, after) in VERB_PHRASES or ((verb, after) in TWO_WORD_VERBS and third in DETERMINERS):
        return Kind.REQUEST
    if verb in AUXILIARIES and after not in NOT_ASKING and (verb, after) != ("do", "the"):
        return Kind.QUESTION if verb not in ("do", "don't") or after in SUBJECTS else Kind.CONSTRAINT
    if _is_noun(verb, after, third):
        return Kind.STATEMENT
    if verb == "take" and after[:1].isdigit():
        return Kind.REQUEST
    if (verb, after) == ("do", "the"):
        return Kind.STATEMENT
    if verb in LOOKING_VERBS and after not in ("at", "over", "through", "into"):
        return Kind.LOOK
    if verb in REQUEST_VERBS or verb in ("go", "read"):
        return Kind.REQUEST
    if verb in CONSTRAINT_VERBS:
        return Kind.CONSTRAINT
    return Kind.REQUEST if _looks_imperative(verb, after) else Kind.STATEMENT


def _is_noun(verb: str, after: str, third: str) -> bool:
    """Whether the first word of a clause is no verb, by the two words after it."""
    if verb == "act" or after in NO_OBJECT or after == ":" or (verb in NUMBERED_NOUNS and after.isdigit()):
        return True
    if verb not in NOUN_LIKE_VERBS or after in DETERMINERS or (verb in ADDRESSING_VERBS and after == "to"):
        return False
    return after in ("to", "by") or third in NOUN_FOLLOWED or after in COMPOUNDING


def _looks_imperative(verb: str, after: str) -> bool:
    """Whether an unknown word before an object is a verb in its base form."""
    if (
        after not in OBJECT_OPENERS
        or verb in FUNCTION_WORDS
        or verb in AUXILIARIES
        or not verb.replace("-", "").isalpha()
    ):
        return False
    return len(verb) > 2 and not (
        verb.endswith(("ed", "ing", "ly")) or (verb.endswith("s") and not verb.endswith("ss"))
    )


VERB_PHRASES = frozenset(
    [
        ("ask", "me"),
        ("cover", "it"),
        ("cover", "them"),
        ("have", "a"),
        ("take", "a"),
        ("do", "a"),
        ("do", "an"),
        ("do", "some"),
    ]
    + [(verb, "check") for verb in ("double", "fact", "sanity")]
)
TWO_WORD_VERBS = frozenset(
    [(kind, "test") for kind in ("unit", "load", "stress", "smoke", "pen", "field", "property", "fuzz")]
    + [("peer", "review"), ("copy", "edit"), ("spell", "check"), ("cross", "check"), ("back", "up"), ("dry", "run")]
)
SUBJECTS = words(
    """
    i we you they he she it the these those any my our people
    """
)
