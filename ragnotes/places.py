"""Where a span of a document lies, in the terms a person looks it up by: heading, line, page, time, speaker, date."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeVar

from ragnotes.types import CueMark, DateMark, Document, HeadingMark, Kind, Mark, PageMark, Place

__all__ = ["HEADING_SEPARATOR", "marks_within", "place_of"]

HEADING_SEPARATOR = " > "

M = TypeVar("M", HeadingMark, PageMark, CueMark, DateMark)


def place_of(document: Document, start: int, end: int) -> Place:
    """The place of `document.text[start:end]`.

    Heading, page, line and date are those at `start`. Times run from the first cue touched to the last; speakers are
    all those heard, in order of appearance, joined by commas. A date of the document itself stands in where the text
    around the span has none.
    """
    headings = marks_within(document.marks, HeadingMark, start, start)
    pages = marks_within(document.marks, PageMark, start, start)
    dates = marks_within(document.marks, DateMark, start, start)
    cues = marks_within(document.marks, CueMark, start, end)
    times = [(cue.t_start, cue.t_end) for cue in cues if cue.t_start is not None]
    ends = [end for _, end in times if end is not None]
    speakers = list(dict.fromkeys(cue.speaker for cue in cues if cue.speaker))
    return Place(
        heading=HEADING_SEPARATOR.join(headings[-1].path) or None if headings else None,
        line=document.text.count("\n", 0, start) + 1 if document.kind is Kind.NOTE else None,
        page=pages[-1].page if pages else None,
        t_start=times[0][0] if times else None,
        t_end=max(ends) if ends else None,
        speaker=", ".join(speakers) or None,
        date=(dates[-1].date if dates else None) or document.metadata.date,
    )


def marks_within(marks: Sequence[Mark], kind: type[M], start: int, end: int) -> list[M]:
    """The marks of one kind that hold anywhere in [start, end), in order: the last one before it, and those inside."""
    chosen = [mark for mark in marks if isinstance(mark, kind)]
    first = bisect_right([mark.start for mark in chosen], start) - 1
    return [mark for mark in chosen[max(first, 0) :] if mark.start < end or mark.start <= start]
