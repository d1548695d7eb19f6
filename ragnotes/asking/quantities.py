"""Numbers with their units, and dates, as two texts may write them differently: `two kilos` and `2 kg`, `1 May 2024`.

A number agrees where the other text holds it with no other unit, or what surrounds that text holds it beside the same
word; a date agrees where the other text, or the day that its passage was noted on, lies within it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from ragnotes.asking.words import content_stems
from ragnotes.date_words import NUMBERS
from ragnotes.types import DateRange
from ragnotes.written_dates import Found, find_dates

__all__ = [
    "LONGEST",
    "Quantity",
    "dates_agree",
    "numbers_agree",
    "quantities_in",
    "without_dates",
    "without_quantities",
]


class Quantity(NamedTuple):
    """A number: what it may stand for (`1.000` is one or a thousand), and its unit where it is one that is known.

    `loose` are words that can count, but need not: "one", "both". `before` is the stem of the word right before it,
    `after` those of the two words after it and its unit; "" and () where there are none, or they carry no content.
    """

    values: frozenset[str]
    unit: str | None = None
    loose: bool = False
    before: str = ""
    after: tuple[str, ...] = ()


NEAR_CHARS = 60
"""Where the words beside a number are looked for."""
LONGEST, MOST_NUMBERS = 10_000, 8_000
"""Of a text, dates are read in so many characters, and so many numbers; no claim that is looked at is longer."""
MOST_ALIKE = 64
"""So many dates of a text are read, and so many numbers of one value: nobody writes more, but who wants to be slow."""


_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_MORE = "veinte:20 treinta:30 cien:100 zwanzig:20 dreißig:30 hundert:100 deux:2 trois:3 quatre:4 cinq:5 sept:7 huit:8"
_AMBIGUOUS = frozenset(("couple", "par", "once", "elf", "six"))
_COUNTS = (
    {word: number for word, number in NUMBERS.items() if number > 1 and word not in _AMBIGUOUS}
    | {word: number for number, word in enumerate(_TEENS.split(), 13)}
    | {word: 10 * number for number, word in enumerate(_TENS.split(), 2)}
    | {word: int(number) for word, number in (pair.split(":") for pair in _MORE.split())}
    | {"six": 6, "eleven": 11}
)
_LOOSE = {"one": 1, "single": 1, "una": 1, "eine": 1, "both": 2, "twice": 2, "pair": 2, "couple": 2, "dozen": 12}
_SCALES = {
    word: power
    for power, words in {
        2: "hundred",
        3: "k thousand tausend mil mille",
        6: "million millions mio millionen millón millones",
        9: "bn billion billions milliarde milliarden milliard milliards",
        12: "trillion trillions",
    }.items()
    for word in words.split()
}
_ATTACHED = {"k": 3, "K": 3, "M": 6, "B": 9}
"""The powers of ten that scales stand for."""
_UNITS = {
    written: unit
    for unit, words in {
        "%": "% percent per-cent prozent porciento pct",
        "kg": "kg kilo kilos kilogram kilograms kilogramm",
        "g": "g gram grams gramm gramos",
        "lb": "lb lbs",
        "pound": "pound pounds",
        "oz": "oz ounce ounces",
        "t": "tonne tonnes",
        "km": "km kilometre kilometres kilometer kilometers kilómetros",
        "m": "m metre metres meter meters metros",
        "cm": "cm centimetre centimetres centimeter centimeters",
        "mm": "mm millimetre millimetres millimeter millimeters",
        "mile": "mi mile miles",
        "foot": "ft foot feet",
        "inch": "inch inches",
        "ms": "ms millisecond milliseconds",
        "s": "s sec secs second seconds sekunden segundos",
        "minute": "min mins minute minutes minuten minutos",
        "hour": "h hr hrs hour hours stunde stunden hora horas",
        "day": "day days tag tage días",
        "week": "week weeks woche wochen semanas",
        "month": "month months monat monate meses",
        "year": "year years jahr jahre años",
        "$": "$ dollar dollars usd",
        "€": "€ euro euros eur",
        "£": "£ gbp",
        "KB": "kb",
        "MB": "mb megabyte megabytes",
        "GB": "gb gigabyte gigabytes",
        "TB": "tb terabyte terabytes",
        "°C": "°c celsius",
        "°F": "°f fahrenheit",
        "mph": "mph",
        "km/h": "km/h kph",
        "hp": "hp horsepower",
        "W": "w watt watts",
        "kW": "kw kilowatt kilowatts",
        "MW": "mw megawatt megawatts",
        "V": "v volt volts",
        "Nm": "nm",
    }.items()
    for written in words.split()
}
_SAME = frozenset((frozenset(("pound", "lb")), frozenset(("pound", "£"))))
_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>(?<![-–−)\]])[-–−](?=[$€£]?[0-9])|\bminus\s)?(?P<money>[$€£])?\s?(?P<digits>[0-9]+(?:[.,:’][0-9]+)*)"
    r"(?:(?P<attached>%|°[CF]?|[A-Za-zµ€]+(?:/[a-z]+)?)|[\s-](?P<next>%|°[CF]|€|[A-Za-zäöüéñí]+(?:/[a-z]+)?))?"
    r"(?:[\s-](?P<after>%|€|[A-Za-z]+(?:/[a-z]+)?))?"
)
_COUNT = re.compile(
    rf"\b(?:{'|'.join(_COUNTS)})\b(?:[- ](?:{'|'.join([*_COUNTS, *_SCALES, 'one'])})\b){{0,6}}", re.IGNORECASE
)
_BEFORE = re.compile(r"([^\W\d_]+)[ -]*\Z")
_AFTER = re.compile(r"[ -]*([^\W\d_]+)(?:[ -]+([^\W\d_]+))?(?:[ -]+([^\W\d_]+))?")
_YEAR = re.compile(r"(?<![\w./:-])(?:1[89]|20)[0-9]{2}(?![\w]|[-./:]\w)")
_IN_YEAR = re.compile(
    rf"\b(?:in|since|during|until|till|by|from|before|after|en|im|seit|bis|desde|hasta|depuis|year|jahr|año|année)\s+"
    rf"(?P<year>{_YEAR.pattern})",
    re.IGNORECASE,
)
_ROMANS = {word: number for number, word in enumerate(("I", "II", "III", "IV", "V", "VI", "VII", "VIII"), 1)}
_ROMAN = re.compile(rf"\b(?:{'|'.join(_ROMANS)})\b")
_FOLLOWING = re.compile(r"[\s-]{1,3}([^\W\d]+)")
_ANY_LOOSE = re.compile(rf"\b(?:{'|'.join(_LOOSE)})\b", re.IGNORECASE)
_PER_CENT = re.compile(r"\b(?:per cent|por ciento|pour cent)\b", re.IGNORECASE)
_GROUPED = re.compile(r"[0-9]{1,3}(?:([.,’])[0-9]{3})(?:\1[0-9]{3})*")


@lru_cache(maxsize=4096)
def quantities_in(text: str) -> tuple[Quantity, ...]:
    """The numbers of a text in digits, then those in words."""
    text = _PER_CENT.sub("percent", text)
    return *_in_digits(text), *_in_words(text)


def without_quantities(text: str) -> str:
    """The text without its numbers and their units; other words beside a number stay."""

    def words_beside(found: re.Match[str]) -> str:
        beside = (found["attached"], found["next"], found["after"])
        return " ".join(["", *(word for word in beside if word and not _measures(word)), ""])

    text = _NUMBER.sub(words_beside, _PER_CENT.sub("percent", text))
    return _COUNT.sub(" ", re.sub(rf"({_COUNT.pattern})[\s-]+([^\W\d]+)", _count_with_unit, text, flags=re.IGNORECASE))


def _count_with_unit(found: re.Match[str]) -> str:
    following = found[found.re.groups]
    return " " if _measures(following) else f" {following}"


def _measures(word: str) -> bool:
    return word.lower() in _UNITS or word.lower() in _SCALES or word in _ATTACHED


def numbers_agree(claim: str, source: str, around: str = "") -> bool:
    """Whether `source` holds every number of `claim`, with no other unit; a unit may stand in `around` instead.

    A number may stand in `around` too where the same word is beside it: "Chapter 5" is no source of "5 sections". One
    that need not count is denied by another number of the same things: "one bathroom" by "two bathrooms".
    """
    there, beside = _by_value(source), _by_value(around)
    words = {_UNITS.get(word.lower()) for word in re.findall(r"[%$€£]|[\w/°]+", f"{source} {around}")}
    counted = _counts_of(quantities_in(source))
    return all(
        not _is_counted_otherwise(number, counted)
        if number.loose
        else _is_there(number, there, words) or _is_beside(number, beside)
        for number in dict.fromkeys(quantities_in(claim))
    )


def _by_value(text: str) -> dict[str, list[Quantity]]:
    """The different numbers of a text by what they may stand for; some of each where there are many."""
    found: dict[str, list[Quantity]] = {}
    for number in dict.fromkeys(quantities_in(text)):
        for value in number.values:
            if len(alike := found.setdefault(value, [])) < MOST_ALIKE:
                alike.append(number)
    return found


def _counts_of(numbers: tuple[Quantity, ...]) -> dict[str, frozenset[str]]:
    """What is counted, by the stems after each number, with the values that it is counted with."""
    found: dict[str, frozenset[str]] = {}
    for number in dict.fromkeys(numbers):
        for stem in number.after:
            known = found.get(stem, frozenset())
            found[stem] = known if len(known) > MOST_ALIKE else known | number.values
    return found


def _is_there(number: Quantity, there: dict[str, list[Quantity]], units: set[str | None]) -> bool:
    return any(
        number.unit in (None, other.unit)
        or frozenset((number.unit, other.unit)) in _SAME
        or (other.unit is None and number.unit in units)
        for value in number.values
        for other in there.get(value, ())
    )


def _is_beside(number: Quantity, around: dict[str, list[Quantity]]) -> bool:
    """Whether the surroundings hold the number with its unit, and before or after it the same word."""
    return any(
        number.unit in (None, other.unit)
        and ((number.before and number.before == other.before) or (number.after[:1] and number.after[0] in other.after))
        for value in number.values
        for other in around.get(value, ())
    )


def _is_counted_otherwise(number: Quantity, counted: dict[str, frozenset[str]]) -> bool:
    values = counted.get(number.after[0]) if number.after else None
    return values is not None and not values & number.values


def dates_agree(claim: str, source: str, noted: DateRange | None) -> tuple[bool, str]:
    """Whether `source` tells every date of `claim`, or was noted then; and the claim without its dates.

    A year alone (`in 2024`) is a date where one is told that lies within it, and else a number like any other.
    """
    year = noted.since.year if noted else None
    told = [found.date for found in islice(_dates_in(source[:LONGEST], year), MOST_ALIKE)]
    told += [noted] if noted else []
    rest = claim
    for found in islice(_dates_in(claim[:LONGEST], year), MOST_ALIKE):
        written = claim[found.start : found.end]
        is_told = any(found.date.since <= date.since and date.until <= found.date.until for date in told)
        if not is_told and not re.search(rf"(?<!\w){re.escape(written)}(?!\w)", source, re.IGNORECASE):
            return False, claim
        rest = rest.replace(written, " ", 1)
    years = {str(date.since.year) for date in told if date.since.year == date.until.year}
    years.update(_YEAR.findall(source))
    return True, _IN_YEAR.sub(lambda said: " " if said["year"] in years else said[0], rest)


def without_dates(text: str, noted: DateRange | None) -> str:
    """The text without its dates, whose numbers count nothing; years alone stay."""
    year = noted.since.year if noted else None
    kept, at = [], 0
    for found in _dates_in(text[:LONGEST], year):
        if found.start >= at:
            kept.append(text[at : found.start])
            at = found.end
    return " ".join([*kept, text[at:]])


@lru_cache(maxsize=128)
def _dates_in(text: str, year: int | None) -> tuple[Found, ...]:
    """The dates of a text, in order; kept while an answer is made, where each is compared with several others."""
    return tuple(find_dates(text, year=year, order=None))


def _in_digits(text: str) -> Iterator[Quantity]:
    for found in islice(_NUMBER.finditer(text), MOST_NUMBERS):
        attached, following, after = found["attached"] or "", found["next"] or "", found["after"] or ""
        decade = attached == "s" and len(found["digits"]) == 4
        scale = _ATTACHED.get(attached) or _SCALES.get((attached or following).lower()) or 0
        unit = _unit(found["money"]) or _unit("" if decade else attached) or _unit(after if scale else following)
        sign = "-" if found["sign"] else ""
        forms = (form for value in _values(found["digits"]) for form in _forms(value, scale, measured=bool(unit)))
        values = frozenset(f"{sign}{form}" for form in forms)
        yield Quantity(values, unit, False, *_words_beside(text, found.start(), found.end("digits")))


def _in_words(text: str) -> Iterator[Quantity]:
    for found in islice(_COUNT.finditer(text), MOST_NUMBERS):
        total = 0
        for word in re.split(r"[- ]", found[0].lower()):
            total = total * 10 ** _SCALES[word] if word in _SCALES else total + _COUNTS.get(word, 1)
        following = _FOLLOWING.match(text, found.end())
        beside = _words_beside(text, *found.span())
        yield Quantity(frozenset((str(total),)), _unit(following[1] if following else ""), False, *beside)
    for word in _ROMAN.findall(text):
        yield Quantity(frozenset((str(_ROMANS[word]),)), loose=True)
    bare = _COUNT.sub(lambda found: " " * len(found[0]), text)
    for found in _ANY_LOOSE.finditer(bare):
        beside = _words_beside(text, *found.span())
        yield Quantity(frozenset((str(_LOOSE[found[0].lower()]),)), None, True, *beside)


def _words_beside(text: str, start: int, end: int) -> tuple[str, tuple[str, ...]]:
    """The stem of the word before a number, and those of up to two words after it and its unit."""
    before, after = _BEFORE.search(text[max(start - NEAR_CHARS, 0) : start]), _AFTER.match(text, end, end + NEAR_CHARS)
    words = [word for word in after.groups() if word] if after else []
    if words and _measures(words[0]):
        words = words[1:]
    stems = [content_stems(word) for word in words[:2]]
    counted = [stem[0] for at, stem in enumerate(stems) if stem and all(stems[:at])]
    return (content_stems(before[1]) or [""])[0] if before else "", tuple(counted)


def _unit(written: str | None) -> str | None:
    return _UNITS.get(written.lower()) if written else None


def _values(digits: str) -> list[str]:
    """What the digits may stand for; a version or time of day stands for itself."""
    if ":" in digits or len(set(re.sub(r"[0-9]", "", digits))) > 2:
        return [digits]
    values = [re.sub(r"[.,’]", "", digits)] if _GROUPED.fullmatch(digits) else []
    mark = max(digits.rfind("."), digits.rfind(","))
    whole, part = (digits[:mark], digits[mark + 1 :]) if mark >= 0 else (digits, "")
    if digits.count(digits[mark]) == 1 and mark >= 0 and not (digits[mark] == "," and values):
        values.append(f"{re.sub(r'[.,’]', '', whole)}.{part}")
    elif mark < 0:
        values.append(whole)
    return values or [digits]


def _forms(value: str, scale: int, *, measured: bool) -> set[str]:
    """What a number amounts to, where it has a unit or a scale; else as it is written, for 3.10 may be a version."""
    bare = value.lstrip("0")
    written = {bare if bare[:1].isdigit() else value}
    return {_canonical(value, scale)} if scale else written | {_canonical(value, 0)} if measured else written


def _canonical(value: str, scale: int) -> str:
    """The number times ten to the power of `scale`, without needless zeros; as text, of any length."""
    if not re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", value):
        return value
    whole, _, part = value.partition(".")
    part = part.ljust(scale, "0")
    whole, part = (whole + part[:scale]).lstrip("0") or "0", part[scale:].rstrip("0")
    return f"{whole}.{part}" if part else whole
