from __future__ import annotations

import pytest

from ragnotes.answers import Support
from ragnotes.asking.word_order import common_subsequence, support_of
from tests.asking.test_verification import piece

SUPPORTED, WEAK, UNSUPPORTED = Support.SUPPORTED, Support.WEAK, Support.UNSUPPORTED

ENGINE = piece("The water pump was developed in 1698 by Thomas Savery, not by Watt.", heading="Steam engines")


@pytest.mark.parametrize(
    ("question", "sentence", "support"),
    [
        ("Who developed the pump?", "The water pump was developed by Thomas Savery, not Watt.", SUPPORTED),
        ("Who developed the pump?", "The pump was developed by Thomas Savery, not Watt.", WEAK),
        ("Who developed the pump?", "The pump was developed by James Savery, not Watt.", UNSUPPORTED),
        ("When was the pump developed?", "The water pump was developed in 1698, not later.", UNSUPPORTED),
        ("When was the pump developed?", "The water pump was developed in 1689 by Savery, not Watt.", UNSUPPORTED),
        ("When was the pump developed?", "The water pump was developed in 1698.", UNSUPPORTED),
        ("Who developed it?", "It was not Watt but Thomas Savery in 1698.", WEAK),
        ("Which steam engines came first?", "Steam engines: the water pump, not Watt.", SUPPORTED),
        ("Who developed the gas pump?", "The gas pump was developed by Thomas Savery, not Watt.", UNSUPPORTED),
        ("Who developed it?", "Savery was developed, not Watt, by Thomas in the water.", WEAK),
        ("Who developed it?", "?", UNSUPPORTED),
    ],
)
def test_a_sentence_stands_on_words_numbers_denial_and_order(question: str, sentence: str, support: Support) -> None:
    assert support_of(question, sentence, ENGINE) is support


@pytest.mark.parametrize(
    ("question", "plain", "sentence", "support"),
    [
        ("How many jobs are dropped?", "The scheduler drops 3 of 7 jobs.", "The scheduler drops 3 jobs.", WEAK),
        ("What beats pandas?", "polars in Python beats pandas for wide frames.", "Python beats pandas.", WEAK),
        ("What is the seed?", "Ask for the seed (was it 1337?).", "The seed is 1337.", UNSUPPORTED),
        (
            "How much is the scheduler's rent?",
            "The scheduler costs 9 a month.",
            "The scheduler costs 9 a month.",
            SUPPORTED,
        ),
    ],
)
def test_a_part_that_says_something_else_is_not_supported(
    question: str, plain: str, sentence: str, support: Support
) -> None:
    assert support_of(question, sentence, piece(plain)) is support


@pytest.mark.parametrize(
    ("plain", "sentence", "support"),
    [
        ("We bought chairs.", "We bought 12 chairs.", UNSUPPORTED),
        ("We bought chairs.", "We bought 5 chairs.", UNSUPPORTED),
        ("We bought chairs.", "We bought chairs.", SUPPORTED),
        ("We might have bought chairs.", "We bought chairs.", UNSUPPORTED),
        ("We bought chairs after lunch.", "We bought chairs before lunch.", UNSUPPORTED),
    ],
)
def test_date_and_heading_count_nothing_and_hedges_are_kept(plain: str, sentence: str, support: Support) -> None:
    assert support_of("What did we buy?", sentence, piece(plain, heading="Chapter 5", date="2024-05-12")) is support


def test_the_common_subsequence_keeps_order() -> None:
    assert common_subsequence(["a", "b", "c"], ["c", "a", "x", "b"]) == 2
    assert common_subsequence([], ["a"]) == 0
