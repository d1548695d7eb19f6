"""A question that hits a file which has changed is answered from what the file holds now, or without it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ragnotes.answers import NO_FILTERS, Answer
from ragnotes.asking.answering import Request
from ragnotes.events import Final, Found
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.rereading import EMBEDDED_AT_ONCE, MAX_STRINGS, reread
from ragnotes.stores.local import LocalStore
from ragnotes.types import Vectors
from tests.fakes import WAIT_S
from tests.own_library import OwnLibrary, own_settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    for name, animal in (("a", "heron"), ("b", "badger"), ("c", "otter")):
        (tmp_path / f"notes/{name}.md").write_text(f"The {animal} lives beside the river.\n")
    return tmp_path


@pytest.fixture
def library(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnLibrary]:
    monkeypatch.setattr("ragnotes.rereading.MAX_S", WAIT_S)  # the machine may be busy with other things
    with closing(OwnLibrary(own_settings(folder, history=False))) as library:
        library.update()
        yield library


def search(library: OwnLibrary, query: str) -> Found:
    return library.search(query, filters=NO_FILTERS, limit=10)


def ask(library: OwnLibrary, question: str) -> Answer:
    *_, last = library.ask(Request(question, llm=False))
    assert isinstance(last, Final)
    return last.answer


def texts(found: Found) -> dict[str, str]:
    return {hit.source.path: hit.chunk.text.strip() for hit in found.hits}


def test_a_changed_file_is_read_again_and_its_new_text_is_found(library: OwnLibrary, folder: Path) -> None:
    before = search(library, "who lives beside the river")
    (folder / "notes/b.md").write_text("The badger moved beside the lake.\n")
    found = search(library, "who lives beside the river")
    assert (found.reread, found.left_out) == (("b.md",), ())
    assert texts(found) == texts(before) | {"b.md": "The badger moved beside the lake."}
    assert found.generation > before.generation
    again = search(library, "who lives beside the river")
    assert (again.reread, texts(again)) == ((), texts(found))
    assert library.update().unchanged == 3


def test_an_answer_quotes_the_new_text_and_says_that_it_was_read(library: OwnLibrary, folder: Path) -> None:
    assert ask(library, "Where does the badger live?").text == "The badger lives beside the river."
    (folder / "notes/b.md").write_text("Wet.\n\nThe badger lives beside the lake.\n")
    answer = ask(library, "Where does the badger live?")
    assert (answer.text, answer.reread, answer.left_out) == ("The badger lives beside the lake.", ("b.md",), ())
    [citation] = answer.citations
    assert (citation.quote, citation.place.line) == ("The badger lives beside the lake.", 3)
    again = ask(library, "Where does the badger live?")
    assert (again.text, again.reread) == (answer.text, ())


def test_a_deleted_file_is_left_out_and_named(library: OwnLibrary, folder: Path) -> None:
    (folder / "notes/b.md").unlink()
    found = search(library, "who lives beside the river")
    assert (found.reread, found.left_out, set(texts(found))) == ((), ("b.md",), {"a.md", "c.md"})
    assert ask(library, "Where does the badger live?").left_out == ("b.md",)


def test_more_files_than_can_be_read_at_once_are_left_out(library: OwnLibrary, folder: Path) -> None:
    for number in range(3):
        (folder / f"notes/{number}.md").write_text(f"The newt {number} lives beside the river.\n")
    library.update()
    for path in (folder / "notes").iterdir():
        path.write_text(path.read_text().replace("beside", "near"))
    found = search(library, "who lives beside the river")
    assert (found.reread, found.left_out) == (("0.md", "1.md", "2.md"), ("a.md", "b.md", "c.md"))
    assert all("near" in text for text in texts(found).values())


@pytest.mark.parametrize("content", ["The badger lives beside the river. " * 8000, "\0\1\2" * 300])
def test_what_is_large_or_cannot_be_read_is_left_out(library: OwnLibrary, folder: Path, content: str) -> None:
    (folder / "notes/b.md").write_text(content)
    found = search(library, "who lives beside the river")
    assert (found.reread, found.left_out, set(texts(found))) == ((), ("b.md",), {"a.md", "c.md"})


def test_while_another_writes_a_changed_file_is_left_out_and_nobody_waits(
    library: OwnLibrary, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "notes/b.md").write_text("The badger moved beside the lake.\n")
    monkeypatch.setattr("ragnotes.stores.local.LOCK_WAIT_S", 3 * WAIT_S)
    with closing(LocalStore.open(folder / "index")) as other, other.writer():
        started = time.monotonic()
        found = search(library, "who lives beside the river")
        assert time.monotonic() - started < WAIT_S
    assert (found.reread, found.left_out, set(texts(found))) == ((), ("b.md",), {"a.md", "c.md"})
    assert search(library, "who lives beside the river").reread == ("b.md",)


def test_a_file_that_is_now_to_be_ignored_is_not_read_again(library: OwnLibrary, folder: Path) -> None:
    (folder / "notes/b.md").write_text("The badger moved beside the lake.\n")
    (folder / "notes/.ragnotesignore").write_text("b.md\n")
    found = search(library, "who lives beside the river")
    assert (found.reread, found.left_out, set(texts(found))) == ((), ("b.md",), {"a.md", "c.md"})
    (folder / "notes/.ragnotesignore").write_text("b.md\n!b.md\n")
    assert search(library, "who lives beside the river").reread == ("b.md",)


def test_no_file_is_read_again_for_an_answer_that_is_late(library: OwnLibrary, folder: Path) -> None:
    (folder / "notes/b.md").write_text("The badger moved beside the lake.\n")
    *_, last = library.ask(Request("Where does the badger live?", llm=False, deadline_s=0.0))
    assert isinstance(last, Final)
    assert (last.answer.reread, last.answer.left_out) == ((), ("b.md",))


class CountingEmbedder(HashingEmbedder):
    """Remembers what it embedded."""

    def __init__(self) -> None:
        super().__init__(64)
        self.seen: list[str] = []

    def embed_documents(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        self.seen += texts
        return super().embed_documents(texts, background=background)


def test_a_question_that_is_late_in_the_midst_of_a_file_leaves_the_rest_to_the_next(
    library: OwnLibrary, folder: Path
) -> None:
    """Every passage is embedded once; the file is there as a whole or not at all."""
    passages = [f"## Badger {number}\n\nBadger {number} has {'many ' * 300}cubs.\n" for number in range(6)]
    (folder / "notes/b.md").write_text("\n".join(passages))
    embedder = CountingEmbedder()
    indexer = replace(library._indexer(library.store()), embedder=embedder)
    assert reread(indexer, ["b.md"], lambda: len(embedder.seen) >= EMBEDDED_AT_ONCE) == ()
    assert len(embedder.seen) == EMBEDDED_AT_ONCE
    with library.store().reading() as snapshot:
        assert snapshot.count() == 3
    assert reread(indexer, ["b.md"]) == ("b.md",)
    assert EMBEDDED_AT_ONCE < len(embedder.seen) == len(set(embedder.seen)) <= MAX_STRINGS
