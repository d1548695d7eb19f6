from __future__ import annotations

import pytest

from ragnotes.answers import Evidence, Hit, Support
from ragnotes.asking.extraction import extract, stands
from ragnotes.asking.verification import Checked, check_sentence, common_subsequence, is_refusal, support_of
from ragnotes.types import Chunk, DateRange, Kind, Place, Source, Unit

SUPPORTED, WEAK, UNSUPPORTED = Support.SUPPORTED, Support.WEAK, Support.UNSUPPORTED


def piece(
    plain: str,
    *,
    start: int = 0,
    lead: str = "",
    heading: str | None = None,
    date: str | None = None,
    score: float = 0.8,
) -> Evidence:
    place = Place(heading=heading, date=DateRange.parse(date) if date else None)
    unit = Unit(start, start + len(plain), plain)
    chunk = Chunk("c1", "d1", start, start + len(plain), plain, "", plain, place, (unit,))
    source = Source("d1", "a.md", "A", Kind.NOTE, "0")
    hit = Hit(chunk, source, 1, score, score, 1.0)
    return Evidence(hit, unit, plain, score, score, score, place)


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


def test_the_smallest_piece_that_carries_a_sentence_is_cited() -> None:
    evidence = [ENGINE, piece("Watt added a condenser in 1765.", start=100)]
    kept = check_sentence("What did Watt add?", "Watt added a condenser.", evidence)
    assert kept == Checked("Watt added a condenser.", evidence[1], SUPPORTED)
    assert check_sentence("What did Watt add?", "It was painted green.", evidence) is None
    assert check_sentence("What did Watt add?", "Watt added a condenser.", []) is None


@pytest.mark.parametrize("sentence", ["The notes do not say.", "The excerpts do not mention condensers."])
def test_a_refusal_is_known(sentence: str) -> None:
    assert is_refusal(sentence)
    assert not is_refusal("Watt did not add a valve.")


def test_a_draft_stands_in_for_the_best_evidence_only() -> None:
    question = "What did Watt add?"
    best, other = piece("Watt added a condenser in 1765."), piece("Savery added a valve.", start=50, score=0.3)
    extracted = extract(question, [best, other], subject=question)

    def draft(sentence: str) -> list[Checked]:
        checked = check_sentence(question, sentence, [best, other])
        return [checked] if checked else []

    assert stands(question, draft("Watt added a condenser."), extracted)
    assert not stands(question, draft("Savery added a valve."), extracted)
    assert not stands(question, draft("Watt did add."), extracted)


def test_extraction_takes_near_equals_while_short_and_no_span_twice() -> None:
    whole = piece("The pillars are: honesty; speed", score=0.8)
    part = piece("honesty", start=17, score=0.79)
    near, far = piece("Speed matters.", start=60, score=0.7), piece("Old news.", start=90, score=0.5)
    assert [item.text for item in extract("?", [whole, part, near, far], subject="pillars")] == [
        whole.unit.plain,
        near.unit.plain,
    ]
    assert extract("?", [], subject="pillars") == []
    long = piece("word " * 30, score=0.8)
    assert len(extract("?", [long, near], subject="pillars")) == 1


def test_an_answer_opens_with_the_date_that_was_asked_for_and_ends_with_the_link() -> None:
    dated = piece("Read the overview.", date="2024-01-07")
    assert extract("When did I read the overview?", [dated], subject="read")[0].text == "2024-01-07: Read the overview."
    assert extract("What did I read?", [dated], subject="read")[0].text == "Read the overview."
    # The day of a note is not the day of what it tells of.
    assert extract("When was the overview published?", [dated], subject="read")[0].text == "Read the overview."


def test_the_common_subsequence_keeps_order() -> None:
    assert common_subsequence(["a", "b", "c"], ["c", "a", "x", "b"]) == 2
    assert common_subsequence([], ["a"]) == 0
