"""Notes that contradict each other are both told, newest first; what only looks alike is no contradiction."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragnotes.answers import Answer
from ragnotes.asking.answering import Request
from ragnotes.events import Final
from tests.asking.stage import asker_over, index_notes


def ask(folder: Path, question: str, notes: dict[str, str]) -> Answer:
    store = index_notes(folder, notes)
    *_, final = asker_over(store, folder).ask(Request(question, llm=False))
    store.close()
    assert isinstance(final, Final)
    return final.answer


@pytest.mark.parametrize(
    ("question", "old", "new"),
    [
        (
            "What is the timeout of the staging gateway?",
            "The timeout of the staging gateway is 30 seconds.",
            "The timeout of the staging gateway is 90 seconds.",
        ),
        (
            "Where does Anna keep the spare key?",
            "Anna keeps the spare key in Lisbon.",
            "Anna keeps the spare key in Porto.",
        ),
        (
            "Who is the captain of the rowing club?",
            "The captain of the rowing club is Bob.",
            "The captain of the rowing club is Tom.",
        ),
        (
            "When is the meeting with Northwind?",
            "The meeting with Northwind is on 3 December 2026.",
            "The meeting with Northwind is on 10 December 2026.",
        ),
        (
            "Who is the head cook of the canteen?",
            "The head cook of the canteen is Anna Petrov.",
            "The head cook of the canteen is Paul Petrov.",
        ),
        (
            "What is the weight of the old drill?",
            "The weight of the old drill is 2 kg.",
            "The weight of the old drill is 3 kg.",
        ),
        (
            "Does the old boiler need water?",
            "The old boiler in the cellar needs water.",
            "The old boiler in the cellar does not need water.",
        ),
    ],
)
def test_contradicting_notes_are_both_told_newest_first(tmp_path: Path, question: str, old: str, new: str) -> None:
    notes = {"2023-05-01 house.md": f"# House\n\n{old}\n", "2024-06-02 house again.md": f"# House\n\n{new}\n"}
    answer = ask(tmp_path, question, notes)
    assert answer.text == f"2024-06-02: {new}\n2023-05-01: {old}"
    assert (answer.reason, answer.answered, [citation.n for citation in answer.citations]) == (
        "conflicting",
        True,
        [1, 2],
    )


def test_a_date_that_another_note_disputes_is_not_told_first(tmp_path: Path) -> None:
    notes = {
        "a.md": "# One\n\nThe launch is on 3 May 2024 in Rome.\n",
        "b.md": "# Two\n\nThe launch was on 9 June 2024.\n",
    }
    answer = ask(tmp_path, "When was the launch?", notes)
    assert answer.sentences[0].text in ("The launch is on 3 May 2024 in Rome.", "The launch was on 9 June 2024.")


@pytest.mark.parametrize(
    ("question", "notes"),
    [
        (
            "How far did I run along the harbour?",
            {
                "2024-05-01.md": "# Day\n\nRan 5 km along the harbour wall.\n",
                "2024-05-02.md": "# Day\n\nRan 7 km along the harbour wall.\n",
            },
        ),
        (
            "How many people live in the town of Alford?",
            {
                "a.md": "# Towns\n\nThe town of Alford has 3600 people.\n",
                "b.md": "# More towns\n\nThe town of Bradwell has 1800 people.\n",
            },
        ),
        (
            "What does the blue drill of the shop cost?",
            {"a.md": "# Shop\n\n- the blue drill of the shop costs 80\n- the red drill of the shop costs 95\n"},
        ),
        (
            "What is the timeout of the gateway?",
            {
                "a.md": "# Staging\n\nThe timeout is 30 seconds.\n",
                "b.md": "# Production\n\nThe timeout is 90 seconds.\n",
            },
        ),
        *(
            (question, {"a.md": f"# Facts\n\n{one}\n", "b.md": f"# Facts\n\n{other}\n"})
            for question, one, other in [
                (
                    "What is the price of the drill?",
                    "The price of the drill is 80 euros.",
                    "The price of the drill is 80.00 euros.",
                ),
                (
                    "What is the weight of the drill?",
                    "The weight of the drill is 2 kg.",
                    "The weight of the drill is 2000 g.",
                ),
                (
                    "What is the length of the film?",
                    "The length of the film is 2 hours.",
                    "The length of the film is 120 minutes.",
                ),
                ("Which big city is old?", "Paris is a big and old city.", "Rome is a big and old city."),
                (
                    "Who lives in the house in Rome?",
                    "Nina lives in the house in Rome.",
                    "Tom lives in the house in Rome.",
                ),
                ("What is the speed limit?", "The speed limit in France is 50.", "The speed limit in Spain is 50."),
                ("What is the speed limit?", "The speed limit is high in France.", "The speed limit is high in Spain."),
                ("Which room is big and bright?", "Room 3 is big and bright.", "Room 4 is big and bright."),
            ]
        ),
    ],
)
def test_what_speaks_of_other_days_or_things_is_no_contradiction(
    tmp_path: Path, question: str, notes: dict[str, str]
) -> None:
    answer = ask(tmp_path, question, notes)
    assert (answer.answered, answer.reason) == (True, None)
