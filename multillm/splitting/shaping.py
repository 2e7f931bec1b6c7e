"""Sentences that ask for nothing of their own: they say what the answer to a request looks like."""

from __future__ import annotations

import re

from multillm.splitting.lexicon import words

__all__ = ["restates", "states_form", "wants_one_answer"]

ANSWERING = words("reply answer respond output return print give write say provide only just")
ONE_ANSWER = re.compile(
    r"(?:only\s+|just\s+)?(?:reply|answer|respond|output|return|print|give|write|say|provide)\b(?:\s+(?:me|back|with|in))*\s+"
    r"(?:(?:only|just|nothing\s+but|exactly|one|a\s+single)\s+(?!the\s+\w+s\b)|[^.,;:?!\n]{0,60}?\b(?<!s\s)only\b)[^.;:?!\n]{0,60}\Z",
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
LONGEST = 140


def wants_one_answer(masked: str, start: int, end: int) -> bool:
    """Whether "reply with the number only" or the like leaves room for one answer and no other."""
    return end - start <= LONGEST and ONE_ANSWER.match(masked, start, end) is not None


def states_form(masked: str, start: int, end: int) -> bool:
    """Whether "give the surname" or the like says which form the answer to a question takes."""
    return end - start <= LONGEST and FORM.match(masked, start, end) is not None


def restates(masked: str, start: int, end: int) -> bool:
    """Whether "what is wrong with it?" or the like asks again what a request to judge has asked."""
    return end - start <= LONGEST and RESTATED.match(masked, start, end) is not None
