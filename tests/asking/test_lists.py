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
    "group.md": (
        f"# Notes\n\n## Customs of the reading circle\n\n- one paper a week, {WORDS}\n  - short ones, {WORDS}\n"
        f"- no slides, {WORDS}\n- tea first, {WORDS}\n  - then cake, {WORDS}\n"
    ),
    "june.md": "# 2023 Log\n\n" + "".join(f"- 6/{day} read chapter {day} of the whale book\n" for day in range(1, 21)),
}


def ask(folder: Path, question: str, notes: dict[str, str] = NOTES) -> Answer:
    store = index_notes(folder, notes)
    *_, final = asker_over(store, folder).ask(Request(question, llm=False))
    store.close()
    assert isinstance(final, Final)
    return final.answer


def test_all_items_of_the_list_are_told_each_with_its_citation(tmp_path: Path) -> None:
    answer = ask(tmp_path, "What are the rules for the tools?")
    assert answer.text.split("\n") == [f"rule {name} about tools, {WORDS}" for name in "abcdef"]
    assert [sentence.citations for sentence in answer.sentences] == [(number,) for number in range(1, 7)]
    assert [citation.place.line for citation in answer.citations] == list(range(5, 11))


def test_items_with_items_below_them_belong_to_the_list(tmp_path: Path) -> None:
    answer = ask(tmp_path, "What are the customs of the reading circle?")
    assert [sentence.text.split(",")[0] for sentence in answer.sentences] == [
        "one paper a week",
        "no slides",
        "tea first",
    ]


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


def test_lists_that_are_one_piece_each_are_told_item_by_item(tmp_path: Path) -> None:
    notes = {
        "a.md": "# Coffee\n\nTypes of beans:\n\n- Arabica\n- Robusta\n  - sub Robusta\n- Liberica\n",
        "b.md": "# Shop\n\nTypes of beans:\n\n- Excelsa\n- Kona\n",
    }
    answer = ask(tmp_path, "What are the types of beans?", notes)
    told = ["Excelsa", "Kona", "Arabica", "Robusta: sub Robusta", "Liberica"]
    assert sorted(sentence.text for sentence in answer.sentences) == sorted(told)
    assert [sentence.citations for sentence in answer.sentences] == [(n,) for n in range(1, 6)]


def test_what_a_question_for_a_list_opens_with_is_no_word_of_it(tmp_path: Path) -> None:
    notes = {"shed.md": "# Shed\n\n## Tools\n\n" + "".join(f"- tool {name}, {WORDS}\n" for name in "abcdef")}
    answer = ask(tmp_path, "List all the tools", notes)
    assert [sentence.text for sentence in answer.sentences] == [f"tool {name}, {WORDS}" for name in "abcdef"]


def test_what_changed_or_is_said_again_is_not_counted_as_untold(tmp_path: Path) -> None:
    days = "".join(f"- 6/{day} read chapter {day} of the whale book\n" for day in range(1, 21))
    notes = {
        "june.md": f"# 2023 Log\n\n{days}",
        "old.md": "# 2023 Log\n\n- 6/23 slept in the old boat house\n- 6/24 rowed to the far island\n",
    }
    store = index_notes(tmp_path, notes)
    (tmp_path / "notes" / "old.md").write_text("gone", "utf-8")
    *_, final = asker_over(store, tmp_path).ask(Request("What did I read in June 2023?", llm=False))
    store.close()
    assert isinstance(final, Final)
    assert len(final.answer.sentences) + final.answer.more == 20


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
