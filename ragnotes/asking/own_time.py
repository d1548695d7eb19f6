"""Questions about the notes' own time: "what did I read on 22 May 2023?", "my notes from last week".

Only such a question limits the search to its dates. In any other a date is one more word: "Which battle was fought in
1760?" asks of the world, and notes of any day may answer it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from ragnotes.dates import mentioned_dates
from ragnotes.types import DateRange, Filters
from ragnotes.written_dates import MONTH

__all__ = ["FROM_QUESTION", "dated_within", "limited_to_own_time", "subject_of"]

FROM_QUESTION = "question"
"""What `Filters.source` says where the dates come from the question."""

_OWN_TIME = re.compile(
    r"\b(?:did|do|have|had|was|were|am|are)\s+(?:I|we)\b"
    r"|\b(?:I|we)\s+(?:read|wrote|noted?|logged|recorded|saw|watched|learned|learnt|did|was|were|had|put|saved)\b"
    r"|\b(?:my|our)\s+(?:\w+\s+)?(?:notes?|log|journal|diary|entry|entries)\b"
    r"|\b(?:notes?|entry|entries|logged|noted)\s+(?:from|of|on|in|for|between)\b"
    r"|\b(?:leí|anoté|escribí|mis\s+notas|habe\s+ich|meine\s+notizen)\b",
    re.IGNORECASE,
)
_TIME_WORDS = re.compile(
    rf"\b\d[\w./:-]*|\b(?:{MONTH})|\b(?:yesterday|today|last|past|this|week|month|year|days?|weeks?|months?|between|since"
    r"|until|before|after|from|ayer|hoy|gestern|heute)\b",
    re.IGNORECASE,
)
_ANY_ENTRY = re.compile(  # words that fit whatever was noted
    r"\b(?:read|wrote|write|written|noted?|notes?|log|logged|journal|diary|entry|entries|recorded|saw|watched|did|do"
    r"|saved|put|happened|stuff|things?|everything|anything|papers?|articles?|links?|posts?)\b",
    re.IGNORECASE,
)


def limited_to_own_time(question: str, filters: Filters, *, today: date) -> Filters:
    """`filters`, with the dates of the question where it asks of the notes' own time and nobody set dates."""
    if filters.since or filters.until or not _OWN_TIME.search(question):
        return filters
    days = mentioned_dates(question, today=today)
    return replace(filters, since=days.since, until=days.until, source=FROM_QUESTION) if days else filters


def dated_within(days: DateRange | None, filters: Filters) -> bool:
    """Whether `days` lie within the filter's, and do not only touch them: a passage of "2023" is not one of 22 May."""
    if days is None:
        return False
    return (filters.since or date.min) <= days.since and days.until <= (filters.until or date.max)


def subject_of(question: str, filters: Filters) -> str:
    """What is left to look for once the dates are a filter; nothing in "what did I note on 27 May 2023?"."""
    if filters.source != FROM_QUESTION:
        return question
    return _ANY_ENTRY.sub(" ", _TIME_WORDS.sub(" ", question))
