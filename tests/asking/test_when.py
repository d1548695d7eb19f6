"""When did I …: the day first, and the right one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ragnotes.asking.answering import Asker, Request
from ragnotes.asking.when import day_told
from ragnotes.dates import DayMonthOrder
from ragnotes.events import Final
from ragnotes.types import DateRange
from tests.asking.stage import asker_over, index_notes

NOTES = {
    "things.md": (
        "---\ndate: 2024-05-01\n---\n\n# Things\n\nBought the graphics card on 9 March 2024.\n\n"
        "Booked the ferry for 12 June 2024.\n\nRead the paper published on 3 May 2021 about tides.\n"
    ),
    "runs.md": "# Runs\n\n| What | Date |\n|---|---|\n| marathon in Valencia | 2023-12-03 |\n| relay | 2024-01-28 |\n",
    "log.md": "# 2023 Log\n\n- 3/20\n  - repaired the kettle\n- 4/25 sold the old piano\n",
    "2024/06/01.md": "# Day\n\nRepaired the bicycle.\n",
    "trip.md": "# Trip\n\n## 7 July 2023\n\nSaw the eclipse from the roof.\n",
    "months.md": "# Months\n\n## March 2023\n\nMoved to the harbour.\n",
    "hobbies.md": "# Hobbies\n\nPainted the kitchen chairs.\n",
    "2023-08-08.md": "# Day\n\nPainted the kitchen chairs green.\n",
    "world.md": "# World\n\n## 2 May 2023\n\nThe harbour company launched a ferry.\n",
}


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    folder = tmp_path_factory.mktemp("when")
    store = index_notes(folder, NOTES)
    yield asker_over(store, folder)
    store.close()


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("When did I sell the old piano?", "2023-04-25: 4/25 sold the old piano"),
        ("When did I repair the kettle?", "2023-03-20: repaired the kettle"),
        ("When did I run the marathon in Valencia?", "2023-12-03: What: marathon in Valencia | Date: 2023-12-03"),
        ("When did I repair the bicycle?", "2024-06-01: Repaired the bicycle."),
        ("On which day did I see the eclipse from the roof?", "2023-07-07: Saw the eclipse from the roof."),
        ("When was the kettle repaired?", "2023-03-20: repaired the kettle"),
        ("When was the eclipse seen from the roof?", "2023-07-07: Saw the eclipse from the roof."),
        ("When did I move to the harbour?", "2023-03: Moved to the harbour."),
        ("When did I buy the graphics card?", "2024-03-09: Bought the graphics card on 9 March 2024."),
        ("When did I book the ferry?", "2024-05-01: Booked the ferry for 12 June 2024."),
        ("When did I read the paper about tides?", "2024-05-01: Read the paper published on 3 May 2021 about tides."),
        (
            "When did I paint the kitchen chairs?",
            "2023-08-08: Painted the kitchen chairs green. Painted the kitchen chairs.",
        ),
        ("When was a ferry launched by the harbour company?", "The harbour company launched a ferry."),
    ],
)
def test_the_answer_opens_with_the_day(asker: Asker, question: str, text: str) -> None:
    *_, final = asker.ask(Request(question, llm=False))
    assert isinstance(final, Final)
    assert final.answer.text == text


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (DayMonthOrder.DAY_FIRST, "2024-04-02: I paid the rent on 2/4/2024"),
        (DayMonthOrder.MONTH_FIRST, "2024-02-04: I paid the rent on 2/4/2024"),
    ],
)
def test_the_day_within_a_sentence_is_read_in_the_order_that_was_set(
    tmp_path: Path, order: DayMonthOrder, text: str
) -> None:
    store = index_notes(tmp_path, {"rent.md": "# Log\n\n## 3 April 2024\n\n- I paid the rent on 2/4/2024\n"})
    asker = replace(asker_over(store, tmp_path), order=order)
    *_, final = asker.ask(Request("When did I pay the rent?", llm=False))
    store.close()
    assert isinstance(final, Final)
    assert final.answer.text == text


@pytest.mark.parametrize(
    ("question", "noted", "day"),
    [
        ("¿Cuándo compré la bici?", "2024-05-01", "2024-05-01"),
        ("Wann habe ich das Rad gekauft?", "2024-05-01", "2024-05-01"),
        ("What day did I buy it?", "2024-01-01/2024-12-31", "2024"),
        ("When did I buy it?", None, None),
        ("When was Rome founded?", "2024-05-01", None),
        ("What did I buy when it rained?", "2024-05-01", None),
    ],
)
def test_a_day_is_told_where_the_asker_wants_one_of_their_own(
    question: str, noted: str | None, day: str | None
) -> None:
    assert day_told(question, "Bought it.", DateRange.parse(noted) if noted else None) == day


@pytest.mark.parametrize("question", ["When do we hire Petra?", "When will I move?", "When is my appointment?"])
def test_what_is_to_come_did_not_happen_on_the_day_it_was_noted(question: str) -> None:
    assert day_told(question, "If it works, we hire Petra on 1 January 2027.", DateRange.parse("2026-07-10")) is None
