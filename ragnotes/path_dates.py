"""The date that a file's name gives, or the folders it lies in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from ragnotes.line_dates import LOG, YEAR_NAME, trailing_date
from ragnotes.types import DateRange
from ragnotes.written_dates import YEAR, DayMonthOrder, day_range, leading_date, month_range, named_month, year_range

__all__ = ["date_of_path"]

_DATED_NAME = re.compile(
    rf"{YEAR}(?:(?P<by>[-_. ])(?P<month>[0-9]{{1,2}})(?P=by)(?P<day>[0-9]{{1,2}})|(?P<compact>[0-9]{{4}}))"
    r"(?:[T_-]?[0-9]{4}(?:[0-9]{2})?)?(?![^\W_])"
)
_MONTH_NAME = re.compile(rf"(?:{LOG}[-_ ])?{YEAR}[-_](?P<month>[0-9]{{2}})(?:$|[-_ ]+[^\W\d])", re.IGNORECASE)
_NAME_DATED = re.compile(
    rf"(?P<what>.*?)(?P<gap>[-_ (]+){YEAR}(?P<by>[-_.])(?P<month>[0-9]{{2}})(?P=by)(?P<day>[0-9]{{2}})\)?"
)


def date_of_path(path: str, *, order: DayMonthOrder | None = None) -> DateRange | None:
    """The days that a file's name gives, or else its folders: `2024-05-14 x.md`, `2024/05/14.md`, `2024-W20.md`.

    A year counts alone (`2024.md`, `2024/x.md`) or beside a word such as log or journal; a date at the end of a name
    counts unless the name looks like an identifier (`gpt-4-2024-04-09`). `order` settles `03-04-2024.md`.
    """
    *folders, name = PurePosixPath(unicodedata.normalize("NFC", path)).parts or ("",)
    stem = re.sub(r"\.[^\W\d]\w{0,9}$", "", name)
    return _date_of_name(stem, order) or _date_of_folders([*folders, stem], order)


def _date_of_name(name: str, order: DayMonthOrder | None) -> DateRange | None:
    if match := _DATED_NAME.match(name):
        compact = match["compact"] or ""
        return day_range(int(match["year"]), int(match["month"] or compact[:2]), int(match["day"] or compact[2:]))
    if match := _MONTH_NAME.match(name):
        return month_range(int(match["year"]), int(match["month"]))
    if match := _NAME_DATED.fullmatch(name):
        is_identifier = " " not in match["gap"] and re.search("[0-9]", match["what"])
        return None if is_identifier else day_range(int(match["year"]), int(match["month"]), int(match["day"]))
    spaced = " ".join(re.split(r"[-_\s]+", name)).strip()
    if match := YEAR_NAME.fullmatch(spaced):
        return year_range(int(match["year"]))
    found = leading_date(name, year=None, order=order) or leading_date(spaced, year=None, order=order)
    return found.date if found else trailing_date(spaced, None, order)


def _date_of_folders(parts: Sequence[str], order: DayMonthOrder | None) -> DateRange | None:
    """The date of the innermost dated folder, made a month or a day by the names below it: 2024/05/14, 2024-05/14."""
    for i in reversed(range(len(parts) - 1)):
        found = _date_of_name(parts[i], order)
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
