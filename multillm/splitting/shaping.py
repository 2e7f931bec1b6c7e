"""Sentences that ask for nothing of their own: they say what the answer to a request looks like."""

from __future__ import annotations

import re

from multillm.splitting.lexicon import DELIVERABLES, words

__all__ = ["names_deliverable", "restates", "states_form", "wants_one_answer"]

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
LONGEST = 140


def wants_one_answer(masked: str, start: int, end: int) -> bool:
    """Whether "reply with the number only" or the like leaves room for one answer and no other."""
    return end - start <= LONGEST and ONE_ANSWER.match(masked, start, end) is not None


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
