"""Where a span of a document lies, in the terms a person looks it up by: heading, line, page, time, speaker, date."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Generic, TypeVar

from ragnotes.types import (
    CueMark,
    DateMark,
    DateRange,
    Document,
    HeadingMark,
    Kind,
    Mark,
    PageMark,
    Place,
)

__all__ = ["HEADING_SEPARATOR", "SPEAKER_SEPARATOR", "Places"]

HEADING_SEPARATOR = " > "
SPEAKER_SEPARATOR = ", "

M = TypeVar("M", bound=Mark)


class Places:
    """The marks and lines of one document, ready to be asked many times."""

    def __init__(self, document: Document) -> None:
        self._has_lines = document.kind is Kind.NOTE and document.verbatim
        self._own_date = document.metadata.date
        self._headings = _Marks(document.marks, HeadingMark)
        self._pages = _Marks(document.marks, PageMark)
        self._cues = _Marks(document.marks, CueMark)
        self._dates = _Marks(document.marks, DateMark)
        self._newlines = array("q", (match.start() for match in re.finditer("\n", document.text)))

    def heading(self, offset: int) -> tuple[str, ...]:
        """The heading path that `offset` stands under, outermost first."""
        mark = self._headings.at(offset)
        return mark.path if mark else ()

    def page(self, offset: int) -> int | None:
        mark = self._pages.at(offset)
        return mark.page if mark else None

    def date(self, offset: int) -> DateRange | None:
        """The date of the text at `offset`; where it has none, that of the document."""
        mark = self._dates.at(offset)
        return (mark.date if mark else None) or self._own_date

    def line(self, offset: int) -> int:
        """The line that holds `offset`, from 1."""
        return bisect_left(self._newlines, offset) + 1

    def speakers(self, start: int, end: int) -> tuple[str, ...]:
        """All who are heard in [start, end), in order of appearance."""
        return tuple(dict.fromkeys(cue.speaker for cue in self._cues.within(start, end) if cue.speaker))

    def section(self, offset: int) -> tuple[Mark | None, ...]:
        """What a chunk must not run across: the marks of heading, page and date that hold at `offset`."""
        return self._headings.at(offset), self._pages.at(offset), self._dates.at(offset)

    def of(self, start: int, end: int, *, under: int | None = None) -> Place:
        """The place of the span [start, end).

        Line and page are those of `start`; heading and date those of `under`, where the span begins with the headings
        of what it holds, else of `start` too. Times run from the first cue touched to the last; speakers
        are all those heard, in order of appearance, joined by commas.
        """
        under = start if under is None else under
        cues = self._cues.within(start, end)
        starts = [cue.t_start for cue in cues if cue.t_start is not None]
        ends = [cue.t_end for cue in cues if cue.t_end is not None]
        return Place(
            heading=HEADING_SEPARATOR.join(self.heading(under)) or None,
            line=self.line(start) if self._has_lines else None,
            page=self.page(start),
            t_start=starts[0] if starts else None,
            t_end=max(ends) if ends else None,
            speaker=SPEAKER_SEPARATOR.join(self.speakers(start, end)) or None,
            date=self.date(under),
        )


class _Marks(Generic[M]):
    """The marks of one kind, by start."""

    def __init__(self, marks: Sequence[Mark], kind: type[M]) -> None:
        self._marks: list[M] = [mark for mark in marks if isinstance(mark, kind)]
        self._starts = [mark.start for mark in self._marks]

    def at(self, offset: int) -> M | None:
        """The mark that holds at `offset`, None before the first."""
        number = bisect_right(self._starts, offset) - 1
        return self._marks[number] if number >= 0 else None

    def within(self, start: int, end: int) -> list[M]:
        """The marks that hold anywhere in [start, end), in order."""
        first = max(bisect_right(self._starts, start) - 1, 0)
        return self._marks[first : max(bisect_left(self._starts, end), first)]
