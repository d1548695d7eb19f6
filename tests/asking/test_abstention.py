"""Where the notes tell of somebody else, or the question asks for nothing, there is no answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ragnotes.answers import NO_FILTERS, Answer, Filters
from ragnotes.asking.answering import Asker, Request
from ragnotes.calibration import SHIPPED, Calibration
from ragnotes.events import Final
from ragnotes.stores.local import LocalStore
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


def test_an_answer_is_surer_the_more_of_the_question_the_notes_hold(asker: Asker) -> None:
    whole, part = (
        ask(asker, question).confidence for question in ("Where was Nina's birthday party?", "Where was it?")
    )
    assert whole is not None
    assert SHIPPED.threshold < whole <= 1
    assert part == 0


@pytest.mark.parametrize("question", ["Where was Tom's birthday party?", "Was the party on floor 17?"])
def test_what_a_rule_knows_is_sure(asker: Asker, question: str) -> None:
    assert ask(asker, question).confidence == 0


def test_what_was_noted_at_some_time_is_not_judged(asker: Asker) -> None:
    answer = ask(asker, "What did I note on 10 March 2024?")
    assert (answer.answered, answer.confidence) == (True, None)


def test_a_slip_of_the_pen_is_no_unknown_word(asker: Asker) -> None:
    right, slip = ask(asker, "Where was the birthday party?"), ask(asker, "Where was the birhtday party?")
    assert slip.answered
    assert right.confidence is not None
    assert slip.confidence is not None
    assert slip.confidence > right.confidence / 3


def test_the_calibration_of_an_index_decides(tmp_path: Path) -> None:
    store = index_notes(tmp_path, NOTES)
    asker, question = asker_over(store, tmp_path), "Where was Nina's birthday party?"
    before = ask(asker, question)
    with store.writer():
        store.calibrate(Calibration(0.9999))
    after = ask(asker, question)
    store.close()
    assert (before.answered, after.answered, after.reason) == (True, False, "low_support")
    assert after.confidence == before.confidence
    assert after.passages == before.passages != ()


def test_how_many_passages_are_shown_changes_no_confidence(store: LocalStore, tmp_path: Path) -> None:
    asker = asker_over(store, tmp_path)
    few, many = (
        final.answer.confidence
        for limit in (1, 10)
        for final in list(asker.ask(Request("Which cache requires an exact prefix match?", limit=limit, llm=False)))[
            -1:
        ]
        if isinstance(final, Final)
    )
    assert few == many is not None
