"""What a request leaves behind for later ones, and which nouns may stand for it."""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import cached_property

from multillm.splitting.heads import Head, Kind
from multillm.splitting.lexicon import (
    CHANGING_VERBS,
    JUDGING_VERBS,
    MAKING_VERBS,
    MEASURING_VERBS,
    REPAIRING_VERBS,
    REQUEST_VERBS,
    TELLING_VERBS,
    words,
)
from multillm.splitting.nouns import (
    ANY_CODE,
    ANY_TEXT,
    CHANGE_NOUNS,
    CODE_NOUNS,
    FINDING_NOUNS,
    INDEFINITE,
    PREPOSITIONS,
    RESULT_NOUNS,
    TEXT_NOUNS,
    definite_nouns,
    is_superlative,
    names_act,
    phrase,
)

__all__ = ["Leaves", "Reading"]

TOKEN = re.compile(r"[^\W_][\w'’/-]*|[^\s\w]")
ON_IT = re.compile(r"[\w-]+\s+(?:it|them)\b")
ON_GIVEN = re.compile(
    r"[\w-]+\s+(?:up\s+|out\s+|down\s+)?"
    r"(?:the|this|that|these|those|my|our|your|his|her|its|their|it|them|chapter|both|all|each)\b"
)
NOMINALS = {
    "summarise": "summary", "summarize": "summary", "condense": "summary", "choose": "choice", "prove": "proof",
    "diagnose": "cause", "solve": "solution", "decide": "decision", "describe": "description", "shorten": "version",
    "rewrite": "version", "translate": "version", "port": "version", "adapt": "version", "plot": "chart",
    "chart": "plot", "draw": "drawing", "price": "quote", "size": "calculation",
}  # fmt: skip
GENERAL_NOUNS = ((CODE_NOUNS, ANY_CODE), (TEXT_NOUNS, ANY_TEXT))
DEMONSTRATIVE = words("that this those these")
EXHAUSTIVE = words("any every all each what into")
GROUPING_VERBS = words("cluster group categorise categorize classify segment split divide bucket break sort")
INDIRECT = words("me us him her up out down together off over through at for to")
SHORT = 4


class Leaves(Enum):
    """What a request leaves behind for later ones."""

    NOTHING = auto()
    FINDINGS = auto()
    GIVEN = auto()
    NEW = auto()


class Reading:
    """A request as the other requests of its prompt see it.

    Parameters
    ----------
    head : Head
        How it opens.
    text : str
        Its first characters.

    Attributes
    ----------
    text : str
        Those characters, lower-cased.
    tokens : list of str
        Words and marks of the text.
    words : frozenset of str
        The same without order.
    leaves : Leaves
        What it leaves behind.
    """

    def __init__(self, head: Head, text: str) -> None:
        self.head = head
        self.text = text.lower()
        self.tokens = TOKEN.findall(self.text)
        self.words = frozenset(self.tokens)
        self.leaves = self._leaves()

    def _leaves(self) -> Leaves:
        verb = self.head.verb
        if self.head.kind is Kind.QUESTION or verb in TELLING_VERBS:
            return Leaves.NOTHING
        if verb in JUDGING_VERBS:
            return Leaves.FINDINGS
        if verb in MAKING_VERBS or verb in CHANGING_VERBS or verb not in REQUEST_VERBS:
            return Leaves.NEW
        given = not self.on_it and ON_GIVEN.match(self.text) is not None
        return Leaves.GIVEN if given and not is_superlative(self.tokens, 1) else Leaves.NEW

    @cached_property
    def on_it(self) -> bool:
        """Whether it only does something with "it"."""
        return ON_IT.match(self.text) is not None

    @cached_property
    def named(self) -> set[str]:
        """Nouns that point at something known, in the singular."""
        return definite_nouns(self.tokens)

    @cached_property
    def products(self) -> set[str]:
        """Nouns that may stand for what it brings into being, in the singular."""
        verb, tokens = self.head.verb, self.tokens
        if self.head.kind is Kind.QUESTION:
            return set(phrase(tokens, 1)) if verb in ("which", "what") else set()
        nouns = {verb, f"{verb}ed", f"{verb}d", NOMINALS.get(verb, verb)}
        if verb in GROUPING_VERBS and "by" in self.words:
            nouns.update(phrase(tokens, tokens.index("by") + 1))
        place = next((place for place, token in enumerate(tokens) if place and token not in INDIRECT), len(tokens))
        if self.leaves is Leaves.NEW or is_superlative(tokens, place):
            nouns.update(phrase(tokens, place))
        for place, word in enumerate(tokens):
            if word in INDEFINITE or word.isdigit():
                nouns.update(self._introduced(place))
            elif word == "into" or (self.leaves is Leaves.FINDINGS and word in EXHAUSTIVE):
                nouns.update(phrase(tokens, place + 1))
        return nouns

    def _comes_of(self, named: set[str], asking: bool) -> bool:
        """Whether a general noun stands for what comes of judging, measuring and, unless asked about, changing."""
        verb = self.head.verb
        if (verb in CHANGING_VERBS or verb in REPAIRING_VERBS) and not named.isdisjoint(CHANGE_NOUNS):
            return True
        if asking:
            return False
        judged = self.leaves is Leaves.FINDINGS and not named.isdisjoint(FINDING_NOUNS)
        return judged or (verb in MEASURING_VERBS and not named.isdisjoint(RESULT_NOUNS))

    def _introduced(self, place: int) -> list[str]:
        """Nouns that an article or a number at a place introduces, unless they only qualify others."""
        nouns = phrase(self.tokens, place + 1)
        before = self.tokens[place - 1] if place else ""
        if before not in PREPOSITIONS or before in ("into", "as"):
            return nouns
        return nouns if before == "in" and not TEXT_NOUNS.isdisjoint(nouns) else []

    def stands_for(self, named: set[str], later: Reading) -> bool:
        """Whether one of the nouns that a later request points with stands for the product of this one."""
        products = self.products
        if self.head.kind is Kind.QUESTION:
            asked = later.head.kind is Kind.REQUEST and not DEMONSTRATIVE.isdisjoint(later.words)
            return asked and not named.isdisjoint(products)
        if self._comes_of(named, later.head.kind is Kind.QUESTION):
            return True
        if not named.isdisjoint(products) or self._names_part(named, products) or self._names_act(named):
            return True
        return self.leaves is Leaves.NEW and any(
            not named.isdisjoint(general) and not products.isdisjoint(kind) for kind, general in GENERAL_NOUNS
        )

    def _names_part(self, named: set[str], products: set[str]) -> bool:
        """Whether a noun is the main part of a compound product: "sheet" of "worksheet"."""
        ends = tuple(noun for noun in named if len(noun) > SHORT)
        return bool(ends) and any(product.endswith(ends) for product in products)

    def _names_act(self, named: set[str]) -> bool:
        """Whether a noun names what is done here."""
        verbs = [self.head.verb]
        if self.leaves is Leaves.FINDINGS:
            verbs += [word for word in self.tokens[1:] if len(word) > SHORT]
        return any(names_act(noun, verb) for noun in named for verb in verbs)
