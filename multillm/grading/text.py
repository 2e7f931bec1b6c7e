"""Graders of short answers: exact text, number, pattern, choice."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation

from multillm.errors import InputError
from multillm.grading.base import Score, wanted
from multillm.grading.extract import SENTENCE_END, fenced, final_number, labelled, plain
from multillm.prompts import BenchmarkPrompt

__all__ = ["choice", "exact", "number", "regex"]

MOST_WORDS = 25
HEDGE = re.compile(r"\b(?:or|not|neither|either)\b|n['’]t\b", re.I)
LEAD = re.compile(
    r"^(?:(?:sure|certainly|of course|okay|ok)[,!.:]?\s+)?"
    r"(?:the\s+)?(?:(?:final|correct|right)\s+)?(?:answer|result|output|option|choice)(?:\s+is|\s*[:=])\s*",
    re.I,
)


def number(prompt: BenchmarkPrompt, answer: str) -> Score:
    """A number, within a tolerance.

    ``expected``: ``answer``; ``tolerance``, the largest difference allowed, in the answer's own unit (default 0);
    ``label``, a word that the prompt asks to be put before the number. With a label, the number is the only one
    after ``label:``; without, see `multillm.grading.extract.final_number`.
    """
    target, tolerance = (_decimal(prompt, key) for key in ("answer", "tolerance"))
    if label := prompt.expected.get("label"):
        values = {final_number(value, prompt.prompt)[0] for value in labelled(answer, label)} - {None}
        got, fault = (values.pop(), None) if len(values) == 1 else (None, f"not one number after '{label}:'")
    else:
        got, fault = final_number(answer, prompt.prompt)
    if got is None:
        return Score(0.0, fault)
    if abs(got - target) <= tolerance:
        return Score(1.0)
    return Score(0.0, f"{got!s:.40} is not {target}")


def exact(prompt: BenchmarkPrompt, answer: str) -> Score:
    """A word or phrase.

    ``expected``: ``answer``, or ``answers``, a list of accepted spellings; ``label`` as for `number`; ``rivals``, what
    else could be answered. Compared without case, accents, Markdown, outer punctuation, a leading article and a lead-in
    such as "The answer is". What counts is the text after the label; without a label, the whole answer, its first line,
    or its first sentence if that holds an accepted spelling of two characters or more as words of its own, has at most
    25 words, neither "or" nor "not" in it, and no rival. A spelling that stands in the question needs rivals for that.
    """
    accepted = {_folded(text) for text in prompt.expected.get("answers") or [wanted(prompt, "answer")]}
    if label := prompt.expected.get("label"):
        given = labelled(answer, label)
        if len({_folded(text) for text in given}) > 1:
            return Score(0.0, f"several answers after '{label}:'")
        right = any(_folded(text) in accepted for text in given)
    else:
        text = plain(answer)
        given = [text, *text.splitlines()[:1]]
        right = any(_folded(text) in accepted for text in given) or _says(prompt, text, accepted)
    if right:
        return Score(1.0)
    return Score(0.0, f"{given[0]!r:.60} is not the answer" if given else "no answer")


def _says(prompt: BenchmarkPrompt, text: str, accepted: set[str]) -> bool:
    """Whether the first sentence settles on an accepted spelling."""
    first = _folded(SENTENCE_END.split(text, maxsplit=1)[0])
    rivals = prompt.expected.get("rivals")
    if len(first.split()) > MOST_WORDS or HEDGE.search(first) or any(_holds(first, _folded(r)) for r in rivals or ()):
        return False
    question = "" if rivals else _folded(prompt.prompt)
    return any(len(word) > 1 and _holds(first, word) and not _holds(question, word) for word in accepted)


def _holds(text: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None


def regex(prompt: BenchmarkPrompt, answer: str) -> Score:
    """A pattern.

    ``expected``: ``pattern``, which must match all of the answer (Markdown and outer space taken off), or with
    ``search: true`` some of it; ``raw: true`` to keep Markdown, where a fenced block by itself may match as well;
    ``forbidden``, a pattern that must not be found anywhere; ``label`` as for `number`. Case does not count unless
    ``case: true``.
    """
    flags = re.S if prompt.expected.get("case") else re.S | re.I
    try:
        pattern = re.compile(wanted(prompt, "pattern"), flags)
        forbidden = re.compile(prompt.expected.get("forbidden") or r"(?!)", flags)
    except re.error as error:
        raise InputError(f"prompt {prompt.prompt_id!r}: pattern {error.pattern!r} is not valid: {error}") from None
    texts = (
        [answer.strip(), *(block.strip() for _, block in fenced(answer))]
        if prompt.expected.get("raw")
        else [plain(answer)]
    )
    if label := prompt.expected.get("label"):
        texts = labelled(answer, label)
        if len(texts) != 1:
            return Score(0.0, f"not one answer after '{label}:'")
    if any(forbidden.search(text) for text in texts):
        return Score(0.0, "holds what is forbidden")
    matches = pattern.search if prompt.expected.get("search") else pattern.fullmatch
    return Score(1.0) if any(map(matches, texts)) else Score(0.0, f"{texts[0]!r:.60} does not match the pattern")


def choice(prompt: BenchmarkPrompt, answer: str) -> Score:
    """One of several options.

    ``expected``: ``answer``, a letter; ``options``, a mapping of letter to text; ``label`` as for `number`.
    In this order: a letter that the answer begins with (``B``, ``B.``, ``(B)``, ``Option B``); the letter after
    ``answer is``, ``answer:`` and the like; the letter set off as an option (``(B)``, ``B)``); the option whose text
    stands in the answer. Where two different ones are found, or the options are listed, there is no choice.
    """
    options = {str(letter).upper(): str(text) for letter, text in wanted(prompt, "options").items()}
    target = str(wanted(prompt, "answer")).upper()
    given = answer
    if label := prompt.expected.get("label"):
        values = labelled(answer, label)
        if len(values) != 1:
            return Score(0.0, f"not one choice after '{label}:'")
        given = values[0]
    chosen = _chosen(given, options)
    if chosen == target:
        return Score(1.0)
    return Score(0.0, f"chose {chosen}, not {target}" if chosen else "no single option chosen")


def _chosen(answer: str, options: dict[str, str]) -> str | None:
    text = plain(answer)
    letters = "".join(options)
    listed = {mark for line in text.splitlines() for mark in re.findall(rf"^\s*\(?([{letters}])[).:]\s", line)}
    if len(listed) > 1:
        return None
    single = rf"\(?([{letters}])\b(?!\s*(?:,|or|and|&|/)\s*(?:or |and )?\(?[{letters}]\b)"
    for pattern in (
        rf"\A(?i:option |answer |choice )?{single}\)?\s*(?:[.:,)\n–—-]|\Z)",
        rf"(?i:answer|choice|option|correct)(?i: is| would be|:| =)?[\s:]*(?i:the )?(?i:option )?{single}(?!\s[a-z])",
        rf"\(([{letters}])\)|(?<!\w)([{letters}])\)",
    ):
        found = {match.group(match.lastindex or 0) for match in re.finditer(pattern, text)}
        if found:
            return found.pop() if len(found) == 1 else None
    named = [letter for letter, option in options.items() if _holds(_folded(text), _folded(option))]
    return named[0] if len(named) == 1 else None


def _folded(text: str) -> str:
    """Lower case without accents, lead-in, leading article, outer punctuation and doubled space."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    bare = LEAD.sub("", " ".join(bare.split()))
    return re.sub(r"^(?:the|an?)\s+", "", bare.casefold().strip(" .,;:!?\"'“”‘’()[]"))


def _decimal(prompt: BenchmarkPrompt, key: str) -> Decimal:
    value = wanted(prompt, key) if key == "answer" else prompt.expected.get(key, 0)
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise InputError(f"prompt {prompt.prompt_id!r}: expected[{key!r}] is {value!r}; a number is wanted") from None
