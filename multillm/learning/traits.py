"""Traits of a prompt's form that need no vocabulary of their own: length, figures, question form, options."""

from __future__ import annotations

import re

import numpy as np

from multillm.learning.text import remembered
from multillm.metrics.bootstrap import Figures

__all__ = ["GENERAL_TRAITS", "traits"]

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
OPTION = re.compile(r"(?:^|\n)\s*\(?([A-Ja-j])[.):]\s*(.*?)(?=\n\s*\(?[A-Ja-j][.):]|\n\s*(?:Answer|ANSWER)|\Z)", re.S)
FUNCTION = frozenset(
    """
    the of and to a in is that it for as was on are with be by this or which an at from not have has had
    were but they their its he she his her you your we our i my me if then than can will would could should
    may might do does did all any some no nor so such these those there what who when where how why into out
    up about over between after before under more most other only also been being each
    """.split()  # noqa: SIM905  # a list of words is read as words
)
GENERAL_TRAITS = 44
COUNTS = {
    name: re.compile(p, re.I)
    for name, p in {
        "negation": r"\b(?:not|no|never|none|neither|nor|except|without|least|false|incorrect|cannot|[a-z]+n['’]t)\b",
        "quantity": r"\b(?:each|every|half|twice|thrice|double|triple|times|percent|per|remaining"
        r"|rest|left|total|altogether|more than|less than"
        r"|fewer|average|third|quarter|ratio|rate|sum|difference)\b|%",
        "condition": r"\b(?:if|then|unless|only if|suppose|assume|assuming|let|given|because"
        r"|therefore|hence|implies|follows|conclude|would|must)\b",
        "first": r"\b(?:i|me|my|mine|you|your|we|our)\b",
        "person": r"\b(?:he|she|his|her|him|they|their|man|woman|boy|girl|year-old|patient|student)\b",
        "fraction": r"\d[.,]\d|\d/\d",
        "math": r"[=+*^<>≤≥√∫∑×÷]|\\[a-z]+|(?<=\w)-(?=\d)|\s[-−/]\s",
        "logic": "[⊃≡\u2228•∀∃→¬~∧]",
        "number word": r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen"
        r"|fifteen|twenty|thirty|forty|fifty|hundred"
        r"|thousand|million|first|second|third|fourth|fifth|couple|pair|single)\b",
        "part": r"\d/\d|\b(?:hal(?:f|ves)|thirds?|quarters?|fourths?|fifths?)\b",
        "percent": r"%|\bpercent",
        "money": r"\$|\b(?:dollars?|cents?)\b",
        "price": r"\b(?:buys?|bought|costs?|prices?|pays?|paid|earn(?:s|ed)?|ma[kd]es?|charges?|sells?)\b",
        "ratio": r"\b(?:twice|thrice|doubled?|tripled?|times (?:as|the|more|that|older|longer)"
        r"|as (?:many|much|old|long|tall|fast|far) as)\b",
        "times": r"\btimes\b",
        "compare": r"\b\w+ than\b",
        "each": r"\b(?:each|every|per|apiece|an? (?:hour|day|week|month|minute|year|piece|pound|night))\b",
        "time": r"\b(?:(?:second|minute|hour|day|week|month|year)s?|am|pm|daily|weekly|\w+day"
        r"|morning|evening|afternoon|night)\b",
        "unit": r"\b(?:feet|foot|inch|inches|(?:mile|meter|yard|pound|ounce|gram|kilogram|liter"
        r"|gallon|cup|degree|acre|lb)s?|oz|kg|mph|cm|km|ml"
        r"|square|calories)\b",
        "total": r"\b(?:total|altogether|combined|in all|sum|together|both|all)\b",
        "left": r"\b(?:left|remain\w*|rest|remainder|still|unsold|leftover)\b",
        "more": r"\b(?:more|additional|extra|another|also|plus|increase\w*|rais\w*|gain\w*)\b",
        "less": r"\b(?:less|fewer|lost|lose\w*|gave|gives?|discount|sale|off|sold|sells|spends?"
        r"|spent|minus|ate|eats?|used?|decreas\w*|reduc\w*)\b",
        "when": r"\b(?:if|when|after|before|until|while|since|once)\b",
        "rate": r"\b(?:average|mean|median|ratio|rate|speed|probability|likely|chance|interest"
        r"|profit|tax|tip|remainder|divided|equal|equally|split"
        r"|shared?)\b",
        "age": r"\b(?:years? old|age|older|younger|born|ago)\b",
        "but": r"\b(?:but|however|instead|only|already|rather)\b",
        "want": r"\b(?:wants?|needs?|plans?|must|should|could|can|ha(?:s|ve) to|enough|least|most|maximum|minimum)\b",
        "order": r"\b(?:start\w*|beg[ia]n\w*|original\w*|initial\w*|end\w*|final\w*|finish\w*|now|first|last|next)\b",
        "same": r"\b(?:same|equal|another|others?|rest|different|remaining)\b",
        "and": r"\band\b",
        "of": r"\bof\b",
        "for": r"\bfor\b",
        "relative": r"\b(?:which|who|whose|where|that)\b",
        "ing": r"\b[a-z]+ing\b",
        "ed": r"\b[a-z]+ed\b",
        "comma": ",",
        "how many": "how many",
        "how much": "how much",
        "how long": r"how (?:long|far|old|tall|fast|often)",
    }.items()
}
GENERAL = ("negation", "quantity", "condition", "first", "person", "fraction", "math", "logic")
FLAGS = {
    name: re.compile(p)
    for name, p in {
        "dollar": r"\$",
        "quote": r"[\"“]",
        "shout": r"\b(?:EXCEPT|NOT|LEAST|FALSE)\b",
        "question": r"\?",
        "blank": "__",
        "code": r"[{};]\s*\n|\bdef |\breturn\b|\(\)|==",
    }.items()
}
WH = ("what", "which", "who", "how", "why", "when", "where")
COMBINED = re.compile(
    r"\b(?:all|none|both|neither) (?:of )?(?:the )?(?:above|these|a |\(a|b)|\b[IVX]+,? (?:and|only"
    r"|or)\b|\bi+,|\bonly\b"
    r"|\b\d and \d\b|(?:true|false|wrong|yes|no),",
    re.I,
)


@remembered
def traits(text: str) -> Figures:
    """Measure a prompt's form, whatever it is about: the first `GENERAL_TRAITS` are the most general."""
    found = list(OPTION.finditer(text))
    options = [m[2].strip() for m in found] if len(found) > 1 else []
    stem = text[: found[0].start()] if options else text
    words, numbers = WORD.findall(text), NUMBER.findall(text)
    low, stem_low = [w.lower() for w in words], [w.lower() for w in WORD.findall(stem)]
    n, length, k = max(1, len(words)), max(1, len(text)), max(1, len(options))
    sentences = max(1, len(re.findall(r"[.!?:]+(?:\s|$)", stem)))
    sets = [{w.lower() for w in WORD.findall(o)} | set(NUMBER.findall(o)) for o in options]
    sizes, known = [len(o) for o in options] or [0], set(stem_low)
    alike = [len(a & b) / max(1, len(a | b)) for i, a in enumerate(sets) for b in sets[:i]]
    measured = [
        np.log(length),
        np.log1p(len(stem)),
        np.log(sentences),
        np.log1p(len(stem_low) / sentences),
        sum(map(len, words)) / n,
        sum(len(w) > 8 for w in words) / n,
        sum(w in FUNCTION for w in low) / n,
        len(set(low)) / n**0.5,
        sum(w[0].isupper() for w in words) / n,
        sum(len(w) > 1 and w.isupper() for w in words) / n,
        np.log1p(len(numbers)),
        sum(c.isdigit() for c in text) / length,
        np.log1p(max(map(len, numbers), default=0)),
        sum(ord(c) > 127 for c in text) / length,
        sum(c in ',;:()"“”' for c in text) / length,
        np.log1p(stem.count("\n")),
        *(np.log1p(len(COUNTS[c].findall(text))) for c in GENERAL),
        *(float(bool(p.search(stem))) for p in FLAGS.values()),
        *(float(q in known) for q in WH),
        len(options),
        np.log1p(np.mean(sizes)),
        np.std(sizes) / (1 + np.mean(sizes)),
        sum(bool(re.match(r"[\s$\\(\-−+]*[\d.]|\\?frac", o)) for o in options) / k,
        float(np.mean(alike or [0])),
        sum(len(a & known) / max(1, len(a)) for a in sets) / k,
        float(any(map(COMBINED.search, options))),
        *(np.log1p(len(p.findall(text))) for c, p in COUNTS.items() if c not in GENERAL),
        *_quantities(stem),
    ]
    return np.array(measured, dtype=float)


def _quantities(text: str) -> list[float]:
    """Count how many figures, names and relations a prompt holds, and where."""
    parts = [s for s in re.split(r"(?<=[.?!])\s+", text.strip()) if s] or [""]
    values = [float(v.replace(",", "")) for v in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text)]
    names = [w for s in parts for w in re.findall(r"(?<=\s)[A-Z][a-z]+", s)]
    last, digits = parts[-1], [any(map(str.isdigit, s)) for s in parts]
    count = {k: len(COUNTS[k].findall(text)) for k in ("number word", "part", "ratio", "percent", "compare")}
    logs = np.log1p(np.minimum(values or [0.0], 1e9))
    return [
        *np.log1p(
            [
                len(set(values)),
                len(values) - len(set(values)),
                sum(v >= 100 for v in values),
                sum(v % 1 > 0 for v in values),
                sum(v % 5 > 0 for v in values),
                len(names),
                len(set(names)),
                len(last),
                max(map(len, parts)),
                sum(digits),
                len(values) + count["number word"] + count["part"] + count["ratio"],
                count["percent"] + count["part"] + count["ratio"] + count["compare"],
            ]
        ),
        logs.max(),
        logs.min(),
        logs.mean(),
        len(last) / max(1, len(text)),
        float(digits[-1]),
        float(bool(re.search(r"\bif\b", last, re.I))),
        sum(digits) / len(digits),
    ]
