"""Which earlier request a later one points at, by rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from multillm.splitting.heads import Kind
from multillm.splitting.lexicon import CHANGING_VERBS, JUDGING_VERBS, MAKING_VERBS, REPAIRING_VERBS, words
from multillm.splitting.nouns import INDEFINITE, NOUN_ENDS, PREPOSITIONS, REPORT_NOUNS, phrase
from multillm.splitting.outline import Request
from multillm.splitting.readings import Leaves, Reading

__all__ = ["LOOKBACK", "SIGNS", "Sign", "pointed_at", "points_back", "readings", "writes_up"]

LOOKBACK = 6
WINDOW = 400
NEAR = 40


class Sign(NamedTuple):
    """A pattern of lower-cased text and the words without one of which it cannot match."""

    needed: frozenset[str]
    pattern: re.Pattern[str]

    def stands_in(self, reading: Reading) -> bool:
        """Whether a request shows the sign."""
        return not self.needed.isdisjoint(reading.words) and self.pattern.search(reading.text) is not None


POINTED = words("it them that this those these")
BACKWARD = Sign(
    POINTED
    | words(
        "you u you'd you've you'll you're you’d you’ve you’ll you’re your answer answers result results"
        " solution solutions"
    ),
    re.compile(
        r"\b(?:you|u)(?:['’](?:d|ve|ll|re))?\s+(?:(?:just|have|would|had|might|may|could|end\s+up)\s+)?"
        r"(?:find|found|flag|ch[o]+se|pick|suggest|wrote|propose|identif|recommend|list|made|got|came|come\s+(?:up|across)"
        r"|spot|rais|report|produc|creat|discover|turn(?:ed)?\s+up|extract|arriv|derive|calculat|(?:had|have)\s+to\s+chang)"
        r"|\byour\s+(?:own\s+)?(?!task|job|answer\s+in|view|opinion|best|full|training|knowledge|time|choice)[a-z]+"
        r"|\bat\s+(?:that|this)\s+\w+|\bto\s+(?:reflect|match|support|cover)\s+(?:this|that|these|those|it|them)\b"
        r"|\b(?:based\s+(?:up)?on|in\s+line\s+with|(?:on|from|with|given|using|by)\s+(?:the\s+(?:basis|strength)\s+of\s+)?)"
        r"\s*(?:it|them|that|this|those|these)\b(?!\s+(?:kind|sort|point|regard|way|page|site|format|table|figure\s+\d))"
        r"|\b(?:with|from|in)\s+(?:the\s+)?(?:answer|result|solution)s?\s+(?:from|of|in|to)\s+(?:part\s+)?\(?\w\b"
    ),
)
CHOSEN = Sign(
    words("whatever whichever whoever your"),
    re.compile(
        r"\b(?:what|who|which)ever\s+(?:\w+\s+)?(?:you|comes|wins|turns)\b"
        r"|\byour\s+(?:choice|pick|answer|verdict|decision)\b"
    ),
)
REVISED = Sign(
    words("""
    clean cleaned edited revised shortened shorted updated corrected finished final finalised finalized resulting
    improved translated rewritten converted fixed modified reworked refactored trimmed completed generated
    """),
    re.compile(
        r"\bthe\s+(?:clean(?:ed)?|edited|revised|short(?:en)?ed|updated|corrected|finished|final|finali[sz]ed|resulting"
        r"|improved|translated|rewritten|converted|fixed|modified|reworked|refactored|trimmed|completed|generated)"
        r"\s+(?!project|exam|year)\w"
    ),
)
RESULTS = Sign(
    words("""
    numbers figures lessons reasons trends patterns result results finding findings outcome outcomes winner conclusion
    conclusions recommendation recommendations flagged above latter
    """),
    re.compile(
        r"\b(?:the|those|these)\s+(?:numbers|figures|lessons|reasons|trends|patterns)"
        r"(?=\s+(?:into|in|as|up|for)\b|\s*\Z)"
        r"|\b(?:the|these|those|all|each|every|any|most)\s+(?:\w+\s+)?(?:results?|findings?|outcomes?|winner"
        r"|conclusions?|recommendations?|flagged\s+\w+|above|latter)\b"
    ),
)
VERSIONS = Sign(
    words("version"),
    re.compile(
        r"\b(?:short(?:er)?|second|plain|\w+['’]s)\s+version\b|\b(?:a|another)\s+version\s+in\b"
        r"|\ban?\s+(?:more\s+\w+|\w+er)\s+version\b"
    ),
)
ACCOMPANYING = Sign(
    words("""
    accordingly matching corresponding commit notes note entry description key with answers solution solutions
    """),
    re.compile(
        r"\b(?:accordingly|matching|corresponding|commit\s+message|(?:patch|release|migration|upgrade)\s+notes?"
        r"|change-?log\s+entry|(?:pr|pull\s+request)\s+description|answer\s+key|to\s+(?:go|match)\s+with\s+(?:it|them)"
        r"|the\s+(?:answers|solutions?))\b"
    ),
)
SELECTED = Sign(
    words("the those these one"),
    re.compile(
        r"\A(?:pick|choose|select|recommend)\s+(?:one|the\s+(?:best|\w+est|\w+\s+(?:that|which|best|most)))\b"
        r"|\b(?:the|those|these)\s+(?:(?:two|three|five)\s+)?(?:\w+est|best|worst)(?=\s*(?:[,;.]|\Z))"
        r"|\b(?:the|those|these)\s+(?:\w+(?:er|est)|best|worst|first|second|third|last|top|most\s+\w+)"
        r"\s+(?:ones?|two|three|offenders?|of)\b"
        r"|\b(?:those|these|the)\s+(?:two|three|four|five|six|ten)(?=\s+(?:that|which|you|with)\b|\s*\Z)"
    ),
)
ON_FINDINGS = Sign(
    words("them those that these each every all"),
    re.compile(
        r"\b(?:round|around|against|fix|address|resolve|avoid|remove|strike|correct|prevent|mitigate|explain|rank"
        r"|tackle|handle)\s+(?:each\s+of\s+)?(?:them|those|that|these)\b"
        r"|\bfor\s+(?:each|every\s+one|them|those|all\s+of\s+them)\b"
    ),
)
ABOUT_IT = Sign(
    words("it them"),
    re.compile(r"\A(?:what|which|how|where|who)\b.*\b(?:in|of|with|from|to|about)\s+(?:it|them)\W*\Z"),
)
BOTH = Sign(
    words("both two other"),
    re.compile(
        r"\b(?:both\s+(?:versions|of\s+them|\w+s\b(?!\s+and\b))|the\s+two\b(?!\s+\w+s\b)|the\s+two\s+versions"
        r"|each\s+other)"
    ),
)
TESTING = Sign(
    words("test tests"),
    re.compile(
        r"\A\w+\s+(?:(?:some|a\s+few|the|\w+)\s+)?(?:\w+\s+)?tests?\b"
        r"(?!\s+(?:plan|for\s+(?:the|our|my|a)\b|that))"
    ),
)
SIGNS = {
    "backward": BACKWARD,
    "chosen": CHOSEN,
    "revised": REVISED,
    "results": RESULTS,
    "versions": VERSIONS,
    "accompanying": ACCOMPANYING,
    "selected": SELECTED,
    "on findings": ON_FINDINGS,
    "about it": ABOUT_IT,
    "both": BOTH,
    "testing": TESTING,
}
CONDITION = re.compile(r"(?:if\s+(?:yes|no|so|not|it|that|there|any|you)|where)\b")
DONE = re.compile(r"\b(?:once|when|after)\b.{0,16}\b(?:done|finished|ready|complete)\b", re.IGNORECASE)
SEQUENCE = re.compile(r"\b(?:then|after|afterwards|once|when)\b", re.IGNORECASE)
SINGULAR_PRONOUNS = frozenset(["it", "its"])
PRONOUNS = SINGULAR_PRONOUNS | words("them their those both these")
DETERMINING = frozenset(["those", "these", "both"])
OWNERS = {"its": words("that which"), "their": words("the that which who")}
SUBJECT_VERBS = words("""
is are was were should would can could will may might must has have had does do did isn't doesn't won't can't
""")
SUBJECT_OPENERS = words("if when because since that so while how why whether what where until unless and but")
WORKING_VERBS = words("works work shows says means contains handles produces returns prints")
WRITING_VERBS = words("write draft prepare compose produce create")
REMEDIES = words("fix fixes remedy remedies cure mitigation mitigations countermeasures")
PRODUCING_VERBS = MAKING_VERBS | CHANGING_VERBS


def readings(prompt: str, requests: Sequence[Request]) -> list[tuple[Reading, str]]:
    """Each request as the others see it, and the characters between it and the one before."""
    found = []
    for later, request in enumerate(requests):
        reading = Reading(request.head, prompt[request.start : min(request.end, request.start + WINDOW)].strip())
        joint = prompt[max(requests[later - 1].end, request.start - NEAR) : request.start] if later else ""
        found.append((reading, joint))
    return found


def pointed_at(
    earlier: Sequence[Reading], found: Sequence[tuple[int, ...]], later: Reading, joint: str
) -> tuple[int, ...]:
    """Indices of the earlier requests whose product a later one points at, by rule.

    Parameters
    ----------
    earlier : sequence of Reading
        All requests before it.
    found : sequence of tuple of int
        What those point at.
    later : Reading
        The request.
    joint : str
        What stands between it and the one before.
    """
    if not earlier:
        return ()
    reach = range(max(0, len(earlier) - LOOKBACK), len(earlier))
    near = next((other for other in reversed(reach) if earlier[other].leaves is not Leaves.NOTHING), None)
    named = later.named
    needs = {other for other in reach if earlier[other].stands_for(named, later)} if named else set()
    if not needs and near is not None and _uses(later, earlier[near], joint):
        needs = {near}
    if not needs and _follows_up(later):
        needs = {len(earlier) - 1}
    if near in needs and not named and _hands_on(earlier[near], later):
        needs = set(found[near]) or needs
    if near is not None and found[near] and (needs or later.head.kind is Kind.QUESTION) and BOTH.stands_in(later):
        needs |= {near, *found[near]}
    return tuple(sorted(needs))


def _hands_on(earlier: Reading, later: Reading) -> bool:
    """Whether "it" means in a later request what it meant in an earlier one, which only did something with it."""
    if earlier.on_it:
        return not PRONOUNS.isdisjoint(later.words)
    judged = earlier.leaves is Leaves.FINDINGS and not SINGULAR_PRONOUNS.isdisjoint(earlier.words)
    return judged and "it" in later.words


def _uses(later: Reading, earlier: Reading, joint: str) -> bool:
    """Whether a request works on what the nearest one before it left behind."""
    if BACKWARD.stands_in(later) or REVISED.stands_in(later) or DONE.search(joint):
        return True
    if later.head.kind is Kind.QUESTION:
        return earlier.leaves is Leaves.NEW and ABOUT_IT.stands_in(later)
    if RESULTS.stands_in(later) or (earlier.head.verb not in PRODUCING_VERBS and writes_up(later)):
        return True
    return _acts_on_findings(later) if earlier.leaves is Leaves.FINDINGS else _works_on(later, earlier, joint)


def _acts_on_findings(later: Reading) -> bool:
    """Whether a request does something about what a judgement brought to light."""
    mends = later.head.verb in REPAIRING_VERBS or not REMEDIES.isdisjoint(later.tokens[2:])
    return mends or ON_FINDINGS.stands_in(later)


def _works_on(later: Reading, earlier: Reading, joint: str) -> bool:
    """Whether a request takes the product of an earlier one further."""
    if VERSIONS.stands_in(later) or ACCOMPANYING.stands_in(later) or SELECTED.stands_in(later):
        return True
    if earlier.leaves is Leaves.GIVEN and not SEQUENCE.search(joint):
        return False
    return points_back(later.tokens, later.head.verb in JUDGING_VERBS) or TESTING.stands_in(later)


def _follows_up(later: Reading) -> bool:
    """Whether a request stands or falls with the answer to the one just before, whatever that asked."""
    return later.head.kind is Kind.REQUEST and (CONDITION.match(later.text) is not None or CHOSEN.stands_in(later))


def writes_up(later: Reading) -> bool:
    """Whether "write the report" asks for a text that nothing but the work before it can be about."""
    if later.tokens[1:3] == ["up", "the"]:
        return True
    if later.head.verb not in WRITING_VERBS or later.tokens[1:2] != ["the"]:
        return False
    return not REPORT_NOUNS.isdisjoint(phrase(later.tokens, 2))


def points_back(tokens: Sequence[str], judges: bool) -> bool:
    """Whether a pronoun, of which a request to judge may also say something, has to stand for an earlier product."""
    if tokens[1:2] == ["that"] and (len(tokens) == 2 or tokens[2] in NOUN_ENDS):
        return True
    for place, word in enumerate(tokens):
        if not place:
            continue
        if word in PRONOUNS:
            if _stands_alone(tokens, place, judges):
                return True
        elif word in INDEFINITE and place > 1 and tokens[place - 1] not in PREPOSITIONS:
            return False
    return False


def _stands_alone(tokens: Sequence[str], place: int, judges: bool) -> bool:
    """Whether the pronoun at a place is an object for which the request itself offers nothing."""
    word, before = tokens[place], tokens[place - 1]
    after = tokens[place + 1] if place + 1 < len(tokens) else ""
    if word in DETERMINING and after[:1].isalpha() and after not in NOUN_ENDS:
        return False
    if word in OWNERS and not OWNERS[word].isdisjoint(tokens[1:place]):
        return False
    subject = before in SUBJECT_OPENERS or after in SUBJECT_VERBS
    return judges or not subject or after in WORKING_VERBS
