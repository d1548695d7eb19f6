from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from ragnotes.places import Places
from ragnotes.types import (
    CueMark,
    DateMark,
    DateRange,
    Document,
    HeadingMark,
    Kind,
    Mark,
    Metadata,
    PageMark,
    Place,
)

FIRST = DateRange(date(2024, 1, 1), date(2024, 1, 1))
WEEK = DateRange(date(2024, 2, 5), date(2024, 2, 11))


def places(*marks: Mark, text: str = "line\n" * 10, kind: Kind = Kind.NOTE, day: DateRange | None = None) -> Places:
    metadata = Metadata(date=day)
    return Places(
        Document("d1", "a", kind, "T", False, text, "0" * 64, marks, metadata=metadata, verbatim=kind is Kind.NOTE)
    )


def test_a_mark_holds_from_its_start_to_the_next_of_its_kind() -> None:
    of = places(HeadingMark(5, ("A",)), PageMark(7, 2), HeadingMark(10, ("A", "B")), HeadingMark(20, ()))
    assert [of.of(at, at + 1).heading for at in (0, 4, 5, 9, 10, 19, 20)] == [
        None,
        None,
        "A",
        "A",
        "A > B",
        "A > B",
        None,
    ]
    assert [of.page(at) for at in (6, 7, 30)] == [None, 2, 2]


def test_the_date_of_a_document_holds_where_no_mark_says_another() -> None:
    of = places(DateMark(5, WEEK), DateMark(10, None), day=FIRST)
    assert [of.date(at) for at in (0, 5, 9, 10)] == [FIRST, WEEK, WEEK, FIRST]
    assert places(DateMark(5, WEEK)).date(0) is None


def test_lines_are_those_of_the_file_and_only_notes_have_them() -> None:
    of = places(text="a\nb\n\nc")
    assert [of.line(at) for at in (0, 1, 2, 4, 5)] == [1, 1, 2, 3, 4]
    assert of.of(5, 6) == Place(line=4)
    assert places(kind=Kind.TRANSCRIPT).of(5, 6) == Place()


@given(st.text("ab\n", max_size=30))
def test_the_line_is_one_more_than_the_newlines_before(text: str) -> None:
    of = places(text=text)
    assert [of.line(at) for at in range(len(text))] == [text.count("\n", 0, at) + 1 for at in range(len(text))]


def test_times_and_speakers_span_the_cues_touched() -> None:
    cues = (
        CueMark(0, 1.0, 4.0, "Ann"),
        CueMark(10, 3.0, 3.5, "Bob"),
        CueMark(20, None, None, "Ann"),
        CueMark(30, 9.0, None),
    )
    of = places(*cues, text="x" * 40, kind=Kind.TRANSCRIPT)
    assert of.of(2, 9) == Place(t_start=1.0, t_end=4.0, speaker="Ann")
    assert of.of(2, 10) == of.of(2, 9)
    assert of.of(2, 11) == Place(t_start=1.0, t_end=4.0, speaker="Ann, Bob")
    assert of.of(12, 40) == Place(t_start=3.0, t_end=3.5, speaker="Bob, Ann")
    assert of.of(32, 40) == Place(t_start=9.0)


def test_a_section_is_told_by_heading_page_and_date() -> None:
    heading, page, day = HeadingMark(0, ("A",)), PageMark(3, 1), DateMark(6, WEEK)
    of = places(heading, page, day, CueMark(1, 0.0, 1.0))
    assert [of.section(at) for at in (0, 3, 6)] == [(heading, None, None), (heading, page, None), (heading, page, day)]
