"""Dates that notes give: in front matter, file names, headings and list items, and in questions about them.

The Markdown reader asks here which days each stretch of a file belongs to (`date_marks`); asking reads the dates of a
question (`mentioned_dates`). What cannot be told is None: a day without a year, or `3/4` in a file that does not settle
which of the two is the month. Nothing here raises on text. `ragnotes.written_dates` knows how dates are written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import PurePosixPath

from ragnotes.question_dates import mentioned_dates
from ragnotes.types import DateMark, DateRange
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
    month_range,
    named_month,
    own_order,
    plain_line,
    year_range,
)

__all__ = [
    "DatedLine",
    "DayMonthOrder",
    "date_marks",
    "date_of_heading",
    "date_of_item",
    "date_of_path",
    "date_of_value",
    "infer_day_month_order",
    "mentioned_dates",
    "numeric_pairs",
]


@dataclass(frozen=True, slots=True)
class DatedLine:
    """A heading (`level` 1-6) or a list item (`level` None, nested `depth` deep, 0 outermost) that may carry a date.

    `end` is where an item ends, its nested items included. `text` is its source, with or without the Markdown marker.
    """

    start: int
    end: int
    level: int | None
    depth: int
    text: str


_LOG = r"(?:[^\W\d]+\s+){0,2}(?:log|logs|logbook|journals?|diary|diario|bit[aá]cora|tagebuch|logbuch)"
_LOG_WORDS = re.compile(_LOG, re.IGNORECASE)
_YEAR_NAME = re.compile(rf"(?:{_LOG}\s+)?(?:año\s+|year\s+|jahr\s+)?{YEAR}(?:\s+{_LOG})?", re.IGNORECASE)
_SEPARATOR_LAST = re.compile(r"[-–—:|,;(\[]\s*$")
_SEPARATOR_FIRST = re.compile(r"\s*[-–—:|,;)\]]")
_NUMBERS_FIRST = re.compile(
    r"[\[(<]?([0-9]{1,2})(?:/([0-9]{1,2})(?:/[0-9]{2,4})?|-([0-9]{1,2})-[0-9]{4})(?![\w/]|[-.]\w)"
)
_NUMBER_NEAR = re.compile("[0-9]")
_RATIOS = {(24, 7), (16, 9), (16, 10)}
_FRACTION_OF = re.compile(
    r"\s*(?:of|full|empty|would|stars?|points?|score|rating|chance|majority|ratio|size"
    r"|cups?|tsp|tbsp|(?:tea|table)spoons?|inch(?:es)?|miles?|hours?|pounds?|lbs?|oz|kg|lit(?:er|re)s?"
    r"|del?|tazas?|horas?|der|des|Tassen?|Stunden?|TL|EL)\b"
)
_DATED_NAME = re.compile(
    rf"{YEAR}(?:(?P<by>[-_. ])(?P<month>[0-9]{{1,2}})(?P=by)(?P<day>[0-9]{{1,2}})|(?P<compact>[0-9]{{4}}))"
    r"(?:[T_-]?[0-9]{4}(?:[0-9]{2})?)?(?![^\W_])"
)
_MONTH_NAME = re.compile(rf"(?:{_LOG}[-_ ])?{YEAR}[-_](?P<month>[0-9]{{2}})(?:$|[-_ ]+[^\W\d])", re.IGNORECASE)
_NAME_DATED = re.compile(
    rf"(?P<what>.*?)(?P<gap>[-_ (]+){YEAR}(?P<by>[-_.])(?P<month>[0-9]{{2}})(?P=by)(?P<day>[0-9]{{2}})\)?"
)


def date_of_value(value: object) -> DateRange | None:
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
    found = leading_date(text, year=None, order=None)
    return found.date if found and found.after == len(text) else None


def date_of_path(path: str) -> DateRange | None:
    """The days that a file's name gives, or else its folders: `2024-05-14 x.md`, `2024/05/14.md`, `2024-W20.md`.

    A year counts alone (`2024.md`, `2024/x.md`) or beside a word such as log or journal; a date at the end of a name
    counts unless the name looks like an identifier (`gpt-4-2024-04-09`).
    """
    *folders, name = PurePosixPath(unicodedata.normalize("NFC", path)).parts or ("",)
    stem = re.sub(r"\.[^\W\d]\w{0,9}$", "", name)
    return _date_of_name(stem) or _date_of_folders([*folders, stem])


def date_of_heading(text: str, *, year: int | None, order: DayMonthOrder | None) -> DateRange | None:
    """The days that a heading stands for: it is a date, begins or ends with one. `year` is that of its surroundings."""
    plain = plain_line(text)
    if named := _YEAR_NAME.fullmatch(plain):
        return year_range(int(named["year"]))
    if year is not None and (month := named_month(plain)):
        return month_range(year, month)
    found = leading_date(plain, year=year, order=order)
    if found and _begins_with(found, plain):
        return found.date
    return _trailing_date(plain, year, order)


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


def numeric_pairs(text: str) -> list[tuple[int, int]]:
    """The two numbers of every `3/20`, `3/20/2023` or `20-3-2023` that begins a line, item or heading, in order."""
    pairs = []
    for line in text.splitlines():
        plain = plain_line(line)
        if match := _NUMBERS_FIRST.match(plain):
            pair = int(match[1]), int(match[2] or match[3])
            if not _is_fraction(pair, plain[match.end() :]):
                pairs.append(pair)
    return pairs


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


def date_marks(lines: Sequence[DatedLine], *, base: DateRange | None, text: str) -> tuple[DateMark, ...]:
    """Where in `text` which date begins to hold, by start; the document's own date `base` holds where no other does.

    A date heading holds until a heading of its level or above, an item's date until that item ends. A missing year
    comes from the heading or item around, else from the dated line before (after ascending dates January is a new year,
    after descending ones December is the old one), else from `base`.
    """
    order = infer_day_month_order(numeric_pairs(text))
    timeline = _Timeline(base)
    for line in sorted(lines, key=lambda each: each.start):
        timeline.close(line.start, line.level)
        if found := timeline.resolve(line, order):
            timeline.open(line, found)
    timeline.close(len(text), None)
    return tuple(mark for mark in timeline.marks if mark.start < len(text))


class _Timeline:
    """The headings and items open at a place of a document, the dates read so far, and the marks that came of them."""

    def __init__(self, base: DateRange | None) -> None:
        self.base = base
        self.marks = [DateMark(0, base)] if base else []
        self.headings: list[tuple[int, DateRange]] = []
        self.items: list[tuple[int, DateRange]] = []
        self.past: list[DateRange] = []

    def close(self, start: int, level: int | None) -> None:
        """End the items that end at or before `start`, and the headings that a heading of `level` there ends."""
        while self.items and self.items[-1][0] <= start:
            end, _ = self.items.pop()
            self._mark(end)
        while level and self.headings and self.headings[-1][0] >= level:
            self.headings.pop()
            self._mark(start)

    def open(self, line: DatedLine, found: DateRange) -> None:
        if line.level:
            self.headings.append((line.level, found))
        else:
            outer_end = self.items[-1][0] if self.items else line.end
            self.items.append((max(line.start, min(line.end, outer_end)), found))
        if line.depth == 0:
            self.past.append(found)
        self._mark(line.start)

    def resolve(self, line: DatedLine, order: DayMonthOrder | None) -> DateRange | None:
        """The line's date, its year written or from around, before, or the document, in that order."""

        def in_year(year: int | None) -> DateRange | None:
            read = date_of_heading if line.level else date_of_item
            return read(line.text, year=year, order=order)

        if written := in_year(None):
            return written
        if around := self._around():
            # What stands under a dated heading is of that day or before it, seldom after.
            return _in_window(in_year, around, back_days=270)
        if self.past:
            return _in_window(in_year, self.past[-1], back_days=self._back_days())
        return _in_window(in_year, self.base, back_days=60) if self.base else None

    def _around(self) -> DateRange | None:
        innermost = self.items or self.headings
        return innermost[-1][1] if innermost else None

    def _back_days(self) -> int:
        """How far back the next date may lie: a little in an ascending log, far in a descending one."""
        last = self.past[-1].since
        before = next((each.since for each in reversed(self.past) if each.since != last), last)
        return 183 if before == last else 92 if before < last else 273

    def _mark(self, start: int) -> None:
        now = self._around() or self.base
        if self.marks and self.marks[-1].start == start:
            self.marks.pop()
        if now != (self.marks[-1].date if self.marks else None):
            self.marks.append(DateMark(start, now))


def _in_window(in_year: Callable[[int], DateRange | None], anchor: DateRange, *, back_days: int) -> DateRange | None:
    """The first date from `back_days` before the anchor on, or the one in its year where the anchor is a whole year."""
    year = anchor.since.year
    if (anchor.until - anchor.since).days > 31:
        return in_year(year)
    earliest = anchor.since.toordinal() - back_days
    dates = (in_year(each) for each in (year - 1, year, year + 1))
    return next((each for each in dates if each and each.since.toordinal() >= earliest), None)


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


def _trailing_date(plain: str, year: int | None, order: DayMonthOrder | None) -> DateRange | None:
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


def _date_of_name(name: str) -> DateRange | None:
    if match := _DATED_NAME.match(name):
        compact = match["compact"] or ""
        return day_range(int(match["year"]), int(match["month"] or compact[:2]), int(match["day"] or compact[2:]))
    if match := _MONTH_NAME.match(name):
        return month_range(int(match["year"]), int(match["month"]))
    if match := _NAME_DATED.fullmatch(name):
        is_identifier = " " not in match["gap"] and re.search("[0-9]", match["what"])
        return None if is_identifier else day_range(int(match["year"]), int(match["month"]), int(match["day"]))
    spaced = " ".join(re.split(r"[-_\s]+", name)).strip()
    if match := _YEAR_NAME.fullmatch(spaced):
        return year_range(int(match["year"]))
    found = leading_date(name, year=None, order=None) or leading_date(spaced, year=None, order=None)
    return found.date if found else _trailing_date(spaced, None, None)


def _date_of_folders(parts: Sequence[str]) -> DateRange | None:
    """The date of the innermost dated folder, made a month or a day by the names below it: 2024/05/14, 2024-05/14."""
    for i in reversed(range(len(parts) - 1)):
        found = _date_of_name(parts[i])
        if not found:
            continue
        below = list(parts[i + 1 :])
        days = (found.until - found.since).days
        if days > 31 and (month := _month_of_folder(below[0])):
            found, days = month_range(found.since.year, month) or found, 30
            below.pop(0)
        if days > 7 and days <= 31 and below and re.fullmatch(r"[0-9]{1,2}", below[0]):
            return day_range(found.since.year, found.since.month, int(below[0])) or found
        return found
    return None


def _month_of_folder(name: str) -> int | None:
    if match := re.fullmatch(r"(0[1-9]|1[0-2])(?:[-_. ]+([^\W\d]+))?", name):
        return int(match[1]) if not match[2] or named_month(match[2]) == int(match[1]) else None
    return named_month(name)
