"""Sentences that ask for nothing of their own: they say what the answer to a request looks like."""

from __future__ import annotations

import re

from multillm.splitting.heads import Head
from multillm.splitting.lexicon import CREATING_VERBS, DELIVERABLES, words

__all__ = ["names_deliverable", "restates", "says_more", "states_form", "wants_one_answer"]

ANSWERING = words("reply answer respond output return print give write say provide show only just")
ONE_ANSWER = re.compile(
    r"(?:only\s+|just\s+)?(?:(?:reply|answer|respond|output|return)\b(?:\s+(?:me|back|with|in))*\s+"
    r"(?:(?:only|just|nothing\s+but)\s+(?!the\s+\w+s\b)|(?:exactly\s+)?(?:one|a\s+single)\s+(?:word|letter|number|line|sentence)\b"
    r"|[^.,;:?!\n]{0,60}?\b(?<!s\s)only\b)"
    r"|(?:print|give|write|say|provide|show)\s+(?:me\s+)?(?:(?:only|just|nothing\s+but)\s+(?:the|a|an|its|one)\s+(?:\w+\s+){0,2}?{noun}\b"
    r"|(?:the|a|an|its|one)\s+(?:\w+\s+){0,2}?{noun}\s+only\b))"
    r"[^.;:?!\n]{0,60}\Z".replace(
        "{noun}", "(?:answer|letter|number|code|word|name|json|result|output|query|value|sql|xml|yaml|csv)"
    ),
    re.IGNORECASE,
)
FORM = re.compile(
    r"(?:give|state|name|provide|indicate|report|return)\s+(?:me\s+)?(?:only\s+|just\s+)?(?:the|its|their|your)\s+"
    r"(?:\w+\s+){0,2}(?:name|surname|number|letter|value|year|date|answer|result|word|unit|line|option|title|initials?"
    r"|percentage|amount|country|city|formula|symbol|abbreviation|figure)s?(?:\s+only)?\W*\Z",
    re.IGNORECASE,
)
RESTATED = re.compile(
    r"(?:so\s+)?what(?:['’]?s|\s+is|\s+are)\s+(?:wrong|the\s+(?:problem|issue|bug|mistake|error|fault|matter)s?)\b"
    r"(?:\s+(?:with|in|here)\b.{0,40})?\W*\Z",
    re.IGNORECASE,
)
FRAGMENT = re.compile(
    r"(?:(?!(?:we|i|they|you|he|she|there|no|not|only|max|maximum|at|up|about|each|both|with|without|in|and|or|for|the|this|that|my|our|it|your)\b)[\w'’-]+\s+){0,4}?"
    r"([\w-]+)(?:\s+(?:for|of|on|about|to|per|in|with)\b[^.,;:!?\n]{1,60})?(?:\s+(?:please|pls|too|as\s+well|for\s+it))*\W*\Z",
    re.IGNORECASE,
)
FRAGMENT_NOUNS = DELIVERABLES - words(
    "page paragraph sentence sentences message documents email example examples bullets"
) | words("version hashtags solutions answers")
COMPARING = frozenset(["compare", "assess", "evaluate", "review", "rate", "judge", "decide", "recommend", "choose"])
LOOKED_AT = re.compile(r"look\s+at\s+(?:the|this|that|these|those|my|our|your)\b", re.IGNORECASE)
TELLING = frozenset(
    ["explain", "describe", "list", "mention", "discuss", "define", "outline", "introduce", "say", "tell"]
)
POINTING = re.compile(r"\b(?:it|its|them|their|this|that|these|those|your|me|each|every|why)\b", re.IGNORECASE)
TOLD_IN = re.compile(
    r"\w+\s+(?:me\s+|us\s+)?(?:an?|the|our|one)\s+(?:[\w'’-]+\s+){0,3}?(?:guide|readme|article|post|page|documentation|docs|manual"
    r"|tutorial|faq|policy|report|essay|memo|leaflet|handbook|runbook|brochure|story|letter|email|speech|prd|spec)\b",
    re.IGNORECASE,
)
FEW_WORDS = 6
LONGEST = 140


def wants_one_answer(masked: str, head: Head, end: int) -> bool:
    """Whether "reply with the number only" or the like leaves room for one answer and no other."""
    if head.verb not in ANSWERING or end - head.start > LONGEST:
        return False
    return ONE_ANSWER.match(masked, head.start, end) is not None


def says_more(masked: str, head: Head, end: int, start: int, last: Head) -> bool:
    """Whether an imperative only says more of what the request before it, from `start` on, makes or compares."""
    if head.verb == "make" and head.after in ("it", "them"):
        return last.verb in CREATING_VERBS and len(masked[head.start : end].split()) <= FEW_WORDS
    if head.verb == "look":
        return head.after == "at" and last.verb in COMPARING and LOOKED_AT.match(masked, head.start, end) is None
    if head.verb not in TELLING or POINTING.search(masked, head.start, min(end, head.start + LONGEST)):
        return False
    return last.verb in CREATING_VERBS and TOLD_IN.match(masked, start, head.start) is not None


def states_form(masked: str, start: int, end: int) -> bool:
    """Whether "give the surname" or the like says which form the answer to a question takes."""
    return end - start <= LONGEST and FORM.match(masked, start, end) is not None


def names_deliverable(masked: str, start: int, end: int) -> bool:
    """Whether a sentence without a verb, such as "A French version too", names something to make."""
    found = FRAGMENT.match(masked, start, end) if end - start <= LONGEST else None
    return found is not None and found[1].lower() in FRAGMENT_NOUNS


def restates(masked: str, start: int, end: int) -> bool:
    """Whether "what is wrong with it?" or the like asks again what a request to judge has asked."""
    return end - start <= LONGEST and RESTATED.match(masked, start, end) is not None
