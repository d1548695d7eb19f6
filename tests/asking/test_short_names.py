"""Who did it, where the evidence says so by the question's own verb."""

from __future__ import annotations

import pytest

from ragnotes.asking.short_names import name_told


@pytest.mark.parametrize(
    ("question", "text", "name"),
    [
        ("Who wrote the parser?", "The parser was written by Ana Ruiz in March.", "Ana Ruiz"),
        ("Who wrote the parser?", "Ana Ruiz first wrote the parser over a weekend.", "Ana Ruiz"),
        ("Who was the bridge designed by?", "The bridge was designed by the architect Jan van Hoek.", "Jan van Hoek"),
        ("By whom was the bridge designed?", "The bridge was designed by J. R. Tolk.", None),
        ("Who invented the loom in 1801?", "The loom was invented in 1801 by Joseph Jacquard.", "Joseph Jacquard"),
    ],
)
def test_the_doer_of_the_deed_is_told(question: str, text: str, name: str | None) -> None:
    assert name_told(question, text) == name


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Who wrote the parser?", "Ana Ruiz likes the parser that somebody wrote."),
        ("Who wrote the parser?", "Ana Ruiz wrote the parser, and Tom Ochs wrote the parser's tests."),
        ("Who wrote the parser?", "Tom Ochs wrote the manual."),
        ("Who was the architect of the bridge?", "The bridge was designed by Jan van Hoek."),
        ("Who did Ana Ruiz hire?", "Ana Ruiz hired Tom Ochs."),
        ("Who described a turbine in 1629?", "A turbine was described by Taqi Din in 1551 and by Branca in 1629."),
        ("Who stated that?", "The United States has that."),
        ("Who founded Orbis?", "Lena Voss founded Corvus."),
        ("Who wrote the parser?", "The parser was not written by Ana Ruiz."),
        ("Who wrote the parser?", "The parser might be written by Ana Ruiz."),
        ("Who wrote the parser?", "Tom thinks that the parser was written by Ana Ruiz."),
        ("Who wrote the parser?", "Was the parser written by Ana Ruiz?"),
        ("Who wrote the parser?", "The parser was written by Ana Ruiz and Tom Ochs."),
        ("Who wrote the parser?", "The parser was written by Ana Ruiz, or by Tom Ochs."),
        ("Who wrote the parser?", "Tom Ochs and Ana Ruiz wrote the parser."),
        ("What did Ana Ruiz write?", "Ana Ruiz wrote the parser."),
        ("Who?", "Ana Ruiz wrote the parser."),
        ("", ""),
    ],
)
def test_where_it_is_not_said_no_name_is_told(question: str, text: str) -> None:
    assert name_told(question, text) is None
