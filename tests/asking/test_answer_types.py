"""What a question asks for is told by its words, and what a text holds by its look."""

from __future__ import annotations

import pytest

from ragnotes.asking.answer_types import AnswerType, holds_type, type_asked


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who wrote the report?", AnswerType.NAME),
        ("¿Quién escribió el informe?", AnswerType.NAME),
        ("Wer schrieb den Bericht?", AnswerType.NAME),
        ("When was the bridge built?", AnswerType.TIME),
        ("In what year was the bridge built?", AnswerType.TIME),
        ("Quand le pont a-t-il été construit ?", AnswerType.TIME),
        ("How many chairs are left?", AnswerType.NUMBER),
        ("Wie viele Stühle gibt es?", AnswerType.NUMBER),
        ("What did the chairs cost?", AnswerType.MONEY),
        ("How much did I pay for the chairs?", AnswerType.MONEY),
        ("Why is the bridge closed?", None),
        ("What happens when it rains?", None),
        ("the price of freedom", None),
    ],
)
def test_the_kind_of_thing_asked_for(question: str, kind: AnswerType | None) -> None:
    assert type_asked(question) is kind


@pytest.mark.parametrize(
    ("kind", "text", "held"),
    [
        (AnswerType.NAME, "The report was written by Ada Quist.", True),
        (AnswerType.NAME, "The report was long.", False),
        (AnswerType.NAME, "The Report was long.", False),
        (AnswerType.TIME, "The bridge was built in 1932.", True),
        (AnswerType.TIME, "It has 13 arches.", False),
        (AnswerType.NUMBER, "Twelve chairs are left.", True),
        (AnswerType.NUMBER, "The chairs came on 12 May.", False),
        (AnswerType.NUMBER, "The 40 chairs came on 12 May 2023.", True),
        (AnswerType.MONEY, "The chairs were 90 euros each.", True),
        (AnswerType.MONEY, "There are 90 chairs.", False),
    ],
)
def test_whether_a_text_holds_one(kind: AnswerType, text: str, *, held: bool) -> None:
    assert holds_type(kind, text, "Who wrote the report?") is held


def test_a_name_that_the_question_gives_is_no_answer() -> None:
    assert not holds_type(AnswerType.NAME, "It was like Ada to be late.", "Who met Ada?")
