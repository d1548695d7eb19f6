"""The days that a question limits itself to: `on 22 May 2023`, `in June 2023`, `since 2022`, `last week`.

Only what is explicit counts: a day without a year, or a year that merely qualifies a noun, limits nothing. A limit read
where none was meant hides the answer, a limit missed only ranks it lower.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from ragnotes.types import DateRange
from ragnotes.written_dates import (
    TO,
    YEAR,
    Form,
    Found,
    find_dates,
    leading_date,
    month_range,
    named_month,
    year_range,
)

__all__ = ["mentioned_dates"]

_BEFORE = r"before|antes\s+del?|vor(?:\s+dem)?"
_UNTIL = r"until|till|up\s+to|hasta(?:\s+el)?|bis(?:\s+zum)?"
_AFTER = r"after|después\s+del?|nach(?:\s+dem)?"
_SINCE = r"since|desde(?:\s+el)?|seit(?:\s+dem)?"
_BOUND = re.compile(
    rf"\b(?:(?P<before>{_BEFORE})|(?P<until>{_UNTIL})|(?P<after>{_AFTER})|(?P<since>{_SINCE}))\s+$", re.IGNORECASE
)
_YEARS = re.compile(
    rf"\b(?:(?:between|from|entre|desde|del?|von|zwischen)\s+(?P<first>(?:1[89]|20)[0-9]{{2}}){TO}"
    rf"|(?:in|during|throughout|en|durante|im\s+jahre?|{_BEFORE}|{_UNTIL}|{_AFTER}|{_SINCE})\s+)"
    rf"(?:the\s+year\s+|el\s+año\s+)?{YEAR}(?![\w]|[-./:]\w)",
    re.IGNORECASE,
)
_FROM = re.compile(
    rf"\b(?:between|from|entre|desde|del?|vom|von|zwischen)\s+(?:the\s+|el\s+|dem\s+)?(?P<left>[^?!;]{{1,30}}?){TO}$",
    re.IGNORECASE,
)
_UNIT_WORDS = {
    "week": "week semana woche",
    "month": "month mes monat monats",
    "year": "year año jahr jahres",
}
_UNITS = {word: unit for unit, words in _UNIT_WORDS.items() for word in words.split()}
_UNIT = rf"(?P<unit>{'|'.join(_UNITS)})\b"
_PAST_UNIT = re.compile(
    rf"\b(?:last|previous|letzte[nrs]?|vorige[nrs]?|vergangene[nrs]?)\s+{_UNIT}"
    rf"|\b(?:el|la)\s+{_UNIT.replace('unit', 'unidad')}\s+pasad[oa]\b",
    re.IGNORECASE,
)
_THIS_UNIT = re.compile(rf"\b(?:this|est[ea]|diese[nrs]?)\s+{_UNIT}", re.IGNORECASE)
_PAST_COUNT = re.compile(
    r"\b(?:last|past|letzten|vergangenen|últim[oa]s)\s+(?P<count>[0-9]{1,3})\s+"
    r"(?:(?P<days>days?|tage|días)|(?P<weeks>weeks?|wochen|semanas)|(?P<months>months?|monate|meses))\b",
    re.IGNORECASE,
)
_DAYS_AGO = (
    (re.compile(r"\b(?:the\s+day\s+before\s+yesterday|anteayer|vorgestern)\b", re.IGNORECASE), 2),
    (re.compile(r"\b(?:yesterday|ayer|gestern)\b", re.IGNORECASE), 1),
    # "what can language models do today" asks of no day; "what did I read today" does
    (re.compile(r"\b(?:I|we|my|our|ich|wir|mein\w*)\b.*\b(?:today|heute)\b", re.IGNORECASE), 0),
)


def mentioned_dates(question: str, *, today: date) -> DateRange | None:
    """The days that a question is limited to, or None. Several dates give the days from the first to the last.

    `since` and `after` run to today; `before` and `until` begin with the earliest date there is. Weeks begin on Monday.
    """
    text = " ".join(unicodedata.normalize("NFC", question).split())
    found = sorted(_dates_in(text), key=lambda each: each.start)
    try:
        if not found:
            return _relative(text, today)
        before = text[: found[0].start]
        days = DateRange(min(each.date.since for each in found), max(each.date.until for each in found))
        if left := _left_of_range(before, days.since):
            return DateRange(left.since, days.until)
        return _bounded(before, days, today) if len(found) == 1 else days
    except (OverflowError, ValueError):  # today at the very edge of the calendar
        return None


def _dates_in(text: str) -> Iterator[Found]:
    for found in find_dates(text, year=None, order=None):
        if found.complete:
            yield found
    for match in _YEARS.finditer(text):
        last = year_range(int(match["year"]))
        first = year_range(int(match["first"])) if match["first"] else last
        if first.since <= last.since:
            start = match.start("first") if match["first"] else match.start("year")
            yield Found(DateRange(first.since, last.until), start, match.end(), match.end(), Form.DAY, complete=True)


def _left_of_range(before: str, right: date) -> DateRange | None:
    """The date without a year in `between 28 May and` or `from May to`, which lies before the date that follows it."""
    match = _FROM.search(before)
    if not match:
        return None
    for year in (right.year, right.year - 1):
        found = _named_days(match["left"], year)
        if found and found.since <= right:
            return found
    return None


def _named_days(text: str, year: int) -> DateRange | None:
    if month := named_month(text):
        return month_range(year, month)
    found = leading_date(text, year=year, order=None)
    return found.date if found and found.after == len(text) else None


def _bounded(before: str, days: DateRange, today: date) -> DateRange | None:
    match = _BOUND.search(before)
    if not match:
        return days
    if match["before"] or match["until"]:
        return DateRange(date.min, days.until if match["until"] else days.since - timedelta(days=1))
    since = days.since if match["since"] else days.until + timedelta(days=1)
    return DateRange(since, today) if since <= today else None


def _relative(text: str, today: date) -> DateRange | None:
    for pattern, days_ago in _DAYS_AGO:
        if pattern.search(text):
            day = today - timedelta(days=days_ago)
            return DateRange(day, day)
    if match := _PAST_COUNT.search(text):
        count = int(match["count"])
        span = relativedelta(
            days=count if match["days"] else 0,
            weeks=count if match["weeks"] else 0,
            months=count if match["months"] else 0,
        )
        return DateRange(today - span, today)
    if match := _PAST_UNIT.search(text):
        unit = _UNITS[(match["unit"] or match["unidad"]).lower()]
        return _unit_around(unit, _unit_around(unit, today).since - timedelta(days=1))
    if match := _THIS_UNIT.search(text):
        return _unit_around(_UNITS[match["unit"].lower()], today)
    return None


def _unit_around(unit: str, day: date) -> DateRange:
    """The week, month or year that the day lies in."""
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return DateRange(monday, monday + timedelta(days=6))
    if unit == "month":
        return month_range(day.year, day.month) or DateRange(day, day)
    return year_range(day.year)
