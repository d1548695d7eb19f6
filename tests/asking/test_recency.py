"""The latest, the last time, the first: by date among what bears on the question alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from ragnotes.answers import Answer, Order
from ragnotes.asking.answering import Asker, Request
from ragnotes.asking.own_words import content_of, order_asked
from ragnotes.clock import Clock, moment_of
from ragnotes.events import Final
from tests.asking.stage import HASHED, asker_over, index_notes

NOTES = {
    "bread.md": (
        "# Bread\n\n## 3 May 2023\n\nSourdough loaf was flat, sourdough again.\n\n## 20 July 2023\n\n"
        "Sourdough loaf rose well.\n\n## 2 August 2024\n\nSourdough course is planned.\n"
    ),
    "2024-01-05.md": "# Day\n\nFed the sourdough starter. Swam with Ana in the lake.\n",
    "2023-11-02.md": "# Day\n\nSwam with Ana in the pool.\n",
    "2024-06-01.md": "# Day\n\nRepaired the bicycle.\n",
    "flour.md": "# Sourdough\n\nSourdough needs water, flour and salt. Sourdough, sourdough.\n",
}


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    folder = tmp_path_factory.mktemp("bread")
    store = index_notes(folder, NOTES, HASHED)
    yield asker_over(store, folder)
    store.close()


def ask(asker: Asker, question: str, now: str = "2024-07-17") -> Answer:
    *_, final = asker.ask(Request(question, llm=False, clock=Clock(moment_of(now))))
    assert isinstance(final, Final)
    return final.answer


def days_of(answer: Answer) -> list[str]:
    return [str(hit.chunk.place.date) for hit in answer.passages]


def test_the_newest_that_bears_on_the_subject_comes_first(asker: Asker) -> None:
    answer = ask(asker, "What is my latest note on sourdough?")
    assert answer.text == "Fed the sourdough starter."
    assert days_of(answer)[:3] == ["2024-01-05", "2023-07-20", "2023-05-03"]
    assert answer.filters.order == "newest"
    assert answer.filters.since is None


def test_the_clock_bounds_the_future(asker: Asker) -> None:
    answer = ask(asker, "What is my latest note on sourdough?", now="2024-08-03")
    assert (answer.text, days_of(answer)[0]) == ("Sourdough course is planned.", "2024-08-02")


def test_scores_fall_from_hit_to_hit(asker: Asker) -> None:
    hits = ask(asker, "What is my latest note on sourdough?").passages
    assert all(one.score > other.score for one, other in pairwise(hits[:4]))
    assert all(one.score >= other.score for one, other in pairwise(hits))


def test_nothing_that_bears_less_on_the_question_is_drawn_up(asker: Asker) -> None:
    assert days_of(ask(asker, "When did I last swim with Ana?"))[:2] == ["2024-01-05", "2023-11-02"]
    answer = ask(asker, "What is the latest on quantum computing?")
    assert (answer.answered, answer.reason) == (False, "low_support")


def test_the_last_time_is_answered_with_its_day(asker: Asker) -> None:
    assert ask(asker, "When was the last time I swam with Ana?").text == "2024-01-05: Swam with Ana in the lake."


def test_order_and_days_of_a_question_go_together(asker: Asker) -> None:
    answer = ask(asker, "What was the last thing I noted about sourdough in 2023?")
    assert (answer.text, answer.filters.since) == ("Sourdough loaf rose well.", date(2023, 1, 1))


@pytest.mark.parametrize("question", ["What did I write most recently?", "my newest entry", "What did I note last?"])
def test_asked_for_the_newest_alone_the_last_day_is_told(asker: Asker, question: str) -> None:
    answer = ask(asker, question)
    assert (answer.text, answer.filters.since) == ("Repaired the bicycle.", date(2024, 6, 1))


def test_the_oldest_is_found_the_same_way(asker: Asker) -> None:
    assert days_of(ask(asker, "When did I first note sourdough?"))[:2] == ["2023-05-03", "2023-07-20"]
    assert ask(asker, "What is my oldest entry?").filters.until == date(2023, 5, 3)


def test_notes_without_dates_answer_as_before(tmp_path: Path) -> None:
    store = index_notes(tmp_path, {"flour.md": NOTES["flour.md"]})
    answer = ask(asker_over(store, tmp_path), "What is the latest note on sourdough flour?")
    assert answer.text.startswith("Sourdough needs water, flour and salt.")
    store.close()


@pytest.mark.parametrize(
    ("question", "order", "content"),
    [
        ("What is my latest note on moss?", "newest", ["moss"]),
        ("When did I last clean the oven?", "newest", ["clean", "oven"]),
        ("What was the last film that we watched?", "newest", ["film"]),
        ("Which is the most recent entry about rent?", "newest", ["rent"]),
        ("¿Cuándo fue la última vez que llamé a Ana?", "newest", ["llamé", "Ana"]),
        ("Wann war ich zuletzt in Graz?", "newest", ["Graz"]),
        ("When did I first read about moss?", "oldest", ["moss"]),
        ("What did I do last week?", None, ["last"]),
        ("What does the last layer of the network do?", None, ["last", "layer", "network"]),
        ("What did I do in the last three days?", None, ["last", "three"]),
        ("Which is the first chapter?", None, ["first", "chapter"]),
        ("What is the latest on the RAG project?", "newest", ["RAG", "project"]),
        ("latest note on sourdough", "newest", ["sourdough"]),
        ("most recent sourdough note", "newest", ["sourdough"]),
        ("the newest paper I read on moss", "newest", ["moss"]),
        ("oldest entry about rent", "oldest", ["rent"]),
        ("What was the latest decision about rent?", "newest", ["decision", "rent"]),
        ("neuester Eintrag über Moos", "newest", ["Moos"]),
        ("entrada más reciente sobre musgo", "newest", ["musgo"]),
        ("¿Cuál fue la última vez que nadamos en Vigo?", "newest", ["nadamos", "Vigo"]),
        ("Which is the oldest link between Kent and Calais?", None, ["oldest", "Kent", "Calais"]),
        ("Who was the oldest person to win the prize?", None, ["oldest", "person", "win", "prize"]),
        ("Which is the latest Python version?", None, ["latest", "Python", "version"]),
        ("When was the last time the comet appeared?", None, ["last", "comet", "appeared"]),
        ("What was the last book Tolstoy published?", None, ["last", "book", "Tolstoy", "published"]),
        ("How long does a lichen last?", None, ["long", "lichen", "last"]),
        ("What did I note about the oldest person in France?", None, ["oldest", "person", "France"]),
        ("Wer war der älteste Mensch?", None, ["älteste", "Mensch"]),
        ("¿Cuál es la ciudad más antigua de Francia?", None, ["ciudad", "más", "antigua", "Francia"]),
    ],
)
def test_order_is_read_from_the_wording(question: str, order: Order | None, content: list[str]) -> None:
    assert order_asked(question) == order
    assert content_of(question) == content


def test_what_was_noted_at_a_time_comes_in_the_order_of_the_notes(tmp_path: Path) -> None:
    notes = {
        "log.md": "# Log\n\n## 4 May 2024\n\nPainted the door.\n\n## 3 May 2024\n\nNoted what I noted in May.\n",
        "2024-05-03.md": "# Day\n\nFed the cat.\n",
    }
    store = index_notes(tmp_path, notes)
    found = asker_over(store, tmp_path).search("What did I note in May 2024?")
    assert [str(hit.chunk.place.date) for hit in found.hits] == ["2024-05-03", "2024-05-03", "2024-05-04"]
    assert [hit.source.path for hit in found.hits] == ["2024-05-03.md", "log.md", "log.md"]
    assert [hit.score for hit in found.hits] == sorted((hit.score for hit in found.hits), reverse=True)
    store.close()
