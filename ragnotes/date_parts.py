"""Parts of a longer time: `the first week of` June, `the end of` May, `mid-` 2023, `the weekend of` 3 June."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from ragnotes.date_words import NUMBERS, ORDINALS, UNITS, any_word
from ragnotes.relative_dates import unit_around
from ragnotes.types import DateRange
from ragnotes.written_dates import months_range

__all__ = ["LOOK_BACK_CHARS", "Part", "part_before"]


class Part(NamedTuple):
    """What stands before a date and narrows or widens it; `of` gives None where the date has no such part."""

    start: int
    of: Callable[[DateRange], DateRange | None]


_HALVES = "half|mitad|hälfte|halbjahr|semestre"
_THE = r"(?:(?:the|la|el|las|los|die|der|das|den|dem)\s+)?"
_OF = r"(?:(?:of|in|del?|des|im|vom|von)\s+)?"
_NTH = re.compile(
    rf"\b{_THE}(?P<nth>{any_word(ORDINALS)})\s+(?:(?P<count>[0-9]{{1,2}}|{any_word(NUMBERS)})\s+)?"
    rf"(?P<unit>fin\s+de\s+semana|{any_word(UNITS)}|{_HALVES})\s+{_OF}{_THE}$",
    re.IGNORECASE,
)
_EDGE = re.compile(
    r"\b(?:(?P<early>early|anfang)|(?P<mid>mid(?!\s+of)|mitte)|(?P<late>late|ende))[\s-]+(?:in\s+|des\s+)?(?:the\s+)?$"
    r"|\b(?:the\s+)?(?:(?P<start>beginning|start)|(?P<middle>middle)|(?P<end>end))\s+of\s+(?:the\s+)?$"
    r"|\b(?:(?P<inicio>principios?|comienzos?|inicios?)|(?P<medio>mediados)|(?P<fin>finales?|fines))\s+del?\s+(?:el\s+)?$",
    re.IGNORECASE,
)
_EDGES = {"early": 0, "start": 0, "inicio": 0, "mid": 1, "middle": 1, "medio": 1, "late": 2, "end": 2, "fin": 2}
_AROUND = re.compile(
    rf"\b{_THE}(?P<unit>weekend|fin\s+de\s+semana|wochenende|week|semana|woche)\s+"
    r"(?:of|from|starting|beginning|del?|vom|ab|um)\s+(?:the\s+|el\s+|den\s+|dem\s+)?$",
    re.IGNORECASE,
)


_NEXT_TO = re.compile(
    rf"\b{_THE}(?P<unit>day|week|month|día|semana|mes|tag|woche|monat)\s+"
    r"(?:(?P<before>before|antes\s+del?|vor)|(?:after|después\s+del?|nach))\s+(?:the\s+|el\s+|dem\s+)?$",
    re.IGNORECASE,
)


LOOK_BACK_CHARS = 80


def part_before(text: str, at: int) -> Part | None:
    """The part that is asked for of a date at `at`, by the words before it; None where there are none."""
    first = max(0, at - LOOK_BACK_CHARS)
    if match := _NTH.search(text, first, at):
        nth, unit = ORDINALS[match["nth"].lower()], _unit(match["unit"])
        count = _count(match["count"])
        return Part(match.start(), lambda days: _nth(days, nth, count, unit))
    if match := _AROUND.search(text, first, at):
        unit = _unit(match["unit"])
        return Part(match.start(), lambda days: unit_around(unit, days.since) if days.since == days.until else None)
    if match := _NEXT_TO.search(text, first, at):
        unit, side = _unit(match["unit"]), -1 if match["before"] else 1
        return Part(match.start(), lambda days: _neighbour(days, side, unit))
    if match := _EDGE.search(text, first, at):
        third = _EDGES[match.lastgroup or ""]
        return Part(match.start(), lambda days: _third(days, third))
    return None


def _unit(word: str) -> str:
    word = word.lower()
    return "weekend" if word.startswith("fin") else UNITS.get(word, "half")


def _count(word: str | None) -> int:
    return int(word) if word and word.isdigit() else NUMBERS[word.lower()] if word else 1


def _nth(days: DateRange, nth: int, count: int, unit: str) -> DateRange | None:
    """`count` of the unit from the nth on (-1: at the end) within the days; None where they do not fit."""
    if unit in ("day", "week"):
        width = count * (7 if unit == "week" else 1)
        return _within(days, _width_from(days, (nth - 1) * width, width) if nth > 0 else _last(days, width))
    if unit == "weekend":
        saturdays = [day for day in _all(days) if day.weekday() == 5]
        index = nth - 1 if nth > 0 else nth
        saturday = saturdays[index] if -len(saturdays) <= index < len(saturdays) else None
        return unit_around("weekend", saturday) if saturday else None
    months = _months(days)
    if unit == "half" and months == 1 and nth in (1, 2, -1):
        middle = days.since + timedelta(days=14)
        return DateRange(days.since, middle) if nth == 1 else DateRange(middle + timedelta(days=1), days.until)
    width = count * {"month": 1, "quarter": 3, "half": months // 2}.get(unit, 0)
    return _months_of(days, (nth - 1) * width if nth > 0 else months - width, width)


def _neighbour(days: DateRange, side: int, unit: str) -> DateRange:
    """The day, week or month before the days, or after them."""
    beyond = days.since - timedelta(days=1) if side < 0 else days.until + timedelta(days=1)
    if unit == "week" and days.since == days.until:
        beyond = days.since + timedelta(days=7 * side)
    return unit_around(unit, beyond)


def _third(days: DateRange, third: int) -> DateRange | None:
    """The first, middle or last third: of a month 1-10, 11-20 and the rest, of what is longer by whole months."""
    months = _months(days)
    if months >= 3:
        return _months_of(days, months // 3 * third, months // 3)
    width = ((days.until - days.since).days + 1) // 3
    if width == 0:
        return None
    begins = _width_from(days, third * width, width)
    return DateRange(begins.since, days.until) if third == 2 else begins


def _width_from(days: DateRange, skip: int, width: int) -> DateRange:
    since = days.since + timedelta(days=skip)
    return DateRange(since, since + timedelta(days=width - 1))


def _last(days: DateRange, width: int) -> DateRange:
    return DateRange(days.until - timedelta(days=width - 1), days.until)


def _within(days: DateRange, part: DateRange) -> DateRange | None:
    """The part as far as it lies within the days."""
    if part.since > days.until or part.until < days.since:
        return None
    return DateRange(max(part.since, days.since), min(part.until, days.until))


def _all(days: DateRange) -> list[date]:
    return [days.since + timedelta(days=n) for n in range(min((days.until - days.since).days + 1, 366))]


def _months(days: DateRange) -> int:
    """How many whole months the days are, 0 where they are none."""
    whole = days.since.day == 1 and (days.until + timedelta(days=1)).day == 1
    return 12 * (days.until.year - days.since.year) + days.until.month - days.since.month + 1 if whole else 0


def _months_of(days: DateRange, skip: int, width: int) -> DateRange | None:
    if width <= 0 or skip < 0 or skip + width > _months(days):
        return None
    month = days.since.month - 1 + skip
    return months_range(days.since.year + month // 12, month % 12 + 1, width)
