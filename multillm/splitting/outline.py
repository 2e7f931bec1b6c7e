"""From a masked prompt to its requests and to what stands around them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from multillm.splitting.base import FILLER
from multillm.splitting.heads import NAMING, WORD, Head, Kind, read_head
from multillm.splitting.inputs import points_at_list
from multillm.splitting.joints import cuts, embedded_head
from multillm.splitting.lexicon import AUXILIARIES, CREATING_VERBS, DELIVERABLES, DETERMINERS, JUDGING_VERBS, words
from multillm.splitting.sentences import Opening, Sentence, sentences
from multillm.splitting.shaping import names_deliverable, restates, says_more, states_form, wants_one_answer

__all__ = ["Request", "outline"]

SHARED = words("both all each every everything throughout overall thanks thank cheers below attached pasted")
SEQUENCE = re.compile(r"\s*(?:and\s+)?(?:then|next|after|finally|lastly)\b", re.IGNORECASE)
FURTHER = re.compile(r"\s*(?:and|(?:what|how)\s+about)\b", re.IGNORECASE)
COVERING_VERBS = frozenset(["cover", "describe", "discuss", "mention"])
CREATED = CREATING_VERBS | {NAMING}
ASKING_CONSTRAINTS = frozenset(["say", "number", "group", "format"])
DELEGATING = frozenset(["do", "help", "complete", "perform", "answer", "handle", "work", "need"])
SHAPING = words(
    """
    log group sort order print save store return skip display leave load run label highlight filter set close
    start stop report quote put sign title date address
    """
)


@dataclass
class Request:
    """A request on the way to becoming a sub-task.

    Attributes
    ----------
    head : Head
        How it opens.
    start, end : int
        What it spans so far.
    extras : list of (int, int)
        Constraints and statements that follow it.
    """

    head: Head
    start: int
    end: int
    extras: list[tuple[int, int]] = field(default_factory=list)


def outline(masked: str) -> list[Request]:
    """Requests of a masked prompt, in order; none if nothing is asked."""
    reader = _Reader(masked)
    for sentence in sentences(masked):
        reader.read(sentence)
    return reader.finish()


class _Reader:
    """Reads sentence by sentence and keeps what has been asked so far."""

    def __init__(self, masked: str) -> None:
        self.masked = masked
        self.has_colon = ":" in masked
        self.requests: list[Request] = []
        self.listing_data = False
        self.before: Sentence | None = None
        self.open = False
        self.items = False
        self.one_answer = False

    def read(self, sentence: Sentence) -> None:
        """Take in one sentence."""
        masked = self.masked
        head = read_head(masked, sentence.start, sentence.end)
        if sentence.opening is Opening.PARAGRAPH:
            self.listing_data = False
        elif sentence.opening is Opening.ITEM and self._heads_given_list():
            self.listing_data = True
        self.before = None if sentence.opening is Opening.ITEM or head.verb in DELEGATING else sentence
        kind = self._kind(sentence, head)
        if self.listing_data:
            self._attach(sentence)
        elif sentence.opening in LINE_OPENINGS and self._is_pasted(sentence):
            self.open = False
        elif kind is Kind.LOOK:
            self._look(sentence, head)
        elif kind is Kind.WISH and next(cuts(masked, head, sentence.end), None):
            self._ask(sentence, head, head.start)
        elif kind in (Kind.REQUEST, Kind.QUESTION):
            self._ask(sentence, head if head.kind is kind else head._replace(kind=kind), head.start)
        elif kind is Kind.STATEMENT and (inner := embedded_head(masked, sentence.start, sentence.end, sentence.asks)):
            whole = inner.after == "" or self._owns_opening(sentence)
            self._ask(sentence, inner, sentence.start if whole else inner.start)
        elif kind is Kind.STATEMENT and sentence.opening is Opening.ITEM and self._lists_tasks():
            self._ask(sentence, head._replace(kind=Kind.REQUEST), head.start, item=True)
        else:
            self._attach(sentence)

    def finish(self) -> list[Request]:
        """The requests, the last one without the constraints that all of them share; one if one answer is wanted."""
        if self.one_answer:
            return self.requests[:1]
        if len(self.requests) > 1:
            last = self.requests[-1]
            while last.extras and self._is_shared(*last.extras[-1]):
                last.end = last.extras.pop()[0]
        return self.requests

    def _is_shared(self, start: int, end: int) -> bool:
        return not SHARED.isdisjoint(word.lower() for word in WORD.findall(self.masked, start, end))

    def _ask(self, sentence: Sentence, head: Head, start: int, item: bool = False) -> None:
        self.items = sentence.opening is Opening.ITEM
        self.one_answer = False
        request = Request(head, start, sentence.end)
        self.requests.append(request)
        if not item:
            for cut in cuts(self.masked, head, sentence.end):
                request.end = cut.end
                request = Request(cut.head, cut.head.start, sentence.end)
                self.requests.append(request)
        self.open = True
        self.listing_data = self._announces_data(sentence, head)

    def _look(self, sentence: Sentence, head: Head) -> None:
        """Read "look at the log and tell me ..." as one request, for what follows."""
        found = next(cuts(self.masked, head._replace(kind=Kind.REQUEST, verb=""), sentence.end), None)
        if found is None or (self.requests and head.verb == "use" and found.head.after in ("it", "them")):
            self._attach(sentence)
        else:
            first = len(self.requests)
            self._ask(sentence, found.head, head.start)
            self.requests[first].head = found.head._replace(verb=head.verb)

    def _attach(self, sentence: Sentence) -> None:
        """A constraint or statement belongs to the request before it, unless a new paragraph begins."""
        if sentence.opening in (Opening.PARAGRAPH, Opening.LINE) or self._is_list_apart(sentence):
            self.open = False
        if self.requests and self.open:
            last = self.requests[-1]
            last.extras.append((last.end, sentence.end))
            last.end = sentence.end

    def _heads_given_list(self) -> bool:
        """Whether the sentence before the first item of a list takes the list as given."""
        return self.before is not None and points_at_list(self.masked, self.before.start, self.before.end)

    def _is_list_apart(self, sentence: Sentence) -> bool:
        """Whether a list item stands after an empty line and nothing before it announces a list."""
        if sentence.opening is not Opening.ITEM or not self.requests:
            return False
        before = self.masked[max(self.requests[-1].end, sentence.start - 40) : sentence.start]
        return "\n\n" in before and ":" not in before

    def _kind(self, sentence: Sentence, head: Head) -> Kind:  # noqa: PLR0911 - one return a rule reads best
        kind = head.kind
        if (
            kind is Kind.QUESTION
            and not sentence.asks
            and head.verb in ("when", "where")
            and head.after not in AUXILIARIES
        ):
            kind = Kind.STATEMENT
        elif sentence.asks and kind not in (Kind.REQUEST, Kind.LOOK):
            kind = Kind.QUESTION if kind is Kind.QUESTION else Kind.STATEMENT
            if kind is Kind.STATEMENT and embedded_head(self.masked, sentence.start, sentence.end, asks=True) is None:
                kind = Kind.QUESTION
        if not self.requests:
            return Kind.REQUEST if kind is Kind.CONSTRAINT and head.verb in ASKING_CONSTRAINTS else kind
        if not self.items and wants_one_answer(self.masked, head, sentence.end):
            self.one_answer = True
            return Kind.CONSTRAINT
        if kind is Kind.LOOK and head.verb == "consider" and sentence.opening is Opening.STOP:
            return Kind.CONSTRAINT
        if kind is Kind.QUESTION and self._elaborates(sentence, head):
            return Kind.CONSTRAINT
        if kind is Kind.STATEMENT and sentence.opening in FRAGMENT_OPENINGS and self.open:
            return Kind.REQUEST if names_deliverable(self.masked, head.start, sentence.end) else kind
        if kind is Kind.REQUEST and sentence.opening is not Opening.ITEM and self._shapes(sentence, head):
            return Kind.CONSTRAINT
        return kind

    def _elaborates(self, sentence: Sentence, head: Head) -> bool:
        """Whether a question only spells out what was asked just before."""
        text = self.masked[head.start : min(sentence.end, head.start + 80)]
        last = self.requests[-1].head
        if len(WORD.findall(text)) < 3:
            return last.kind is not Kind.QUESTION or not FURTHER.match(self.masked, sentence.start)
        judged = last.kind is Kind.REQUEST and last.verb in JUDGING_VERBS
        if judged and restates(self.masked, head.start, sentence.end):
            return True
        return judged and sentence.opening is Opening.STOP and (head.kind is not Kind.QUESTION or head.verb in YES_NO)

    def _shapes(self, sentence: Sentence, head: Head) -> bool:  # noqa: PLR0911 - one return a rule reads best
        """Whether an imperative only shapes the answer to the request before it."""
        if SEQUENCE.match(self.masked, sentence.start, head.start):
            return False
        last = self.requests[-1].head
        if last.kind is Kind.QUESTION and states_form(self.masked, head.start, sentence.end):
            return True
        if sentence.opening is not Opening.STOP:
            return False
        if says_more(self.masked, head, sentence.end, self.requests[-1].start, last):
            return True
        if head.verb == "add" and last.verb in JUDGING_VERBS:
            return False
        if head.verb in ("add", "include") and not (head.after.isdigit() or head.after == "up"):
            following = WORD.findall(self.masked[head.start : min(sentence.end, head.start + 80)])[1:9]
            return not any(word.lower() in DELIVERABLES for word in following)
        if head.verb in COVERING_VERBS and head.after not in DETERMINERS:
            return last.verb in CREATED
        if head.verb == "give" and head.after in ("it", "her", "him", "them"):
            return True
        return head.verb in SHAPING and last.verb in CREATED

    def _is_pasted(self, sentence: Sentence) -> bool:
        return self.masked[sentence.start : sentence.end].strip(FILLER + " \n\t.,") == ""

    def _owns_opening(self, sentence: Sentence) -> bool:
        """Whether what leads up to a request belongs to that request alone."""
        first = self.masked[sentence.start : sentence.start + 12].lower().split()
        if first and first[0] in ("if", "when", "unless"):
            return True
        return bool(self.requests)

    def _lists_tasks(self) -> bool:
        """Whether a list item that is no sentence still names a task: nothing but items asked so far."""
        return not self.requests or self.items

    def _announces_data(self, sentence: Sentence, head: Head) -> bool:
        if not self.has_colon:
            return False
        text = self.masked[max(sentence.start, sentence.end - 40) : sentence.end].rstrip()
        return text.endswith(":") and head.verb not in DELEGATING


FRAGMENT_OPENINGS = frozenset({Opening.STOP, Opening.SEMICOLON})
LINE_OPENINGS = frozenset({Opening.WRAP, Opening.LINE, Opening.PARAGRAPH})
YES_NO = words(
    """
    is are does do did can could was were will would should any anything has have isn't aren't doesn't
    """
)
