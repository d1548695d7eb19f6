"""Pieces of evidence that contradict each other: the same sentence twice, but for a number, a date, a name or a denial.

Precision comes first. Rows of a table, items of one list, and entries of a log that each tell their own day's figure
are no contradiction, nor are sentences of which it is not plain that they speak of the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import SequenceMatcher

from ragnotes.answers import Evidence
from ragnotes.asking.duplicates import in_series
from ragnotes.asking.quantities import Quantity, quantities_in
from ragnotes.asking.words import STOP_WORDS, content_stems, held_stems, negated, stems
from ragnotes.places import HEADING_SEPARATOR
from ragnotes.written_dates import find_dates

__all__ = ["conflicting"]

LOOKED_AT = 8
CLOSE = 0.8
"""How near a contradicting piece must come to the best one's score."""
ALIKE = 0.55
"""The share of the words that two contradicting sentences have in common, in order."""
SHARED = 3
"""Content words in common that make it plain that both speak of one thing.

Two where both say all of the question, or stand under headings of the same words.
"""
MAX_SLOT = 3
"""The most words that may differ at the one place that matters."""

_WORD = re.compile(r"\w+(?:[.,:'’-]\w+)*%?")
_STATE = re.compile(
    r"\b(?:is|are|has|have|costs?|lives?|works?|opens?|closes?|needs?|uses?|runs?|takes?|weighs?|holds?|means"
    r"|starts?|ends?"
    r"|ist|sind|hat|kostet|wohnt|es|son|est[aá]n?|tiene|cuesta|vive)\b",
    re.IGNORECASE,
)
_IS = re.compile(
    r"\b(?:is|are|ist|sind|es|son|est|sont)\s+(?:(?:called|named|the|a|an|der|die|el|la|le)\s+)?$", re.IGNORECASE
)
_WHERE = re.compile(r"\b(?:where|wo|dónde|où)\b", re.IGNORECASE)
_KEPT = re.compile(
    r"\b(?:is|are|keeps?|lives?|works?|stands?|lies|sits|stays?|ist|sind|wohnt|liegt|steht|está|vive|habite)\b",
    re.IGNORECASE,
)
_ONE_OF = re.compile(r"(?:an?|one|another|some|ein|eine|un|una|une)\b", re.IGNORECASE)
_FACTORS = {
    unit: (measure, Decimal(factor))
    for measure, units in {
        "weight": {"g": "1", "kg": "1000", "t": "1000000"},
        "length": {"mm": "1", "cm": "10", "m": "1000", "km": "1000000"},
        "time": {"ms": "0.001", "s": "1", "minute": "60", "hour": "3600", "day": "86400", "week": "604800"},
        "size": {"KB": "1", "MB": "1000", "GB": "1000000", "TB": "1000000000"},
        "power": {"W": "1", "kW": "1000", "MW": "1000000"},
    }.items()
    for unit, factor in units.items()
}
"""What each unit is a multiple of, and how many."""
_DAY_ASKED = re.compile(r"\b(?:when|what\s+day|which\s+day|on\s+\d|wann|cu[aá]ndo)\b", re.IGNORECASE)


def conflicting(question: str, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The best piece and those that contradict it, newest first; [] where none does."""
    best = evidence[:1]
    against = [
        other
        for item in best
        for other in evidence[1:LOOKED_AT]
        if other.score >= CLOSE * item.score and _contradict(question, item, other)
    ]
    return sorted([*best, *against], key=_newest) if against else []


def _newest(item: Evidence) -> tuple[int, str, int]:
    day = item.place.date.until if item.place.date else date.min
    return -day.toordinal(), item.hit.source.path, item.unit.start


def _contradict(question: str, item: Evidence, other: Evidence) -> bool:
    return (
        not _of_one_structure(item, other) and not _own_days(question, item, other) and _differ(question, item, other)
    )


def _of_one_structure(item: Evidence, other: Evidence) -> bool:
    """Whether both are rows or items under the same words of one note, or overlap."""
    if item.hit.source.doc_id != other.hit.source.doc_id:
        return False
    overlap = item.unit.start < other.unit.end and other.unit.start < item.unit.end
    return overlap or item.hit.chunk.place.heading == other.hit.chunk.place.heading


def _own_days(question: str, item: Evidence, other: Evidence) -> bool:
    """Whether each tells what happened on a day of its own: entries of one log, or of a row of daily notes."""
    here, there = item.place.date, other.place.date
    if here is None or there is None or here == there:
        return False
    one_log = item.hit.source == other.hit.source or in_series(item.hit.source.path, other.hit.source.path)
    texts = (item.unit.plain, other.unit.plain)
    state = all(_STATE.search(text) for text in texts)
    set_down = state and all(any(found.complete for found in find_dates(text, year=None, order=None)) for text in texts)
    return bool(_DAY_ASKED.search(question) and not set_down) or (one_log and not state)


def _differ(question: str, item: Evidence, other: Evidence) -> bool:
    left, right = _WORD.findall(item.unit.plain), _WORD.findall(other.unit.plain)
    matcher = SequenceMatcher(None, [word.lower() for word in left], [word.lower() for word in right], autojunk=False)
    if matcher.ratio() < ALIKE or not _same_subject(question, item, other):
        return False
    slots = [
        (told, said)
        for kind, a, b, c, d in matcher.get_opcodes()
        if kind != "equal"
        for told, said in [(_telling(left[a:b]), _telling(right[c:d]))]
        if told or said
    ]
    if len(slots) == 1 and not (_can_differ(question, item, slots[0][0]) and _can_differ(question, other, slots[0][1])):
        return False
    if negated(item.unit.plain) != negated(other.unit.plain):
        return all(negated(" ".join((*told, *said))) or not (told or said) for told, said in slots)
    return len(slots) == 1 and _exclude(question, *slots[0])


def _telling(words: Sequence[str]) -> list[str]:
    return [word for word in words if word.lower() not in STOP_WORDS or negated(word)]


def _exclude(question: str, told: Sequence[str], said: Sequence[str]) -> bool:
    """Whether what differs is a number or date on both sides, or a name on both, that the question does not say."""
    if not told or not said or max(len(told), len(said)) > MAX_SLOT:
        return False
    if set(stems(" ".join(told))) & set(stems(question)) or set(stems(" ".join(said))) & set(stems(question)):
        return False
    numbers = [any(any(map(str.isdigit, word)) for word in side) for side in (told, said)]
    names = [all(word[0].isupper() for word in side) for side in (told, said)]
    if all(numbers):
        return not _same_amount(" ".join(told), " ".join(said))
    return all(names) and not any(numbers)


def _can_differ(question: str, item: Evidence, slot: Sequence[str]) -> bool:
    """Whether what differs is what is said, and not what it is said of: a name ends a state, a number follows one.

    "Nina lives in Rome" and "Tom lives in Rome" are both right, and so are limits in France and in Spain.
    """
    text = item.unit.plain
    start = text.find(slot[0]) if slot else -1
    if start < 0:
        return True
    before, state = text[:start], _STATE.search(text)
    if any(any(map(str.isdigit, word)) for word in slot):
        return state is None or state.start() < start or _DAY_ASKED.search(question) is not None
    if not all(word[0].isupper() for word in slot):
        return True
    rest = _WORD.findall(text, text.find(slot[-1], start) + len(slot[-1]))
    ends = all(word[0].isupper() for word in rest)  # `Anna Petrov`, `Paul Petrov`
    placed = _WHERE.search(question) and _KEPT.search(before)
    return bool(ends and not _ONE_OF.match(text) and (_IS.search(before) or placed))


def _same_amount(told: str, said: str) -> bool:
    """Whether both are one amount or day, as `2 kg` and `2000 g`."""
    days = [[found.date for found in find_dates(text, year=None, order=None)] for text in (told, said)]
    if days[0] and days[0] == days[1]:
        return True
    if (number := _times(told, Decimal(1))) is not None and number == _times(said, Decimal(1)):
        return True  # 80 and 80.00, whose unit stands behind them
    here, there = quantities_in(told), quantities_in(said)
    return bool(here) and len(here) == len(there) and all(map(_equal, here, there))


def _equal(one: Quantity, other: Quantity) -> bool:
    left, right = _FACTORS.get(one.unit or ""), _FACTORS.get(other.unit or "")
    if one.unit == other.unit or not left or not right or left[0] != right[0]:
        return bool(one.values & other.values) and one.unit in (None, other.unit)
    return any(_times(a, left[1]) == _times(b, right[1]) is not None for a in one.values for b in other.values)


def _times(value: str, factor: Decimal) -> Decimal | None:
    try:
        return Decimal(value) * factor
    except InvalidOperation:  # a version, a time of day
        return None


def _same_subject(question: str, item: Evidence, other: Evidence) -> bool:
    """Whether both say as much of the question, and enough in common to speak of one thing."""
    asked = set(content_stems(question))
    here, there = set(content_stems(item.unit.plain)), set(content_stems(other.unit.plain))
    held = asked & held_stems(item.unit.plain)
    if held != asked & held_stems(other.unit.plain) or 2 * len(held) < len(asked):
        return False
    shared = {stem for stem in here & there if not stem.isdigit()}
    headings = [(each.place.heading or "").split(HEADING_SEPARATOR)[-1] for each in (item, other)]
    same_heading = bool(headings[0]) and set(stems(headings[0])) == set(stems(headings[1]))
    plain = same_heading or (len(asked) > 1 and held == asked)
    return len(shared) >= (2 if plain else SHARED)
