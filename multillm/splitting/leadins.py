"""The words before a request that are no part of it: markers, courtesies, "can you", "I need"."""

from __future__ import annotations

import re
from functools import lru_cache

from multillm.splitting.lexicon import words

__all__ = ["FIRST_WORD", "begins_lead_in", "skip_lead_in"]

SEPARATORS = r"[\s,:;*•/>=\u2192\u2013\u2014-]*"
FIRST_WORD = re.compile(rf"{SEPARATORS}([\w'’]+|[&+]|\Z|.)", re.DOTALL)
WORD_END = r"(?![\w'’-])[\s,:!.]*"
AFTER_WORD = re.compile(WORD_END)
SINGLE_WORDS = words("""
& + additionally afterward afterwards also and besides briefly but cheers finally first firstly fourth furthermore hello
hey hi just kindly last lastly later let's let’s lets maybe moreover next now ok okay or please pls plus plz quickly
right second secondly so thanks then there third thirdly today well
""")
"""Lead-ins of one word."""

SUBJECTS = {
    word: re.compile(r"\s+(?:is|are|was|were|will|has|have|had|must)\b", re.IGNORECASE) for word in ("there", "today")
}
"""Those that are no lead-in but a subject, before such a verb."""

WANTING = (
    r"(?:i|we)(?:'d|’d| would| also| really)? (?:also |really )?(?:want|need|like|love|ask)(?: for)? (?:you|u) to",
    r"(?:i|we)(?:'d|’d| would)? (?:want|need|like|love) to (?=know|understand|learn|see)",
    r"(?:(?:i|we) )?(?:need|want)", r"(?:i'd|i’d|i d|i would|we'd|we’d|we would) like",
    r"(?:i'm|i’m|i m|i am|we're|we’re|we are) (?:just )?"
    r"(?:looking for|after|hoping (?:that )?(?:you|u) (?:can|could))",
)  # fmt: skip
ASKING = (r"(?:can|could|would|will|might) (?:you|u)(?: be so kind (?:as )?to)?", "would you mind")
DONE = (
    r"(?:once|when) done",
    r"(?:once|when) (?:that|this|it|you)(?:'s|’s| is|'re|’re| are) (?:done|finished|ready)",
)
COUNTING = (
    r"(?:now )?(?:my |the )?(?:first|second|third|last|other|next|real|actual) (?:question|task|thing|part)(?: is)?",
)
OPENERS: dict[str, tuple[str, ...]] = {
    "need want i i'd i’d i'm i’m we we'd we’d we're we’re": WANTING,
    "can could would will might": ASKING,
    "once when": DONE,
    "now my the second third other real actual": COUNTING,
    "last": ("last of all", "last but not least", *COUNTING),
    "first": ("first of all", *COUNTING),
    "next": ("next up", *COUNTING),
    "in": ("in addition", "in the end"),
    "after": ("after that", "after this", "after which"),
    "following": ("following that",),
    "as": ("as well as",),
    "on": ("on top of that",),
    "while": ("while you're at it",),
    "at": ("at the end",),
    "to": ("to finish", "to begin with", "to start with", "to start"),
    "either": ("either way",),
    "before": ("before anything else",),
    "feel": ("feel free to",),
    "go": ("go ahead and",),
    "your": (r"your (?:task|job) is to",),
    "let": ("let us",),
    "help": (r"help (?:me|us)(?: to)?",),
}
"""Lead-ins of several words, by the words that they begin with."""


def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    joined = "|".join(phrase.replace(" ", r"\s+") for phrase in phrases)
    return re.compile(f"(?:{joined}){WORD_END}", re.IGNORECASE)


PHRASES = {word: _pattern(phrases) for opening, phrases in OPENERS.items() for word in opening.split()}

LONGEST = 400
"""Most characters before the first word that matters."""


def skip_lead_in(masked: str, start: int, end: int) -> int:
    """Position after markers, courtesies and phrases such as "can you"."""
    end = min(end, start + LONGEST)  # what is longer is no lead-in, and would be read again from each of its marks
    while first := FIRST_WORD.match(masked, start, end):
        word = first[1].lower()
        phrase = PHRASES.get(word)
        match = phrase.match(masked, first.start(1), end) if phrase else None
        if (
            match is None
            and word in SINGLE_WORDS
            and not (word in SUBJECTS and SUBJECTS[word].match(masked, first.end(1)))
        ):
            match = AFTER_WORD.match(masked, first.end(1), end)
        if match is None:
            return first.start(1)
        start = match.end()
    return start


@lru_cache(maxsize=10_000)
def begins_lead_in(piece: str) -> bool:
    """Whether `skip_lead_in` may pass over something of a text whose first piece, cut at white space, is this one."""
    first = FIRST_WORD.match(piece)
    word = first[1].lower() if first and not first.start(1) else ""
    return not word or word in PHRASES or word in SINGLE_WORDS
