"""Questions about the notes' own time: "what did I read on 22 May 2023?", "my notes from last week", "the latest on X".

Only such a question limits the search to its dates. In any other a date is one more word: "Which battle was fought in
1760?" asks of the world, and notes of any day may answer it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from ragnotes.answers import Filters, Order
from ragnotes.asking.own_words import content_of, of_a_thing, of_my_things, order_asked, speaks_of_own_notes
from ragnotes.errors import UsageError
from ragnotes.ports import Snapshot
from ragnotes.question_dates import DaysAsked, days_asked
from ragnotes.spelled_dates import shortly
from ragnotes.types import DateRange
from ragnotes.written_dates import DayMonthOrder

__all__ = ["FROM_QUESTION", "Holds", "holdings_of", "limited_to_own_time", "subject_of", "tells_of"]

FROM_QUESTION = "question"
"""What `Filters.source` says where the dates come from the question, or are what it leaves of dates that were set."""

YEARS_BACK = 6
"""How far back a date without a year is looked for where the notes hold nothing of the latest one."""
LIVING_MEMORY_YEARS = 100
"""What is longer ago is history, unless the notes are of that time."""
OWN_THINGS_DAYS = 31
"""`Where was my meeting` on a day or in a month asks of the notes' own time; what was mine for years may not."""
SHORT_DAYS = 7

Holds = Callable[[DateRange], bool]
"""Whether the notes hold anything of these days."""


def limited_to_own_time(
    question: str,
    filters: Filters,
    *,
    today: date,
    order: DayMonthOrder | None = None,
    holds: Holds = lambda _: True,
) -> Filters:
    """`filters`, with the dates of the question where it asks of the notes' own time.

    Where dates were set, what is left are the days of both; raises UsageError where there are none. A date without a
    year is the latest that the notes hold anything of, or the latest at all. A question for what is newest says so in
    `Filters.order`; asked for nothing but that, it is limited to the last day of the notes.
    """
    if wanted := order_asked(question):
        filters = replace(filters, order=wanted, today=today)
    asked = days_asked(question, today=today, order=order)
    if filters.since or filters.until:
        holds = _in_set_days(filters, holds)
        return _within_set(filters, _own_days(question, asked, today, order, holds) if asked else None)
    days = _own_days(question, asked, today, order, holds) if asked else None
    if wanted and asked is None and speaks_of_own_notes(question) and not content_of(question):
        days = _outermost_day(wanted, today, holds)
    return replace(filters, since=days.since, until=days.until, source=FROM_QUESTION) if days else filters


def _within_set(filters: Filters, days: DateRange | None) -> Filters:
    """The filters, whose dates somebody set, with those of the question besides. Raises UsageError."""
    if days is None:
        return filters
    since, until = max(filters.since or date.min, days.since), min(filters.until or date.max, days.until)
    if since > until:
        set_days = " ".join(
            f"{name} {day}" for name, day in (("since", filters.since), ("until", filters.until)) if day
        )
        raise UsageError(
            f"the question asks for {shortly(days)}, and no day of that is {set_days}", "leave out one of them"
        )
    return replace(filters, since=since, until=until, source=FROM_QUESTION)


def _in_set_days(filters: Filters, holds: Holds) -> Holds:
    """`holds` of what lies in the days that were set."""
    return lambda days: (
        (filters.since or date.min) <= days.until and days.since <= (filters.until or date.max) and holds(days)
    )


def _own_days(
    question: str, asked: DaysAsked, today: date, order: DayMonthOrder | None, holds: Holds
) -> DateRange | None:
    if not _is_own_time(asked):
        return None
    if asked.yearless:
        return next((days for days in _earlier(question, asked, today, order) if holds(days)), asked.days)
    is_history = asked.days.until.year < today.year - LIVING_MEMORY_YEARS
    return None if is_history and not holds(asked.days) else asked.days


def _earlier(question: str, asked: DaysAsked, today: date, order: DayMonthOrder | None) -> Iterator[DateRange]:
    """The days asked for, then the same of the years before."""
    yield asked.days
    for back in range(1, YEARS_BACK):
        earlier = days_asked(question, today=date(max(today.year - back, 1), 12, 31), order=order)
        if earlier and earlier.days.since < asked.days.since:
            yield earlier.days


def _is_own_time(asked: DaysAsked) -> bool:
    """Whether the question asks what was noted in these days, and not of a thing that is of them.

    It does where it speaks of the asker's doings or notes, where it holds no other word to look for ("what happened in
    July 2024?"), and where the days are told from the asker's own (`yesterday`, `last week`).
    """
    own = speaks_of_own_notes(asked.text)
    if of_a_thing(asked.text[: asked.start], asked.text[asked.end :]) and not (asked.near and own):
        return False
    days = (asked.days.until - asked.days.since).days
    return own or asked.near or not content_of(asked.rest) or (of_my_things(asked.text) and days <= OWN_THINGS_DAYS)


def _outermost_day(wanted: Order, today: date, holds: Holds) -> DateRange | None:
    """The last day up to today that the notes hold something of, or the first; None where they hold no date."""

    def reach(days: int) -> DateRange:
        """What lies on the far side of so many days from the end that is asked for."""
        if wanted == "newest":
            return DateRange(today - timedelta(days=days), today)
        return DateRange(date.min, today - timedelta(days=longest - days))

    longest = (today - date(1900, 1, 1)).days
    low, high = 0, longest
    if not holds(reach(longest)):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(reach(middle)) else (middle + 1, high)
    found = reach(low)
    return found if wanted == "newest" else DateRange(found.until, found.until)


def holdings_of(snapshot: Snapshot, filters: Filters) -> Holds:
    """A look into a snapshot: whether passages that pass the filters lie within given days."""
    return lambda days: snapshot.any_passes(replace(filters, since=days.since, until=days.until, within=True))


def tells_of(days: DateRange | None, filters: Filters) -> bool:
    """Whether a passage of `days` tells of the filter's: it lies within them, or is of a week that touches them."""
    if days is None:
        return False
    within = (filters.since or date.min) <= days.since and days.until <= (filters.until or date.max)
    return within or (days.until - days.since).days < SHORT_DAYS


def subject_of(question: str, filters: Filters, *, today: date, order: DayMonthOrder | None = None) -> str:
    """What is left to look for once dates and order are settled; "" for "what did I note on 27 May 2023?"."""
    limited = filters.source == FROM_QUESTION
    if not limited and filters.order is None:
        return question
    asked = days_asked(question, today=today, order=order) if limited else None
    return " ".join(content_of(asked.rest if asked else question))
