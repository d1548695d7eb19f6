"""Answers of several lines on the console: items apart, what is cut counted, no mention said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ragnotes.answers import Answer, Mode, Sentence, Support
from ragnotes.asking.answering import Request
from ragnotes.console import show_answer
from ragnotes.events import Final
from ragnotes.service.encoding import answer_json
from tests.fakes import FakeLibrary


def answer() -> Answer:
    final = list(FakeLibrary().ask(Request("how are embeddings cached?")))[-1]
    assert isinstance(final, Final)
    return final.answer


def test_items_stand_on_lines_of_their_own_and_the_rest_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    sentences = tuple(Sentence(text, (1,), Support.SUPPORTED, own_line=True) for text in ("one", "two"))
    shown = replace(answer(), sentences=sentences, more=3)
    assert shown.text == "one\ntwo"
    show_answer(answer_json(shown))
    assert capsys.readouterr().out.startswith("one [1]\ntwo [1]\nand 3 more\n\n[1] cache.md:3")


def test_no_mention_at_all_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    silent = replace(answer(), mode=Mode.ABSTAINED, reason="no_match", total=0, sentences=(), citations=(), passages=())
    show_answer(answer_json(silent))
    assert capsys.readouterr().out == "The notes do not say. No note mentions this.\n"
