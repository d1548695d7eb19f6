from __future__ import annotations

import pytest

from ragnotes.asking.markers import without_foreign_markers


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("It expires in 2031 [1][2][99].", "It expires in 2031."),
        ("It expires in 2031.[4]", "It expires in 2031."),
        ("As shown in [3, 4] and [7-9], it holds.", "As shown in and, it holds."),
        ("[12] Smith, Deep Learning.", "Smith, Deep Learning."),
        ("The first is tokens[0], then m[1][2] and f(x)[3].", "The first is tokens[0], then m[1][2] and f(x)[3]."),
        ("See [a](b) and [x].", "See [a](b) and [x]."),
        ("[1]", "[1]"),
        ("", ""),
    ],
)
def test_a_notes_own_numbers_are_not_shown_as_citations(sentence: str, shown: str) -> None:
    assert without_foreign_markers(sentence) == shown
