"""The words that dates are made of: months, weekdays, seasons, units and small numbers.

English, Spanish and German throughout; months and weekdays also in French, Italian and Portuguese. Words that mean
something else in one of the others are left out: no `out` for outubro, no `gen` for gennaio.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["MONTHS", "NUMBERS", "ORDINALS", "SEASONS", "UNITS", "WEEKDAYS", "any_word"]


def _numbered(rows: Iterable[str], first: int) -> dict[str, int]:
    return {word: number for number, words in enumerate(rows, first) for word in words.split()}


MONTHS = _numbered(
    (
        "january jan enero ene januar jänner jän janvier janv gennaio janeiro",
        "february feb febrero februar feber février fevrier févr febbraio fevereiro fev",
        "march mar marzo märz maerz mär mrz mars março",
        "april apr abril abr avril avr aprile",
        "may mayo mai maggio maio",
        "june jun junio juni juin giugno junho",
        "july jul julio juli juillet juil luglio julho",
        "august aug agosto ago août",
        "september sept sep septiembre setiembre septembre settembre setembro",
        "october oct octubre oktober okt octobre ottobre outubro",
        "november nov noviembre novembre novembro",
        "december dec diciembre dic dezember dez décembre déc dicembre dezembro",
    ),
    1,
)
WEEKDAYS = _numbered(
    (
        "monday lunes montag lundi lunedì segunda-feira",
        "tuesday martes dienstag mardi martedì terça-feira",
        "wednesday miércoles miercoles mittwoch mercredi mercoledì quarta-feira",
        "thursday jueves donnerstag jeudi giovedì quinta-feira",
        "friday viernes freitag vendredi venerdì sexta-feira",
        "saturday sábado sabado samstag sonnabend samedi sabato",
        "sunday domingo sonntag dimanche domenica",
    ),
    0,
)
"""0 is Monday, as `date.weekday` counts."""
SEASONS = _numbered(
    ("spring primavera frühling frühjahr", "summer verano sommer", "autumn fall otoño herbst", "winter invierno"), 0
)
"""0 is spring; seasons are those of the northern half of the world and begin with March, June, September, December."""
NUMBERS = _numbered(
    (
        "one a an un una uno ein eine einem einer einen",
        "two couple dos par zwei",
        "three tres drei",
        "four cuatro vier",
        "five cinco fünf",
        "six seis sechs",
        "seven siete sieben",
        "eight ocho acht",
        "nine nueve neun",
        "ten diez zehn",
        "eleven once elf",
        "twelve doce zwölf",
    ),
    1,
)
ORDINALS = _numbered(
    (
        "first 1st primera primer primero erste ersten erster erstes",
        "second 2nd segunda segundo zweite zweiten zweiter zweites",
        "third 3rd tercera tercer tercero dritte dritten dritter drittes",
        "fourth 4th cuarta cuarto vierte vierten vierter viertes",
    ),
    1,
) | dict.fromkeys(
    ["last", "final", "última", "último", "ultima", "ultimo", "letzte", "letzten", "letzter", "letztes"], -1
)
"""-1 is the last."""
UNITS: Mapping[str, str] = {
    word: unit
    for unit, words in {
        "day": "day days día días dia dias tag tage tagen",
        "week": "week weeks semana semanas woche wochen",
        "weekend": "weekend weekends wochenende wochenenden",
        "month": "month months mes meses monat monate monaten monats",
        "quarter": "quarter quarters trimestre trimestres quartal quartale quartals",
        "year": "year years año años jahr jahre jahren jahres",
    }.items()
    for word in words.split()
}


def any_word(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longer before the shorter."""
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))
