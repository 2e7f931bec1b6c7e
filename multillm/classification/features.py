"""What a classifier goes by: readable features of a sub-task's text."""

from __future__ import annotations

import math
import re

from multillm.classification.lexicon import NOUN_TYPES, VERB_TYPES
from multillm.splitting.heads import LEAD_IN

__all__ = ["features"]

WORD = re.compile(r"[a-z][a-z0-9'’+#-]*|[0-9]+|```|\?")
LONGEST = 600
OPENING_WORDS = 6
STOP_WORDS = frozenset(
    "a an the of to in on at by for from with and or our my your his her its their this that these those it them me us i we "
    "you is are was were be been as so than then into about please pls also".split()
)
SUFFIXES = ("ings", "ing", "ies", "es", "ed", "s", "ly")


def features(text: str) -> dict[str, float]:
    """Features of a text.

    Only its first 600 characters are read, so that the cost is bounded.

    Parameters
    ----------
    text : str
        A sub-task.

    Returns
    -------
    dict of str to float
        Value of each feature that is present: 1 for a word or pattern, a small number for a count.
    """
    lowered = text[:LONGEST].lower()
    lead = LEAD_IN.match(lowered)
    words = WORD.findall(lowered, lead.end() if lead else 0)
    found: dict[str, float] = {"length": math.log2(1 + len(words)) / 4}
    if not words:
        return found
    _opening(words, found)
    _content(words, found)
    _form(text, lowered, found)
    return found


def _opening(words: list[str], found: dict[str, float]) -> None:
    """The verb or question word, alone, with its neighbour and with the first telling noun."""
    verb = words[0]
    found[f"opens {verb}"] = 1.0
    if len(words) > 1:
        found[f"opens {verb} {words[1]}"] = 1.0
    for kind in VERB_TYPES.get(verb, ()):
        found[f"verb of {kind}"] = 1.0
    for word in words[1:12]:
        kinds = NOUN_TYPES.get(word)
        if kinds:
            for kind in kinds:
                found[f"first noun of {kind}"] = 1.0
            if verb not in VERB_TYPES or verb in GENERAL_VERBS:
                found[f"makes {kinds[0]}"] = 1.0
            break


def _content(words: list[str], found: dict[str, float]) -> None:
    """Single words, pairs of words and the types that they speak for."""
    last = ""
    for word in words[:60]:
        if word not in STOP_WORDS:
            found[_stem(word)] = 1.0
            for kind in NOUN_TYPES.get(word, ()):
                found[f"noun of {kind}"] = 1.0
        if last:
            found[f"{last} {word}"] = 1.0
        last = word


def _form(text: str, lowered: str, found: dict[str, float]) -> None:
    """Shape of the text: question, code, figures, constraints."""
    if "?" in lowered:
        found["asks"] = 1.0
    if "`" in lowered or "(" in lowered and (");" in lowered or "()" in lowered):
        found["code"] = 1.0
    if '"' in lowered or "“" in lowered:
        found["quotes"] = 1.0
    commas = lowered.count(",") + lowered.count(";")
    if commas:
        found["commas"] = min(commas, 6) / 3
    stops = lowered.count(". ") + lowered.count("\n")
    if stops:
        found["sentences"] = min(stops, 6) / 3
    if any(character.isdigit() for character in lowered):
        found["figures"] = 1.0
    if text[:1].islower():
        found["lower case"] = 1.0


def _stem(word: str) -> str:
    """A word without its commonest endings."""
    if len(word) > 5:
        for suffix in SUFFIXES:
            if word.endswith(suffix):
                return word[: -len(suffix)]
    return word


GENERAL_VERBS = frozenset("write make create give draft build produce generate develop prepare provide put set design show".split())
