from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.reading.pages import first_title, structure_of_pages
from ragnotes.types import BlockKind, HeadingMark, PageMark


def blocks_of(*pages: str) -> list[tuple[BlockKind, str]]:
    text, _, blocks = structure_of_pages(pages)
    return [(block.kind, text[block.start : block.end]) for block in blocks]


def paths_of(*pages: str) -> list[tuple[str, ...]]:
    return [mark.path for mark in structure_of_pages(pages)[1] if isinstance(mark, HeadingMark)]


def test_every_page_has_a_mark_at_its_start_also_an_empty_one() -> None:
    text, marks, _ = structure_of_pages(["one", "", "three"])
    assert text == "one\n\n\n\nthree"
    assert marks == (PageMark(0, 1), PageMark(5, 2), PageMark(7, 3))


def test_a_short_line_that_ends_a_sentence_ends_the_paragraph() -> None:
    page = "This line is as long as the column is.\nIt ends here.\nThe next paragraph begins on this line.\nAnd ends."
    assert [text for _, text in blocks_of(page)] == [
        "This line is as long as the column is.\nIt ends here.",
        "The next paragraph begins on this line.\nAnd ends.",
    ]


def test_a_blank_line_ends_the_paragraph() -> None:
    assert [text for _, text in blocks_of("one line\n\nanother\n  \nthird")] == ["one line", "another", "third"]


def test_list_items_and_references_stand_alone() -> None:
    page = "We need:\n(1) Time to read\nand write\n(2) Money\n• Luck\n[12] A. Author. A title."
    assert blocks_of(page) == [
        (BlockKind.PARAGRAPH, "We need:"),
        (BlockKind.ITEM, "(1) Time to read\nand write"),
        (BlockKind.ITEM, "(2) Money"),
        (BlockKind.ITEM, "• Luck"),
        (BlockKind.ITEM, "[12] A. Author. A title."),
    ]


def test_headings_are_numbered_in_order_or_well_known() -> None:
    page = (
        "Abstract\nShort.\n1. Introduction\nText of it.\n2 Method\n2.1 Data\nWe took\n5. Eggs and milk\nfrom it.\n"
        "2.2 Model\nx.\nReferences\n[1] A."
    )
    assert paths_of(page) == [
        ("Abstract",),
        ("1. Introduction",),
        ("2 Method",),
        ("2 Method", "2.1 Data"),
        ("2 Method", "2.2 Model"),
        ("References",),
    ]


@pytest.mark.parametrize("line", ["1 Introduction 2", "1. Then we went home.", "1 int numUnits;", "1 Half a wo-"])
def test_lines_of_contents_lists_and_code_are_no_headings(line: str) -> None:
    assert paths_of(f"{line}\nmore text") == []


def test_an_excerpt_may_begin_deep_inside_a_book() -> None:
    assert paths_of("26.3. Variables\nText.\n26.3.1. Declaration\nText.") == [
        ("26.3. Variables",),
        ("26.3. Variables", "26.3.1. Declaration"),
    ]


def test_running_heads_and_page_numbers_stand_alone() -> None:
    assert [text for _, text in blocks_of("Proceedings 1(1), 2019\nfirst\n1", "Proceedings 1(1), 2019\nsecond\n2")] == [
        *("Proceedings 1(1), 2019", "first", "1", "Proceedings 1(1), 2019", "second", "2")
    ]


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("A Title of a Paper\nAn Author", "A Title of a Paper"),
        ("Regression.jl:\nBuilding bridges between Learning and\nEconometrics\nAn Author", None),
        ("12/3/2020 17:04\nReport on Eggs\n", "Report on Eggs"),
        ("This is a sentence. It is no title.", ""),
        ("Contents\n1 A 2", ""),
        ("", ""),
    ],
)
def test_the_title_is_the_first_line_that_can_be_one(page: str, title: str | None) -> None:
    expected = "Regression.jl: Building bridges between Learning and Econometrics" if title is None else title
    assert first_title(page) == expected


LINES = st.sampled_from(
    [
        "",
        " ",
        "1. Introduction",
        "2 Method",
        "2.1 Data",
        "References",
        "• item",
        "[1] Ref.",
        "A line of some length",
        "End.",
    ]
)


@given(st.lists(st.lists(LINES, max_size=8).map("\n".join).map(str.strip) | st.text(max_size=40), max_size=5))
def test_blocks_hold_everything_and_stay_on_their_page(pages: list[str]) -> None:
    text, marks, blocks = structure_of_pages(pages)
    starts = [mark.start for mark in marks if isinstance(mark, PageMark)]
    assert [mark.start for mark in marks] == sorted(mark.start for mark in marks)
    assert len(starts) == len(pages)
    for start, page in zip(starts, pages, strict=True):
        assert text[start : start + len(page)] == page
    at = 0
    for block in blocks:
        assert at <= block.start < block.end
        assert not text[at : block.start].strip()
        assert text[block.start : block.end] == text[block.start : block.end].strip()
        assert any(
            start <= block.start and block.end <= start + len(page) for start, page in zip(starts, pages, strict=True)
        )
        at = block.end
    assert not text[at:].strip()
