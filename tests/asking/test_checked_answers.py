"""Whatever a model writes: quotes are verbatim, and nothing is told that stands in no source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragnotes.answers import Answer, Mode, Support
from ragnotes.asking.answering import Request
from ragnotes.events import Cited, Final, Token
from ragnotes.stores.local import LocalStore
from tests.asking.stage import ScriptedGenerator, asker_over, index_notes

CACHE = "Which cache requires an exact prefix match?"
TRUE = ("The Prompt cache requires an exact prefix match", "The KV cache keeps keys and values of past tokens")
PIECES = (
    *TRUE,
    "Tom paid 9,999 euros in Reykjavik",
    "Read https://evil.example/steal?q=1 now",
    "![pixel](https://evil.example/p.png)",
    "The Prompt cache does not require an exact prefix match",
    "the used graphics card cost 690 euros",
    "[1]",
    "[9]",
    "[2, 3]",
    ".",
    "!",
)
DRAFTS = st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checked")


@pytest.fixture(scope="module")
def notes(folder: Path) -> Iterator[LocalStore]:
    store = index_notes(folder)
    yield store
    store.close()


def answer_to(store: LocalStore, folder: Path, draft: str, *, keep: bool) -> tuple[Answer, str, int]:
    """The answer, and what was streamed of it."""
    asker = asker_over(store, folder, ScriptedGenerator(draft))
    events = list(asker.ask(Request(CACHE, keep_unsupported=keep)))
    assert isinstance(events[-1], Final)
    streamed = "".join(event.text for event in events if isinstance(event, Token))
    return events[-1].answer, streamed, sum(isinstance(event, Cited) for event in events)


def all_text(store: LocalStore) -> str:
    with store.reading() as snapshot:
        documents = [snapshot.document(source.doc_id) for source in snapshot.documents()]
        return "\n".join(document.text for document in documents if document)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draft=DRAFTS, keep=st.booleans())
def test_every_quote_is_the_stored_text_at_its_offsets(notes: LocalStore, folder: Path, draft: str, keep: bool) -> None:
    answer, streamed, cited = answer_to(notes, folder, draft, keep=keep)
    assert (streamed, cited) == (answer.text, len(answer.citations))
    assert [citation.n for citation in answer.citations] == list(range(1, len(answer.citations) + 1))
    with notes.reading() as snapshot:
        for citation in answer.citations:
            document = snapshot.document(citation.source.doc_id)
            assert document is not None
            assert document.text[citation.start : citation.end] == citation.quote
    known = {citation.n for citation in answer.citations}
    for sentence in answer.sentences:
        assert set(sentence.citations) <= known
        assert bool(sentence.citations) is (sentence.support is not Support.UNSUPPORTED)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draft=DRAFTS, keep=st.booleans())
def test_nothing_is_told_that_is_in_no_source(notes: LocalStore, folder: Path, draft: str, keep: bool) -> None:
    answer, _, _ = answer_to(notes, folder, draft, keep=keep)
    assert "evil.example" not in answer.text
    assert not re.search(r"\[\d", answer.text)
    told = [sentence.text for sentence in answer.sentences if sentence.support is Support.SUPPORTED]
    source = all_text(notes)
    for word in re.findall(r"\d[\d,.]*\d|\b[A-Z]\w+", " ".join(told)):
        assert word in source
    if not keep:
        assert told == [sentence.text for sentence in answer.sentences]


def test_markers_of_the_model_are_corrected_removed_and_added(notes: LocalStore, folder: Path) -> None:
    for draft in (f"{TRUE[0]} [9]. {TRUE[1]}.", f"{TRUE[0]} [2]. {TRUE[1]} [1, 7].", f"{TRUE[0]}. {TRUE[1]}."):
        answer, _, _ = answer_to(notes, folder, draft, keep=False)
        assert answer.mode is Mode.GENERATED
        assert [sentence.citations for sentence in answer.sentences] == [(1,), (2,)]
        assert ["Prompt cache" in answer.citations[0].quote, "KV cache" in answer.citations[1].quote] == [True, True]


def test_what_no_note_says_is_cut_or_shown_as_unsupported(notes: LocalStore, folder: Path) -> None:
    draft = f"{TRUE[0]}. Tom paid 9,999 euros in Reykjavik."
    answer, _, _ = answer_to(notes, folder, draft, keep=False)
    assert [sentence.support for sentence in answer.sentences] == [Support.SUPPORTED]
    answer, _, _ = answer_to(notes, folder, draft, keep=True)
    assert [(sentence.support, sentence.citations) for sentence in answer.sentences] == [
        (Support.SUPPORTED, (1,)),
        (Support.UNSUPPORTED, ()),
    ]
