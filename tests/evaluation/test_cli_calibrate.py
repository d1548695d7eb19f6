"""`eval --calibrate` as a person uses it: what it prints, what later questions make of it, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.conftest import DRAWERS, NOWHERE, PRICE, Run, Write

pytestmark = pytest.mark.usefixtures("indexed")

ASKED = "What did the used graphics card cost in euros?"


def questions(answerable: int = 20, unanswerable: int = 10) -> list[dict[str, object]]:
    known = [PRICE | {"id": f"a{n}", "question": f"{ASKED[:-1]}{' please' * (n % 3)}?"} for n in range(answerable)]
    strange = [NOWHERE | {"id": f"u{n}", "question": f"Why do volcanoes erupt near island {n}?"} for n in range(12)]
    return [*known, *strange[:unanswerable]]


def shown(run: Run, *words: str) -> dict[str, Any]:
    code, out, err = run(*words, "--json")
    assert code in (0, 3), err
    found: dict[str, Any] = json.loads(out)
    return found


def test_what_changes_is_printed_with_the_numbers_of_questions(run: Run, write: Write) -> None:
    code, out, _ = run("eval", str(write(*questions())), "--calibrate")
    assert code == 0
    threshold, abstention, falsely = out.splitlines()
    assert threshold.startswith("threshold         0.")
    assert " of 10; " in abstention.split(" -> ")[1]
    assert " of 20; " in falsely.split(" -> ")[1]


def test_later_questions_use_it_and_eval_and_status_show_it(run: Run, write: Write) -> None:
    before = shown(run, "ask", ASKED, "--no-llm")["confidence"]
    fitted = shown(run, "eval", str(write(*questions())), "--calibrate")
    assert fitted["after"]["abstention"]["value"] == 1.0
    assert shown(run, "ask", ASKED, "--no-llm")["confidence"] != before
    kept = shown(run, "status")["calibration"]
    assert (kept["threshold"], kept["answerable"], kept["unanswerable"]) == (fitted["threshold"], 20, 10)
    origin = "20 answerable and 10 other questions, "
    assert shown(run, "eval", str(write(PRICE)))["settings"]["calibration"].startswith(origin)
    assert f"calibrated by {origin}" in run("eval", str(write(PRICE)))[1]
    assert f"calibrated by {origin}" in run("status")[1]


def test_it_survives_an_edit_and_is_forgotten_when_told(run: Run, write: Write) -> None:
    assert run("eval", str(write(*questions())), "--calibrate")[0] == 0
    Path("corpus/new.md").write_text("# New\n\nA new note about volcanoes.\n")
    assert run("index")[0] == 0
    assert shown(run, "status")["calibration"] is not None
    assert run("index", "--rebuild")[0] == 0
    assert shown(run, "status")["calibration"] is not None
    assert run("eval", "--uncalibrate")[0] == 0
    assert shown(run, "status")["calibration"] is None


def test_answerable_questions_alone_say_what_they_cannot_tell(run: Run, write: Write) -> None:
    code, out, _ = run("eval", str(write(*questions(20, 0))), "--calibrate")
    assert code == 0
    assert "abstention        not known: every question has its answer in the notes" in out


@pytest.mark.parametrize(("answerable", "unanswerable"), [(3, 10), (20, 4)])
def test_too_few_questions_change_nothing(run: Run, write: Write, answerable: int, unanswerable: int) -> None:
    code, _, err = run("eval", str(write(*questions(answerable, unanswerable))), "--calibrate")
    assert code == 1
    assert "too few to calibrate by" in err
    assert shown(run, "status")["calibration"] is None


@pytest.mark.parametrize(
    "words",
    [
        ["--calibrate"],
        ["--uncalibrate", "FILE"],
        ["--calibrate", "FILE", "--answers"],
        ["FILE", "--calibrate", "--uncalibrate"],
    ],
)
def test_it_goes_alone(run: Run, write: Write, words: list[str]) -> None:
    file = str(write(DRAWERS))
    code, _, err = run("eval", *[file if word == "FILE" else word for word in words])
    assert code == 2
    assert "--calibrate goes with FILE" in err


def test_how_sure_an_answer_is_can_be_explained(run: Run) -> None:
    assert " that the notes hold the answer" in run("ask", ASKED, "--no-llm", "--explain")[1]
    assert "that the notes hold the answer" not in run("ask", ASKED, "--no-llm")[1]
