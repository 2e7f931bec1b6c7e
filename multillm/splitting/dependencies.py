"""Which request needs the product of an earlier one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, auto

from multillm.splitting.heads import WORD, Head, Kind
from multillm.splitting.lexicon import FUNCTION_WORDS, JUDGING_VERBS, REPAIRING_VERBS, words
from multillm.splitting.outline import Request

__all__ = ["dependencies"]

LOOKBACK = 6
WINDOW = 400

OBJECT_PRONOUN = re.compile(
    r"[\w'’-]+\s+(?:[\w'’-]+\s+){0,3}?(?:it|them|those)\b(?!\s+(?:is|are|was|were|should|would|can|has)\b)",
    re.IGNORECASE,
)
LATE_PRONOUN = re.compile(
    r"\b(?:for|of|around|about|against|from|with|to|on|into|using|uses?|calls?|runs?|covers?|explains?|exercis\w+|checks?|in|behind|drives?)\s+(?:it|them|both|those|each\s+of\s+them)\b"
    r"|\bto\s+\w+\s+(?:it|them)\b|\bits\s+\w+|\btheir\s+\w+",
    re.IGNORECASE,
)
BACKWARD = re.compile(
    r"\b(?:you|u)(?:['’]d|['’]ve|['’]ll)?\s+(?:(?:just|have|would|had|might|may|could)\s+)?(?:find|found|flag(?:ged)?|choose|chose|chosen|pick(?:ed)?"
    r"|suggest(?:ed)?|wrote|propose|proposed|identif(?:y|ied)|recommend(?:ed)?|list(?:ed)?|made|got|came|come\s+up|spot(?:ted)?|raise|raised|report(?:ed)?|produced?|created?|discover(?:ed)?)\b"
    r"|\b(?:the|these|those|all|each|every|any|most)\s+(?:\w+\s+)?(?:results?|outputs?|findings?|outcomes?|winner|conclusions?|recommendations?|flagged\s+\w+|above|latter)\b"
    r"|\byour\s+(?:own\s+)?(?!task|job|answer\s+in|view|opinion|best|full|training)[a-z]+|\bat\s+(?:that|this)\s+\w+",
    re.IGNORECASE,
)
DERIVED = re.compile(
    r"\b(?:accordingly|matching|corresponding|based\s+on\s+(?:it|them|that|this|those)|(?:short(?:er)?|second|plain|\w+['’]s)\s+version|commit\s+message|patch\s+notes|answer\s+key"
    r"|the\s+(?:answers|solutions?))\b|\b(?:a|another)\s+version\s+in\b|\A(?:pick|choose|select|recommend)\s+one\b|\A\w+\s+the\s+(?:\w+er|\w+est|best|worst|first|second)\s+(?:one|of)\b",
    re.IGNORECASE,
)
CONDITION = re.compile(r"(?:if\s+(?:yes|no|so|not|it|that|there|any|you)|where)\b", re.IGNORECASE)
PASSED_ON = re.compile(r"[\w-]+\s+(?:it|them)\b", re.IGNORECASE)
ON_FINDINGS = re.compile(
    r"\b(?:round|around|against|fix|address|resolve|avoid|remove|strike|correct|prevent|mitigate|explain|rank)\s+"
    r"(?:each\s+of\s+)?(?:them|those|that|these)\b|\bfor\s+(?:each|every\s+one|them|those|all\s+of\s+them)\b",
    re.IGNORECASE,
)
TESTING = re.compile(
    r"\w+\s+(?:(?:some|a\s+few|the|\w+)\s+)?(?:\w+\s+)?tests?\b(?!\s+(?:plan|for\s+(?:the|our|my|a)\b|that))",
    re.IGNORECASE,
)
SEQUENCE = re.compile(r"\b(?:then|after|afterwards|once|when)\b", re.IGNORECASE)
GIVEN = re.compile(
    r"[\w-]+\s+(?:up\s+|out\s+|down\s+)?(?:the|this|that|these|those|my|our|your|his|her|its|their|it|them|chapter|both|all|each)\b",
    re.IGNORECASE,
)
NEW = re.compile(
    r"(?<!\w)(?:an?|some|two|three|four|five|six|eight|ten|\d+|into)\s+((?:[\w'’/-]+\s*){1,5})", re.IGNORECASE
)
BARE = re.compile(r"\A(?:[\w-]+\s+)(?:me\s+|us\s+|up\s+|out\s+)?((?:[\w'’-]+\s*){1,3})", re.IGNORECASE)
POINTING = re.compile(r"\b(?:the|that|this|those|these|each|every)\s+((?:[\w'’-]+\s*){1,3})", re.IGNORECASE)
NOMINALS = {
    "summarise": "summary", "summarize": "summary", "translate": "translation", "compare": "comparison",
    "recommend": "recommendation", "propose": "proposal", "calculate": "result", "diagnose": "cause",
    "assess": "assessment", "analyse": "analysis", "analyze": "analysis", "condense": "summary", "argue": "argument",
    "choose": "choice", "suggest": "suggestion", "decide": "decision", "evaluate": "evaluation",
}  # fmt: skip
FINDINGS = words(
    """
    finding issue problem bug defect risk flaw mistake vulnerability weakness cause gap
    """
)
MAKING_VERBS = words(
    """
    write create design draft build implement plan prepare compute calculate derive develop formulate invent
    compose sketch propose generate make produce code need
    """
)
CHANGING_VERBS = words(
    """
    refactor rewrite fix patch correct port convert redesign revise
    """
)
TELLING_VERBS = frozenset(["explain", "describe", "define", "tell", "state", "say", "quiz", "discuss"])


POINTERS = frozenset(["the", "that", "this", "those", "these", "each", "every"])
PRONOUNS = frozenset(["it", "them", "those", "both", "its", "their", "each"])
PLURAL_PRONOUNS = frozenset(["them", "those", "that", "these", "each", "every"])
TESTS = frozenset(("test", "tests"))
BACKWARD_WORDS = words(
    """
    you u you'd you've you'll you’d you’ve you’ll your at result results output outputs finding findings
    outcome outcomes winner conclusion conclusions recommendation recommendations flagged above latter
    """
)
DERIVED_WORDS = words(
    """
    accordingly matching corresponding based version commit patch answer answers solution solutions pick
    choose select first second best worst one of
    """
)


class Leaves(Enum):
    """What a request leaves behind for later ones."""

    NOTHING = auto()
    FINDINGS = auto()
    GIVEN = auto()
    NEW = auto()


def dependencies(prompt: str, requests: Sequence[Request]) -> list[tuple[int, ...]]:
    """For each request the indices of the earlier ones whose product it uses."""
    texts = [prompt[r.start : min(r.end, r.start + WINDOW)].strip() for r in requests]
    leaves = [_leaves(request.head, text) for request, text in zip(requests, texts, strict=True)]
    found: list[tuple[int, ...]] = []
    for later, (request, text) in enumerate(zip(requests, texts, strict=True)):
        reach = range(max(0, later - LOOKBACK), later)
        words = {word.lower() for word in WORD.findall(text)}
        named = _nouns(POINTING.findall(text)) if later and words & POINTERS else set()
        needs = {other for other in reach if named & _products(requests[other].head, texts[other])} if named else set()
        near = next((other for other in reversed(reach) if leaves[other] is not Leaves.NOTHING), None)
        if (
            not needs
            and near is not None
            and _uses(request.head, text, words, leaves[near], _joint(prompt, requests, later))
        ):
            needs = {near}
        elif not needs and later and CONDITION.match(text) and request.head.kind is Kind.REQUEST:
            needs = {later - 1}
        if needs and near in needs and words & PRONOUNS and _passes_on(texts[near]):
            needs = set(found[near]) or needs
        found.append(tuple(sorted(needs)))
    return found


def _passes_on(text: str) -> bool:
    """Whether a request only did something with "it", so that "it" still means the same thing."""
    return PASSED_ON.match(text) is not None


def _joint(prompt: str, requests: Sequence[Request], later: int) -> str:
    start = requests[later].start
    return prompt[max(requests[later - 1].end, start - 40) : start]


def _leaves(head: Head, text: str) -> Leaves:
    if head.kind is Kind.QUESTION or head.verb in TELLING_VERBS:
        return Leaves.NOTHING
    if head.verb in JUDGING_VERBS:
        return Leaves.FINDINGS
    if head.verb in MAKING_VERBS or head.verb in CHANGING_VERBS or PASSED_ON.match(text) or not GIVEN.match(text):
        return Leaves.NEW
    return Leaves.GIVEN


def _uses(head: Head, text: str, words: set[str], leaves: Leaves, joint: str) -> bool:
    """Whether a request works on what the nearest one before it left behind."""
    if words & BACKWARD_WORDS and BACKWARD.search(text):
        return True
    if head.kind is Kind.QUESTION:
        return False
    if leaves is Leaves.FINDINGS:
        return head.verb in REPAIRING_VERBS or bool(words & PLURAL_PRONOUNS and ON_FINDINGS.search(text))
    if words & DERIVED_WORDS and DERIVED.search(text):
        return True
    if leaves is Leaves.GIVEN and not SEQUENCE.search(joint):
        return False
    return _matches(OBJECT_PRONOUN, PRONOUNS, words, text) or bool(
        (words & PRONOUNS and LATE_PRONOUN.search(text)) or _matches(TESTING, TESTS, words, text)
    )


def _matches(pattern: re.Pattern[str], needed: frozenset[str], words: set[str], text: str) -> bool:
    """Whether a text opens with a pattern that cannot match without one of the words needed."""
    return bool(words & needed) and pattern.match(text) is not None


def _products(head: Head, text: str) -> set[str]:
    """Nouns that a request brings into being, in the singular."""
    if head.kind is Kind.QUESTION:
        return set()
    nouns = {head.verb, f"{head.verb}ed", f"{head.verb}d", NOMINALS.get(head.verb, "")} | (
        set(FINDINGS) if head.verb in JUDGING_VERBS else set()
    )
    nouns |= _nouns(NEW.findall(text))
    if not GIVEN.match(text):
        nouns |= _nouns(BARE.findall(text))
    return nouns


def _nouns(phrases: Sequence[str]) -> set[str]:
    words = {word.lower() for phrase in phrases for word in WORD.findall(phrase)}
    return {_singular(word) for word in words if len(word) > 2 and word not in FUNCTION_WORDS}


def _singular(word: str) -> str:
    return f"{word[:-3]}y" if word.endswith("ies") else word.rstrip("s")
