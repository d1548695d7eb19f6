"""Questions for several things are answered with all of them, each with its citation, and what is cut is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragnotes.answers import Answer
from ragnotes.asking.answering import Request
from ragnotes.asking.lists import asks_for_list
from ragnotes.events import Final
from tests.asking.stage import asker_over, index_notes

WORDS = "which nobody in the house has looked at closely since the long and rainy summer"
NOTES = {
    "tools.md": (
        "# Workshop\n\n## Rules for the tools\n\n"
        + "".join(f"{number}. rule {name} about tools, {WORDS}\n" for number, name in enumerate("abcdef", 1))
        + "\nOther prose.\n\n## Visitors\n\n- Ann brought tools\n- Bob brought cake\n"
    ),
    "fridge.md": (
        "# Log\n\n## 6 November 2023\n\n- decided on requirements for the archive box\n"
        f"  - every sheet must lie flat, {WORDS}\n  - no staples, {WORDS}\n  - one box, {WORDS}\n  - a label, {WORDS}\n"
        f"  - a lid, {WORDS}\n- went home\n"
    ),
    "caches.md": (
        "# Notes\n\n## Kinds of storage boxes\n\n| Room | Storage box | About |\n|---|---|---|\n"
        "| Attic | Wooden | dry |\n|  | Tin | for letters |\n| Cellar | Plastic | tight |\n|  | Glass | heavy |\n"
    ),
    "june.md": "# 2023 Log\n\n" + "".join(f"- 6/{day} read chapter {day} of the whale book\n" for day in range(1, 21)),
}


def ask(folder: Path, question: str) -> Answer:
    store = index_notes(folder, NOTES)
    *_, final = asker_over(store, folder).ask(Request(question, llm=False))
    store.close()
    assert isinstance(final, Final)
    return final.answer


def test_all_items_of_the_list_are_told_each_with_its_citation(tmp_path: Path) -> None:
    answer = ask(tmp_path, "What are the rules for the tools?")
    assert answer.text.split("\n") == [f"rule {name} about tools, {WORDS}" for name in "abcdef"]
    assert [sentence.citations for sentence in answer.sentences] == [(number,) for number in range(1, 7)]
    assert [citation.place.line for citation in answer.citations] == list(range(5, 11))


def test_rows_under_merged_cells_belong_to_the_list(tmp_path: Path) -> None:
    answer = ask(tmp_path, "What are the kinds of storage boxes?")
    assert [sentence.text for sentence in answer.sentences] == [
        f"Room: {room} | Storage box: {box} | About: {about}"
        for room, box, about in [
            ("Attic", "Wooden", "dry"),
            ("Attic", "Tin", "for letters"),
            ("Cellar", "Plastic", "tight"),
            ("Cellar", "Glass", "heavy"),
        ]
    ]


def test_what_stands_under_an_item_is_the_list(tmp_path: Path) -> None:
    answer = ask(tmp_path, "What were the requirements for the archive box?")
    assert [sentence.text.split(",")[0] for sentence in answer.sentences] == [
        "every sheet must lie flat",
        "no staples",
        "one box",
        "a label",
        "a lid",
    ]


def test_what_a_range_of_days_leaves_untold_is_counted(tmp_path: Path) -> None:
    answer = ask(tmp_path, "What did I read in June 2023?")
    assert answer.text.split("\n")[:2] == [
        "6/1 read chapter 1 of the whale book",
        "6/2 read chapter 2 of the whale book",
    ]
    assert len(answer.sentences) + answer.more == 20


@pytest.mark.parametrize(
    "question",
    [
        "What are the types of caches?",
        "Which tools did the agent have?",
        "List all rules for tools",
        "What did Anna recommend?",
        "What were the requirements on the fridge?",
        "Into which drawers does she sort them?",
        "Welche Werkzeuge habe ich?",
    ],
)
def test_questions_for_several_things_are_known(question: str) -> None:
    assert asks_for_list(question)


@pytest.mark.parametrize(
    "question",
    [
        "What is this?",
        "Which cache is exact?",
        "What was the status of it?",
        "Who are you?",
        "What does the analysis say?",
    ],
)
def test_questions_for_one_thing_are_not(question: str) -> None:
    assert not asks_for_list(question)
