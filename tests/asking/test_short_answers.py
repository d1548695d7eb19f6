"""A date or number is told first where the evidence leaves no doubt, and not at all where it does."""

from __future__ import annotations

import pytest

from ragnotes.asking.short_answers import short_answer


@pytest.mark.parametrize(
    ("question", "text", "short"),
    [
        ("When did the battle of Hastings take place?", "The battle of Hastings took place in 1066.", "1066"),
        ("When was the bridge opened?", "The bridge was opened on 3 May 1932, after ten years.", "3 May 1932"),
        ("In what year was the bridge opened?", "The bridge was opened on 3 May 1932.", "1932"),
        ("When did the studio open?", "The studio opened in the 19th century.", "19th century"),
        ("How many museums does the town have?", "The town has twenty-two museums and a zoo.", "twenty-two"),
        ("How many dimensions does the small model have?", "The small model has 384 dimensions.", "384"),
        ("What did I pay for the used drill?", "Bought the used drill. 90 euros, cash.", "90 euros"),
        ("Wie viele Museen hat die Stadt?", "Die Stadt hat 12 Museen.", "12"),
        ("¿Cuántas páginas tiene el archivo?", "El archivo tiene 86.000 páginas escaneadas.", "86.000"),
        ("Wann wurde die Brücke eröffnet?", "Die Brücke wurde 1932 eröffnet.", "1932"),
    ],
)
def test_the_one_candidate_is_the_short_answer_verbatim(question: str, text: str, short: str) -> None:
    assert short_answer(question, text) == short
    assert short in text


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("When did the war end?", "The war began in 1754 and was fought until 1763."),
        ("When was the bridge opened?", "It remained the longest bridge opened until 1932."),
        ("When is the festival held?", "Since 2011 the festival is held in September."),
        ("When was the school formed?", "A 1643 publication spoke of the school that was formed."),
        ("When was the FIS founded?", "The FIS was going to win elections in 1991."),
        ("When did it happen in 1066?", "It happened in 1066."),
        ("How many museums does the town have?", "The town of 12000 people has museums."),
        ("How many tokens does Gemma 27B write?", "2.1 tokens a second is a sentence in ten seconds."),
        ("What is the wiring made of?", "The wiring was made of copper in 1932."),
    ],
)
def test_where_there_is_doubt_there_is_no_short_answer(question: str, text: str) -> None:
    assert short_answer(question, text) is None


def test_the_cell_under_the_label_that_is_asked_for_is_told() -> None:
    row, shown = "bge-small | 384 | 0.74", "Model: bge-small | Dim: 384 | hit@5: 0.74"
    assert short_answer("How many dimensions does bge-small have?", row, shown=shown) == "384"
    assert short_answer("What is the hit@5 of bge-small?", row, shown=shown) == "0.74"
    assert short_answer("Which model has the highest hit@5?", row, shown=shown) is None
    assert short_answer("How many dimensions does e5 have?", row, shown=shown) is None
