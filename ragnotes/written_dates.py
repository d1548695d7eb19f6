"""How dates are written: the forms in English, Spanish and German, and where in a text they stand.

`ragnotes.dates` decides what a date found here says about a heading, item, file name or question. A date is complete
where it has a year; what it lacks is taken from `year` and `order`, and without them it is not read. Nothing raises.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from ragnotes.types import DateRange

__all__ = [
    "MONTH",
    "TO",
    "YEAR",
    "DayMonthOrder",
    "Form",
    "Found",
    "day_range",
    "find_dates",
    "fits",
    "is_tail",
    "leading_date",
    "month_range",
    "named_month",
    "own_order",
    "plain_line",
    "year_range",
]


class DayMonthOrder(StrEnum):
    """Which part of `3/4` is the day."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class Form(StrEnum):
    """What is written: a day (or days, or a week) with its month, a month with its year, two numbers, two with dots."""

    DAY = "20 March"
    MONTH = "March 2023"
    PAIR = "3/20"
    DOTTED = "20.3."


class Found(NamedTuple):
    """A date at `start` to `end` of a text; what it dates begins at `after`, past a weekday, time or dash."""

    date: DateRange
    start: int
    end: int
    after: int
    form: Form
    complete: bool


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan enero ene januar jänner jän",
            "february feb febrero februar",
            "march mar marzo märz maerz mär mrz",
            "april apr abril abr",
            "may mayo mai",
            "june jun junio juni",
            "july jul julio juli",
            "august aug agosto ago",
            "september sept sep septiembre setiembre",
            "october oct octubre oktober okt",
            "november nov noviembre",
            "december dec diciembre dic dezember dez",
        ),
        1,
    )
    for name in names.split()
}
YEAR = r"(?P<year>(?:1[89]|20)[0-9]{2})"
MONTH = rf"(?P<name>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
TO = r"(?:\s*[-–—]\s*|\s+(?:to|and|until|through|a|al|y|hasta|bis|und)\s+(?:the\s+|el\s+|zum\s+|dem\s+)?)"
_ORDINAL = r"(?:st\b|nd\b|rd\b|th\b|\.?º|\.)?"
_DAYS = rf"(?P<day>[0-9]{{1,2}}){_ORDINAL}(?:{TO}(?P<last>[0-9]{{1,2}}){_ORDINAL})?"
_WEEKDAY = (
    r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
    r"|lunes|martes|mi[eé]rcoles|jueves|viernes|s[aá]bado|domingo"
    r"|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend|mo|di|mi|do|fr|sa|so)\b\.?"
)
# Not inside an identifier, path, version or longer number: gpt-4-2023-03-14, 2305.13048, 2023-03-14.md
_LEFT, _RIGHT = r"(?<![\w./:-])", r"(?!\w|[-./]\w|:[0-9])"
_FORMS = tuple(
    (form, re.compile(_LEFT + written + _RIGHT, re.IGNORECASE))
    for form, written in (
        (Form.DAY, rf"{YEAR}[- ]?W(?P<week>[0-9]{{2}})"),
        (Form.DAY, rf"{YEAR}([-/.])(?P<month>[0-9]{{1,2}})\2(?P<day>[0-9]{{1,2}})(?:T[0-9:.]+(?:Z|[+-][0-9:]+)?)?"),
        (Form.MONTH, rf"{YEAR}[-/](?P<month>[0-9]{{2}})"),
        (Form.DAY, rf"(?P<a>[0-9]{{1,2}})(?P<by>[-./])(?P<b>[0-9]{{1,2}})(?P=by){YEAR}"),
        (Form.DAY, r"(?P<a>[0-9]{1,2})(?P<by>/)(?P<b>[0-9]{1,2})/(?P<short>[0-9]{2})"),
        (Form.DAY, r"(?P<a>[0-9]{2})(?P<by>\.)(?P<b>[0-9]{2})\.(?P<short>[0-9]{2})"),
        (Form.DAY, rf"{_DAYS}(?:\s+|-|(?<=\.))(?:of\s+|de\s+)?{MONTH}(?:(?:,?\s+|-)(?:del?\s+)?{YEAR})?"),
        (Form.DAY, rf"{MONTH}\s+{_DAYS},?\s+{YEAR}"),
        (Form.DAY, rf"{MONTH}\s+(?P<day>[0-9]{{1,2}}){_ORDINAL}"),
        (Form.MONTH, rf"{MONTH},?\s+(?:del?\s+)?{YEAR}"),
        (Form.PAIR, r"(?P<a>[0-9]{1,2})(?P<by>/)(?P<b>[0-9]{1,2})"),
        (Form.DOTTED, r"(?P<a>[0-9]{1,2})(?P<by>\.)(?P<b>[0-9]{1,2})\."),
    )
)
_MONTH_NAME = re.compile(MONTH, re.IGNORECASE)
_MARKER = re.compile(rf"(?:#+\s+|(?:[-*+•]|[0-9]{{1,3}}[.)](?!\s+{MONTH}))\s+)?(?:\[[ x]\]\s+)?", re.IGNORECASE)
_MARKUP = re.compile(r"[*~`]+|(?<!\w)_{1,3}|(?<!_)_{1,3}(?!\w)|\[\[|\]\]|\s#+\s*$")
_BEFORE_DATE = re.compile(
    rf"(?P<bracket>[\[(<]?)(?P<week>(?:week\s+(?:of|from)|semana\s+del?|woche\s+(?:vom|ab))\s+(?:the\s+)?)?"
    rf"(?:{_WEEKDAY},?\s+(?:the\s+|el\s+|den\s+)?)?",
    re.IGNORECASE,
)
_AFTER_DATE = re.compile(
    rf"(?:,?\s*\(?{_WEEKDAY}\)?)?"
    r"(?:,?\s+[0-9]{1,2}:[0-9]{2}(?::[0-9.]+)?(?:\s*[ap]m\b)?(?:\s*(?:Z|UTC|GMT|[+-][0-9]{1,2}(?::?[0-9]{2})?)\b)?)?"
    r"(?P<bracket>[\])>]?)(?:(?<=\])\([^()\s]*\))?(?:\s*(?:[-–—:|,;→)]|\.(?=\s))+\s*|\s+|$)",
    re.IGNORECASE,
)


def day_range(year: int, month: int, day: int) -> DateRange | None:
    """That one day; None where the calendar has no such day."""
    try:
        return DateRange(date(year, month, day), date(year, month, day))
    except ValueError:
        return None


def month_range(year: int, month: int) -> DateRange | None:
    """The first to the last day of the month; None where there is no such month."""
    if not (1 <= month <= 12 and 1 <= year <= 9999):
        return None
    return DateRange(date(year, month, 1), date(year, month, monthrange(year, month)[1]))


def year_range(year: int) -> DateRange:
    """1 January to 31 December."""
    return DateRange(date(year, 1, 1), date(year, 12, 31))


def named_month(text: str) -> int | None:
    """The month, 1-12, whose name or abbreviation the whole text is."""
    match = _MONTH_NAME.fullmatch(text)
    return _MONTHS.get(match["name"].casefold()) if match else None


def fits(month: int, day: int) -> bool:
    """Whether these can be a month and a day of it."""
    return 1 <= month <= 12 and 1 <= day <= 31


def own_order(a: int, b: int) -> DayMonthOrder | None:
    """The order that `a/b` itself tells, by a part above 12."""
    if fits(b, a) and not fits(a, b):
        return DayMonthOrder.DAY_FIRST
    if fits(a, b) and not fits(b, a):
        return DayMonthOrder.MONTH_FIRST
    return None


def plain_line(text: str) -> str:
    """The first line of a heading or item without its marker, check box, emphasis and wiki brackets."""
    line = unicodedata.normalize("NFC", text).strip().partition("\n")[0]
    return " ".join(_MARKUP.sub("", line[_end(_MARKER.match(line)) :]).split())


def leading_date(plain: str, *, year: int | None, order: DayMonthOrder | None) -> Found | None:
    """The date that the text begins with, past a bracket, `Week of` or weekday; a space, stop or the end follows."""
    before = _BEFORE_DATE.match(plain)
    at = _end(before)
    for form, pattern in _FORMS:
        match = pattern.match(plain, at)
        after = _AFTER_DATE.match(plain, match.end()) if match else None
        if not match or not before or not after or (before["bracket"] and not after["bracket"]):
            continue
        if days := _read(match, year, order):
            if before["week"]:
                days = _week_from(days.since)
            return Found(days, at, match.end(), after.end(), form, _read(match, None, order) is not None)
    return None


def find_dates(text: str, *, year: int | None, order: DayMonthOrder | None) -> list[Found]:
    """Every date in the text, in order; where two forms overlap, the one that begins first, then the longer."""
    candidates = sorted(_candidates(text, year, order), key=lambda found: (found.start, -found.end))
    kept: list[Found] = []
    for found in candidates:
        if not kept or found.start >= kept[-1].end:
            kept.append(found)
    return kept


def is_tail(text: str, end: int) -> bool:
    """Whether nothing follows the date that ends at `end` but a weekday, a time, a closing bracket or a stop."""
    return _AFTER_DATE.fullmatch(text, end) is not None


def _candidates(text: str, year: int | None, order: DayMonthOrder | None) -> Iterator[Found]:
    for form, pattern in _FORMS:
        for match in pattern.finditer(text):
            if days := _read(match, year, order):
                complete = _read(match, None, order) is not None
                yield Found(days, match.start(), match.end(), match.end(), form, complete)


def _read(match: re.Match[str], year: int | None, order: DayMonthOrder | None) -> DateRange | None:
    parts = match.groupdict()
    written = _written_year(parts)
    in_year = written or year
    if in_year is None or (written is None and parts.get("name") == "may"):  # "1 may be enough"
        return None
    if week := parts.get("week"):
        return _week_range(in_year, int(week))
    if parts.get("a"):
        return _read_numbers(parts, written, in_year, order)
    month = int(parts.get("month") or 0) or _MONTHS.get((parts.get("name") or "").casefold(), 0)
    if not parts.get("day"):
        return month_range(in_year, month)
    first = day_range(in_year, month, int(parts["day"] or 0))
    last = day_range(in_year, month, int(parts["last"] or 0)) if parts.get("last") else first
    return DateRange(first.since, last.until) if first and last and first.since <= last.until else None


def _written_year(parts: dict[str, str | None]) -> int | None:
    if short := parts.get("short"):
        return int(short) + (2000 if int(short) < 70 else 1900)
    year = parts.get("year")
    return int(year) if year else None


def _week_range(year: int, week: int) -> DateRange | None:
    try:
        return _week_from(date.fromisocalendar(year, week, 1))
    except ValueError:
        return None


def _week_from(day: date) -> DateRange:
    return DateRange(day, date.fromordinal(min(day.toordinal() + 6, date.max.toordinal())))


def _read_numbers(
    parts: dict[str, str | None], written: int | None, year: int, order: DayMonthOrder | None
) -> DateRange | None:
    a, b = int(parts["a"] or 0), int(parts["b"] or 0)
    own = DayMonthOrder.DAY_FIRST if parts["by"] == "." else own_order(a, b)
    if own and order and own != order and parts["by"] != "." and written is None:
        return None
    settled = own or order or (DayMonthOrder.DAY_FIRST if a == b and written else None)
    if settled is None:
        return None
    return day_range(year, b, a) if settled is DayMonthOrder.DAY_FIRST else day_range(year, a, b)


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0
