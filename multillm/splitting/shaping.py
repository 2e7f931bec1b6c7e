"""Sentences that ask for nothing of their own: they say what the answer to a request looks like."""

from __future__ import annotations

import re

from multillm.splitting.heads import Head
from multillm.splitting.lexicon import CREATING_VERBS, DELIVERABLES, words

__all__ = ["names_deliverable", "restates", "says_more", "states_form", "wants_one_answer"]

ANSWERING = words("reply answer respond output return print give write say provide show only just")
ONE_NOUN = (
    r"(?:the|a|an|its|one)\s+(?:\w+\s+){0,2}?"
    r"(?:answer|letter|number|code|word|name|json|result|output|query|value|sql|xml|yaml|csv)"
)
ONE_ANSWER = re.compile(
    rf"""(?:only\s+|just\s+)?
    (?:
        (?:reply|answer|respond|output|return)\b(?:\s+(?:me|back|with|in))*\s+
        (?:
            (?:only|just|nothing\s+but)\s+(?!the\s+\w+s\b)                                # "Reply with only a letter"
            | (?:exactly\s+)?(?:one|a\s+single)\s+(?:word|letter|number|line|sentence)\b  # "Answer in one word"
            | [^.,;:?!\n]{{0,60}}?\b(?<!s\s)only\b                                        # "Return the JSON only"
        )
        | (?:print|give|write|say|provide|show)\s+(?:me\s+)?
        (?:
            (?:only|just|nothing\s+but)\s+{ONE_NOUN}\b                                    # "Give me just the answer"
            | {ONE_NOUN}\s+only\b                                                         # "Print the final value only"
        )
    )
    [^.;:?!\n]{{0,60}}\Z""",
    re.IGNORECASE | re.VERBOSE,
)
FORM = re.compile(
    r"""(?:give|state|name|provide|indicate|report|return)\s+
    (?:me\s+)?(?:only\s+|just\s+)?(?:the|its|their|your)\s+(?:\w+\s+){0,2}
    (?:
        answer | result | value | number | figure | amount | percentage | unit | year | date  # "Give the year only"
        | name | surname | initials? | title | country | city                                 # "State their surnames"
        | word | letter | line | option | symbol | abbreviation | formula                     # "Name the right option"
    )s?
    (?:\s+only)?\W*\Z""",
    re.IGNORECASE | re.VERBOSE,
)
RESTATED = re.compile(
    r"""(?:so\s+)?what(?:['’]?s|\s+is|\s+are)\s+
    (?:
        wrong                                                       # "So what's wrong with it?"
        | the\s+(?:problem|issue|bug|mistake|error|fault|matter)s?  # "What are the mistakes here?"
    )\b
    (?:\s+(?:with|in|here)\b.{0,40})?\W*\Z""",
    re.IGNORECASE | re.VERBOSE,
)
FRAGMENT = re.compile(
    r"""(?:
        (?!(?:
            we | i | they | you | he | she | there                 # not "we want a version"
            | no | not | only | max | maximum | at | up | about    # not "at most two versions"
            | each | both | the | this | that | my | our | it | your
            | with | without | in | and | or | for                 # not "with hashtags"
        )\b)
        [\w'’-]+\s+
    ){0,4}?
    ([\w-]+)                                                       # "A short French version"
    (?:\s+(?:for|of|on|about|to|per|in|with)\b[^.,;:!?\n]{1,60})?  # "Hashtags for the post"
    (?:\s+(?:please|pls|too|as\s+well|for\s+it))*\W*\Z             # "Hashtags too, please"
    """,
    re.IGNORECASE | re.VERBOSE,
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
    r"""\w+\s+(?:me\s+|us\s+)?(?:an?|the|our|one)\s+(?:[\w'’-]+\s+){0,3}?
    (?:
        guide | readme | manual | tutorial | faq | documentation | docs | handbook | runbook  # "Write a short guide"
        | article | post | page | report | essay | story | brochure | leaflet                 # "Draft us an essay"
        | policy | memo | letter | email | speech | prd | spec                                # "Write the memo"
    )\b""",
    re.IGNORECASE | re.VERBOSE,
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
