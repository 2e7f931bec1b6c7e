"""A masked prompt cut into clauses, wherever a new request could begin, and what each shows of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from multillm.splitting.base import FILLER
from multillm.splitting.heads import Head, read_head
from multillm.splitting.lexicon import (
    AUXILIARIES,
    CONSTRAINT_VERBS,
    DELIVERABLES,
    DETERMINERS,
    FUNCTION_WORDS,
    REQUEST_VERBS,
    STEP_VERBS,
    WH_WORDS,
    words,
)
from multillm.splitting.nouns import PREPOSITIONS
from multillm.splitting.sentences import is_abbreviated
from multillm.splitting.shaping import restates, states_form, wants_one_answer
from multillm.splitting.verbs import verb_classes

__all__ = ["Clause", "clauses"]

JOINT = re.compile(
    r"""(?=[.…?!;:\n,\s—])(?:(?P<stop>[.…]["')\]]*(?=\s)
                 |(?<![?!])[?!]++["')\]]*+(?=\s|\Z)|(?<=\w\w)\.\.+)\s*
    |(?P<semicolon>;)\s*
    |(?P<colon>:)(?=\s)\s*
    |(?P<paragraph>\n[ \t]*\n\s*)
    |(?P<line>\n[ \t]*)
    |(?P<comma>,)(?=\s)[ \t]*
    |(?P<dash>\s(?:[-–—+&/|→←]|[-=]>|<-|>>?)(?=\s)|—)[ \t]*
    |(?P<conjunction>\s(?=(?:and|then|plus|also|but|so|or|as\s+well\s+as|after\s+that|followed\s+by
                          |along\s+with|together\s+with)\b))
    |(?P<number>\s(?=\(?[1-9]\)\s+[A-Za-z]))
    |(?P<aside>\s\([^()\n]{0,400}\)))""",
    re.VERBOSE | re.IGNORECASE,
)
EDGE = " \t\r\n.,;:!?-*•–—&+()"
ITEM = re.compile(
    r"\s*(?:[-*•–]|\(?\d{1,2}[.):]|\(?[a-zA-Z][.)]|\#+|\[[ x]?\]|(?:first|second|third|one|two|three)[:,)])\s+",
    re.IGNORECASE,
)
LINE_JOINTS = frozenset(["begin", "paragraph", "line", "colon", "number"])
TOKEN = re.compile(r"[^\W_][\w'’-]*|[^\s\w]")
WINDOW = 160
ANNOUNCING = re.compile(
    r"\b(?:two|three|four|five|2|3|4|5|couple\s+of|few)\s+(?:\w+\s+)?"
    r"(?:things|tasks|steps|parts|questions|requests|favou?rs|jobs|points|asks|deliverables|items)\b",
    re.IGNORECASE,
)
FINITE = words("""
is are was were am has have had does did isn't aren't wasn't can could will would should must may might goes comes says
said went got gets
""")
BACKWARD = words("""
it its them their that this those these your which whichever whatever one ones same both each former latter
""")
PERSONS = words("i we he she they it you there")
WORD_CLASSES: Sequence[tuple[str, frozenset[str]]] = (
    ("wh", WH_WORDS),
    ("auxiliary", AUXILIARIES),
    ("person", PERSONS),
    ("request", REQUEST_VERBS),
    ("step", STEP_VERBS),
    ("constraint", CONSTRAINT_VERBS),
    ("deliverable", DELIVERABLES),
    ("determiner", DETERMINERS),
    ("preposition", PREPOSITIONS),
    ("function", FUNCTION_WORDS),
)
CLASS_OF: Mapping[str, str] = {word: name for name, members in reversed(WORD_CLASSES) for word in members}
ENDINGS = ("ing", "ed", "ly")
OPENING_WORDS = 8
SHORT_CLAUSE = 6
LONGEST_CLAUSE = 4


class Clause:
    """A clause of a masked prompt.

    Parameters
    ----------
    masked : str
        Prompt with what is protected overwritten.
    start, end : int
        The clause.
    joint : str
        What stands before it: "begin", "stop", "comma" and so on.

    Attributes
    ----------
    item : bool
        Whether it opens an item of a list.
    head : Head
        How it opens.
    kind : str
        What it does, as `Kind`.
    classes : list of str
        What kinds of verb open it.
    tokens : list of str
        Its first words and marks from its head on, lower-cased.
    word_classes : list of str
        Classes of the first three.
    points_back : bool
        Whether one of them may stand for something named before.
    is_finite : bool
        Whether they hold a verb that makes a statement of it.
    names_deliverable : bool
        Whether one of them names a deliverable.
    length : int
        How long it is, in steps that grow.
    shapes : str
        What it says of the answer to a request before it: "one answer", "form", "restates" or nothing.
    led : bool
        Whether words lead up to its head.
    asks, announces : bool
        Whether a question mark closes it, and whether it announces several things.
    """

    def __init__(self, masked: str, start: int, end: int, joint: str) -> None:
        self.start, self.end, self.joint = start, end, joint
        marker = ITEM.match(masked, start, end) if joint in LINE_JOINTS else None
        self.item = marker is not None
        self.begin = marker.end() if marker else start
        self.head: Head = read_head(masked, self.begin, end)
        self.kind = self.head.kind.value
        self.classes = verb_classes(self.head)
        self.text = masked[start:end].rstrip()
        self.raw = TOKEN.findall(masked[self.begin : min(self.head.start, self.begin + WINDOW)].lower())
        self.tokens = TOKEN.findall(masked[self.head.start : min(end, self.head.start + WINDOW)].lower())
        self.led = any(token[0].isalpha() for token in self.raw)
        self.asks = self.text.endswith("?")
        self.word_classes = [_word_class(word) for word in (self.tokens + [""] * 3)[:3]]
        self.points_back = not BACKWARD.isdisjoint(self.tokens[1:SHORT_CLAUSE])
        self.is_finite = not FINITE.isdisjoint(self.tokens[:12])
        self.names_deliverable = not DELIVERABLES.isdisjoint(self.tokens[:7])
        count = len(self.tokens)
        self.length = count if count < SHORT_CLAUSE else SHORT_CLAUSE + min(count // SHORT_CLAUSE, LONGEST_CLAUSE)
        self.shapes = _shapes(masked, self.head, start + len(self.text.rstrip(EDGE)))
        self.announces = ANNOUNCING.search(self.text, 0, WINDOW) is not None

    def features(self) -> Iterator[str]:
        """What it shows whatever stands around it."""
        kind, joint, head, tokens = self.kind, self.joint, self.head, self.tokens
        first, second, third = self.word_classes
        word, following = (tokens + [""] * 2)[:2]
        opening = self.raw[0] if self.raw else word
        deliverable = f"{self.names_deliverable} {self.is_finite}"
        yield from (kind, f"verb {head.verb}", f"word {word}", f"words {word} {following}")
        yield from (f"opening {opening}", f"opening {opening} {joint}", f"classes {first} {second} {third}")
        yield from (f"class {first} {joint}", f"classes {first} {second}", f"classes {first} {second} {joint}")
        yield from (
            f"{kind} {joint}",
            f"{kind} {joint} {self.led}",
            f"{kind} asks {self.asks}",
            f"length {self.length}",
        )
        yield from (f"{kind} length {self.length}", f"finite {self.is_finite} {joint} {self.item}", f"joint {joint}")
        yield from (f"deliverable {deliverable}", f"deliverable {deliverable} {joint}", f"item {self.item} {kind}")
        yield from (
            f"verb {head.verb} {joint}",
            f"verb {head.verb} back {self.points_back}",
            f"{kind} back {self.points_back}",
        )
        yield from (f"does {name}" for name in self.classes)
        yield from (f"does {name} {joint}" for name in self.classes)
        yield from (f"does {name} back {self.points_back}" for name in self.classes)
        yield from (f"has {token}" for token in dict.fromkeys(tokens[1:OPENING_WORDS]) if token.isalpha())
        if FILLER in self.text:
            yield "protected" if 2 * self.text.count(FILLER) < len(self.text) else "mostly protected"
        if word in BACKWARD:
            yield "opens backward"


def clauses(masked: str) -> list[Clause]:
    """The clauses of a masked prompt, in order, bare marks between them left out."""
    found: list[Clause] = []
    start, joint = 0, "begin"
    for match in JOINT.finditer(masked):
        name = match.lastgroup or ""
        if name == "aside" or (name == "stop" and is_abbreviated(masked, match.start())):
            continue
        broken = "paragraph" if match[0].count("\n") > 1 else "line" if "\n" in match[0] else name
        if masked[start : match.start()].strip(EDGE):
            found.append(Clause(masked, start, match.end() if name == "stop" else match.start(), joint))
            joint = broken
        elif joint != "begin" and broken in LINE_JOINTS:
            joint = broken
        start = match.end()
    if masked[start:].strip(EDGE):
        found.append(Clause(masked, start, len(masked), joint))
    return found


def _shapes(masked: str, head: Head, end: int) -> str:
    if wants_one_answer(masked, head, end):
        return "one answer"
    if states_form(masked, head.start, end):
        return "form"
    return "restates" if restates(masked, head.start, end) else ""


def _word_class(word: str) -> str:
    if not word:
        return "none"
    if found := CLASS_OF.get(word):
        return found
    if not word[0].isalpha():
        return "number" if word[0].isdigit() else "mark"
    return next((ending for ending in ENDINGS if word.endswith(ending)), "word")
