from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragnotes.places import Places
from ragnotes.reading.markdown import load_markdown
from ragnotes.reading.text import load_text
from ragnotes.types import BlockKind, Document, HeadingMark

from .invariants import check_document


def load(text: str, path: str = "dump.txt") -> Document:
    document = load_text(text.encode(), path)
    check_document(document)
    return document


def blocks_of(document: Document) -> list[tuple[BlockKind, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_a_brain_dump_is_cut_by_the_line_and_its_lead_lines_are_headings() -> None:
    document = load(
        "Brain dump\n\nCall the plumber about the leak in the kitchen\nRead the paper\n\nIdeas for projects:\n"
        "- a bird feeder\n  - with a camera\n* a blog\n\nBooks\n1) Dune\n2. Emma\n"
    )
    assert blocks_of(document) == [
        (BlockKind.HEADING, "Brain dump"),
        (BlockKind.PARAGRAPH, "Call the plumber about the leak in the kitchen"),
        (BlockKind.PARAGRAPH, "Read the paper"),
        (BlockKind.HEADING, "Ideas for projects:"),
        (BlockKind.ITEM, "- a bird feeder"),
        (BlockKind.ITEM, "- with a camera"),
        (BlockKind.ITEM, "* a blog"),
        (BlockKind.HEADING, "Books"),
        (BlockKind.ITEM, "1) Dune"),
        (BlockKind.ITEM, "2. Emma"),
    ]
    assert (document.title, document.titled) == ("Brain dump", True)
    assert [mark.path for mark in document.marks if isinstance(mark, HeadingMark)] == [
        ("Ideas for projects",),
        ("Books",),
    ]
    assert [block.depth for block in document.blocks if block.kind is BlockKind.ITEM] == [0, 1, 0, 0, 0]


def test_a_paragraph_that_an_editor_wrapped_stays_whole() -> None:
    wrapped = "\n".join(["This line is about as wide as the page that someone wrote it on."] * 3 + ["And ends."])
    assert blocks_of(load(f"{wrapped}\n\n{wrapped}\n")) == [(BlockKind.PARAGRAPH, wrapped)] * 2


def test_lines_far_longer_than_a_page_are_thoughts_of_their_own() -> None:
    thought = "A thought that goes on and on, as thoughts do when nobody stops them. " * 3
    assert blocks_of(load(f"{thought}\n{thought}")) == [(BlockKind.PARAGRAPH, thought.strip())] * 2


def test_a_long_first_line_gives_no_title() -> None:
    document = load("x " * 60)
    assert (document.title, document.titled) == ("dump", False)


def test_text_that_is_markdown_is_read_as_markdown() -> None:
    document = load("# Plan\n\n- one\n  two\n")
    assert document.title == "Plan"
    assert blocks_of(document) == [(BlockKind.HEADING, "# Plan"), (BlockKind.ITEM, "- one\n  two")]


def test_dated_items_of_a_log_date_their_text() -> None:
    document = load("- 2024-03-01: ran\n- 2024-03-02: rested\n", "log 2024.txt")
    assert [str(Places(document).date(block.start)) for block in document.blocks] == ["2024-03-01", "2024-03-02"]
    assert str(document.metadata.date) == "2024-01-01/2024-12-31"


def test_nothing_but_space_has_no_blocks() -> None:
    assert load(" \n\t\n\u2003").blocks == ()


PIECES = st.sampled_from(
    [
        "\n",
        "\n\n",
        " ",
        "    ",
        "- ",
        "1. ",
        "Words:",
        "words and more. ",
        "x" * 70,
        "•",
        "# H",
        "|a|\n|-|\n",
        "\u2028",
        "\x0b",
        "é",
    ]
)


@given(
    st.lists(PIECES, max_size=25).map("".join) | st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=60)
)
@settings(deadline=None)
def test_any_text_keeps_the_invariants(text: str) -> None:
    load(text)


def test_a_long_run_of_spaces_takes_linear_time() -> None:
    started = time.process_time()
    load("x\n" + " " * 100_000 + "\ny")
    assert time.process_time() - started < 2.0  # measured: 0.01 s; a quadratic pattern took over 100 s


@pytest.mark.parametrize(
    ("content", "extra"),
    [("Zürich\n".encode(), {}), ("Zürich, schön und groß\n".encode("cp1252"), {"encoding": "cp1252"})],
)
def test_an_encoding_that_is_not_utf8_is_stated(content: bytes, extra: dict[str, str]) -> None:
    for document in (load_text(content, "a.txt"), load_markdown(content, "a.md")):
        assert document.text.startswith("Zürich")
        assert document.metadata.extra == extra
