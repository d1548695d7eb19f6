from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.answers import Mode, Support
from ragnotes.asking.answering import Request
from ragnotes.events import Final
from ragnotes.service.encoding import answer_json
from ragnotes.service.wire import AnswerJson, EventJson, SentenceJson, TokenJson
from ragnotes.service.wording import Piece, RunningText, marked, plain
from tests.fakes import FakeLibrary

ODD = st.sampled_from(
    ["[", "]", "[1", "9]", "[2]", "[3, 4]", "\x1b", "[31m", "\x1b]8;;x\x07", "\x9b2J", " ", "\n", "  ", "<b"]
)
TEXTS = st.lists(st.one_of(ODD, st.text("ab1.,é", min_size=1, max_size=4)), min_size=1, max_size=12).map("".join)
SENTENCES = st.lists(
    st.tuples(TEXTS.filter(lambda text: plain(text) != ""), st.lists(st.integers(1, 12), min_size=1, max_size=3)),
    min_size=1,
    max_size=4,
)


def _final(sentences: list[tuple[str, list[int]]]) -> AnswerJson:
    *_, last = FakeLibrary()._answer(Request("how are embeddings cached?"))
    assert isinstance(last, Final)
    return answer_json(last.answer).model_copy(
        update={
            "sentences": [
                SentenceJson(text=text, citations=numbers, support=last.answer.sentences[0].support)
                for text, numbers in sentences
            ]
        }
    )


def _tokens(draw: Any, text: str, citations: list[int]) -> list[TokenJson]:
    """The sentence in pieces, cut anywhere."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    return [TokenJson(text=piece) for piece in pieces[:-1]] + [TokenJson(text=pieces[-1], citations=citations)]


@given(st.data(), SENTENCES)
def test_markers_are_whole_and_the_pieces_make_the_answer(data: Any, sentences: list[tuple[str, list[int]]]) -> None:
    final = _final(sentences)
    events: list[EventJson] = []
    for number, (text, citations) in enumerate(sentences):
        events += _tokens(data.draw, f" {text}" if number else text, citations)
    running = RunningText()
    pieces = [piece for event in [*events, final] for piece in running.take(event)]
    whole = "".join(piece.text for piece in marked(final))
    assert "".join("".join(piece.text for piece in pieces).split()) == "".join(whole.split())
    markers = [piece for piece in pieces if piece.n is not None]
    assert [piece.text for piece in markers] == [f" [{piece.n}]" for piece in markers]
    assert [piece.n for piece in markers] == [n for _, numbers in sentences for n in numbers]
    told = "".join(piece.text if piece.n is None else "|" for piece in pieces)
    assert not re.search(r"\[\s*\d[\d,;\s–-]*\]", told)  # no note forges a citation
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", told)


def test_text_comes_at_once_and_each_marker_in_one_piece() -> None:
    running = RunningText()
    assert running.take(TokenJson(text="The cache is")) == [Piece("The cache is")]
    assert running.take(TokenJson(text=" keyed ", citations=[])) == [Piece(" keyed")]
    assert running.take(TokenJson(text="by hash.", citations=[1, 2])) == [
        Piece(" by hash."),
        Piece(" [1]", 1),
        Piece(" [2]", 2),
    ]
    assert running.take(TokenJson(text=" It is small.", citations=[1])) == [Piece(" It is small."), Piece(" [1]", 1)]


def test_what_was_streamed_and_is_not_in_the_answer_is_followed_by_the_whole() -> None:
    running = RunningText()
    running.take(TokenJson(text="A raw draft"))
    assert running.take(_final([("Another answer.", [1])])) == [
        Piece("\n\n"),
        Piece("Another answer."),
        Piece(" [1]", 1),
    ]


def test_a_sentence_that_its_sources_carry_badly_is_flagged() -> None:
    running = RunningText()
    weak = TokenJson(text="It is fast.", citations=[1], support=Support.WEAK)
    assert running.take(weak) == [Piece("It is fast."), Piece(" [1]", 1), Piece(" (weak)", flag=True)]
    unsupported = TokenJson(text=" It is blue.", support=Support.UNSUPPORTED)
    assert running.take(unsupported) == [Piece(" It is blue."), Piece(" (unsupported)", flag=True)]


def test_items_on_lines_of_their_own_stay_so() -> None:
    running = RunningText()
    assert running.take(TokenJson(text="Three pillars:", citations=[1]))[0].text == "Three pillars:"
    assert running.take(TokenJson(text="\nhonesty  and\nspeed", citations=[2]))[0].text == "\nhonesty and speed"


def test_an_abstention_has_no_text() -> None:
    final = _final([]).model_copy(update={"mode": Mode.ABSTAINED, "answered": False})
    assert RunningText().take(final) == []


@pytest.mark.parametrize("text", ["see [9]", "see [9, 10]", "see [1-3]", "[12] is"])
def test_numbers_in_brackets_of_a_note_are_no_citations(text: str) -> None:
    assert "[" not in marked(_final([(text, [])]))[0].text
