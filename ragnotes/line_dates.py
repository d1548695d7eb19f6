"""The date that a piece of a note gives: a front-matter value, a heading, a list item, a table's cell, a paragraph.

What cannot be told is None: a day without a year, or `3/4` where nothing settles which of the two is the month. Nothing
here raises on text. `ragnotes.written_dates` knows how dates are written, `ragnotes.dates` how far they reach.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import pairwise

from ragnotes.types import DateRange
from ragnotes.written_dates import (
    YEAR,
    DayMonthOrder,
    Form,
    Found,
    day_range,
    find_dates,
    fits,
    is_tail,
    leading_date,
    named_span,
    own_order,
    plain_line,
    year_range,
)

__all__ = [
    "LOG",
    "YEAR_NAME",
    "date_of_cell",
    "date_of_heading",
    "date_of_item",
    "date_of_value",
    "dates_paragraph",
    "infer_day_month_order",
    "is_date_column",
    "numeric_pairs",
    "stated_date",
    "trailing_date",
    "whole_date_pairs",
]

LOG = r"(?:[^\W\d]+\s+){0,2}(?:log|logs|logbook|journals?|diary|diario|bit[aá]cora|tagebuch|logbuch)"
_LOG_WORDS = re.compile(LOG, re.IGNORECASE)
YEAR_NAME = re.compile(rf"(?:{LOG}\s+)?(?:año\s+|year\s+|jahr\s+)?{YEAR}(?:\s+{LOG})?", re.IGNORECASE)
_SEPARATOR_LAST = re.compile(r"[-–—:|,;(\[]\s*$")
_SEPARATOR_FIRST = re.compile(r"\s*[-–—:|,;)\]]")
_NUMBERS_FIRST = re.compile(
    r"[\[(<]?([0-9]{1,2})(?:/([0-9]{1,2})(?:/[0-9]{2,4})?|-([0-9]{1,2})-[0-9]{4})(?![\w/]|[-.]\w)"
)
_BOLD = re.compile(r"\s*(?P<mark>\*\*|__)[^*_\n]+(?P=mark)")
_NUMBER_NEAR = re.compile("[0-9]")
_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
"""A line of `str.splitlines`, which makes a list of them all."""
_WHOLE_DATE = re.compile(r"(?<![\w./-])([0-9]{1,2})/([0-9]{1,2})/(?:19|20)[0-9]{2}(?![\w/]|[-.]\w)")
_RATIOS = {(24, 7), (16, 9), (16, 10)}
_FRACTION_OF = re.compile(
    r"\s*(?:of|full|empty|would|stars?|points?|score|rating|chance|majority|ratio|size"
    r"|cups?|tsp|tbsp|(?:tea|table)spoons?|inch(?:es)?|miles?|hours?|pounds?|lbs?|oz|kg|lit(?:er|re)s?"
    r"|done|complete|finished|through|people|votes|users|in favou?r"
    r"|del?|tazas?|horas?|der|des|Tassen?|Stunden?|TL|EL)\b"
)
_DATE_COLUMN = re.compile(
    r"(?:the\s+)?(?:dates?|days?|when|weeks?|months?|fechas?|día|dia|cuándo|semana|mes|datum|tag|wann|woche|monat|jour|giorno"
    r"|data)(?:\s*\(.*\))?",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"^\W*(?:date|created(?:\s+(?:on|at))?|written(?:\s+on)?|published|posted|fecha|creado|datum|erstellt|data)\W*:{1,2}\W*"
    r"(?P<value>[^\n]{4,40})$",
    re.IGNORECASE | re.MULTILINE,
)
_STATED_WITHIN = 600
_ANY_YEAR = 2000
"""Takes any day without a year, 29 February too."""


def date_of_value(value: object, *, order: DayMonthOrder | None = None) -> DateRange | None:
    """The days that a front-matter value names: a date, a time (its day as written), a month, a year, an interval."""
    if isinstance(value, date):
        day = value.date() if isinstance(value, datetime) else value
        return DateRange(day, day)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**8:
        value = str(value)
    if not isinstance(value, str):
        return None
    text = plain_line(value)
    if interval := re.fullmatch(r"([0-9-]{10})/([0-9-]{10})", text):
        since, until = (date_of_value(day) for day in interval.groups())
        return DateRange(since.since, until.until) if since and until and since.since <= until.until else None
    if compact := re.fullmatch(rf"{YEAR}([0-9]{{2}})([0-9]{{2}})", text):
        return day_range(*map(int, compact.groups()))
    if re.fullmatch(YEAR, text):
        return year_range(int(text))
    found = leading_date(text, year=None, order=order)
    return found.date if found and found.after == len(text) else None


def stated_date(text: str, *, order: DayMonthOrder | None) -> DateRange | None:
    """The date of a line `Date: 3 March 2023` (`created::`, `Fecha:`, `Datum:`, …) near the start of a note's body."""
    values = (match["value"] for match in _STATED.finditer(text[:_STATED_WITHIN]))
    return next((found for value in values if (found := date_of_value(value, order=order))), None)


def date_of_heading(text: str, *, year: int | None, order: DayMonthOrder | None) -> DateRange | None:
    """The days that a heading stands for: it is a date, begins or ends with one. `year` is that of its surroundings."""
    plain = plain_line(text)
    if named := YEAR_NAME.fullmatch(plain):
        return year_range(int(named["year"]))
    if year is not None and (span := named_span(plain, year)):
        return span
    found = leading_date(plain, year=year, order=order)
    if found and _begins_with(found, plain):
        return found.date
    return trailing_date(plain, year, order)


def date_of_item(text: str, *, year: int | None, order: DayMonthOrder | None) -> DateRange | None:
    """The date that a log entry begins with. `3/4` needs a year, a settled order, and not to read as a fraction.

    An item that is nothing but a day counts where the month is named or the year written: it heads its nested items.
    """
    if not _NUMBER_NEAR.search(text[:60]):
        return None
    plain = plain_line(text)
    found = leading_date(plain, year=year, order=order)
    if found is None or not _begins_with(found, plain):
        return None
    return None if found.form is not Form.DAY and found.after == len(plain) else found.date


def date_of_cell(text: str, *, expected: bool, year: int | None, order: DayMonthOrder | None) -> DateRange | None:
    """The date that a table's cell is; where a date is `expected` (the column says so) it may begin with one.

    Where none is, `3/4` is a fraction. An item that heads others is read like a cell of a date column.
    """
    plain = plain_line(text)
    if expected and (named := YEAR_NAME.fullmatch(plain)):
        return year_range(int(named["year"]))
    if year is not None and (span := named_span(plain, year)):
        return span
    found = leading_date(plain, year=year, order=order)
    if found is None:
        return None
    whole = found.after == len(plain)
    if expected:
        return found.date if whole or _begins_with(found, plain) else None
    return found.date if whole and found.form in (Form.DAY, Form.MONTH) else None


def is_date_column(header: str) -> bool:
    """Whether a column headed so holds the days of its rows; a `due date` or `release date` does not."""
    return _DATE_COLUMN.fullmatch(plain_line(header)) is not None


def dates_paragraph(line: str) -> bool | None:
    """How the first line of a paragraph dates it: True as a line of its own, False before a text, None not at all.

    A date alone heads what follows (`**3 March**`); before a text it is set apart from it (`2023-03-31: went home`).
    """
    if not _NUMBER_NEAR.search(line):  # most lines have no number at all, which is seen sooner
        return None
    plain = plain_line(line)
    if not plain or not _NUMBER_NEAR.search(plain[:60]):
        return None
    bold = _BOLD.match(line)
    readings = (leading_date(plain, year=_ANY_YEAR, order=order) for order in DayMonthOrder)
    found = next((each for each in readings if each), None)
    if found is None:
        return None
    if found.after == len(plain):
        return True if bold or found.form in (Form.DAY, Form.MONTH) else None
    separated = bool(plain[found.end : found.after].strip())
    set_apart = bold is not None and plain_line(bold[0]).rstrip(":.-–— ") == plain[: found.end]
    return False if (separated or set_apart) and _begins_with(found, plain) else None


def numeric_pairs(text: str) -> list[tuple[int, int]]:
    """The two numbers of every `3/20`, `3/20/2023` or `20-3-2023` that begins a line, item or heading, in order."""
    pairs = []
    for line in _LINE.finditer(text):
        plain = plain_line(line[0]) if _NUMBER_NEAR.search(line[0]) else ""
        if match := _NUMBERS_FIRST.match(plain):
            pair = int(match[1]), int(match[2] or match[3])
            if not _is_fraction(pair, plain[match.end() :]):
                pairs.append(pair)
    return pairs


def whole_date_pairs(text: str) -> list[tuple[int, int]]:
    """The first two numbers of every `25/12/2023` anywhere in the text."""
    return [(int(match[1]), int(match[2])) for match in _WHOLE_DATE.finditer(text)]


def infer_day_month_order(samples: Iterable[tuple[int, int]]) -> DayMonthOrder | None:
    """Which part is the day: a part above 12 tells, else the one order in which the dates run one way. None if untold.

    Samples that are dates in neither order are ignored; samples that contradict each other settle nothing. Running one
    way needs at least 4 steps, of which at most a tenth turn back while in the other order a quarter or more do.
    """
    pairs = [(a, b) for a, b in samples if fits(a, b) or fits(b, a)]
    if told := {order for a, b in pairs if (order := own_order(a, b))}:
        return told.pop() if len(told) == 1 else None
    steps = sum(one != other for one, other in pairwise(pairs))
    day_first, month_first = _turns([(b, a) for a, b in pairs]), _turns(pairs)
    if steps >= 4 and month_first * 10 <= steps <= day_first * 4:
        return DayMonthOrder.MONTH_FIRST
    if steps >= 4 and day_first * 10 <= steps <= month_first * 4:
        return DayMonthOrder.DAY_FIRST
    return None


def _begins_with(found: Found, plain: str) -> bool:
    """Whether the date at the start of the text dates it, and is no fraction, section number or passing mention."""
    written, rest = plain[found.start : found.end], plain[found.after :]
    separated = not rest or bool(plain[found.end : found.after].strip())
    if found.form is Form.MONTH:
        return separated or _LOG_WORDS.match(rest) is not None
    if found.form is Form.DOTTED:
        return separated or "0" in (written[0], written.split(".")[1][0]) or found.date.since.day > 12
    if found.form is Form.PAIR:
        a, b = written.split("/")
        return not _is_fraction((int(a), int(b)), plain[found.end :])
    return True


def _is_fraction(pair: tuple[int, int], rest: str) -> bool:
    if _SEPARATOR_FIRST.match(rest):
        return False
    return pair in _RATIOS or _FRACTION_OF.match(rest) is not None


def trailing_date(plain: str, year: int | None, order: DayMonthOrder | None) -> DateRange | None:
    """The date that the text ends with; a month, or a day without a year, must be set apart or follow `log`."""
    dates = find_dates(plain, year=year, order=order)
    if not dates or dates[-1].form in (Form.PAIR, Form.DOTTED) or not is_tail(plain, dates[-1].end):
        return None
    left, last = plain[: dates[-1].start], dates[-1]
    apart = _SEPARATOR_LAST.search(left) or _LOG_WORDS.fullmatch(left.strip())
    return last.date if apart or (last.complete and last.form is Form.DAY) else None


def _turns(pairs: Sequence[tuple[int, int]]) -> int:
    """How many steps of these (month, day) go against the rest; a step goes the shorter way round the year."""
    days = [month * 31 + day for month, day in pairs]
    steps = [(other - one + 186) % 372 - 186 for one, other in pairwise(days)]
    return min(sum(step > 0 for step in steps), sum(step < 0 for step in steps))
