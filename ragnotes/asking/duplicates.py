"""Passages that say again what a better one says: copied into another note, pasted into a log, quoted with small edits.

They fold into the better hit, which names their places. Compared are the words under the headings, by three in a row
("shingles"). Words that carry the difference between two entries of one template must be the same: numbers with what
they count, names, denials. Version 1.2 is no copy of version 1.3, nor is one day of a log one of another. And nothing
is hidden: a passage with a sentence of its own stays a hit.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from ragnotes.answers import Hit
from ragnotes.asking.words import negated
from ragnotes.places import HEADING_SEPARATOR
from ragnotes.types import Chunk, Unit
from ragnotes.written_dates import find_dates

__all__ = ["distinct", "in_series", "outer_units", "says_again"]

LOOKED_AT = 30
"""Candidates that are searched for copies, best first; more only where the hits are not complete yet."""
ALIKE = 0.7
"""The share of shingles in both, among those in either, from which two texts are one; docs/log.md has the curve."""
HELD = 0.8
"""The share of a text's shingles that a longer one must hold to say it again."""
NEW_SHARE, NEW_WORDS = 0.25, 3
"""A sentence with fewer shingles in common, and as many words that the other text lacks, says something else."""
SHORT_WORDS = 8
"""Texts shorter than this are copies only where their words are the same."""
BRIEF_WORDS = 20
"""Texts shorter than this, of two dates or of two notes of one series, are two entries, though their words are one."""

_WORD = re.compile(r"\w+(?:['’]\w+)?")
_NUMERALS = frozenset(
    """
    two three four five six seven eight nine ten eleven twelve hundred thousand million
    dos tres cuatro cinco seis siete ocho nueve diez zwei drei vier fünf sechs sieben acht neun zehn
    """.split()  # noqa: SIM905 - a paragraph reads better than a column of quotes
)
_ABSOLUTE = re.compile(r"\w+://")
_SENTENCE_ENDS = ".!?:;…"

Shingle = tuple[str, ...]


@dataclass(frozen=True)
class _Wording:
    """The words of a text without regard to case, and its shingles."""

    units: tuple[str, ...]
    words: tuple[str, ...]
    shingles: frozenset[Shingle]

    @cached_property
    def telling(self) -> str:
        """The words that may not differ, each between spaces."""
        return f" {' '.join(_telling(self.units))} "


def distinct(ranked: Iterable[Hit], limit: int, *, is_fresh: Callable[[Hit], bool]) -> list[Hit]:
    """The best `limit` hits of which none says again what a better one says, ranked from 1, with their copies.

    `ranked` is best first. A hit or copy that is not fresh is left out.
    """
    hits: list[Hit] = []
    wordings: list[_Wording] = []
    holders: dict[Shingle, list[int]] = {}
    for number, hit in enumerate(ranked):
        full = len(hits) >= limit
        if full and number >= LOOKED_AT:
            break
        wording = _wording(unit.plain for unit in outer_units(hit.chunk))
        better = _better(hit, wording, hits, wordings, holders)
        if (full and better is None) or not is_fresh(hit):
            continue
        if better is None:
            for shingle in wording.shingles:
                holders.setdefault(shingle, []).append(len(hits))
            hits.append(replace(hit, rank=len(hits) + 1))
            wordings.append(wording)
        else:
            hits[better] = replace(hits[better], also=(*hits[better].also, hit))
    return hits


def says_again(text: str, better: str) -> bool:
    """Whether `text` has nearly the words of `better`, or nearly all of it stands there."""
    return _repeats(_wording([text]), _wording([better]))


def _better(
    hit: Hit,
    wording: _Wording,
    hits: list[Hit],
    wordings: list[_Wording],
    holders: dict[Shingle, list[int]],
) -> int | None:
    """Which of the hits, if any, says what this one says; the best of them."""
    enough = ALIKE * len(wording.shingles)
    if sum(map(holders.__contains__, wording.shingles)) < enough:
        return None
    shared = Counter(number for shingle in wording.shingles for number in holders.get(shingle, ()))
    for number in sorted(number for number, count in shared.items() if count >= enough):
        if _repeats(wording, wordings[number]) and not _two_entries(hit, hits[number], len(wording.words)):
            return number
    return None


def outer_units(chunk: Chunk) -> Iterator[Unit]:
    """The units of a chunk that lie in no other: all its words but headings, each once."""
    end = -1
    for unit in chunk.units:
        if unit.start >= end:
            yield unit
            end = unit.end


def _wording(units: Iterable[str]) -> _Wording:
    kept = tuple(units)
    words = tuple(_WORD.findall("\n".join(kept).lower()))
    shingles = frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset([words])
    return _Wording(kept, words, shingles)


def _repeats(copy: _Wording, better: _Wording) -> bool:
    if copy.words == better.words:
        return bool(copy.words)
    shared = len(copy.shingles & better.shingles)
    alike = shared >= ALIKE * (len(copy.shingles) + len(better.shingles) - shared)
    if len(copy.words) < SHORT_WORDS or not (alike or shared >= HELD * len(copy.shingles)):
        return False
    told, known = copy.telling, better.telling
    return (told == known if alike else told in known) and not any(_is_new(unit, better) for unit in copy.units)


def _is_new(unit: str, better: _Wording) -> bool:
    """Whether a sentence is more than an edit of what the better text says: other words in other order."""
    own = _wording([unit])
    shared = len(own.shingles & better.shingles)
    return shared < NEW_SHARE * len(own.shingles) and len({*own.words} - {*better.words}) >= NEW_WORDS


def _telling(units: Iterable[str]) -> Iterator[str]:
    """The words, in order, that may not differ: numbers and what follows them, names, denials."""
    for unit in units:
        counted = False
        for match in _WORD.finditer(unit):
            word = match[0].lower()
            number = word in _NUMERALS or (not word.isalpha() and any(map(str.isdigit, word)))
            if number or counted or _denies(word) or (match[0][0].isupper() and not _opens(unit, match.start())):
                yield word
            counted = number


@lru_cache(maxsize=10_000)
def _denies(word: str) -> bool:
    return negated(word)


def _opens(text: str, start: int) -> bool:
    """Whether the word at `start` opens a sentence, where any word has a capital."""
    before = text[max(0, start - 3) : start].rstrip("\"'“”„«»(* ")
    return start == 0 or not before or before[-1] in _SENTENCE_ENDS


def _two_entries(hit: Hit, other: Hit, words: int) -> bool:
    """Whether two passages of the same words are yet two facts: of two dates, two numbers of a series, two links.

    Few words say nothing without their heading, so that must be the same too: "20 €" under "Drill" and under "Saw".
    """
    here, there = hit.chunk.place, other.chunk.place
    dated = here.date is not None and there.date is not None and here.date != there.date
    if words < BRIEF_WORDS and (dated or in_series(hit.source.title, other.source.title)):
        return True
    headings = [(place.heading or "").split(HEADING_SEPARATOR)[-1].lower() for place in (here, there)]
    if words < SHORT_WORDS and headings[0] != headings[1]:
        return True
    return in_series(*headings) or not _addresses(hit.chunk) <= _addresses(other.chunk)


def in_series(label: str, other: str) -> bool:
    """Whether two labels differ in their numbers only, dates left aside: version 1.2 and version 1.3."""
    here, there = _undated(label), _undated(other)
    return here != there and re.sub(r"\d+", "0", here) == re.sub(r"\d+", "0", there)


def _undated(label: str) -> str:
    for found in reversed(find_dates(label, year=None, order=None)):
        label = label[: found.start] + label[found.end :]
    return label


def _addresses(chunk: Chunk) -> set[str]:
    """Links that mean the same wherever the note lies."""
    return {link for link in chunk.links if _ABSOLUTE.match(link)}
