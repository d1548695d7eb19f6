from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ragnotes.answers import NO_FILTERS, Filters
from ragnotes.asking.answering import Request
from ragnotes.asking.own_time import limited_to_own_time, subject_of
from ragnotes.asking.words import has_content
from ragnotes.errors import UsageError
from ragnotes.events import Final
from ragnotes.stores.local import LocalStore
from ragnotes.types import DateRange
from tests.asking.stage import asker_over, index_notes

TODAY = date(2024, 3, 13)


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("What did I read about on 22 May 2023?", date(2023, 5, 22), date(2023, 5, 22)),
        ("Which papers did I note in June 2023?", date(2023, 6, 1), date(2023, 6, 30)),
        ("my notes from last week", date(2024, 3, 4), date(2024, 3, 10)),
        ("What was logged on 2024-01-07?", date(2024, 1, 7), date(2024, 1, 7)),
        ("What did we decide yesterday?", date(2024, 3, 12), date(2024, 3, 12)),
    ],
)
def test_the_notes_own_time_limits_the_search(question: str, since: date, until: date) -> None:
    assert limited_to_own_time(question, NO_FILTERS, today=TODAY) == Filters(since, until, source="question")


@pytest.mark.parametrize(
    "question",
    [
        "Which battle was fought in 1760?",
        "What was published in June 2023?",
        "When did I buy the card?",
        "GPT-4 of 2023",
    ],
)
def test_any_other_date_is_a_word(question: str) -> None:
    assert limited_to_own_time(question, NO_FILTERS, today=TODAY) is NO_FILTERS
    assert subject_of(question, NO_FILTERS, today=TODAY) == question


def test_the_days_asked_for_and_those_that_were_set_are_intersected() -> None:
    given = Filters(since=date(2023, 6, 10), source="request")
    found = limited_to_own_time("What did I read in June 2023?", given, today=TODAY)
    assert found == Filters(date(2023, 6, 10), date(2023, 6, 30), source="question")
    given = Filters(date(2023, 1, 1), date(2023, 6, 10), source="request")
    found = limited_to_own_time("What did I read since June 2023?", given, today=TODAY)
    assert (found.since, found.until) == (date(2023, 6, 1), date(2023, 6, 10))
    assert subject_of("What did I read about moss since June 2023?", found, today=TODAY) == "moss"


def test_dates_that_were_set_stand_where_the_question_has_none_of_its_own() -> None:
    given = Filters(since=date(2020, 1, 1), source="request")
    for question in ("What did I read about moss?", "Which battle was fought in 1760?", "my latest note"):
        found = limited_to_own_time(question, given, today=TODAY)
        assert (found.since, found.until, found.source) == (date(2020, 1, 1), None, "request")


def test_days_that_do_not_meet_are_told() -> None:
    given = Filters(since=date(2024, 1, 1), until=date(2024, 1, 31), source="request")
    with pytest.raises(UsageError, match="asks for 2023-06, and no day of that is since 2024-01-01 until 2024-01-31"):
        limited_to_own_time("What did I read in June 2023?", given, today=TODAY)


def test_a_date_without_year_is_looked_for_within_the_dates_that_were_set() -> None:
    given = Filters(until=date(2022, 12, 31), source="request")
    found = limited_to_own_time("What did I note on 22 May?", given, today=TODAY)
    assert (found.since, found.until) == (date(2022, 5, 22), date(2022, 5, 22))


def test_what_is_left_to_look_for() -> None:
    days = Filters(date(2023, 5, 27), date(2023, 5, 27), source="question")
    assert not has_content(subject_of("What did I note on 27 May 2023?", days, today=TODAY))
    assert subject_of("What did I read about caches in May 2023?", days, today=TODAY) == "caches"
    assert subject_of("¿Qué leí sobre cachés en mayo de 2023?", days, today=TODAY) == "cachés"
    assert subject_of("Was habe ich im Mai 2023 über Flechten gelesen?", days, today=TODAY) == "Flechten"


def ask(store: LocalStore, folder: Path, question: str) -> Final:
    *_, final = asker_over(store, folder).ask(Request(question, llm=False))
    assert isinstance(final, Final)
    return final


def test_a_day_without_a_subject_tells_what_was_noted_then(store: LocalStore, tmp_path: Path) -> None:
    answer = ask(store, tmp_path, "What did I note on 9 March 2024?").answer
    assert answer.answered
    assert "690 euros" in answer.text
    assert (answer.filters.since, answer.filters.source) == (date(2024, 3, 9), "question")


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("What did I note on 10 March 2024?", "filtered_out"),
        ("What did I eat for lunch on 9 March 2024?", "low_support"),
    ],
)
def test_a_day_that_holds_no_answer_abstains(store: LocalStore, tmp_path: Path, question: str, reason: str) -> None:
    answer = ask(store, tmp_path, question).answer
    assert (answer.answered, answer.reason) == (False, reason)


def test_a_passage_of_the_whole_year_is_not_one_of_the_day(tmp_path: Path) -> None:
    note = "# 2024 Log\n\n* Everything about cards of this year\n\n## 9 March 2024\n\n* Bought a used card\n"
    store = index_notes(tmp_path, {"log.md": note})
    answer = ask(store, tmp_path, "What did I note on 9 March 2024?").answer
    assert [str(hit.chunk.place.date) for hit in answer.passages] == ["2024-03-09"]
    answer = ask(store, tmp_path, "What did I note on 10 March 2024?").answer
    assert [str(hit.chunk.place.date) for hit in answer.passages] == ["2024-01-01/2024-12-31"]
    store.close()


def test_many_passages_of_the_whole_year_do_not_crowd_out_the_day(tmp_path: Path) -> None:
    year = "".join(f"## Part {number}\n\nNoted what I did on a day of June, {number}.\n\n" for number in range(150))
    notes = {"2024.md": year, "2024-06-03.md": "Repaired the bicycle.\n"}
    store = index_notes(tmp_path, notes)
    answer = ask(store, tmp_path, "What did I note on 3 June 2024?").answer
    assert (answer.text, len(answer.passages)) == ("Repaired the bicycle.", 1)
    answer = ask(store, tmp_path, "What did I note on 3 June?").answer
    assert (answer.text, answer.filters.since) == ("Repaired the bicycle.", date(2024, 6, 3))
    store.close()


def test_asked_for_a_time_alone_the_answer_is_all_that_was_noted_in_order(tmp_path: Path) -> None:
    note = "# 2024 Log\n\n## 9 March 2024\n\nBought a card. It hums.\n\n## 12 March 2024\n\nRead about moss.\n"
    store = index_notes(tmp_path, {"log.md": note})
    answer = ask(store, tmp_path, "What did I note in March 2024?").answer
    assert [sentence.text for sentence in answer.sentences] == ["Bought a card.", "It hums.", "Read about moss."]
    assert [citation.n for citation in answer.citations] == [1, 2, 3]
    store.close()


@pytest.mark.parametrize(
    ("question", "is_own"),
    [
        ("What was my weight on 3 May 2023?", True),
        ("What was my salary in 2019?", False),
        ("Who came to the meeting yesterday?", True),
        ("Which phone was launched last week?", False),
        ("What did I note about the phone launched last week?", True),
        ("What happened in July 2023?", True),
        ("What happened in Lyon in July 2023?", False),
        ("Which papers from June 2023 did I like?", False),
        ("What have I learned in June 2023?", True),
        ("What did we read about the bridge built in May 2019?", False),
        ("Was habe ich über das im Juni 2023 veröffentlichte Modell notiert?", False),
        ("¿Qué anoté sobre el modelo publicado en junio de 2023?", False),
        ("¿Qué he leído en junio de 2023?", True),
        ("¿Qué leí en junio de 2023 sobre musgo?", True),
        ("Which goals did Pelé score in 1958?", False),
        ("¿Qué goles marcó Pelé en 1958?", False),
        ("Which café opened in Lyon in 2019?", False),
        ("Which article did the Journal of Physics publish in 2019?", False),
        ("What was printed in the Journal of Physics in 2019?", False),
        ("Who logs in remotely since 2020?", False),
        ("What does the diary of Anne Frank tell in 1944?", False),
        ("Is there a diary of Anne Frank in 1944?", False),
        ("What does the journal of June 2023 say about moss?", True),
        ("What do the entries of 2019 say about moss?", True),
        ("Is moss in my diary of 2019?", True),
        ("What does the log from 3 May 2023 say about moss?", True),
    ],
)
def test_a_date_of_a_thing_is_not_the_notes_own(question: str, is_own: bool) -> None:
    found = limited_to_own_time(question, NO_FILTERS, today=TODAY)
    assert (found.source == "question") == is_own


def test_history_is_no_time_of_the_notes_unless_they_are_of_it() -> None:
    question = "What did I do on 3 May 1854?"
    assert limited_to_own_time(question, NO_FILTERS, today=TODAY, holds=lambda _: False) is NO_FILTERS
    assert limited_to_own_time(question, NO_FILTERS, today=TODAY).since == date(1854, 5, 3)


@pytest.mark.parametrize(("held", "found_in"), [(2023, 2023), (2021, 2021), (1999, 2023)])
def test_a_date_without_year_goes_back_to_the_year_that_the_notes_know(held: int, found_in: int) -> None:
    def holds(days: DateRange) -> bool:
        return days.since.year == held

    found = limited_to_own_time("What did I note on 22 May?", NO_FILTERS, today=TODAY, holds=holds)
    assert found.since == date(found_in, 5, 22)
