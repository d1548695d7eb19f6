"""No pattern of asking takes long on a text that was made to keep it busy: a note may hold anything."""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Callable, Iterator

import pytest

from ragnotes.asking.answer_types import AnswerType, holds_type
from ragnotes.asking.answering import MAX_QUESTION_CHARS
from ragnotes.asking.short_answers import short_answer
from ragnotes.asking.short_names import name_told

LIMIT_S = 0.5
TEXT_CHARS = 100_000
SLICE_CHARS = 120
QUESTION_MODULES = ("mention_questions", "question_forms")
TEXT_MODULES = ("mentions", "surface", "hedges", "short_answers", "short_names", "lists", "conflicts", "answer_types")
OF_SLICES = {
    "_TANGLED_BEFORE",
    "_TANGLED_AFTER",
    "_BOUND",
    "_OVER",
    "_LARGE",
    "_BEFORE",
    "_ONE_OF_SEVERAL",
    "_WITH_OTHERS",
}
OF_SLICES |= {"_NOT_THEN", "_QUALIFIES", "_HEDGE", "_ITEM"}
"""What only ever sees a few characters beside a match."""
OF_QUESTIONS = {
    "_WHO",
    "_LIST",
    "_MONEY_ASKED",
    "_ASKS_FOR_A_VALUE",
    "_DAY_ASKED",
    "_WHERE",
    "_NAME",
    "_TIME",
    "_MONEY",
    "_NUMBER",
}
PIECES = ("A", "a", "1 ", "Ab ", "-", " ", "\n", "1,", "A.")


def patterns(modules: tuple[str, ...]) -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in modules:
        for name, value in vars(importlib.import_module(f"ragnotes.asking.{module}")).items():
            for each in value if isinstance(value, tuple) else (value,):
                if isinstance(each, re.Pattern):
                    yield name, each


def fastest(run: Callable[[], object]) -> float:
    """Seconds of the best of three runs; of the first where that is fast enough."""
    best = LIMIT_S
    for _ in range(3):
        started = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - started)
        if best < LIMIT_S:
            break
    return best


@pytest.mark.parametrize("piece", PIECES)
def test_every_pattern_is_fast(piece: str) -> None:
    for name, pattern in (*patterns(TEXT_MODULES), *((f"?{name}", each) for name, each in patterns(QUESTION_MODULES))):
        question = name.startswith("?") or name in OF_QUESTIONS
        chars = SLICE_CHARS if name in OF_SLICES else MAX_QUESTION_CHARS if question else TEXT_CHARS
        text = f"{(piece * chars)[:chars]} x"
        assert fastest(lambda: list(pattern.finditer(text))) < LIMIT_S, (name, pattern.pattern[:80])  # noqa: B023


def test_one_link_of_capitals_holds_a_name_up_no_longer() -> None:
    text = f"see https://example.org/{'A' * TEXT_CHARS} for the pump"
    assert fastest(lambda: holds_type(AnswerType.NAME, text, "Who bought the pump?")) < LIMIT_S
    assert fastest(lambda: name_told("Who bought the pump?", text)) < LIMIT_S


@pytest.mark.parametrize("piece", ["1 or ", "1932 and ", "not 5 seats, "])
def test_many_numbers_cost_no_more_than_they_are_many(piece: str) -> None:
    text = f"The hall has {piece * (20_000 // len(piece))} seats."
    started = time.perf_counter()
    short_answer("How many seats does the hall have?", text)
    assert time.perf_counter() - started < 5 * LIMIT_S
