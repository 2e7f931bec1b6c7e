"""What a classifier goes by: readable features of a sub-task's text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import log2

from multillm.classification.lexicon import NOUN_TYPES, VERB_TYPES
from multillm.splitting.leadins import skip_lead_in

__all__ = [
    "BREAK",
    "MOST_WORDS",
    "features",
    "is_word",
    "noun_features",
    "tokens",
    "tokens_in_a_row",
    "verb_features",
    "word_features",
]

TOKEN = re.compile(r"[a-z][a-z0-9'’+#-]*|[0-9]+|[,;?`\"“]|[.!:](?=\s)|\n|\(\)")
BREAK = "\x00"
OUTSIDE = "\x01"
TOKEN_OR_BREAK = re.compile(f"{TOKEN.pattern}|{BREAK}")
LONGEST = 600
MOST_WORDS = 80
FIRST_NOUNS = 12
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


def tokens_in_a_row(texts: Sequence[str]) -> list[str]:
    """Tokens of many texts, one after another, with `BREAK` between two texts."""
    pieces = [text[:LONGEST].lower() for text in texts]
    pieces = [piece[skip_lead_in(piece, 0, len(piece)) :] for piece in pieces]
    joined = BREAK.join(pieces)
    if joined.count(BREAK) >= len(pieces):
        joined = BREAK.join([piece.replace(BREAK, OUTSIDE) for piece in pieces])
    return TOKEN_OR_BREAK.findall(joined)


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
    words: list[str] = []
    marks: list[str] = []
    for token in tokens(text):
        (words if "a" <= token[0] <= "z" else marks).append(token)
    names = ["<bias>", *map(" ".join, pairwise(words))]
    for word in words:
        names += word_features(word)
    if words:
        names += _opening_features(words)
    found = dict.fromkeys(names, 1.0)
    for mark in marks:
        if mark in COUNTED:
            found[COUNTED[mark]] = found.get(COUNTED[mark], 0.0) + 0.25
        else:
            found[MARKS.get(mark, "<figures>")] = 1.0
    found["<length>"] = log2(1 + len(words)) / 4
    return found


def _opening_features(words: Sequence[str]) -> list[str]:
    """The verb or question word, alone, with its neighbour and with the first telling noun."""
    verb = words[0]
    found = [*verb_features(verb), f"^{verb} {words[1]}"] if len(words) > 1 else [*verb_features(verb)]
    for word in words[1:FIRST_NOUNS]:
        if word in NOUN_TYPES:
            found += noun_features(word, verb in GENERAL_VERBS or verb not in VERB_TYPES)
            break
    return found


@lru_cache(maxsize=20_000)
def word_features(word: str) -> tuple[str, ...]:
    """A word without its ending and the types that it speaks for, wherever it stands."""
    if word in STOP_WORDS:
        return ()
    return (_stem(word), *(f"<noun of {kind}>" for kind in NOUN_TYPES.get(word, ())))


@lru_cache(maxsize=5_000)
def verb_features(verb: str) -> tuple[str, ...]:
    """A word that opens a text and the types that it speaks for."""
    return (f"^{verb}", *(f"<verb of {kind}>" for kind in VERB_TYPES.get(verb, ())))


@lru_cache(maxsize=5_000)
def noun_features(noun: str, made: bool) -> tuple[str, ...]:
    """The types of the first telling noun; `made` if the verb itself tells nothing."""
    kinds = NOUN_TYPES.get(noun, ())
    plain = tuple(f"<first noun of {kind}>" for kind in kinds)
    return (*plain, f"<makes {kinds[0]}>") if made and kinds else plain


def _stem(word: str) -> str:
    """A word without its commonest endings."""
    if len(word) > 5:
        for suffix in SUFFIXES:
            if word.endswith(suffix):
                return word[: -len(suffix)]
    return word
