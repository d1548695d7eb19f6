from __future__ import annotations

import pytest

from ragnotes.reading.markdown import load_markdown
from ragnotes.types import BlockKind

from .invariants import check_document


def footnotes_of(text: str) -> list[tuple[str, str]]:
    """Text and lead of each footnote."""
    document = load_markdown(text.encode(), "a.md")
    check_document(document)
    return [
        (document.text[block.start : block.end], block.lead)
        for block in document.blocks
        if block.kind is BlockKind.FOOTNOTE
    ]


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("Rain. The *wire* is [copper](http://x.y)[^n]. Sun.\n\n[^n]: note\n", "The wire is copper."),
        ("The wire is copper.[^n] Sun.\n\n[^n]: note\n", "The wire is copper."),
        ("The wire is copper. [^n]\n\n[^n]: note\n", "The wire is copper."),
        ("- buy wire[^n]\n\n[^n]: note\n", "buy wire"),
        ("| Part | € |\n|---|---|\n| wire[^n] | 3 |\n\n[^n]: note\n", "Part: wire | €: 3"),
        ("Wire[^m].\n\n[^n]: note\n", ""),
        ("`Wire[^n]` in code\n\n```\nx[^n]\n```\n\nThen wire[^n]!\n\n[^n]: note\n", "Wire[^n] in code"),
        ("See[^n] first. And again[^n].\n\n[^n]: note\n", "See first."),
        ("word " * 60 + "[^n]\n\n[^n]: note\n", ("word " * 32).strip() + " …"),
    ],
)
def test_a_footnote_knows_the_first_sentence_that_refers_to_it(text: str, lead: str) -> None:
    assert footnotes_of(text) == [("[^n]: note", lead)]


def test_footnotes_are_parted_though_no_line_parts_them() -> None:
    text = "One[^1]. Two[^b].\n[^1]: first\nlazy\n[^b]: second\n\n[^c]: http://x.y\n[^d]: word\n"
    assert footnotes_of(text) == [
        ("[^1]: first\nlazy", "One."),
        ("[^b]: second", "Two."),
        ("[^c]: http://x.y", ""),
        ("[^d]: word", ""),
    ]


def test_indented_paragraphs_belong_to_the_footnote_above_them() -> None:
    assert footnotes_of("One[^1].\n\n[^1]: first\n\n    more\n\n    and more\n\nText.\n\n    code\n") == [
        ("[^1]: first\n\n    more\n\n    and more", "One.")
    ]


def test_an_inline_footnote_is_read_in_its_sentence() -> None:
    document = load_markdown(b"Use the blue one^[Hempel, 45 euros] now.\n", "a.md")
    assert footnotes_of(document.text) == []
