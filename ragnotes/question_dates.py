"""The days that a question speaks of: `on 22 May 2023`, `from March to May`, `the end of June 2023`, `last week`.

Dates are found first, then what stands before them (`the end of`, `since`), then they are put together. Only what is
explicit counts: a year that merely qualifies a noun, as in `the 2017 paper`, limits nothing. Whether the days are a
limit or one more word is not decided here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from ragnotes.date_parts import LOOK_BACK_CHARS, Part, part_before
from ragnotes.date_words import MONTHS, SEASONS, any_word
from ragnotes.relative_dates import day_before, latest_occurrence, relative_dates
from ragnotes.types import DateRange
from ragnotes.written_dates import (
    TO,
    YEAR,
    DayMonthOrder,
    Form,
    day_range,
    find_dates,
    month_range,
    months_range,
    season_range,
    year_range,
)

__all__ = ["DaysAsked", "days_asked", "mentioned_dates"]

Reading = Callable[[int], DateRange | None]
"""The days of a date that lacks its year, in a year."""

_NOTED = r"(?:notes?|entry|entries|log|logs|journals?|diary|notas|entradas|apuntes|diario|notizen|einträge|tagebuch)"
_BEFORE = r"before|prior\s+to|earlier\s+than|antes\s+del?|vor(?:\s+dem)?"
_UNTIL = r"until|till|by|up\s+to|hasta(?:\s+el)?|bis(?:\s+zum)?"
_AFTER = r"after|later\s+than|después\s+del?|nach(?:\s+dem)?"
_SINCE = r"since|desde(?:\s+el)?|seit(?:\s+dem)?"
_BOUND = re.compile(
    rf"\b(?:(?P<before>{_BEFORE})|(?P<until>{_UNTIL})|(?P<after>{_AFTER})|(?P<since>{_SINCE}))\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_YEARS = re.compile(
    rf"\b(?:between|from|entre|desde|del?|von|zwischen)\s+(?P<first>(?:1[89]|20)[0-9]{{2}}){TO}{YEAR}(?![\w]|[-./:]\w)"
    rf"|(?<![\w./:-]){YEAR.replace('year', 'alone')}(?![\w]|[-./:]\w)",
    re.IGNORECASE,
)
_YEAR_LEAD = re.compile(
    rf"\b(?:in|during|throughout|within|en|durante|im\s+jahre?|the\s+year|el\s+año|(?:im|das)\s+jahr"
    rf"|{_BEFORE}|{_UNTIL}|{_AFTER}|{_SINCE}|{_NOTED}\s+(?:from|of|for|del?|von|aus)"
    rf"|(?:in|en)\s+(?:1[89]|20)[0-9]{{2}}\s+(?:and|or|y|o|und|oder|to))\s+$",
    re.IGNORECASE,
)
_YEAR_TAIL = re.compile(rf"\s+{_NOTED}\b", re.IGNORECASE)
_MONTH_NAMES = any_word(name for name in MONTHS if len(name) > 3 or name in ("may", "mai"))
_YEARLESS = re.compile(
    r"\b(?P<lead>in|during|of|since|until|till|before|after|from|between|through|to|and|or|en|de|del|desde|hasta|entre|a|y|o|im|seit"
    r"|bis|von|zwischen|und|oder)\s+(?:the\s+|el\s+|la\s+)?"
    rf"(?P<what>(?P<month>{_MONTH_NAMES})|(?P<season>{any_word(SEASONS)})|Q(?P<quarter>[1-4]))\b(?!['’-]|\s+[0-9])",
    re.IGNORECASE,
)
_NUMBERS_LEAD = re.compile(
    r"\b(?:on|since|until|before|after|between|from|and|to|am|el|seit|bis|vom)\s+$", re.IGNORECASE
)
_VERBS = frozenset({"may", "march", "fall", "spring"})
_VERB_LEADS = frozenset({"to", "and", "or"})
_ONWARDS = re.compile(r"\s*(?:onwards?|forward|en\s+adelante)\b", re.IGNORECASE)
_BETWEEN = re.compile(r"\b(?:between|entre|zwischen)\s+(?:the\s+|el\s+|dem\s+)?$", re.IGNORECASE)
_UNREAD_START = re.compile(rf"\b(?:between|from|entre|desde|zwischen)\s+[^?!;.]{{1,25}}?{TO}$", re.IGNORECASE)
_MID = re.compile(r"\b(mid|early|late)-(?=\w)", re.IGNORECASE)
_ANY_YEAR = 2000


@dataclass(frozen=True, slots=True)
class DaysAsked:
    """The days of a question. `text` is the question, `rest` what is left of it without the words for them.

    `start` is where the first of these words begins. `near` days are told from the life of who asks (`yesterday`).
    `yearless`: no year is said, and the latest was taken that had begun.
    """

    days: DateRange
    text: str
    rest: str
    start: int
    end: int
    near: bool
    yearless: bool


@dataclass(frozen=True, slots=True)
class _Atom:
    """One date of the question, with what it says of itself before it; `days` is None while the year is open."""

    start: int
    end: int
    days: DateRange | None
    read: Reading | None = None
    near: bool = False
    weekly: bool = False


_LIKE_ASCII = {0x130: "I", 0x131: "i", 0x17F: "s", 0x212A: "K"}
"""Letters that a pattern takes for ASCII ones when case is ignored, and that no table of words knows."""


def mentioned_dates(question: str, *, today: date, order: DayMonthOrder | None = None) -> DateRange | None:
    """The days that a question speaks of, or None. Several dates give the days from the first to the last.

    `since` and `after` run to today; `before` and `until` begin with the earliest date there is. A date without a year
    is the latest that had begun by today. Weeks begin on Monday.
    """
    asked = days_asked(question, today=today, order=order)
    return asked.days if asked else None


def days_asked(question: str, *, today: date, order: DayMonthOrder | None = None) -> DaysAsked | None:
    """The days that a question speaks of and where it says so, or None where it names none."""
    text = " ".join(unicodedata.normalize("NFC", question.translate(_LIKE_ASCII)).split())
    text = _MID.sub(r"\1 ", text)
    try:
        atoms = _settled(text, _apart(list(_atoms(text, today, order))), today)
        days = _together(text, atoms, today) if atoms and not _half_read(text, atoms) else None
    except (OverflowError, ValueError):  # today at the very edge of the calendar
        return None
    if days is None:
        return None
    rest = text
    for atom in reversed(atoms):
        rest = f"{rest[: atom.start]} {rest[atom.end :]}"
    return DaysAsked(
        days,
        text,
        rest,
        atoms[0].start,
        atoms[-1].end,
        near=all(atom.near for atom in atoms),
        yearless=all(atom.read is not None for atom in atoms),
    )


def _before(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str] | None:
    """What stands directly before that place; the patterns end with `$`, and look no further back than they need."""
    return pattern.search(text, max(0, at - LOOK_BACK_CHARS), at)


def _atoms(text: str, today: date, order: DayMonthOrder | None) -> Iterator[_Atom]:
    """Every date of the text with the part that is asked for, overlapping ones included."""
    for found in find_dates(text, year=None, order=order):
        if found.complete:
            yield _parted(text, _Atom(found.start, found.end, found.date))
    for relative in relative_dates(text, today):
        yield _parted(text, _Atom(relative.start, relative.end, relative.days, None, relative.near, relative.weekly))
    for atom in (*_year_atoms(text), *_yearless_atoms(text, order)):
        yield _parted(text, atom)


def _year_atoms(text: str) -> Iterator[_Atom]:
    for match in _YEARS.finditer(text):
        if match["first"]:
            if match["first"] <= match["year"]:
                days = DateRange(year_range(int(match["first"])).since, year_range(int(match["year"])).until)
                yield _Atom(match.start("first"), match.end(), days)
            continue
        at = match.start()
        if _before(_YEAR_LEAD, text, at) or part_before(text, at) or _YEAR_TAIL.match(text, match.end()):
            yield _Atom(at, match.end(), year_range(int(match["alone"])))


def _yearless_atoms(text: str, order: DayMonthOrder | None) -> Iterator[_Atom]:
    for found in find_dates(text, year=_ANY_YEAR, order=order):
        led = found.form is Form.DAY or _before(_NUMBERS_LEAD, text, found.start)
        if led and not found.complete and found.form is not Form.MONTH:
            yield _Atom(found.start, found.end, None, _same_days(found.date))
    for match in _YEARLESS.finditer(text):
        if read := _reading_of(match):
            yield _Atom(match.start("what"), match.end("what"), None, read)


def _same_days(days: DateRange) -> Reading:
    def read(year: int) -> DateRange | None:
        first = day_range(year, days.since.month, days.since.day)
        last = day_range(year, days.until.month, days.until.day)
        return DateRange(first.since, last.until) if first and last else None

    return read


def _reading_of(match: re.Match[str]) -> Reading | None:
    """How to read `March`, `summer` or `Q2` in a year; None where the word is a verb, or the planet."""
    word = match["what"].casefold()
    if match["what"] == "Mars" or (match["what"] in _VERBS and match["lead"].casefold() in _VERB_LEADS):
        return None
    if match["season"]:
        return lambda year: season_range(year, SEASONS[word])
    if match["quarter"]:
        return lambda year: months_range(year, 3 * int(match["quarter"]) - 2, 3)
    return lambda year: month_range(year, MONTHS[word])


def _parted(text: str, atom: _Atom) -> _Atom:
    """The atom, or the part of it that the words before it ask for."""
    part, days, read = part_before(text, atom.start), atom.days, atom.read
    if part is None:
        return atom
    if days is not None:
        found = part.of(days)
        return replace(atom, start=part.start, days=found) if found else atom
    return replace(atom, start=part.start, read=lambda year: _applied(part, read, year))


def _applied(part: Part, read: Reading | None, year: int) -> DateRange | None:
    days = read(year) if read else None
    return (part.of(days) or days) if days else None


def _apart(atoms: Sequence[_Atom]) -> list[_Atom]:
    """The atoms in order, none over another: kept is what begins first, of those that begin together the longest."""
    kept: list[_Atom] = []
    for atom in sorted(atoms, key=lambda each: (each.start, -each.end, each.days is None)):
        if not kept or atom.start >= kept[-1].end:
            kept.append(atom)
    return kept


def _settled(text: str, atoms: Sequence[_Atom], today: date) -> list[_Atom]:
    """The atoms with all years: that of the date after it, not to run past it, or before it, else the latest begun."""
    settled: list[_Atom] = []
    for number in reversed(range(len(atoms))):
        atom = atoms[number]
        if settled and (days := _in_year_after(text, atom, settled[0])):
            settled[0] = replace(atom, end=settled[0].end, days=days)
            continue
        after = settled[0].days if settled else None
        before = next((atoms[n].days for n in range(number - 1, -1, -1) if atoms[n].days), None)
        if atom.weekly and atom.days and after and settled[0].weekly and atom.days.since > after.since:
            week = timedelta(days=7)  # from Monday to Friday: the one before that Friday
            atom = replace(atom, days=DateRange(atom.days.since - week, atom.days.until - week))
        if atom.days is None and atom.read:
            atom = replace(atom, days=_in_its_year(atom.read, before, after, today))
        if atom.days is not None:
            settled.insert(0, atom)
    return settled


def _in_its_year(read: Reading, before: DateRange | None, after: DateRange | None, today: date) -> DateRange | None:
    days = latest_occurrence(read, after.since if after else today)
    if after or not before:
        return days
    years = (before.since.year, before.since.year + 1)
    return next((each for each in map(read, years) if each and each.since >= before.since), days)


def _half_read(text: str, atoms: Sequence[_Atom]) -> bool:
    """Whether one end of a range is a day that cannot be told: `between Easter and 3 June 2023`."""
    start, last = atoms[0].start, text[atoms[-1].end :]
    if _before(_UNREAD_START, text, start):
        return True
    return len(atoms) == 1 and bool(_before(_BETWEEN, text, start) and re.match(r"\s+(?:and|y|und)\b", last))


def _in_year_after(text: str, atom: _Atom, year: _Atom) -> DateRange | None:
    """The days of an atom whose year is told after it: `3 June last year`."""
    apart = re.fullmatch(r"\s*,?\s*(?:of|del?|des)?\s*", text[atom.end : year.start])
    if atom.days or not atom.read or not year.days or not apart or (year.days.until - year.days.since).days < 364:
        return None
    return atom.read(year.days.since.year)


def _together(text: str, atoms: Sequence[_Atom], today: date) -> DateRange | None:
    """All days from the first to the last, as far as `since`, `before` and their like do not open or close them."""
    sinces, untils = list[date](), list[date]()
    is_open = False
    for atom in atoms:
        assert atom.days is not None  # as `_settled` left them
        bound = _before(_BOUND, text, atom.start)
        if bound and (bound["before"] or bound["until"]):
            untils.append(atom.days.until if bound["until"] else day_before(atom.days))
        elif bound or _ONWARDS.match(text, atom.end):
            is_open = True
            sinces.append(atom.days.until + timedelta(days=1) if bound and bound["after"] else atom.days.since)
        else:
            sinces.append(atom.days.since)
            untils.append(atom.days.until)
    since = min(sinces, default=date.min)
    until = today if is_open and not untils else max(untils)
    return DateRange(since, until) if since <= until else None
