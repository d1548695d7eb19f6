"""The answer that the evidence itself gives, and when a model's draft may stand in its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from ragnotes.answers import Evidence, Support
from ragnotes.asking.answer_types import AnswerType, type_asked
from ragnotes.asking.attachment import names_of, words_of
from ragnotes.asking.conflicts import conflicting
from ragnotes.asking.duplicates import says_again
from ragnotes.asking.link_questions import asks_for_link, links_to_tell, with_links
from ragnotes.asking.lists import MAX_ITEMS, is_item
from ragnotes.asking.question_forms import asks_for_more, asks_openly
from ragnotes.asking.short_answers import disputed, short_answer, telling_first
from ragnotes.asking.verification import Checked
from ragnotes.asking.when import dated_first, day_told
from ragnotes.asking.words import content_stems, has_content
from ragnotes.dates import DayMonthOrder
from ragnotes.spelled_dates import shortly

__all__ = ["Extract", "extract", "stands"]

MAX_SENTENCES = 3
MAX_WORDS = 40
"""A second sentence is added only while the answer stays about this short."""
ALIKE, ALIKE_WORDS = 0.96, 50
"""A further piece that comes so near to the best one may well be the answer; then it may be this long."""
MORE_SENTENCES, MORE_WORDS, MORE_CLOSE = 6, 120, 0.75
"""The same where the question asks for more than the shortest answer."""
MAX_NOTED, MAX_NOTED_WORDS = 8, 120
"""What an answer may hold that tells what was noted at some time."""
FEW_WORDS = 2
"""A piece with no more words of its own than these hardly says more than the question does."""
CLOSE = 0.92
"""How near a further piece must come to the best one's score."""

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


@dataclass(frozen=True, slots=True)
class Extract:
    """The answer that the evidence gives: its sentences, how many fitting pieces are not told, and a reason to say so.

    `settled` says that a model has nothing to add: a date, a list and a contradiction are told as they stand.
    """

    told: tuple[Checked, ...]
    more: int = 0
    reason: str | None = None
    settled: bool = False


def extract(
    question: str,
    evidence: Sequence[Evidence],
    *,
    subject: str,
    order: DayMonthOrder | None = None,
    items: Sequence[Evidence] = (),
) -> Extract:
    """The best piece of evidence, and others nearly as good while the answer stays short; no evidence tells nothing.

    Asked for a time and no `subject`, the answer is what was noted then, day by day in the order of the notes. Asked
    for a date or number, it opens with that; asked when the person did something, with that day. Asked for a
    link, each piece ends with those that fit, none told twice. `items` are told instead, each on its line, and pieces
    that contradict each other with their days. A sentence brings its footnotes. `order` says which number of `3/4` is
    the day.
    """
    if asks_for_link(question):
        chosen = _linking(question, with_links(question, evidence, subject=subject), subject, order)
        told = [_checked(question, item, order) for item in chosen]
        return Extract(tuple(_with_links_told(question, told, subject)), settled=any(item.links for item in chosen))
    if not has_content(subject):
        pieces = list(_distinct(sorted(evidence, key=_when_noted)))
        chosen = _cut(pieces, max_sentences=MAX_NOTED, max_words=MAX_NOTED_WORDS, close=0.0)
        return Extract(_lines(question, chosen, order), more=len(pieces) - len(chosen), settled=True)
    if against := conflicting(question, evidence):
        return Extract(tuple(map(_dated, against[:MAX_SENTENCES])), reason="conflicting", settled=True)
    if items:
        return Extract(_lines(question, items[:MAX_ITEMS], order), more=len(items[MAX_ITEMS:]), settled=True)
    in_order = dated_first(question, telling_first(question, evidence, order=order), order=order)
    if short := _told_first(question, in_order, order):
        told = [_checked(question, item, order) for item in _with_footnotes(in_order[:1], evidence)]
        return Extract((*short, replace(told[0], own_line=True), *told[1:]), settled=True)
    chosen = _chosen(question, _gone_on(question, in_order))
    return Extract(tuple(_checked(question, item, order) for item in _with_footnotes(chosen, evidence)))


def _linking(
    question: str, evidence: Sequence[Evidence], subject: str, order: DayMonthOrder | None
) -> Sequence[Evidence]:
    """The pieces that answer a question for a link; all of a time where nothing else is asked."""
    if has_content(subject):
        return _with_footnotes(_chosen(question, dated_first(question, evidence, order=order)), evidence)
    pieces = _distinct(sorted(evidence, key=_when_noted))
    return _cut(pieces, max_sentences=MAX_NOTED, max_words=MAX_NOTED_WORDS, close=0.0)


def _told_first(question: str, evidence: Sequence[Evidence], order: DayMonthOrder | None) -> list[Checked]:
    """The date or number that is asked for, from the best piece; none where that opens with a day."""
    for item in evidence[:1]:
        plain, hit = item.unit.plain, item.hit
        context = f"{hit.source.title} {hit.chunk.context} {item.unit.lead}"
        short = short_answer(question, plain, shown=item.unit.shown, context=context, order=order)
        own_day = day_told(question, plain, item.place.date, order=order)
        if short and short != plain and own_day is None and not disputed(question, short, evidence, order=order):
            return [Checked(short, item, Support.SUPPORTED)]
    return []


def _checked(question: str, item: Evidence, order: DayMonthOrder | None) -> Checked:
    return Checked(_sentence(question, item, order), item, Support.SUPPORTED)


def _lines(question: str, pieces: Sequence[Evidence], order: DayMonthOrder | None) -> tuple[Checked, ...]:
    """The pieces, each on a line of its own where there are several."""
    return tuple(replace(_checked(question, item, order), own_line=len(pieces) > 1) for item in pieces)


def _dated(item: Evidence) -> Checked:
    """The piece after the days it was noted on."""
    text = item.unit.shown or item.unit.plain
    day = f"{shortly(item.place.date)}: " if item.place.date else ""
    return Checked(text if text.startswith(day[:-2] or "\0") else day + text, item, Support.SUPPORTED, own_line=True)


def _with_links_told(question: str, checked: Sequence[Checked], subject: str) -> Iterator[Checked]:
    told: set[str] = set()
    for item in checked:
        new = [link for link in links_to_tell(question, item.evidence, subject=subject) if link not in told]
        told.update(new)
        yield replace(item, text=f"{item.text} ({', '.join(new)})") if new else item


def _when_noted(item: Evidence) -> tuple[date, str, int, int]:
    day = item.place.date.since if item.place.date else date.max
    return day, item.hit.source.path, item.unit.start, -item.unit.end


def _chosen(question: str, evidence: Sequence[Evidence]) -> list[Evidence]:
    """What is told where one thing is asked for."""
    if asks_for_more(question):
        pieces = _distinct(evidence)
        return _cut(pieces, max_sentences=MORE_SENTENCES, max_words=MORE_WORDS, close=MORE_CLOSE)
    return _cut(_distinct(evidence), max_sentences=MAX_SENTENCES, max_words=MAX_WORDS, close=CLOSE)


def _gone_on(question: str, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The pieces; where the best one only says what was asked, the one right after it in its passage comes next."""
    if not evidence or not _only_says_again(question, evidence[0].unit.plain):
        return list(evidence)
    best = evidence[0]
    later = [unit for unit in best.hit.chunk.units if unit.start >= best.unit.end][:1]
    following = [item for item in evidence if item.hit == best.hit and item.unit in later and not is_item(item.text)]
    others = [item for item in evidence[1:] if item not in following]
    return [best, *(replace(item, score=best.score) for item in following), *others]


def _only_says_again(question: str, text: str) -> bool:
    """Whether the text tells an open question nothing: no name, no number, and few words that it does not have itself.

    The day of a piece is told with it.
    """
    if not asks_openly(question) or type_asked(question) is AnswerType.TIME:
        return False
    named = {*names_of(text), *_NUMBER.findall(text)} - words_of(question)
    return not named and len(set(content_stems(text)) - set(content_stems(question))) <= FEW_WORDS


def _distinct(evidence: Iterable[Evidence]) -> Iterator[Evidence]:
    """The pieces without those that say again what one before says."""
    kept: list[Evidence] = []
    for item in evidence:
        if not any(_repeats(item, other) for other in kept):
            kept.append(item)
            yield item


def _cut(evidence: Iterable[Evidence], *, max_sentences: int, max_words: int, close: float) -> list[Evidence]:
    """The first pieces, until the answer is full or a piece is less than `close` to the first."""
    chosen: list[Evidence] = []
    words = 0
    for item in evidence:
        size = len(item.unit.plain.split())
        alike = bool(chosen) and item.score >= max(ALIKE, close) * chosen[0].score
        full = words + size > (max(ALIKE_WORDS, max_words) if alike else max_words) or len(chosen) == max_sentences
        if chosen and (full or item.score < close * chosen[0].score):
            break
        chosen.append(item)
        words += size
    return chosen


def _with_footnotes(chosen: Sequence[Evidence], evidence: Sequence[Evidence]) -> list[Evidence]:
    """The pieces, and the footnotes that belong to their sentences, while the answer stays short."""
    told = list(chosen)
    sentences = {item.unit.plain for item in chosen}
    for item in evidence:
        words = sum(len(other.unit.plain.split()) for other in [*told, item])
        if item.unit.lead in sentences and item.text.startswith("[^") and item not in told and words <= MAX_WORDS:
            told.append(item)
    return told


def stands(question: str, draft: Sequence[Checked], extracted: Sequence[Checked]) -> bool:
    """Whether a checked draft may replace the evidence: it rests on the best piece, and says what was not asked."""
    if not any(_repeats(item.evidence, extracted[0].evidence) for item in draft):
        return False
    return not set(content_stems(" ".join(item.text for item in draft))) <= set(content_stems(question))


def _repeats(item: Evidence, other: Evidence) -> bool:
    """Nearly the same words again, or a part of a span that is already quoted."""
    overlaps = item.unit.start < other.unit.end and other.unit.start < item.unit.end
    return says_again(item.unit.plain, other.unit.plain) or (overlaps and item.hit.source == other.hit.source)


def _sentence(question: str, item: Evidence, order: DayMonthOrder | None) -> str:
    text = item.unit.shown or item.unit.plain
    day = day_told(question, text, item.place.date, order=order)
    if day and not text.startswith(day):
        text = f"{day}: {text}"
    return text
