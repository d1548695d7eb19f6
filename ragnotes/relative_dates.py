"""Days told from today: `yesterday`, `last week`, `three days ago`, `the past month`, `on Monday`, `last summer`.

A week begins on Monday. `Last week` is the one before this, `the past week` the seven days up to today. What lies in
the future limits nothing: notes of today may speak of tomorrow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from ragnotes.date_words import MONTHS, NUMBERS, SEASONS, UNITS, WEEKDAYS, any_word
from ragnotes.languages import i_did_in_spanish
from ragnotes.types import DateRange
from ragnotes.written_dates import month_range, months_range, season_range, year_range

__all__ = ["Relative", "day_before", "latest_occurrence", "relative_dates", "unit_around"]


class Relative(NamedTuple):
    """Days at `start` to `end` of a text. `near` ones, of days and weeks, are told from the life of who asks.

    `weekly`: a weekday that comes every week, of which the last before today was taken.
    """

    days: DateRange
    start: int
    end: int
    near: bool
    weekly: bool = False


_COUNT = rf"(?:an?\s+)?(?P<count>[0-9]{{1,3}}|{any_word(NUMBERS)})(?:\s+of)?"
_UNIT = rf"(?P<unit>fin\s+de\s+semana|{any_word(UNITS)})\b"
_NAMED = (
    rf"(?P<named>{any_word([*(month for month in MONTHS if len(month) > 3), 'may', 'mai', *SEASONS, *WEEKDAYS])})\b"
)
_LAST = r"(?:last|previous|letzte[nmrs]?|vorige[nmrs]?|vergangene[nmrs]?)"
_THIS = r"(?:this|est[ea]|diese[nmrs]?)"
_NOT_OF = r"(?!\s+(?:of|del?|der|des|vom)\b)"  # the last week of the project is no week of the calendar
_AFTER_NAME = r"(?!,?\s+(?:the\s+|den\s+)?[0-9]|\s+(?:of|del?)\s+[0-9]{4}|\s+morning[s]\b)"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})(?!\w)", re.IGNORECASE)


_OWN = re.compile(r"\b(?:I|we|my|our|ich|wir|mein\w*)\b", re.IGNORECASE)
_DAYS_AGO = (
    (_compiled(r"the\s+day\s+before\s+yesterday|anteayer|antes\s+de\s+ayer|vorgestern"), 2),
    (_compiled(r"yesterday|last\s+night|ayer|anoche|gestern"), 1),
    (
        _compiled(r"this\s+(?:morning|afternoon|evening)|tonight|esta\s+(?:mañana|tarde|noche)|heute\s+(?:früh|abend)"),
        0,
    ),
    (
        _compiled(
            r"(?<=until )(?:today|now)|(?<=till )(?:today|now)|(?<=hasta )(?:hoy|ahora)|(?<=bis )(?:heute|jetzt)"
        ),
        0,
    ),
)
_TODAY = _compiled("today|heute|hoy")
_AGO = (_compiled(rf"{_COUNT}\s+{_UNIT}\s+ago"), _compiled(rf"(?:hace|vor)\s+{_COUNT}\s+{_UNIT}"))
_PAST_COUNT = _compiled(
    rf"(?:the\s+|los\s+|las\s+|den\s+|die\s+)?(?:last|past|previous|letzten?|vergangenen?|últim[oa]s)\s+{_COUNT}"
    rf"\s+{_UNIT}{_NOT_OF}"
)
_PAST_UNIT = _compiled(
    rf"(?:the\s+)?past\s+{_UNIT}{_NOT_OF}|(?:el\s+último|la\s+última)\s+{_UNIT.replace('unit', 'unidad')}"
)
_BEFORE_LAST = _compiled(
    rf"the\s+{_UNIT}\s+before\s+last|vorletzte[nmrs]?\s+{_UNIT.replace('unit', 'einheit')}"
    rf"|(?:el|la)\s+{_UNIT.replace('unit', 'unidad')}\s+antepasad[oa]"
)
_LAST_UNIT = _compiled(rf"{_LAST}\s+{_UNIT}{_NOT_OF}|(?:el|la)?\s*{_UNIT.replace('unit', 'unidad')}\s+pasad[oa]")
_THIS_UNIT = _compiled(rf"{_THIS}\s+{_UNIT}")
_LAST_NAMED = _compiled(
    rf"{_LAST}\s+{_NAMED}{_AFTER_NAME}|(?:el\s+|la\s+)?{_NAMED.replace('named', 'llamado')}\s+pasad[oa]"
)
_THIS_NAMED = _compiled(rf"{_THIS}\s+{_NAMED}{_AFTER_NAME}")
_ON_WEEKDAY = _compiled(
    rf"(?:on|since|until|before|after|from|between|and|to|through|el|del|al|entre|y|am|vom|seit|bis|vor|zwischen|und)\s+(?P<named>{any_word(WEEKDAYS)}){_AFTER_NAME}"
)


def relative_dates(text: str, today: date) -> Iterator[Relative]:
    """Every such expression in the text; several may overlap. `today` itself counts where somebody says `I` or `my`."""
    for pattern, back in _DAYS_AGO:
        for match in pattern.finditer(text):
            yield Relative(_day(today, back), match.start(), match.end(), near=True)
    if _OWN.search(text) or i_did_in_spanish(text):
        for match in _TODAY.finditer(text):
            yield Relative(_day(today, 0), match.start(), match.end(), near=True)
    for patterns, read in _READERS:
        for pattern in patterns:
            for match in pattern.finditer(text):
                start = match.start("named" if read is _on_weekday else 0)  # what stands before may be a bound
                if days := read(match, today):
                    yield Relative(days, start, match.end(), near=_is_near(match), weekly=read is _on_weekday)


def unit_around(unit: str, day: date) -> DateRange:
    """The week, weekend (of its week), month, quarter or year that the day lies in; the day itself for any other."""
    if unit in ("week", "weekend"):
        monday = day - timedelta(days=day.weekday())
        return DateRange(monday + timedelta(days=5 if unit == "weekend" else 0), monday + timedelta(days=6))
    if unit == "month":
        return month_range(day.year, day.month) or DateRange(day, day)
    if unit == "quarter":
        return months_range(day.year, (day.month - 1) // 3 * 3 + 1, 3) or DateRange(day, day)
    return year_range(day.year) if unit == "year" else DateRange(day, day)


def latest_occurrence(
    read: Callable[[int], DateRange | None], anchor: date, *, ended: bool = False
) -> DateRange | None:
    """The latest of what `read` gives for a year that has begun by the anchor day, or that has ended before it."""
    for year in range(anchor.year, anchor.year - 5, -1):  # 29 February comes every fourth year
        found = read(year)
        if found and (found.until < anchor if ended else found.since <= anchor):
            return found
    return None


def day_before(days: DateRange) -> date:
    return days.since - timedelta(days=1)


def _day(today: date, back: int) -> DateRange:
    day = today - timedelta(days=back)
    return DateRange(day, day)


def _unit_of(match: re.Match[str]) -> str:
    groups = match.groupdict()
    word = groups.get("unit") or groups.get("unidad") or groups.get("einheit") or ""
    return "weekend" if word.lower().startswith("fin") else UNITS[word.lower()]


def _count_of(match: re.Match[str]) -> int:
    count = match["count"].lower()
    return int(count) if count.isdigit() else NUMBERS[count]


def _span(unit: str, count: int) -> relativedelta:
    months = {"month": 1, "quarter": 3, "year": 12}.get(unit, 0)
    days = {"day": 1, "week": 7, "weekend": 7}.get(unit, 0)
    return relativedelta(months=months * count, days=days * count)


def _ago(match: re.Match[str], today: date) -> DateRange:
    unit = _unit_of(match)
    return unit_around(unit, today - _span(unit, _count_of(match)))


def _past_count(match: re.Match[str], today: date) -> DateRange:
    return DateRange(today - _span(_unit_of(match), _count_of(match)), today)


def _past_unit(match: re.Match[str], today: date) -> DateRange:
    return DateRange(today - _span(_unit_of(match), 1), today)


def _last_unit(match: re.Match[str], today: date) -> DateRange:
    unit = _unit_of(match)
    return unit_around(unit, today - _span(unit, 1))


def _before_last(match: re.Match[str], today: date) -> DateRange:
    unit = _unit_of(match)
    return unit_around(unit, today - _span(unit, 2))


def _this_unit(match: re.Match[str], today: date) -> DateRange:
    return unit_around(_unit_of(match), today)


def _last_named(match: re.Match[str], today: date) -> DateRange | None:
    name = (match["named"] or match["llamado"]).lower()
    if name in WEEKDAYS:
        return _weekday_before(WEEKDAYS[name], today)
    return latest_occurrence(_of_year(name), today, ended=True)


def _this_named(match: re.Match[str], today: date) -> DateRange | None:
    name = match["named"].lower()
    if match["named"] == "may":  # "this may be"
        return None
    if name in WEEKDAYS:
        monday = today - timedelta(days=today.weekday())
        return _day(monday + timedelta(days=WEEKDAYS[name]), 0)
    return _of_year(name)(today.year)


def _on_weekday(match: re.Match[str], today: date) -> DateRange:
    return _weekday_before(WEEKDAYS[match["named"].lower()], today)


def _weekday_before(weekday: int, today: date) -> DateRange:
    return _day(today, (today.weekday() - weekday - 1) % 7 + 1)


def _of_year(name: str) -> Callable[[int], DateRange | None]:
    if name in SEASONS:
        return lambda year: season_range(year, SEASONS[name])
    return lambda year: month_range(year, MONTHS[name])


def _is_near(match: re.Match[str]) -> bool:
    groups = match.groupdict()
    if named := groups.get("named") or groups.get("llamado"):
        return named.lower() in WEEKDAYS
    return _unit_of(match) in ("day", "week", "weekend")


_READERS: tuple[tuple[tuple[re.Pattern[str], ...], Callable[[re.Match[str], date], DateRange | None]], ...] = (
    (_AGO, _ago),
    ((_PAST_COUNT,), _past_count),
    ((_PAST_UNIT,), _past_unit),
    ((_BEFORE_LAST,), _before_last),
    ((_LAST_UNIT,), _last_unit),
    ((_THIS_UNIT,), _this_unit),
    ((_LAST_NAMED,), _last_named),
    ((_THIS_NAMED,), _this_named),
    ((_ON_WEEKDAY,), _on_weekday),
)
