"""Noun phrases: what they name, in the singular, and whether they point at something known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from multillm.splitting.lexicon import words

__all__ = [
    "ANY_CODE",
    "ANY_TEXT",
    "CHANGE_NOUNS",
    "CODE_NOUNS",
    "FINDING_NOUNS",
    "INDEFINITE",
    "NOUN_ENDS",
    "PREPOSITIONS",
    "REPORT_NOUNS",
    "RESULT_NOUNS",
    "TEXT_NOUNS",
    "definite_nouns",
    "is_superlative",
    "names_act",
    "phrase",
    "singular",
]

RESULT_NOUNS = words("result figure number value answer total estimate calculation sum")

FINDING_NOUNS = words("""
finding issue problem bug defect risk flaw mistake vulnerability weakness cause gap hole error comment suggestion
point
""")
"""Nouns, in the singular, for what a judgement brings to light."""

CHANGE_NOUNS = words("change edit modification fix difference")

CODE_NOUNS = words("""
api app application class code component controller endpoint fixture form function handler hook implementation job
library loop macro method middleware migration model module node package parser pipeline plugin program query regex
routine scraper script service shader simulation snippet solution system tokenizer tool unit widget
""")
"""Nouns for code, in the singular."""

ANY_CODE = words("code implementation script program module solution function")
"""Those that may stand for any of the others."""

TEXT_NOUNS = words("""
advert announcement article blog blurb copy description document draft email essay guide label leaflet letter
listing manual memo message note page paragraph piece poem post proposal release report scene speech story summary
text tweet
""")
"""Nouns for texts, in the singular."""

ANY_TEXT = words("text draft piece copy document")
"""Those that may stand for any of the others."""

REPORT_NOUNS = words("announcement article briefing email letter memo message note report statement story verdict")
"""Texts, in the singular, that tell what came of some work."""

PREPOSITIONS = words("""
of for from with to in on at by about into onto over under between against as using after before without within per
like around through behind than
""")

NOUN_ENDS = PREPOSITIONS | words("""
and or but nor so that which who whom whose where when while if because until is are was were be been being will
would should shall can could may might must has have had do does did not then also it they them you i we he she me
us him her this these those there here please too
""")
"""Words that end a noun phrase."""

INDEFINITE = words("a an some another two three four five six seven eight nine ten eleven twelve")
DEFINITE = words("the all that this those these each every both your whose")
SUPERLATIVES = words("top worst most least first")
NO_SUPERLATIVES = words("test request guest quest rest west forest harvest digest protest contest manifest interest")
ACT_ENDINGS = ("tion", "sion", "ment", "sis", "al", "son", "ance", "ence", "ing", "ings", "ism", "or", "er")
SKIPPED = INDEFINITE | frozenset(["the", "its", "own", "of"])
BEFORE_THAT = PREPOSITIONS | frozenset(["and", "or", "then", "both"])
LONGEST = 5
LONGEST_DEFINITE = 3


def phrase(tokens: Sequence[str], place: int, most: int = LONGEST) -> list[str]:
    """Nouns and their adjectives from a place on, in the singular."""
    found = []
    for token in tokens[place : place + most]:
        if token in SKIPPED:
            continue
        if token in NOUN_ENDS or not token[0].isalpha():
            break
        if len(token) > 2:
            found.append(singular(token))
    return found


def definite_nouns(tokens: Sequence[str]) -> set[str]:
    """Nouns, in the singular, after words that point at something known."""
    return {noun for place in _pointers(tokens) for noun in phrase(tokens, place + 1, LONGEST_DEFINITE)}


def _pointers(tokens: Sequence[str]) -> Iterator[int]:
    for place, word in enumerate(tokens):
        if word in DEFINITE and (word != "that" or place == 1 or tokens[place - 1] in BEFORE_THAT):
            yield place


def is_superlative(tokens: Sequence[str], place: int) -> bool:
    """Whether "the cheapest ..." or "the two cheapest ..." stands at a place."""
    if tokens[place : place + 1] != ["the"]:
        return False
    following = tokens[place + 1 : place + 3]
    if following and following[0] not in INDEFINITE:
        following = following[:1]
    return any(word in SUPERLATIVES or (word.endswith("est") and word not in NO_SUPERLATIVES) for word in following)


def names_act(noun: str, verb: str) -> bool:
    """Whether a noun names the act of a verb or its product: "translation" of "translate"."""
    stem = verb[: max(4, len(verb) - 2)]
    return len(verb) > 3 and noun.startswith(stem) and noun != verb and noun.endswith(ACT_ENDINGS)


@lru_cache(maxsize=4096)
def singular(word: str) -> str:
    """A noun in the singular, by its ending."""
    word = word.removesuffix("'s").removesuffix("’s")
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word if word.endswith(("ss", "is", "us")) else word.removesuffix("s")
