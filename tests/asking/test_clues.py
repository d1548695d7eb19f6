"""The clues are what their names say, on evidence over a real store."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from ragnotes.answers import NO_FILTERS
from ragnotes.asking.asked_words import USUAL_FIT
from ragnotes.asking.clues import BIAS, WEIGHTS, Clues, clues_of, log_odds
from ragnotes.asking.evidence import question_weights, select_evidence
from ragnotes.asking.retrieval import retrieve
from ragnotes.calibration import CLUES
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.stores.local import LocalStore
from tests.asking.stage import index_notes


def clues_for(store: LocalStore, question: str) -> Clues:
    embedder = HashingEmbedder()
    with store.reading() as snapshot:
        vector = embedder.embed_queries([question])[0]
        hits, _ = retrieve(snapshot, question, lambda: vector, filters=NO_FILTERS, limit=10, is_fresh=lambda _: True)
        evidence = select_evidence(snapshot, embedder, vector, hits, subject=question)
        return clues_of(question, question_weights(snapshot, question), hits, evidence, USUAL_FIT)


def test_a_question_in_the_words_of_the_note_is_covered(store: LocalStore) -> None:
    clues = clues_for(store, "Which cache requires an exact prefix match?")
    assert (clues.piece_coverage, clues.asked_words, clues.typed) == (1.0, 1.0, 1.0)
    assert clues.words == pytest.approx(math.log(5))


def test_a_question_of_other_things_is_not(store: LocalStore) -> None:
    clues = clues_for(store, "Why do volcanoes erupt?")
    assert (clues.piece_coverage, clues.asked_words, clues.lexical_margin) == (0.0, 0.0, 0.0)
    assert log_odds(clues) < log_odds(clues_for(store, "Which cache requires an exact prefix match?"))


def test_a_kind_of_thing_that_is_not_there_counts_against(store: LocalStore) -> None:
    assert clues_for(store, "When does the card fit the case?").typed > 0  # the note has a day
    assert clues_for(store, "Who needs an exact prefix match?").typed < 1


def test_another_property_of_the_right_thing_is_not_asked_in_its_words(tmp_path: Path) -> None:
    store = index_notes(tmp_path, {"bridge.md": "# Log\n\n- The bridge at Minot was painted on Friday\n"})
    told, wanted = clues_for(store, "When was the Minot bridge painted?"), clues_for(store, "When did Minot close it?")
    store.close()
    assert (told.asked_words, wanted.asked_words) == (1.0, 0.0)


def test_every_clue_speaks_for_an_answer() -> None:
    nothing = Clues(*[0.0] * len(Clues._fields))
    for name in Clues._fields:
        assert log_odds(nothing._replace(**{name: 1.0})) > log_odds(nothing)


def test_notes_of_one_passage_can_be_asked(tmp_path: Path) -> None:
    store = index_notes(tmp_path, {"rent.md": "# Log\n\n- The rent is due on Fridays\n"})
    clues = clues_for(store, "When is the rent due?")
    store.close()
    assert (clues.lexical_margin, clues.asked_words) == (1.0, 1.0)
    assert clues.dense_margin == clues.passage_cosine


def test_other_weights_have_another_version() -> None:
    """A calibration is kept with the version: to log-odds of other weights it must not be applied."""
    versions = {2: (5.16, 0.47, 1.66, 0.51, 2.21, 0.76, 2.45, 3.09, 1.01, -10.73)}
    assert (*WEIGHTS, BIAS) == versions[CLUES]
