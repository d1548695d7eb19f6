"""The answer that the evidence itself gives, and when a model's draft may stand in its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from ragnotes.answers import Evidence, Support
from ragnotes.asking.duplicates import says_again
from ragnotes.asking.link_questions import asks_for_link, links_to_tell, with_links
from ragnotes.asking.verification import Checked
from ragnotes.asking.when import dated_first, day_told
from ragnotes.asking.words import content_stems, has_content
from ragnotes.dates import DayMonthOrder

__all__ = ["extract", "stands"]

MAX_SENTENCES = 3
MAX_WORDS = 34
"""A second sentence is added only while the answer stays about this short."""
MAX_NOTED, MAX_NOTED_WORDS = 8, 120
"""What an answer may hold that tells what was noted at some time."""
CLOSE = 0.85
"""How near a further piece must come to the best one's score."""


def extract(
    question: str, evidence: Sequence[Evidence], *, subject: str, order: DayMonthOrder | None = None
) -> list[Checked]:
    """The best piece of evidence, and others nearly as good while the answer stays short; no evidence gives [].

    Asked for a time and no `subject`, the answer is what was noted then, day by day in the order of the notes. Asked
    when the person did something, it opens with that day. Asked for a link, each piece ends with those that fit, none
    told twice. A sentence brings its footnotes. `order` says which number of `3/4` is the day.
    """
    if asks_for_link(question):
        evidence = with_links(question, evidence, subject=subject)
    if has_content(subject):
        in_order = dated_first(question, evidence, order=order)
        chosen = _chosen(in_order, max_sentences=MAX_SENTENCES, max_words=MAX_WORDS, close=CLOSE)
        chosen = _with_footnotes(chosen, evidence)
    else:
        in_order = sorted(evidence, key=_when_noted)
        chosen = _chosen(in_order, max_sentences=MAX_NOTED, max_words=MAX_NOTED_WORDS, close=0.0)
    checked = [Checked(_sentence(question, item, order), item, Support.SUPPORTED) for item in chosen]
    return list(_with_links_told(question, checked, subject)) if asks_for_link(question) else checked


def _with_links_told(question: str, checked: Sequence[Checked], subject: str) -> Iterator[Checked]:
    told: set[str] = set()
    for item in checked:
        new = [link for link in links_to_tell(question, item.evidence, subject=subject) if link not in told]
        told.update(new)
        yield replace(item, text=f"{item.text} ({', '.join(new)})") if new else item


def _when_noted(item: Evidence) -> tuple[date, str, int, int]:
    day = item.place.date.since if item.place.date else date.max
    return day, item.hit.source.path, item.unit.start, -item.unit.end


def _chosen(evidence: Sequence[Evidence], *, max_sentences: int, max_words: int, close: float) -> list[Evidence]:
    """The first pieces, none twice, until the answer is full or a piece is less `close` to the first."""
    chosen: list[Evidence] = []
    words = 0
    for item in evidence:
        size = len(item.unit.plain.split())
        full = words + size > max_words or len(chosen) == max_sentences
        if chosen and (full or item.score < close * chosen[0].score):
            break
        if not any(_repeats(item, other) for other in chosen):
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
