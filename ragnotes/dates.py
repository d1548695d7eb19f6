"""Which days each stretch of a note belongs to, and the dates that notes give: front matter, names, headings, items.

The readers ask here for the marks of a file (`date_marks`). What cannot be told is None: a day without a year, or `3/4`
in a file that does not settle which of the two is the month. Nothing here raises on text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ragnotes.line_dates import (
    date_of_cell,
    date_of_heading,
    date_of_item,
    date_of_value,
    dates_paragraph,
    infer_day_month_order,
    is_date_column,
    numeric_pairs,
    stated_date,
    whole_date_pairs,
)
from ragnotes.path_dates import date_of_path
from ragnotes.question_dates import mentioned_dates
from ragnotes.types import DateMark, DateRange
from ragnotes.written_dates import DayMonthOrder, own_order

__all__ = [
    "DATE_LINE",
    "DatedLine",
    "DayMonthOrder",
    "Role",
    "ambiguous_date",
    "date_marks",
    "date_of_cell",
    "date_of_heading",
    "date_of_item",
    "date_of_path",
    "date_of_value",
    "dated_paragraph",
    "infer_day_month_order",
    "is_date_column",
    "mentioned_dates",
    "numeric_pairs",
    "stated_date",
]

DATE_LINE = 7
"""The level of a paragraph that is nothing but a date: under all headings, and ended by any."""

DIARY_PARAGRAPHS = 3
"""A note of one day is a diary of other days where it has so many dated paragraphs."""
_SOME_DAY = date(2000, 1, 1)


class Role(StrEnum):
    """What a dated line is beside its text: where a date is expected, more forms count as one."""

    LINE = "heading or item"
    PARAGRAPH = "paragraph"
    HEAD = "item with others under it"
    DATE_CELL = "cell of a column of dates"
    CELL = "first cell of a row"


@dataclass(frozen=True, slots=True)
class DatedLine:
    """A heading (`level` 1-7) or an item or row (`level` None, nested `depth` deep, 0 outermost) that may carry a date.

    `end` is where an item ends, its nested items included. `text` is its source, with or without the Markdown marker;
    of a row it is the one cell that may be a date.
    """

    start: int
    end: int
    level: int | None
    depth: int
    text: str
    role: Role = Role.LINE


def dated_paragraph(line: str, start: int, end: int) -> DatedLine | None:
    """What a paragraph from `start` to `end` that opens with `line` says of dates: a heading of days, or an entry."""
    alone = dates_paragraph(line)
    return None if alone is None else DatedLine(start, end, DATE_LINE if alone else None, 0, line, Role.PARAGRAPH)


def ambiguous_date(lines: Sequence[DatedLine], *, base: DateRange | None, text: str) -> str | None:
    """The first line that has no date because the file does not settle which number of `3/4` is the day, else None."""
    if _order_of(lines, text, None):
        return None
    for line in sorted(lines, key=lambda each: each.start):
        timeline = _Timeline(base or DateRange(_SOME_DAY, _SOME_DAY))
        if not timeline.resolve(line, None) and timeline.resolve(line, DayMonthOrder.DAY_FIRST):
            return line.text
    return None


def date_marks(
    lines: Sequence[DatedLine], *, base: DateRange | None, text: str, order: DayMonthOrder | None = None
) -> tuple[DateMark, ...]:
    """Where in `text` which date begins to hold, by start; the document's own date `base` holds where no other does.

    A date heading holds until a heading of its level or above, an item's date until that item ends. A missing year
    comes from the heading or item around, else from the dated line before (after ascending dates January is a new year,
    after descending ones December is the old one), else from `base`. `order` holds where the file itself settles none.
    """
    order = _order_of(lines, text, order)
    timeline = _Timeline(base)
    for line in sorted(_telling(lines, base), key=lambda each: each.start):
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
            if line.level or line.role in (Role.LINE, Role.PARAGRAPH):
                read = date_of_heading if line.level else date_of_item
                return read(line.text, year=year, order=order)
            return date_of_cell(line.text, expected=line.role is not Role.CELL, year=year, order=order)

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


def _telling(lines: Sequence[DatedLine], base: DateRange | None) -> Sequence[DatedLine]:
    """The lines without lone dated paragraphs of a note of one day: they tell when something will be, or was."""
    paragraphs = {line.text for line in lines if line.role is Role.PARAGRAPH}
    if base is None or base.since != base.until or len(paragraphs) >= DIARY_PARAGRAPHS:
        return lines
    return [line for line in lines if line.role is not Role.PARAGRAPH]


def _order_of(lines: Sequence[DatedLine], text: str, given: DayMonthOrder | None) -> DayMonthOrder | None:
    """The order that the dates at the starts of lines and cells tell, else whole dates anywhere, else the one given."""
    cells = "\n".join(line.text for line in lines if line.role in (Role.CELL, Role.DATE_CELL))
    starts = [*numeric_pairs(text), *numeric_pairs(cells)]
    anywhere = [pair for pair in whole_date_pairs(text) if own_order(*pair)]
    return infer_day_month_order(starts) or infer_day_month_order(anywhere) or given


def _in_window(in_year: Callable[[int], DateRange | None], anchor: DateRange, *, back_days: int) -> DateRange | None:
    """The first date from `back_days` before the anchor on, or the one in its year where the anchor is a whole year."""
    year = anchor.since.year
    if (anchor.until - anchor.since).days > 31:
        return in_year(year)
    earliest = anchor.since.toordinal() - back_days
    dates = (in_year(each) for each in (year - 1, year, year + 1))
    return next((each for each in dates if each and each.since.toordinal() >= earliest), None)
