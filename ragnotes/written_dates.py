"""How dates are written: the forms in six languages, and where in a text they stand.

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

from ragnotes.date_words import MONTHS, SEASONS, WEEKDAYS, any_word
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
    "months_range",
    "named_month",
    "named_span",
    "own_order",
    "plain_line",
    "season_range",
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


YEAR = r"(?P<year>(?:1[89]|20)[0-9]{2})"
MONTH = rf"(?P<name>{any_word(MONTHS)})\b\.?"
TO = r"(?:\s*[-–—]\s*|\s+(?:to|and|until|through|a|al|y|hasta|bis|und)\s+(?:the\s+|el\s+|zum\s+|dem\s+)?)"
_ORDINAL = r"(?:st\b|nd\b|rd\b|th\b|er\b|\.?º|\.)?"
_DAYS = rf"(?P<day>[0-9]{{1,2}}){_ORDINAL}(?:{TO}(?P<last>[0-9]{{1,2}}){_ORDINAL})?"
_WEEKDAY = (
    rf"(?:{any_word(WEEKDAYS)}|mon|tues?|wed|thur?s?|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mié|jue|vie|sáb|dom)\b\.?"
)
_WEEK = r"(?:week|wk\.?|kw|kalenderwoche|semana|semaine|settimana)"
_SEASON = rf"(?P<season>{any_word(SEASONS)})"
# Not inside an identifier, path, version or longer number: gpt-4-2023-03-14, 2305.13048, 2023-03-14.md
_LEFT, _RIGHT = r"(?<![\w./:-])", r"(?!\w|[-./]\w|:[0-9])"
_FORMS = tuple(
    (form, re.compile(_LEFT + written + _RIGHT, re.IGNORECASE))
    for form, written in (
        (Form.DAY, rf"{YEAR}[- ]?W(?P<week>[0-9]{{2}})"),
        (Form.DAY, rf"{_WEEK}\s*(?P<week>[0-9]{{1,2}})(?:,?\s+|\s*/\s*)(?:(?:of|del?)\s+)?{YEAR}"),
        (Form.DAY, rf"{YEAR},?\s+{_WEEK}\s*(?P<week>[0-9]{{1,2}})"),
        (Form.DAY, rf"W(?P<week>[0-9]{{2}})[- ]{YEAR}"),
        (Form.DAY, rf"{YEAR}([-/])(?P<month>[0-9]{{1,2}})\2(?P<day>[0-9]{{1,2}})(?:T[0-9:.]+(?:Z|[+-][0-9:]+)?)?"),
        (Form.DAY, rf"{YEAR}\.(?P<month>[0-9]{{2}})\.(?P<day>[0-9]{{2}})"),  # 2023.4.1 is a version
        (Form.MONTH, rf"Q(?P<quarter>[1-4])[-/\s]\s*(?:of\s+|del?\s+)?{YEAR}"),
        (Form.MONTH, rf"{YEAR}[-/\s]?\s*Q(?P<quarter>[1-4])"),
        (Form.MONTH, rf"{_SEASON}(?:\s+(?:of|del?))?\s+{YEAR}(?:[-/](?:[0-9]{{4}}|[0-9]{{2}}))?"),
        (Form.MONTH, rf"{YEAR}[-/](?P<month>[0-9]{{2}})"),
        (Form.DAY, rf"(?P<a>[0-9]{{1,2}})(?P<by>[-./])(?P<b>[0-9]{{1,2}})(?P=by){YEAR}"),
        (Form.DAY, r"(?P<a>[0-9]{1,2})(?P<by>/)(?P<b>[0-9]{1,2})/(?P<short>[0-9]{2})"),
        (Form.DAY, r"(?P<a>[0-9]{2})(?P<by>\.)(?P<b>[0-9]{2})\.(?P<short>[0-9]{2})"),
        (Form.DAY, rf"{_DAYS}(?:\s+|-|(?<=\.))(?:(?:of|de|di)\s+)?{MONTH}(?:(?:,?\s+|-)(?:del?\s+)?{YEAR})?"),
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
_ICON = re.compile("^\\s*[\u2600-\u27bf\u2b00-\u2bff\ufe0f\U0001f300-\U0001faff]+\\s*")
_BEFORE_DATE = re.compile(
    rf"(?P<bracket>[\[(<]?)(?P<week>(?:week\s+(?:of|from)|semana\s+del?|woche\s+(?:vom|ab))\s+(?:the\s+)?)?"
    rf"(?:{_WEEKDAY},?\s+(?:the\s+|el\s+|den\s+|le\s+)?)?",
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


def months_range(year: int, first: int, count: int) -> DateRange | None:
    """`count` months from the `first`, 1-12, of the year on."""
    last = first + count - 2
    begins, ends = month_range(year, first), month_range(year + last // 12, last % 12 + 1)
    return DateRange(begins.since, ends.until) if begins and ends else None


def season_range(year: int, season: int) -> DateRange | None:
    """The three months of the season that begins in the year; winter runs from December to February."""
    return months_range(year, 3 * season + 3, 3)


def year_range(year: int) -> DateRange:
    """1 January to 31 December."""
    return DateRange(date(year, 1, 1), date(year, 12, 31))


def named_month(text: str) -> int | None:
    """The month, 1-12, whose name or abbreviation the whole text is."""
    match = _MONTH_NAME.fullmatch(text)
    return MONTHS.get(match["name"].casefold()) if match else None


def named_span(text: str, year: int) -> DateRange | None:
    """The month or quarter of the year whose name (`March`, `Q2`) the whole text is."""
    if quarter := re.fullmatch(r"Q([1-4])", text):
        return months_range(year, 3 * int(quarter[1]) - 2, 3)
    month = named_month(text)
    return month_range(year, month) if month else None


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
    """The first line of a heading or item without its marker, check box, emphasis, wiki brackets and leading icon."""
    line = unicodedata.normalize("NFC", text).strip().partition("\n")[0]
    return " ".join(_ICON.sub("", _MARKUP.sub("", line[_end(_MARKER.match(line)) :])).split())


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
    if in_year is None or _is_another_word(parts, written):
        return None
    if quarter := parts.get("quarter"):
        return months_range(in_year, 3 * int(quarter) - 2, 3)
    if season := parts.get("season"):
        return season_range(in_year, SEASONS[season.casefold()])
    if week := parts.get("week"):
        return _week_range(in_year, int(week))
    if parts.get("a"):
        return _read_numbers(parts, written, in_year, order)
    month = int(parts.get("month") or 0) or MONTHS.get((parts.get("name") or "").casefold(), 0)
    if not parts.get("day"):
        return month_range(in_year, month)
    first = day_range(in_year, month, int(parts["day"] or 0))
    last = day_range(in_year, month, int(parts["last"] or 0)) if parts.get("last") else first
    return DateRange(first.since, last.until) if first and last and first.since <= last.until else None


def _is_another_word(parts: dict[str, str | None], written: int | None) -> bool:
    """Whether the month is none: `1 may be enough`, the Mars 2020 rover."""
    name = parts.get("name")
    return (written is None and name == "may") or (name == "Mars" and not (written and parts.get("day")))


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
