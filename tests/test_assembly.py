from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from ragnotes.answers import NO_FILTERS
from ragnotes.asking.answering import Request
from ragnotes.assembly import Library
from ragnotes.errors import CorpusError, IndexMismatch, IndexMissing, NotFound
from ragnotes.events import Final
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.models.openai_http import HttpGenerator
from ragnotes.ports import Embedder, Generator
from tests.fakes import FakeGenerator, fake_settings


class SlowlyLoaded(Library):
    """A library whose engines are fakes that take a moment to load, and are counted."""

    def __init__(self, corpus: Path, index: Path, *, dimension: int = 16, history: bool = True) -> None:
        super().__init__(fake_settings(corpus=(corpus,), index=index, history=history))
        self.dimension = dimension
        self.loads: list[str] = []

    def _load_embedder(self) -> Embedder:
        time.sleep(0.05)
        self.loads.append("embedder")
        return HashingEmbedder(self.dimension)

    def _start_generator(self) -> Generator | str:
        time.sleep(0.05)
        self.loads.append("generator")
        return FakeGenerator()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.md").write_text("Words of a note.\n")
    return folder


def test_each_model_is_loaded_once_however_many_threads_ask_first(corpus: Path, tmp_path: Path) -> None:
    start = threading.Barrier(8)
    with closing(SlowlyLoaded(corpus, tmp_path / "index")) as library, ThreadPoolExecutor(8) as threads:

        def load(number: int) -> object:
            start.wait()
            return library.embedder if number % 2 else library.generator

        assert len({id(model) for model in threads.map(load, range(8))}) == 2
        assert sorted(library.loads) == ["embedder", "generator"]


def test_what_was_indexed_is_found_and_its_status_needs_no_model(corpus: Path, tmp_path: Path) -> None:
    with closing(SlowlyLoaded(corpus, tmp_path / "index")) as library:
        assert not library.indexed()
        with pytest.raises(IndexMissing):
            library.search("words", filters=NO_FILTERS, limit=1)
        library.update()
        found = library.search("words", filters=NO_FILTERS, limit=1)
        assert [hit.chunk.text for hit in found.hits] == ["Words of a note."]
    with closing(SlowlyLoaded(corpus, tmp_path / "index")) as library:
        assert [file.path for file in library.status().files] == ["a.md"]
        assert library.loads == []


def test_an_index_of_other_folders_or_another_embedder_is_refused(corpus: Path, tmp_path: Path) -> None:
    with closing(SlowlyLoaded(corpus, tmp_path / "index")) as library:
        library.update()
    other = tmp_path / "other"
    other.mkdir()
    with closing(SlowlyLoaded(other, tmp_path / "index")) as library:
        with pytest.raises(IndexMismatch, match=rf"was built from {corpus}, asked for is {other}; .*--corpus"):
            library.search("words", filters=NO_FILTERS, limit=1)
        with pytest.raises(IndexMismatch, match="was built from"):
            library.status()
    with (
        closing(SlowlyLoaded(corpus, tmp_path / "index", dimension=32)) as library,
        pytest.raises(
            IndexMismatch, match=r"built with hashing-16 \(16\), this embedder is hashing-32 \(32\); .*--rebuild"
        ),
    ):
        library.search("words", filters=NO_FILTERS, limit=1)


def test_an_answer_is_at_hand_once_it_was_given_also_to_a_follow_up(corpus: Path, tmp_path: Path) -> None:
    first = Request("Which words does the note hold?", llm=False, conversation="new")
    second = Request("and in 2024?", llm=False, conversation="last")
    with closing(SlowlyLoaded(corpus, tmp_path / "index")) as library:
        assert not library.is_cached(first)
        assert library.loads == []
        library.update()
        list(library.ask(first))
        assert library.is_cached(first)
        assert not library.is_cached(second)
        list(library.ask(second))
        assert library.is_cached(Request("Which words does the note hold in 2024?", llm=False))
        (corpus / "a.md").write_text("Other words.\n")
        assert not library.is_cached(first)
        with pytest.raises(NotFound):
            library.is_cached(Request("and then?", conversation="nobody"))


def test_a_document_is_not_served_once_its_file_has_changed(corpus: Path, tmp_path: Path) -> None:
    with closing(SlowlyLoaded(corpus, tmp_path / "index")) as library:
        library.update()
        [(_, source)] = library.documents()
        assert source is not None
        assert library.document(source.doc_id).text == "Words of a note.\n"
        (corpus / "a.md").write_text("Other words.\n")
        with pytest.raises(NotFound, match=r"a\.md is no longer as it was indexed; run: ragnotes index"):
            library.document(source.doc_id)


def test_conversations_outlive_a_rebuild_and_are_no_notes(corpus: Path, tmp_path: Path) -> None:
    with closing(SlowlyLoaded(corpus, corpus / "index")) as library:
        library.update()
        list(library.ask(Request("Which words does the note hold?", llm=False, conversation="new")))
        *_, final = library.ask(Request("and in 2024?", llm=False, conversation="last"))
        assert isinstance(final, Final)
        assert final.answer.rewritten == "Which words does the note hold in 2024?"
        library.update(rebuild=True)
        [line] = library.conversations.lines(9)
        assert (line.id, line.turns) == (final.answer.conversation_id, 2)
        assert [file.path for file in library.status().files] == ["a.md"]


def test_without_history_an_index_keeps_no_question(corpus: Path, tmp_path: Path) -> None:
    with closing(SlowlyLoaded(corpus, tmp_path / "index", history=False)) as library:
        library.update()
        *_, final = library.ask(Request("Which words?", llm=False, conversation="new"))
        assert isinstance(final, Final)
        assert final.answer.conversation_id is None
    assert not (tmp_path / "index" / "conversations").exists()


def test_a_first_run_over_an_empty_folder_leaves_no_index(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    with closing(SlowlyLoaded(tmp_path / "notes", tmp_path / "index")) as library:
        with pytest.raises(CorpusError, match="there is no note in"):
            library.update()
        assert not library.indexed()


def test_a_file_and_a_url_together_are_no_model(corpus: Path, tmp_path: Path) -> None:
    both = fake_settings(
        corpus=(corpus,), index=tmp_path / "index", model=Path("m.gguf"), model_url="http://127.0.0.1:9"
    )
    with closing(Library(both)) as library:
        assert library.generator is None
        assert library.no_model == "no model: both a file and a URL are named; leave out --model or --model-url"


def test_a_url_is_the_model_without_being_asked(corpus: Path, tmp_path: Path) -> None:
    settings = fake_settings(corpus=(corpus,), index=tmp_path / "index", model_url="http://127.0.0.1:9")
    with closing(ByUrl(settings)) as library:
        library.update()
        assert library.status().model == "http://127.0.0.1:9"
        assert isinstance(library.generator, HttpGenerator)
        *_, final = library.ask(Request("What does the note say about words?"))
        assert isinstance(final, Final)
        assert "http://127.0.0.1:9/v1 does not answer" in (final.answer.reason or "")


class ByUrl(Library):
    """A library whose embedder alone is a fake."""

    def _load_embedder(self) -> Embedder:
        return HashingEmbedder()
