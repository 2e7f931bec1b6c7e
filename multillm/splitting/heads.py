"""What a clause opens with: a request, a question, a constraint or a statement."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from multillm.splitting.lexicon import (
    AUXILIARIES,
    CONSTRAINT_VERBS,
    DELIVERABLES,
    DETERMINERS,
    FUNCTION_WORDS,
    LOOKING_VERBS,
    NOUN_LIKE_VERBS,
    OBJECT_OPENERS,
    REQUEST_VERBS,
    WH_WORDS,
    words,
)

__all__ = ["Head", "Kind", "read_head", "skip_lead_in"]

MARKERS = (
    "and", "but", "or", "then", "also", "plus", "next up", "next", "additionally", "furthermore", "moreover", "besides",
    "in addition", "afterwards", "afterward", "later", "after that", "after this", "after which", "following that",
    "as well as", "on top of that", "while you're at it", "at the end", "in the end", "to finish", "to begin with",
    "to start with", "to start", "either way", "finally", "lastly", "last", "before anything else", "first of all",
    "first", "firstly", "second", "secondly", "third", "thirdly", "fourth", "when done", "once done", "&", r"\+",
    r"(?:once|when) (?:that|this|it|you)(?:'s|’s| is|'re|’re| are) (?:done|finished|ready)",
    r"(?:now )?(?:my |the )?(?:first|second|third|last|other|next|real|actual) (?:question|task|thing|part)(?: is)?",
)  # fmt: skip
COURTESIES = (
    "please", "pls", "plz", "kindly", "hi", "hello", "hey", "ok", "okay", "so", "well", "right", "now", "today", "just",
    "quickly", "briefly", "thanks", "cheers", "maybe", "there",
)  # fmt: skip
ASKING = (
    "(?:can|could|would|will|might) (?:you|u)(?: be so kind (?:as )?to)?", "feel free to", "go ahead and",
    "(?:i|we)(?:'d|’d| would| also| really)? (?:also |really )?(?:want|need|like|love|ask)(?: for)? (?:you|u) to",
    "(?:i|we)(?:'d|’d| would)? (?:want|need|like|love) to (?=know|understand|learn|see)",
    "your (?:task|job) is to", "let's", "let’s", "lets", "let us", "would you mind", "help (?:me|us)(?: to)?", "i need",
    "i want", "(?:i'd|i’d|i would|we'd|we would) like", "we need", "we want",
)  # fmt: skip


def _phrases(phrases: tuple[str, ...]) -> str:
    return "|".join(phrase.replace(" ", r"\s+") for phrase in phrases)


LEAD_IN = re.compile(
    rf"(?:(?:{_phrases(MARKERS)}|{_phrases(COURTESIES)}|{_phrases(ASKING)})(?![\w'’-])[\s,:!.]*|[\s,:;*•\u2013\u2014-]+)*",
    re.IGNORECASE,
)
FIRST_WORD = re.compile(r"[\s,:;*•\u2013\u2014-]*([\w'’]+|[&+]|\Z|.)", re.DOTALL)
LEAD_IN_WORDS = words(
    """
    & + additionally after afterward afterwards also and as at before besides briefly but can cheers could
    either feel finally first firstly following fourth furthermore go hello help hey hi i i'd i’d in just
    kindly last lastly later let let's let’s lets maybe might moreover my next now ok okay on once or please
    pls plus plz quickly right second secondly so thanks the then there third thirdly to today u we we'd we’d
    well when while will would your
    """
)
WORDS = re.compile(r"([A-Za-z][\w'’-]*)(?:\s*([A-Za-z][\w'’-]*|\d[\d.,]*|[^\w\s]))?(?:\s*([A-Za-z][\w'’-]*))?")
CLOSING = re.compile(
    r"(?:explain|show|justify|give|state|describe|say|defend)\s+(?:me\s+)?(?:your|all\s+(?:your|the))\b"
    r"|(?:give|show|provide|list|include|add|cite|name)\s+(?:me\s+)?(?:(?:an?|one|two|some|few|couple|of|any|actual|"
    r"concrete|minimal|short|brief|quick|small|simple|relevant|specific)\s+)*"
    r"(?:examples?|reasons?|sources?|details?|explanation|argument|type\s+hints?|comments)\b"
    r"|(?:explain|say|state|describe)\s+(?:how\s+sure|how\s+confident|why(?:\s*[.,;!?]|\s*$|\s+(?:you|not|or)\b)|which\s+\w+\s+you\s+(?:used?|rel(?:y|ied)|chose|applied|assumed?))"
    r"|(?:write|answer|explain|do|respond|reply|put|phrase)\s+(?:it\s+|them\s+|this\s+|everything\s+)?(?:in|using|with|at|like|as|from)\b"
    r"|(?:explain|justify|discuss|elaborate|compare)\s*(?:[.,;!?]|$)|explain\s+the\s+trade-?offs?\b|justify\b"
    r"|(?:make|leave|set)\s+(?:sure|certain)\b|call\s+(?:it|them|the)\b|take\s+(?:care|into)\b"
    r"|(?:return|output|present|format|structure|organi[sz]e|arrange|sort|group|order)\s+(?:it|them|everything|the\s+(?:results?|output|answers?))\b",
    re.IGNORECASE,
)
NEEDING = re.compile(r"\b(?:need|want|like)\s*\Z", re.IGNORECASE)
WORD = re.compile(r"[^\W_][\w'’-]*")
ARTICLES = words(
    """
    a an the another some one two three four five six
    """
)
NAMING = "need"
WISH = re.compile(
    r"\b(?:i|we)(?:\s*(?:'d|’d|d|would|really|also))*\s+(?:want|need|wish|like|love)\s+to\Z", re.IGNORECASE
)
WISHING = frozenset(["to"])
NO_OBJECT = words(
    """
    of is are was were and or but has had have will would can could should may might does did than being been
    be by
    """
)
NOUN_FOLLOWED = NO_OBJECT | frozenset(["attached", "below", "above", "included", "enclosed", "pasted"])
COMPOUNDING = frozenset(["request", "requests", "suite", "results", "base", "dump", "attached", "below"])
NOT_ASKING = frozenset(["not", "n't", "also"])


CLOSING_VERBS = words(
    """
    explain show justify give state describe say defend provide list include add cite name write answer do respond reply
    put phrase discuss elaborate compare make leave set call take return output present format structure organise
    organize arrange sort group order tell
    """
)


class Kind(StrEnum):
    """What a clause does."""

    REQUEST = "request"
    QUESTION = "question"
    CONSTRAINT = "constraint"
    LOOK = "look"
    WISH = "wish"
    STATEMENT = "statement"


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


def skip_lead_in(masked: str, start: int, end: int) -> int:
    """Position after markers, courtesies and phrases such as "can you"."""
    first = FIRST_WORD.match(masked, start, end)
    if first is None:
        return start
    if first[1].lower() not in LEAD_IN_WORDS:
        return first.start(1)
    match = LEAD_IN.match(masked, start, end)
    return match.end() if match else start


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
    verb, after, third = ((match[group] or "").lower() for group in (1, 2, 3))
    kind = _kind(verb, "" if match[2] == "A" else after, third)
    if kind is Kind.STATEMENT and begin > start and _names_deliverable(masked, start, begin, verb, end):
        return Head(Kind.REQUEST, begin, NAMING, after)
    wish = WISH.search(masked, start, begin + 2) if kind is Kind.STATEMENT and verb in WISHING else None
    if wish is not None:
        return Head(Kind.WISH, wish.start(), "want", after)
    if kind is Kind.REQUEST and verb in CLOSING_VERBS and CLOSING.match(masked, begin, end):
        kind = Kind.CONSTRAINT
    return Head(kind, begin, verb, after)


def _names_deliverable(masked: str, start: int, begin: int, first: str, end: int) -> bool:
    """Whether "I need", "next:" or the like leads up to a noun that names a deliverable."""
    if NEEDING.search(masked, start, begin):
        return first != "to"
    words = WORD.findall(masked, begin, min(end, begin + 60))[:6]
    return first in ARTICLES and any(word.lower() in DELIVERABLES for word in words)


def _kind(verb: str, after: str, third: str) -> Kind:  # noqa: PLR0911 - one return a rule reads best
    if verb in WH_WORDS:
        return Kind.QUESTION
    if (verb, after) in VERB_PHRASES:
        return Kind.REQUEST
    if verb in AUXILIARIES and after not in NOT_ASKING:
        return Kind.QUESTION if verb not in ("do", "don't") or after in SUBJECTS else Kind.CONSTRAINT
    if _is_noun(verb, after, third):
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
    if verb == "act" or after in NO_OBJECT or after == ":":
        return True
    if verb not in NOUN_LIKE_VERBS or after in DETERMINERS:
        return False
    return after == "to" or third in NOUN_FOLLOWED or after in COMPOUNDING


def _looks_imperative(verb: str, after: str) -> bool:
    """Whether an unknown word before an object is a verb in its base form."""
    if after not in OBJECT_OPENERS or verb in FUNCTION_WORDS or verb in AUXILIARIES or not verb.isalpha():
        return False
    return len(verb) > 2 and not (
        verb.endswith(("ed", "ing", "ly")) or (verb.endswith("s") and not verb.endswith("ss"))
    )


VERB_PHRASES = frozenset(
    [("have", "a"), ("take", "a"), ("do", "a"), ("do", "an"), ("do", "some")]
    + [(verb, "check") for verb in ("double", "fact", "sanity")]
)
SUBJECTS = words(
    """
    i we you they he she it the these those any my our people
    """
)
