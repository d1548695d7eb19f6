"""Questions for a day: "when did I buy the card?" is answered with the day itself, then with what was noted.

The day is that of the note, unless the sentence tells another, past one: "bought the card on 9 March 2024" in a note of
May. A day to come ("booked for 12 June"), and one of a thing ("the paper published on 3 May 2021"), is not it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ragnotes.answers import Evidence
from ragnotes.asking.own_words import of_a_thing, speaks_of_own_notes
from ragnotes.asking.verbs import BASE_FORMS
from ragnotes.asking.words import content_stems, held_stems
from ragnotes.spelled_dates import shortly
from ragnotes.types import DateRange
from ragnotes.written_dates import DayMonthOrder, Form, find_dates

__all__ = ["dated_first", "day_told"]

CLOSE = 0.8
"""A dated piece of evidence goes before an undated one where its score is at least this share of the best."""

_WHEN = re.compile(
    r"^[\s¿¡]*(?:(?:since\s+|desde\s+|seit\s+)?(?:when|cu[aá]ndo|wann)"
    r"|(?:on|in|en|an|in)?\s*(?:what|which|qué|welche[nmrs]?)\s+(?:days?|dates?|week|month|year|día|fecha|mes|año"
    r"|tag|datum))\b"
    r"|\b(?:on|in)\s+(?:what|which)\s+(?:day|date|week|month|year)\b",
    re.IGNORECASE,
)
_TO_COME = re.compile(
    r"^\W*(?:when\s+(?:do|does|will|shall|is|are|am|should|can|must)|wann\s+(?:ist|sind|werde\w*))\b", re.I
)
"""What still is or will be did not happen on the day that it was noted."""
_OWN = re.compile(r"\b(?:I|we|my|our|ich|wir|mein\w*|mi|mis|yo)\b", re.IGNORECASE)
_FIRST_WORD = re.compile(r"[\W\d]*([^\W\d]+)")
_HAPPENED_ON = re.compile(
    r"\b(?:on|in|since|am|im|seit|el|en|desde)\s+(?:the\s+|(?:\w+day|\w+tag),?\s+)?$", re.IGNORECASE
)


def day_told(question: str, text: str, noted: DateRange | None, *, order: DayMonthOrder | None = None) -> str | None:
    """The day that answers the question, for a sentence noted on these days; None where no day is asked for.

    Asked when the rest of the world did something, the day of a note says nothing. "When was the kettle repaired?" is
    of the own life where a log says so: "repaired the kettle".
    """
    if not _WHEN.search(question) or _TO_COME.search(question):
        return None
    own = _OWN.search(question) or speaks_of_own_notes(question)
    if not own and not (noted and noted.since == noted.until and _logs(text, question)):
        return None
    told = _told_in(text, noted, order) or noted
    return shortly(told) if told else None


def _logs(text: str, question: str) -> bool:
    """Whether the text tells what its writer did as a log does, without saying who, and that is what is asked for."""
    asked = set(content_stems(question))
    first = _FIRST_WORD.match(text)
    doing = first is not None and (first[1].lower() in BASE_FORMS or first[1].lower().endswith("ed"))
    return 2 * len(asked & held_stems(text)) > len(asked) and (doing or _OWN.search(text) is not None)


def dated_first(question: str, evidence: Sequence[Evidence], *, order: DayMonthOrder | None = None) -> list[Evidence]:
    """The evidence; where a day is asked for, pieces close to the best that tell one go before those that do not."""
    least = CLOSE * max((item.score for item in evidence), default=0.0)

    def tells(item: Evidence) -> bool:
        return item.score >= least and day_told(question, item.unit.plain, item.place.date, order=order) is not None

    return sorted(evidence, key=lambda item: not tells(item))


def _told_in(text: str, noted: DateRange | None, order: DayMonthOrder | None) -> DateRange | None:
    """The days that the sentence itself gives for what it tells, none of them after those it was noted on."""
    for found in find_dates(text, year=noted.since.year if noted else None, order=order):
        before = text[: found.start]
        past = noted is None or found.date.since <= noted.until
        if past and found.form in (Form.DAY, Form.MONTH) and _HAPPENED_ON.search(before):
            return None if of_a_thing(before, text[found.end :]) else found.date
    return None
