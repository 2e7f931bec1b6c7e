"""What must never be split or read as a request: code, quotations, addresses, pasted input."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from multillm.splitting.base import FILLER, ITEM_MARK
from multillm.splitting.inputs import GIVEN_NOUNS, given_paragraphs
from multillm.splitting.lexicon import TEXT_VERBS, words

__all__ = ["mask"]

CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\$\$.*?\$\$", re.DOTALL)
QUOTED = re.compile(
    r"\"(?:[^\"\n]|\n(?!\s*\n))*\"|“[^”]{0,4000}”|«[^»]{0,4000}»|‘[^’\n]{0,300}’(?!\w)|'(?<![\w']')[^'\n]{1,300}'(?!\w)"
)
ADDRESS = re.compile(r"\bhttps?://\S*[^\s.,;:!?)\"]|\b\S{1,64}@\w[\w.-]*\.\w+")
PROTECTED = ((("`", "$$"), CODE), (('"', "“", "«", "‘", "'"), QUOTED), (("://", "@"), ADDRESS))

CODE_LINE = re.compile(
    r"""[ \t]*(?:
      >|\$\ |In\ \[\d|\+{3}\ |-{3}\ \S|@@|\#include|</?\w+[ >/]|@\w+$|//|/\*
    | (?:def|class|import|from|return|const|let|var|function|func|fn|public|private|static|package|namespace|struct|enum
      |resource|assert|elif|else|except|throw|await|async|using|int|char|float|double|void|bool
      |uint\d+_t|require|echo|apiVersion)\b (?=.*[=(){};:<>]\s*$|.*\w\s*[=(]\s*\S|\s+[\w.]+$)
    | (?:if|for|while|switch)\ .*[:{)]\s*$
    | (?i:select|insert|update|delete|create|alter|drop|begin|with)\ .*
      \b(?:FROM|INTO|SET|TABLE|INDEX|WHERE|COMMIT|AS)\b.*
    | (?:from|subject|to|cc|sent|date):\ \S
    | \d{4}-\d\d-\d\d | \[?\d\d:\d\d(?::\d\d)?\]? | [\w.]*(?:Error|Exception|Warning)\b\W | Traceback | at\ [\w.$]+\(
    | \$?[\w.\[\]"'>-]+\s*(?:=|\+=|:=|<-)\s*\S | [\w.]+\([^)\n]*\)\s*[;{:]?\s*$ | [+-].*[;{}]\s*$
    | [+-](?!\ [A-Za-z-]+\ +[A-Za-z`]).*[()]\s*$
    | [^\n]*[()=<>"\]][^\n]*[;{}]\s*$ | [}\])]+[;,)]*\s*$ | \w+[,;][\w.]+(?:[,;][\w.]*)*\s*$
    | (?:SELECT|FROM|WHERE|GROUP\ BY|HAVING|ORDER\ BY|LIMIT|UNION|VALUES
      |(?:LEFT\ |INNER\ |OUTER\ |CROSS\ )?JOIN)\ +[\w*("'].*
    | [\w./-]+\[\d+\]:\ | [\w./-]+:\d+(?::\d+)?:\ | \d+\ \| | \|.*\|\s*$ | \[[\w.-]+\]\s*$ | \#\d+\b
    | (?:[\w%(.-]+(?:\ {2,}|\t\s*)){2}.*\d
    )""",
    re.VERBOSE,
)
COLON = re.compile(r":(?=\s)")
SENTENCE_BREAKS = ".!?\n:"
TEXT_REQUEST = re.compile(
    r"(?:\A|(?<=\n)|\s)(?:please |pls |can you |could you |kindly |hey,? |hi,? )*([A-Za-z-]+)\b[^.!?\n:]{0,120}\Z",
    re.IGNORECASE,
)
SPEAKER = re.compile(
    r"^(?!(?:Task|Context|Note|Question|Request|Goal|First|Second|Also|Then|Step|Part|Exercise|Item|Problem)\b)"
    r"[A-Z][a-z]+(?: [A-Z]\w*)?: (?=\S)|^(?:[QA]\d*|[A-Z]{2,}\d*): (?=\S)",
    re.MULTILINE,
)
MAIL_HEADER = re.compile(r"(?:from|subject|to|cc|sent|date):\s+\S", re.IGNORECASE)
ENTRY = re.compile(r"\s*[\"']?([A-Za-z][\w.-]{0,30})[\"']?:(?:\s|$)")
BRIEF_KEYS = words("""
action also answer audience background brief constraints context deliverable deliverables details finally first format
goal goals important input instructions instruction job language length next note notes objective output part please
problem project prompt question questions request requirements role scope second situation stack step style subject
task tasks then third todo tone topic urgent q1 q2 q3 q4 q5 q6 what when where who why how
""")
FEWEST_ENTRIES = 3
WIDEST_GAP = 3
MISTAKES = re.compile(
    r"\b(?:mistakes?|errors?|typos|grammar|spelling)(?:\s+(?:here|below|in\s+this))?\Z", re.IGNORECASE
)
DEICTIC = re.compile(r"\b(?:this|these|the\s+following|following)\s+(?:[\w'’-]+\s+){0,3}?([\w'’]+)\s*\Z", re.IGNORECASE)
LONGEST_REQUEST = 200
LONGEST_POINTER = 100
SIGNED = re.compile(
    r"(?:^|(?<=[.!?]\s))(?:best(?: regards| wishes)?|(?:kind |warm )?regards|cheers|yours(?: \w+)?|sincerely"
    r"|(?:many )?thanks|love)\b[^\n]{0,40}(?:\n[^\n]{1,40})?(\n[ \t]*\n)",
    re.IGNORECASE | re.MULTILINE,
)
END = 400
LINE_CHARACTER = re.compile(r"[^\n]")
LIST_ITEM = re.compile(rf"\s*{ITEM_MARK}\s")
INDENTED_ITEM = re.compile(rf"\s+{ITEM_MARK}\s+[A-Za-z]+\s")
GREETING = re.compile(r"\s*(?:hi|hello|dear|hey)\b[^\n]{0,60},?\s*\n", re.IGNORECASE)
LETTER = re.compile(r"(?<=\S)\s*\n[ \t]*\n(?=(?:hi|hello|dear|hey)\b)", re.IGNORECASE)


def mask(prompt: str) -> str:
    """The prompt with everything protected overwritten, position for position.

    Parameters
    ----------
    prompt : str
        Any text.

    Returns
    -------
    str
        Of the same length; protected characters are `FILLER`, line breaks within code included.
    """
    masked = prompt
    for marks, pattern in PROTECTED:
        for mark in marks:
            if mark in masked:
                masked = pattern.sub(_fill, masked)
                break
    if ":" in masked:
        masked = _mask_inputs(masked)
    if "\n" not in masked:
        return masked
    masked = _mask_lines(_mask_letter(masked))
    return _mask_spans(masked, given_paragraphs(masked)) if "\n\n" in masked else masked


def _fill(match: re.Match[str]) -> str:
    return FILLER * (match.end() - match.start())


def _mask_spans(masked: str, spans: Sequence[tuple[int, int]]) -> str:
    """Overwrite spans, line breaks kept."""
    pieces, done = [], 0
    for start, end in spans:
        pieces += [masked[done:start], LINE_CHARACTER.sub(FILLER, masked[start:end])]
        done = end
    return "".join([*pieces, masked[done:]])


def _mask_inputs(masked: str) -> str:
    """Overwrite what a text verb, or a noun for a given text, and a colon introduce, to the end of its paragraph."""
    pieces, done = [], 0
    for start in [colon.end() for colon in COLON.finditer(masked) if _introduces(masked, colon.start())]:
        if start < done or masked[start : start + 3].lstrip()[:1] == FILLER:
            continue
        body = start + len(masked[start : start + 80]) - len(masked[start : start + 80].lstrip())
        if "\n" in masked[start:body] and LIST_ITEM.match(masked, body):
            continue
        start = body if "\n" in masked[start:body] else start  # noqa: PLW2901 - the line break stays
        end = masked.find("\n\n", body)
        end = len(masked) if end < 0 or GREETING.match(masked, body) else end
        pieces += [masked[done:start], FILLER * (end - start)]
        done = end
    return "".join([*pieces, masked[done:]])


def _introduces(masked: str, colon: int) -> bool:
    """Whether the words before a colon introduce a text that is given."""
    begin = max(masked.rfind(mark, max(0, colon - LONGEST_REQUEST), colon) for mark in SENTENCE_BREAKS) + 1
    request = TEXT_REQUEST.match(masked, begin, colon)
    if request and request[1].lower() in TEXT_VERBS:
        return True
    before = masked[max(0, colon - LONGEST_POINTER) : colon]
    pointer = DEICTIC.search(before)
    return bool(pointer and pointer[1].lower() in GIVEN_NOUNS) or MISTAKES.search(before) is not None


def _mask_letter(masked: str) -> str:
    """Overwrite a letter: a later paragraph that greets, and all that follows up to where it is signed."""
    greeting = LETTER.search(masked)
    if greeting is None:
        return masked
    signed = SIGNED.search(masked, greeting.end())
    end = signed.start(1) if signed else len(masked)
    return masked[: greeting.end()] + FILLER * (end - greeting.end()) + masked[end:]


def _ends(line: str) -> str:
    """Beginning and end of a long line, which show what it is; patterns take time by the square of its length."""
    return line if len(line) <= 2 * END else line[:END] + line[-END:]


def _mask_lines(masked: str) -> str:
    """Overwrite the lines that look like code, a log or a quoted message."""
    lines = masked.split("\n")
    names = SPEAKER.findall(masked)
    speakers = len(names) > 1 and not all(name[0] == "Q" for name in names)
    given = [index for index, line in enumerate(lines) if line and _is_given(line, speakers)]
    given += _entries(lines)
    for index in {*given, *_between(lines, sorted(given))}:
        lines[index] = FILLER * len(lines[index])
    return "\n".join(lines)


def _is_given(line: str, speakers: bool) -> bool:
    if speakers and SPEAKER.match(line):
        return True
    if line.startswith(("    ", "\t")):
        return INDENTED_ITEM.match(line) is None
    return CODE_LINE.match(_ends(line)) is not None


def _entries(lines: Sequence[str]) -> list[int]:
    """Lines of blocks such as "title: ...", "button: ...", unless their keys are those of a brief."""
    found: list[int] = []
    keys: list[str] = []
    for index, line in enumerate([*lines, ""]):
        if entry := ENTRY.match(line):
            keys.append(entry[1].lower())
            continue
        if len(keys) >= FEWEST_ENTRIES and BRIEF_KEYS.isdisjoint(keys):
            found += range(index - len(keys), index)
        keys.clear()
    return found


def _between(lines: Sequence[str], given: Sequence[int]) -> Iterator[int]:
    """Lines between two given ones of the same block, and what follows the head of a message in its block."""
    for left, right in pairwise(given):
        if right - left <= WIDEST_GAP and all(line.strip() for line in lines[left + 1 : right]):
            yield from range(left + 1, right)
    done = 0
    for index in given:
        if index >= done and MAIL_HEADER.match(lines[index]):
            done = next((place for place in range(index, len(lines)) if not lines[place].strip()), len(lines))
            yield from range(index, done)
