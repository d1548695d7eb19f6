"""Where the notes tell of somebody else, or the question asks for nothing, there is no answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from ragnotes.answers import NO_FILTERS, Answer, Filters
from ragnotes.asking.answering import Asker, Request
from ragnotes.events import Final
from tests.asking.stage import asker_over, index_notes

NOTES = {"party.md": "# 2024 Log\n\n## 10 March 2024\n\n* Nina's birthday party was at the lake\n"}


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    folder = tmp_path_factory.mktemp("party")
    store = index_notes(folder, NOTES)
    yield asker_over(store, folder)
    store.close()


def ask(asker: Asker, question: str, filters: Filters = NO_FILTERS) -> Answer:
    *_, final = asker.ask(Request(question, filters=filters, llm=False))
    assert isinstance(final, Final)
    return final.answer


ABOUT_A_PARTY = [
    "What did I note about {}'s birthday party on 10 March 2024?",
    "What was the latest I noted on {}'s birthday party at the lake?",
    "Where was {}'s birthday party?",
]


@pytest.mark.parametrize("question", ABOUT_A_PARTY)
def test_a_note_of_another_person_is_no_answer(asker: Asker, question: str) -> None:
    answer = ask(asker, question.format("Tom"))
    assert (answer.answered, answer.reason) == (False, "low_support")


@pytest.mark.parametrize("question", ABOUT_A_PARTY)
def test_a_note_of_the_person_is_the_answer(asker: Asker, question: str) -> None:
    assert ask(asker, question.format("Nina")).text == "Nina's birthday party was at the lake"


@pytest.mark.parametrize("question", ["who are you?", "why", "?", "\N{GRINNING FACE}", "is it?"])
@pytest.mark.parametrize("filters", [NO_FILTERS, Filters(since=date(2024, 1, 1), source="request")])
def test_a_question_that_asks_for_nothing_has_no_answer(asker: Asker, question: str, filters: Filters) -> None:
    answer = ask(asker, question, filters)
    assert (answer.answered, answer.reason) == (False, "low_support")


@pytest.mark.parametrize("filters", [Filters(since=date(2024, 1, 1), source="request")])
def test_what_i_did_within_given_days_is_told(asker: Asker, filters: Filters) -> None:
    assert ask(asker, "what did I do?", filters).text == "Nina's birthday party was at the lake"
