from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragnotes.answers import Evidence, Hit, Support
from ragnotes.asking.extraction import extract
from ragnotes.asking.verification import Claim, is_refusal, verify, without_foreign_urls
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.types import Chunk, DateRange, Kind, Place, Source, Unit, Vectors

SUPPORTED, WEAK, UNSUPPORTED = Support.SUPPORTED, Support.WEAK, Support.UNSUPPORTED


def piece(
    plain: str,
    *,
    start: int = 0,
    lead: str = "",
    heading: str | None = None,
    date: str | None = None,
    score: float = 0.8,
    passage: str | None = None,
    links: tuple[str, ...] = (),
) -> Evidence:
    place = Place(heading=heading, date=DateRange.parse(date) if date else None)
    unit = Unit(start, start + len(plain), plain, lead)
    chunk = Chunk("c1", "d1", start, start + len(plain), plain, "", passage or plain, place, (unit,))
    source = Source("d1", "a.md", "A", Kind.NOTE, "0")
    hit = Hit(chunk, source, 1, score, score, 1.0)
    return Evidence(hit, unit, plain, score, score, score, place, links)


def support(question: str, sentence: str, evidence: Evidence) -> Support:
    [found] = verify([Claim(question, sentence, evidence)], HashingEmbedder(), {})
    return found


PUMP = piece("The water pump was developed in 1698 by Thomas Savery, not by Watt.", heading="Steam engines")


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The water pump was developed in 1698 by Thomas Savery.", SUPPORTED),
        ("Thomas Savery developed the water pump in 1698.", SUPPORTED),
        ("The water pump was not developed by Watt.", WEAK),
        ("The water pump was developed by Watt.", UNSUPPORTED),
        ("The water pump was not developed in 1698 by Thomas Savery.", UNSUPPORTED),
        ("Savery never developed the water pump.", UNSUPPORTED),
        ("The water pump was developed in 1689 by Thomas Savery.", UNSUPPORTED),
        ("The water pump was developed by James Savery.", UNSUPPORTED),
        ("Printing with movable type began in 1698.", UNSUPPORTED),
        ("?", UNSUPPORTED),
    ],
)
def test_numbers_names_and_denials_must_be_those_of_the_span(sentence: str, expected: Support) -> None:
    assert support("Who developed the water pump?", sentence, PUMP) is expected


@pytest.mark.parametrize(
    ("span", "sentence", "is_supported"),
    [
        ("The bag holds 5 kg.", "The bag holds five kilos.", True),
        ("The bag holds 5 kg.", "The bag holds 5 lb.", False),
        ("The bag holds 5.", "The bag holds 5 kg.", False),
        ("The tank holds 1,000 litres.", "The tank holds 1000 litres.", True),
        ("Der Tank fasst 1.000 Liter.", "Der Tank fasst 1000 Liter.", True),
        ("The tank holds 1.5 litres.", "The tank holds 15 litres.", False),
        ("It grew by 34 percent.", "It grew by 34%.", True),
        ("It grew by 34 per cent.", "It grew by 43%.", False),
        ("The model has 1.3B parameters.", "The model has 1.3 billion parameters.", True),
        ("The model has 1.3B parameters.", "The model has 1.3 million parameters.", False),
        ("The rent is 900 euros.", "The rent is €900.", True),
        ("The rent is 900 euros.", "The rent is $900.", False),
        ("Both pumps failed the test.", "The two pumps failed the test.", True),
        ("We met on 1 May 2024.", "We met on 2024-05-01.", True),
        ("We met on 1 May 2024.", "We met in May 2024.", True),
        ("We met on 1 May 2024.", "We met on 1 June 2024.", False),
        ("We met in May 2024.", "We met on 1 May 2024.", False),
        ("The walk took twenty-one days.", "The walk took 21 days.", True),
        ("The walk took 21 days.", "The walk took 21 weeks.", False),
    ],
)
def test_numbers_units_and_dates_agree_however_they_are_written(span: str, sentence: str, is_supported: bool) -> None:
    assert (support("", sentence, piece(span)) is SUPPORTED) is is_supported


@pytest.mark.parametrize(
    ("around", "span", "sentence", "is_supported"),
    [
        ({"date": "2024-05-12"}, "We bought chairs.", "We bought 12 chairs.", False),
        ({"date": "2024-05-12"}, "We bought chairs.", "We bought 5 chairs.", False),
        ({"date": "2024-05-12"}, "We bought chairs.", "We bought 2024 chairs.", False),
        ({"date": "2024-05-12"}, "We bought chairs.", "We bought chairs in 2024.", True),
        ({"date": "2024-05-12"}, "We bought chairs.", "We bought chairs in 2023.", False),
        ({"date": "2024-05-12"}, "On 12 May 2024 we bought chairs.", "We bought 12 chairs.", False),
        ({"date": "2024-05-12"}, "On 12 May we bought chairs.", "We bought chairs on 12 May.", True),
        ({"heading": "Chapter 5"}, "The book has sections.", "Chapter 5 of the book has sections.", True),
        ({"heading": "Chapter 5"}, "The book has sections.", "The book has 5 sections.", False),
        ({"heading": "Budget 2024"}, "The chairs cost 90 euros.", "In 2024 the chairs cost 90 euros.", True),
    ],
)
def test_numbers_of_date_and_heading_support_no_others(
    around: dict[str, str], span: str, sentence: str, is_supported: bool
) -> None:
    evidence = piece(span, heading=around.get("heading"), date=around.get("date"))
    assert (support("", sentence, evidence) is SUPPORTED) is is_supported


@pytest.mark.parametrize(
    ("span", "sentence", "is_supported"),
    [
        ("We met on 21 May 2024.", "We met on 1 May 2024.", False),
        ("The flat has two bathrooms.", "The flat has one bathroom.", False),
        ("There are three large bathrooms.", "There is one bathroom.", False),
        ("The flat has one bathroom.", "The flat has one bathroom.", True),
        ("It was 5 degrees outside.", "It was -5 degrees outside.", False),
        ("It was -5 degrees outside.", "It was 5 degrees outside.", False),
        ("It was -5 degrees outside.", "It was minus 5 degrees outside.", True),
        ("We run version 3.1 here.", "We run version 3.10 here.", False),
        ("The bag holds 3.50 kg.", "The bag holds 3.5 kg.", True),
        (f"The id is {'1' * 34}2.", f"The id is {'1' * 34}3.", False),
        (f"The id is {'1' * 35}.", f"The id is {'1' * 35}.", True),
    ],
)
def test_written_numbers_are_compared_to_the_last_digit(span: str, sentence: str, is_supported: bool) -> None:
    assert (support("", sentence, piece(span)) is SUPPORTED) is is_supported


@pytest.mark.parametrize(
    ("span", "sentence", "is_supported"),
    [
        ("Nina might have bought the house if it were cheaper.", "Nina bought the house.", False),
        ("Nina may have bought the house.", "Nina may have bought the house.", True),
        ("Nina bought the house in May.", "Nina bought the house.", True),
        ("The pump starts if the valve is open.", "The pump starts.", False),
        ("If the valve is open, the pump starts.", "The pump starts.", False),
        ("The pump rarely works well.", "The pump works well.", False),
        ("The pump barely works well.", "The pump works well.", False),
        ("The pump works well.", "The pump seldom works well.", False),
        ("The heating is off.", "The heating is on.", False),
        ("Nina voted against the plan.", "Nina voted with the plan.", False),
        ("More than 50 people came.", "Fewer than 50 people came.", False),
        ("We met after lunch.", "We met before lunch.", False),
        ("We met before the talk and after lunch.", "We met after lunch.", True),
        ("The shop closes at nine.", "The shop opens at nine.", False),
        ("Some pumps leak.", "All pumps leak.", False),
        ("Nos vimos antes de la comida.", "Nos vimos después de la comida.", False),
        ("Der Laden öffnet um neun.", "Der Laden schließt um neun.", False),
    ],
)
def test_hedges_and_opposites_are_not_what_was_said(span: str, sentence: str, is_supported: bool) -> None:
    assert (support("", sentence, piece(span)) is SUPPORTED) is is_supported


@pytest.mark.parametrize(
    ("span", "sentence", "is_supported"),
    [
        ("The valve does not leak, but the pump leaks.", "The pump leaks.", True),
        ("The valve does not leak, but the pump leaks.", "The valve leaks.", False),
        ("They failed to fix the valve.", "They fixed the valve.", False),
        ("The engine runs without a condenser.", "The engine runs with a condenser.", False),
        ("The engine isn't running.", "The engine is not running.", True),
        ("Not only the valve leaks.", "The valve leaks.", True),
        ("La bomba no funciona con agua.", "La bomba funciona con agua.", False),
        ("La bomba funciona sin agua.", "La bomba funciona con agua.", False),
        ("Die Pumpe läuft nicht mit Wasser.", "Die Pumpe läuft mit Wasser.", False),
        ("La pompe ne marche pas avec eau.", "La pompe marche avec eau.", False),
    ],
)
def test_what_is_denied_is_denied_in_both(span: str, sentence: str, is_supported: bool) -> None:
    assert (support("", sentence, piece(span)) is SUPPORTED) is is_supported


@pytest.mark.parametrize(
    ("span", "sentence"),
    [
        ("Savery sold the old pump and Watt improved the steam condenser.", "Savery improved the steam condenser."),
        ("Speed: 74 tokens for short quotes, 118 tokens for free text.", "Speed: 74 tokens for free text."),
    ],
)
def test_a_name_or_number_in_the_place_of_another_is_at_most_weak(span: str, sentence: str) -> None:
    assert support("", sentence, piece(span)) is WEAK


def test_what_the_question_brought_may_stand_in_the_passage_of_a_sentence_but_not_of_a_list() -> None:
    question, claim = "What torque do the crank bolts need?", "The crank bolts need a torque of 5 Nm."
    passage = "The crank bolts come first. They need a torque of 5 Nm."
    assert support(question, claim, piece("They need a torque of 5 Nm.", passage=passage)) is SUPPORTED
    assert support(question, claim, piece("stem bolts: 5 Nm", passage="stem bolts: 5 Nm; crank bolts: 40 Nm")) is not (
        SUPPORTED
    )


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Die große Pumpe von Savery braucht viel Wasser.", SUPPORTED),
        ("Die große Pumpe von Newcomen braucht viel Wasser.", UNSUPPORTED),
    ],
)
def test_a_name_may_be_inflected_but_not_another(sentence: str, expected: Support) -> None:
    assert support("", sentence, piece("Die großen Pumpen von Savery brauchen viel Wasser.")) is expected


def test_heading_lead_and_date_count_as_said_by_the_span() -> None:
    row = piece("Prompt cache | exact", lead="Cache | Match", heading="Kinds of caches", date="2024-01-07")
    assert support("", "On 7 January 2024 the match of the prompt cache was exact.", row) is SUPPORTED
    assert support("", "On 8 January 2024 the match of the prompt cache was exact.", row) is UNSUPPORTED


def test_a_question_in_the_notes_is_no_fact() -> None:
    assert support("What is the seed?", "The seed is 1337.", piece("Ask for the seed (was it 1337?).")) is UNSUPPORTED


def test_an_address_must_be_in_the_source() -> None:
    linked = piece("The pump is described here.", links=("https://example.org/pump",))
    assert support("", "The pump is described here: https://example.org/pump", linked) is SUPPORTED
    assert support("", "The pump is described here: https://example.com/pump", linked) is UNSUPPORTED
    assert support("", "The pump is described here: https://example.org/pu", linked) is UNSUPPORTED
    assert support("", "The pump is described here: evil.com", linked) is UNSUPPORTED
    text = "See ![x](https://evil.example/p.png) and [this](https://example.org/pump), not evil.example/q."
    assert without_foreign_urls(text, [linked]) == "See x and [this](https://example.org/pump), not"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("water pump steam valve engine leaks sold old new 12 34 kg".split()), min_size=2))  # noqa: SIM905
def test_a_statement_carries_itself_and_not_its_denial(words: list[str]) -> None:
    span = f"the {' '.join(words)} is big."
    assert support("", span, piece(span)) is SUPPORTED
    assert support("", span.replace(" is ", " is not "), piece(span)) is UNSUPPORTED


@pytest.mark.parametrize("sentence", ["The notes do not say.", "The excerpts do not mention condensers."])
def test_a_refusal_is_known(sentence: str) -> None:
    assert is_refusal(sentence)
    assert not is_refusal("Watt did not add a valve.")


def test_extraction_takes_near_equals_while_short_and_no_span_twice() -> None:
    whole = piece("The pillars are: honesty; speed", score=0.8)
    part = piece("honesty", start=17, score=0.79)
    near, far = piece("Speed matters.", start=60, score=0.75), piece("Old news.", start=90, score=0.5)
    assert [item.text for item in extract("?", [whole, part, near, far], subject="pillars").told] == [
        whole.unit.plain,
        near.unit.plain,
    ]
    assert extract("?", [], subject="pillars").told == ()
    long = piece("word " * 39, score=0.8)
    assert len(extract("?", [long, near], subject="pillars").told) == 1


def test_an_answer_opens_with_the_date_that_was_asked_for_and_ends_with_the_link() -> None:
    dated = piece("Read the overview.", date="2024-01-07")
    assert (
        extract("When did I read the overview?", [dated], subject="read").told[0].text
        == "2024-01-07: Read the overview."
    )
    assert extract("What did I read?", [dated], subject="read").told[0].text == "Read the overview."
    # The day of a note is not the day of what it tells of.
    assert extract("When was the overview published?", [dated], subject="read").told[0].text == "Read the overview."


def test_only_what_the_verdict_hangs_on_is_embedded() -> None:
    class Recording(HashingEmbedder):
        seen: tuple[str, ...] = ()

        def embed_documents(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
            self.seen += tuple(texts)
            return super().embed_documents(texts, background=background)

    embedder, question = Recording(), "Who developed the water pump?"
    told = "The water pump was developed in 1698 by Thomas Savery."
    sentences = [PUMP.unit.plain, "The water pump was developed in 1699 by Thomas Savery.", told, told]
    found = verify([Claim(question, sentence, PUMP) for sentence in sentences], embedder, {})
    assert found == [SUPPORTED, UNSUPPORTED, SUPPORTED, SUPPORTED]
    assert embedder.seen == (told, PUMP.unit.plain)


@pytest.mark.parametrize(("score", "words", "told"), [(0.78, 19, 2), (0.78, 20, 2), (0.75, 20, 1), (0.73, 19, 1)])
def test_a_piece_that_comes_as_near_as_the_best_may_make_the_answer_longer(score: float, words: int, told: int) -> None:
    first = piece(f"The mill has {' '.join(f'oak{n}' for n in range(17))}.")
    other = piece(f"In Kiel {' '.join(f'elm{n}' for n in range(words))}.", start=500, score=score)
    assert len(extract("What of the mill?", [first, other], subject="mill").told) == told
