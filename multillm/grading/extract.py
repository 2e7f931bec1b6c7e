"""Finding the answer in what a model wrote.

Small models wrap answers in Markdown, restate the question, or think aloud first. The rules here take what the
model settled on, and nothing where it did not settle: an answer that names several results has none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

__all__ = ["FENCE", "SENTENCE_END", "fenced", "final_number", "labelled", "numbers", "plain", "without_echo"]

FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n]*\n(.*?)(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.M | re.S)
NOTICE = re.compile(r"^> \*\*(?:Cut short|Not answered)\b.*$", re.M)
EMPHASIS = re.compile(r"\*\*|__|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)")
MATHS = re.compile(r"\\(?:boxed|text|mathrm|mathbf)\{([^{}]*)\}|\\[()\[\]]|\$(?=\s|$)|(?<!\w)\$(?=.*\$)")
THOUSANDS = ",\u00a0\u2009\u202f'’_"
NUMBER = re.compile(rf"(?<![\w.,])[-−+]?(?:\d{{1,3}}(?:[{THOUSANDS}]\d{{3}})+|\d+)(?:\.\d+)?(?!\d|[.,]\d)")
MARKED = re.compile(
    r"(?:\b(?:final |correct |right )?(?:answer|result|total|solution)\b(?:[^.\n:=]{0,60}?\bis\b|[ \t]*[:=])|####)",
    re.I,
)
PLACEHOLDER = re.compile(r"<\w+>|\[(?:number|word|value|answer)\]", re.I)
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


def without_echo(prompt: str, answer: str) -> str:
    """The answer without verbatim copies of the question and without the notices of a merged document.

    White space and case of a copy may differ. A text is looked for whole, so words that the question and the
    answer share stay.
    """
    words = prompt.split()
    if not words:
        return NOTICE.sub("", answer)
    copy = re.compile(r"\s+".join(re.escape(word) for word in words), re.I)
    return NOTICE.sub("", copy.sub(" ", answer))


def plain(answer: str) -> str:
    """The answer without Markdown emphasis, code marks, fences, LaTeX boxes and outer quotation marks."""
    text = FENCE.sub(lambda match: match.group(3), answer)
    text = MATHS.sub(lambda match: match.group(1) or "", text)
    text = re.sub(r"^[ \t]*(?:#{1,6}|>|[-*+](?=\s))[ \t]+", "", EMPHASIS.sub("", text), flags=re.M)
    return text.strip().strip("\"'“”‘’").strip()


def fenced(answer: str) -> list[tuple[str, str]]:
    """Language tag (lower case, may be empty) and content of every fenced block; the last may be unclosed."""
    return [(match.group(2).lower(), match.group(3)) for match in FENCE.finditer(answer)]


def labelled(answer: str, label: str) -> list[str]:
    """What follows ``label:`` on its line, once for every different value, in order.

    Markdown is taken off. A placeholder such as ``<number>``, which stands in the question and may be echoed, is no
    value.
    """
    found = re.findall(rf"(?im)^.*?\b{re.escape(label)}[ \t]*[:=][ \t]*(\S.*)$", plain(answer))
    values = [re.split(rf"(?i)\b{re.escape(label)}[ \t]*[:=]", value)[-1].strip() for value in found]
    return list(dict.fromkeys(value for value in values if value and not PLACEHOLDER.match(value)))


def numbers(text: str) -> list[Decimal]:
    """Every number of a text, in order, read with sign and thousands separators (comma, fixed space, apostrophe)."""
    return [Decimal(re.sub(rf"[{THOUSANDS}+]", "", found).replace("−", "-")) for found in NUMBER.findall(text)]


def final_number(answer: str, question: str = "") -> tuple[Decimal | None, str | None]:
    """The one number that an answer settles on, or None and the reason.

    In this order: the line that is nothing but a number (a unit or currency may stand beside it), of which there
    may not be two different ones; what follows the last ``answer is``, ``answer:``, ``result =``, ``total:`` or
    ``####``; the last sentence with a number. In a sentence, numbers after its last ``=`` count, and those of the
    question do not, unless there is no other. More than one different number left is no answer.
    """
    text = plain(answer)
    bare = {found[0] for line in text.splitlines() if (found := _bare(line))}
    if bare:
        return (bare.pop(), None) if len(bare) == 1 else (None, "several lines that are numbers")
    asked = numbers(question)
    if marks := list(MARKED.finditer(text)):
        for mark in reversed(marks):
            rest = SENTENCE_END.split(text[mark.end() :].strip(), maxsplit=1)[0]
            if numbers(rest):
                return _only(rest, asked)
    for sentence in reversed(SENTENCE_END.split(text)):
        if numbers(sentence):
            return _only(sentence, asked)
    return None, "no number in the answer"


def _bare(line: str) -> list[Decimal] | None:
    """The number of a line that holds nothing else but a unit, a currency or a full stop."""
    stripped = line.strip().rstrip(".!")
    rest = NUMBER.sub(" ", stripped, count=1).strip()
    found = numbers(stripped)
    return found if len(found) == 1 and re.fullmatch(r"[$€£%°]?|[A-Za-z/²³°%$€£]{1,12}", rest) else None


def _only(sentence: str, asked: Sequence[Decimal]) -> tuple[Decimal | None, str | None]:
    after = numbers(sentence.rpartition("=")[2]) if "=" in sentence else []
    found = list(dict.fromkeys(after or numbers(sentence)))
    fresh = [number for number in found if number not in asked]
    left = fresh or found
    if len(left) == 1:
        return left[0], None
    return None, f"several numbers named: {', '.join(f'{number!s:.40}' for number in left[:5])}"
