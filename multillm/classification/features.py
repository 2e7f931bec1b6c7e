"""What a classifier goes by: readable features of a sub-task's text."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from multillm.classification.lexicon import NOUN_TYPES, VERB_TYPES
from multillm.splitting.heads import skip_lead_in

__all__ = ["features", "is_word", "stem", "tokens"]

TOKEN = re.compile(r"[a-z][a-z0-9'’+#-]*|[0-9]+|[,;?`\"“]|[.!:](?=\s)|\n|\(\)")
LONGEST = 600
MOST_WORDS = 80
STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "with",
        "and",
        "or",
        "our",
        "my",
        "your",
        "his",
        "her",
        "its",
        "their",
        "this",
        "that",
        "these",
        "those",
        "it",
        "them",
        "me",
        "us",
        "i",
        "we",
        "you",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "as",
        "so",
        "than",
        "then",
        "into",
        "about",
        "please",
        "pls",
        "also",
    ]
)
SUFFIXES = ("ings", "ing", "ies", "es", "ed", "s", "ly")
GENERAL_VERBS = frozenset(
    [
        "write",
        "make",
        "create",
        "give",
        "draft",
        "build",
        "produce",
        "generate",
        "develop",
        "prepare",
        "provide",
        "put",
        "set",
        "design",
        "show",
        "need",
    ]
)
MARKS = {"?": "<asks>", "`": "<code>", "()": "<code>", '"': "<quotes>", "“": "<quotes>"}
COUNTED = {
    ",": "<commas>",
    ";": "<commas>",
    ".": "<sentences>",
    "!": "<sentences>",
    ":": "<sentences>",
    "\n": "<sentences>",
}


def tokens(text: str) -> list[str]:
    """Words, numbers and telling marks of a text, lower-cased, without the lead-in.

    Only the first 600 characters and 80 tokens count, so that the cost is bounded.
    """
    lowered = text[:LONGEST].lower()
    return TOKEN.findall(lowered, skip_lead_in(lowered, 0, len(lowered)))[:MOST_WORDS]


def is_word(token: str) -> bool:
    """Whether a token is a word and not a mark or a number."""
    return "a" <= token[0] <= "z"


def features(text: str) -> dict[str, float]:
    """Features of a text.

    Parameters
    ----------
    text : str
        A sub-task.

    Returns
    -------
    dict of str to float
        Value of each feature that is present: 1 for a word or pattern, a small number for a count.
    """
    found: dict[str, float] = {"<bias>": 1.0}
    words = []
    for token in tokens(text):
        if "a" <= token[0] <= "z":
            words.append(token)
        elif token in MARKS:
            found[MARKS[token]] = 1.0
        elif token in COUNTED:
            found[COUNTED[token]] = found.get(COUNTED[token], 0.0) + 0.25
        else:
            found["<figures>"] = 1.0
    found["<length>"] = math.log2(1 + len(words)) / 4
    if words:
        _opening(words, found)
        _content(words, found)
    return found


def _opening(words: list[str], found: dict[str, float]) -> None:
    """The verb or question word, alone, with its neighbour and with the first telling noun."""
    verb = words[0]
    found["^" + verb] = 1.0
    if len(words) > 1:
        found["^" + verb + " " + words[1]] = 1.0
    for kind in VERB_TYPES.get(verb, ()):
        found[f"<verb of {kind}>"] = 1.0
    for word in words[1:12]:
        kinds = NOUN_TYPES.get(word)
        if kinds:
            for kind in kinds:
                found[f"<first noun of {kind}>"] = 1.0
            if verb in GENERAL_VERBS or verb not in VERB_TYPES:
                found[f"<makes {kinds[0]}>"] = 1.0
            break


def _content(words: list[str], found: dict[str, float]) -> None:
    """Single words, pairs of words and the types that they speak for."""
    last = ""
    for word in words:
        if word not in STOP_WORDS:
            found[stem(word)] = 1.0
            if word in NOUN_TYPES:
                for kind in NOUN_TYPES[word]:
                    found[f"<noun of {kind}>"] = 1.0
        if last:
            found[last + " " + word] = 1.0
        last = word


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A word without its commonest endings."""
    if len(word) > 5:
        for suffix in SUFFIXES:
            if word.endswith(suffix):
                return word[: -len(suffix)]
    return word
