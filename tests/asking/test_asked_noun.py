"""The noun that a question asks for."""

from __future__ import annotations

import pytest

from ragnotes.asking.asked_noun import asked_noun


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("What salary does a night guard earn?", "salary"),
        ("What is the licence of the red data set?", "licence"),
        ("Who is the mayor of Minot?", "mayor"),
        ("Which old car does Ann drive?", "car"),
        ("How many wooden bricks did they use?", "bricks"),
        ("What did Ann say?", None),
        ("Who wrote the parser?", None),
        ("When was the bridge built?", None),
        ("", None),
    ],
)
def test_the_noun_asked_for_is_told_apart(question: str, noun: str | None) -> None:
    assert asked_noun(question) == noun
