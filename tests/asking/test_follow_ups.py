from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.asking.follow_ups import written_out
from ragnotes.turns import Turn
from tests.asking.conversations import FIRST, SECOND, THIRD, Asked, Talk


def turns_of(before: tuple[Asked, ...]) -> list[Turn]:
    """The turns of a conversation, each question written out by those before it, as they are kept."""
    turns: list[Turn] = []
    for asked in before:
        question, answer = (asked, ()) if isinstance(asked, str) else asked
        turns.append(Turn(question, written_out(question, turns), answer))
    return turns


@pytest.mark.parametrize(
    "talk", [*FIRST, *SECOND, *THIRD], ids=lambda talk: f"{talk.question[:40]} {talk.before[:1]}"[:80]
)
def test_a_follow_up_is_written_out_and_any_other_question_is_left_alone(talk: Talk) -> None:
    assert written_out(talk.question, turns_of(talk.before)) == talk.whole


QUESTIONS = Path(__file__).parents[2] / "corpus" / "questions.jsonl"
EARLIER = (
    Turn("What did Nina say about the late chunking method?", None, ("It keeps context.",)),
    Turn("Which vector databases did I compare in Berlin in 2023?", None, ("FAISS", "Qdrant", "Chroma")),
    Turn("Who founded Mistral?", None, ("Nina Petrova",)),
)


@pytest.mark.parametrize("turn", EARLIER, ids=lambda turn: turn.question)
def test_no_whole_question_is_changed_whatever_was_asked_before(turn: Turn) -> None:
    questions = [json.loads(line)["question"] for line in QUESTIONS.read_text("utf-8").splitlines()]
    assert [question for question in questions if written_out(question, [turn])] == []


def test_a_subject_is_looked_for_further_back_where_the_last_turn_has_none() -> None:
    turns = turns_of(("What is late chunking?", "What did I note in May 2023?"))
    assert written_out("who invented it?", turns) == "who invented late chunking?"


def test_very_long_questions_are_left_alone() -> None:
    assert written_out("and " * 1000, [EARLIER[0]]) is None
    assert written_out("why?", [Turn("word " * 1000)]) is None


RENT = Turn("What is the rent of the office?")
INDEX = Turn("Which vector index did I choose in 2023?")
LISTED = Turn("What did Nina recommend?", None, ("FAISS", "Qdrant"))
PLAYERS = Turn("What did the players say?")


@pytest.mark.parametrize(
    ("turn", "question", "whole"),
    [
        (RENT, "Which one is cheaper?", None),
        (RENT, "which ones?", None),
        (RENT, "Did they win?", None),
        (RENT, "Was it in May?", None),
        (RENT, "Was it cheap?", "Was the office cheap?"),
        (PLAYERS, "Did they win?", "Did the players win?"),
        (PLAYERS, "which ones won?", "which of the players won?"),
        (LISTED, "Are they free?", "Are FAISS and Qdrant free?"),
        (RENT, "who?", None),
        (INDEX, "who?", None),
        (Turn("When did I meet Tom?"), "with whom?", "When did I meet Tom, and with whom?"),
        (INDEX, "why?", "Why did I choose the vector index in 2023?"),
        (INDEX, "when?", "When did I choose the vector index in 2023?"),
    ],
)
def test_what_is_written_out_can_stand(turn: Turn, question: str, whole: str | None) -> None:
    assert written_out(question, [turn]) == whole


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\x00", "\x1b"])
def test_characters_that_are_not_shown_are_dropped(hidden: str) -> None:
    assert written_out(f"and {hidden}in 20{hidden}24?", [INDEX]) == "Which vector index did I choose in 2024?"
    assert written_out("why?", [Turn(f"Does {hidden}FAISS need training?")]) == "Why does FAISS need training?"


ODD = "what who the it that and in 2024 FAISS ? ' . of did I she there ones second last week May ¿ más - 's"
_WORDS = st.lists(st.sampled_from(ODD.split()))


@given(question=_WORDS, asked=_WORDS, answer=_WORDS)
def test_odd_questions_give_a_question_or_nothing(question: list[str], asked: list[str], answer: list[str]) -> None:
    found = written_out(" ".join(question), [Turn(" ".join(asked), None, (" ".join(answer),))])
    assert found is None or found.strip()
