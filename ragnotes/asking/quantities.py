"""Numbers with their units, and dates, as two texts may write them differently: `two kilos` and `2 kg`, `1 May 2024`.

A number agrees where the other text holds it with no other unit; a date agrees where the other text, or the day that
its passage was noted on, lies within it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from ragnotes.date_words import NUMBERS
from ragnotes.types import DateRange
from ragnotes.written_dates import find_dates

__all__ = ["Quantity", "dates_agree", "numbers_agree", "quantities_in", "without_quantities"]


class Quantity(NamedTuple):
    """A number: what it may stand for (`1.000` is one or a thousand), and its unit where it is one that is known.

    `loose` are words that can count, but need not: "one", "both".
    """

    values: frozenset[str]
    unit: str | None = None
    loose: bool = False


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
    word: Decimal(10) ** power
    for power, words in {
        2: "hundred",
        3: "k thousand tausend mil mille",
        6: "million millions mio millionen millón millones",
        9: "bn billion billions milliarde milliarden milliard milliards",
        12: "trillion trillions",
    }.items()
    for word in words.split()
}
_ATTACHED = {"k": Decimal(10) ** 3, "K": Decimal(10) ** 3, "M": Decimal(10) ** 6, "B": Decimal(10) ** 9}
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
    r"(?<![\w.])(?P<money>[$€£])?\s?(?P<digits>[0-9]+(?:[.,:’][0-9]+)*)"
    r"(?:(?P<attached>%|°[CF]?|[A-Za-zµ€]+(?:/[a-z]+)?)|[\s-](?P<next>%|°[CF]|€|[A-Za-zäöüéñí]+(?:/[a-z]+)?))?"
    r"(?:[\s-](?P<after>%|€|[A-Za-z]+(?:/[a-z]+)?))?"
)
_COUNT = re.compile(
    rf"\b(?:{'|'.join(_COUNTS)})\b(?:[- ](?:{'|'.join([*_COUNTS, *_SCALES, 'one'])})\b)*", re.IGNORECASE
)
_ROMANS = {word: number for number, word in enumerate(("I", "II", "III", "IV", "V", "VI", "VII", "VIII"), 1)}
_ROMAN = re.compile(rf"\b(?:{'|'.join(_ROMANS)})\b")
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
    """Whether `source` holds every number of `claim`, with no other unit; a unit may stand in `around` instead."""
    there = quantities_in(source)
    words = {_UNITS.get(word.lower()) for word in re.findall(r"[%$€£]|[\w/°]+", f"{source} {around}")}
    return all(_is_there(number, there, words) for number in quantities_in(claim) if not number.loose)


def _is_there(number: Quantity, there: tuple[Quantity, ...], units: set[str | None]) -> bool:
    return any(
        number.values & other.values
        and (
            number.unit in (None, other.unit)
            or frozenset((number.unit, other.unit)) in _SAME
            or (other.unit is None and number.unit in units)
        )
        for other in there
    )


def dates_agree(claim: str, source: str, noted: DateRange | None) -> tuple[bool, str]:
    """Whether `source` tells every date of `claim`, or was noted then; and the claim without its dates."""
    year = noted.since.year if noted else None
    told = [found.date for found in find_dates(source, year=year, order=None)] + ([noted] if noted else [])
    rest = claim
    for found in find_dates(claim, year=year, order=None):
        written = claim[found.start : found.end]
        if not any(found.date.since <= date.since and date.until <= found.date.until for date in told):
            if written.lower() not in source.lower():
                return False, claim
            continue
        rest = rest.replace(written, " ", 1)
    return True, rest


def _in_digits(text: str) -> Iterator[Quantity]:
    for found in _NUMBER.finditer(text):
        attached, following, after = found["attached"] or "", found["next"] or "", found["after"] or ""
        decade = attached == "s" and len(found["digits"]) == 4
        scale = _ATTACHED.get(attached) or _SCALES.get((attached or following).lower())
        unit = _unit(found["money"]) or _unit("" if decade else attached) or _unit(after if scale else following)
        yield Quantity(frozenset(_times(value, scale) for value in _values(found["digits"])), unit)


def _in_words(text: str) -> Iterator[Quantity]:
    for found in _COUNT.finditer(text):
        total = Decimal(0)
        for word in re.split(r"[- ]", found[0].lower()):
            total = total * _SCALES[word] if word in _SCALES else total + _COUNTS.get(word, 1)
        following = re.match(r"[\s-]+([^\W\d]+)", text[found.end() :])
        yield Quantity(frozenset((_canonical(total),)), _unit(following[1] if following else ""))
    for word in _ROMAN.findall(text):
        yield Quantity(frozenset((str(_ROMANS[word]),)), loose=True)
    for word in re.findall(r"[^\W\d]+", _COUNT.sub(" ", text).lower()):
        if word in _LOOSE:
            yield Quantity(frozenset((str(_LOOSE[word]),)), loose=True)


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


def _times(value: str, scale: Decimal | None) -> str:
    return _canonical(Decimal(value) * (scale or 1)) if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", value) else value


def _canonical(value: Decimal) -> str:
    return f"{value.normalize():f}"
