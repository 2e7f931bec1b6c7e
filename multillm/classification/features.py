"""What a classifier goes by: readable features of a sub-task's text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, pairwise
from math import log2
from typing import NamedTuple

from multillm.classification.lexicon import NOUN_TYPES, VERB_TYPES
from multillm.splitting.leadins import begins_lead_in, skip_lead_in
from multillm.splitting.lexicon import words

__all__ = [
    "EARLY",
    "EARLY_WORDS",
    "FIRST_WORDS",
    "LETTERS_UNIT",
    "MOST_LETTERS",
    "MOST_PIECES",
    "Piece",
    "features",
    "first_noun",
    "length",
    "letters",
    "opening_features",
    "pieces",
    "read_piece",
]

TOKEN = re.compile(r"[a-z][a-z0-9'’+#-]*|[0-9]+|[,;?`\"“]|[.!:](?=[)\]\"'”’]*\Z)|\(\)")
LONGEST = 600
MOST_PIECES = 80
FIRST_WORDS = 12
EARLY_WORDS = 6
MOST_LETTERS = 64
LETTERS_UNIT = 16
"""Quarters of a letter of the mean at which ``<letters>`` is 1."""
EARLY = "<early>"
"""What marks the feature of a word among the first."""
STOP_WORDS = words(
    """
    a an the of to in on at by for from with and or our my your his her its their this that these those it them me us
    i we you is are was were be been as so than then into about please pls also
    """
)
SUFFIXES = ("ings", "ing", "ies", "es", "ed", "s", "ly")
GENERAL_VERBS = words(
    "write make create give draft build produce generate develop prepare provide put set design show need"
)
MARKS = {
    "?": "<asks>", "`": "<code>", "()": "<code>", '"': "<quotes>", "“": "<quotes>", ",": "<commas>", ";": "<commas>",
    ".": "<sentences>", "!": "<sentences>", ":": "<sentences>",
}  # fmt: skip


class Piece(NamedTuple):
    """What stands between two white spaces.

    Attributes
    ----------
    word : str
        Its first word, lower-cased; empty if it has none.
    names : tuple of str
        Features that it switches on: words without their endings, the types they speak for, marks.
    """

    word: str
    names: tuple[str, ...]


def pieces(text: str) -> list[str]:
    """A text cut at white space, lower-cased, without the lead-in.

    Only the first 600 characters and 80 pieces count, so that the cost is bounded.
    """
    lowered = text[:LONGEST].lower()
    found = lowered.split()
    if found and begins_lead_in(found[0]):
        found = lowered[skip_lead_in(lowered, 0, len(lowered)) :].split()
    del found[MOST_PIECES:]
    return found


@lru_cache(maxsize=50_000)
def read_piece(piece: str) -> Piece:
    """First word and features of one of the `pieces`."""
    found = TOKEN.findall(piece)
    spoken = [token for token in found if "a" <= token[0] <= "z"]
    marks = [MARKS.get(token, "<figures>") for token in found if not "a" <= token[0] <= "z"]
    return Piece(spoken[0] if spoken else "", (*chain.from_iterable(map(_word_features, spoken)), *marks))


def first_noun(spoken: Sequence[str]) -> str:
    """The first word near the beginning, the opening one aside, that speaks for a type; empty if none does."""
    return next((word for word in spoken[1:FIRST_WORDS] if word in NOUN_TYPES), "")


def opening_features(verb: str, noun: str) -> tuple[str, ...]:
    """The word that opens a text and its first telling noun, which tells more if the verb itself tells nothing."""
    verbs, nouns = VERB_TYPES.get(verb, ()), NOUN_TYPES.get(noun, ())
    makes = nouns[:1] if verb in GENERAL_VERBS or not verbs else ()
    return (
        f"^{verb}",
        *(f"<verb of {kind}>" for kind in verbs),
        *(f"<first noun of {kind}>" for kind in nouns),
        *(f"<makes {kind}>" for kind in makes),
    )


def length(count: int) -> float:
    """The feature ``<length>`` of a text with that many words."""
    return log2(1 + count) / 4


def letters(count: int, words: int) -> int:
    """How long the words of a text are, in quarters of a letter of their mean, up to 16 letters.

    Parameters
    ----------
    count, words : int
        Letters of all its words, and how many words it has.
    """
    return min(round(4 * count / words), MOST_LETTERS) if words else 0


def features(text: str) -> dict[str, float]:
    """Features of a text.

    Parameters
    ----------
    text : str
        A sub-task.

    Returns
    -------
    dict of str to float
        How often each word or pattern occurs; ``<length>`` grows with the logarithm of the words, ``<letters>`` is
        a quarter of their mean length.
    """
    read = [read_piece(piece) for piece in pieces(text)]
    spoken = [piece.word for piece in read if piece.word]
    found: Counter[str] = Counter(["<bias>"])
    for piece in read:
        found.update(piece.names)
    found.update(map(" ".join, pairwise(spoken)))
    found.update(f"{EARLY} {word}" for word in spoken[:EARLY_WORDS])
    if spoken:
        found.update(opening_features(spoken[0], first_noun(spoken)))
    long = letters(sum(map(len, spoken)), len(spoken))
    return {**found, "<length>": length(len(spoken)), "<letters>": long / LETTERS_UNIT}


def _word_features(word: str) -> tuple[str, ...]:
    """A word without its ending and the types that it speaks for, wherever it stands."""
    if word in STOP_WORDS:
        return ()
    return (_stem(word), *(f"<noun of {kind}>" for kind in NOUN_TYPES.get(word, ())))


def _stem(word: str) -> str:
    """A word without its commonest endings."""
    if len(word) > 5:
        for suffix in SUFFIXES:
            if word.endswith(suffix):
                return word[: -len(suffix)]
    return word
