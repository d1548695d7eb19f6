"""Another embedder, and an index that can only be rebuilt: what answers meanwhile, and what it costs."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ragnotes.answers import NO_FILTERS
from ragnotes.assembly import Library
from ragnotes.calibration import Calibration
from ragnotes.cli import main
from ragnotes.errors import IndexDamaged, IndexMismatch
from ragnotes.ports import Embedder
from ragnotes.stores.integrity import findings
from ragnotes.stores.local import LocalStore
from tests.fakes import WAIT_S, fake_settings
from tests.hashing_cli import HashingLibrary, LoggingEmbedder, started

NOTES = 40


class WithEmbedder(HashingLibrary):
    def __init__(self, corpus: Path, index: Path, dimension: int = 16, name: str | None = None) -> None:
        super().__init__(fake_settings(corpus=(corpus,), index=index))
        self.own = LoggingEmbedder(dimension)
        if name:
            self.own.name = name

    def _load_embedder(self) -> Embedder:
        return self.own


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(NOTES):
        (folder / f"{number}.md").write_text(f"Words of {number}.\n")
    return folder


@pytest.fixture
def index(corpus: Path, tmp_path: Path) -> Path:
    with closing(WithEmbedder(corpus, tmp_path / "index")) as library:
        library.update()
    return tmp_path / "index"


def texts(library: Library) -> list[str]:
    return sorted(hit.chunk.text for hit in library.search("words", filters=NO_FILTERS, limit=100).hits)


def lines(log: Path) -> list[str]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 3 * WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def remembered(index: Path, embedder: str) -> int:
    """How many vectors of an embedder are committed."""
    with closing(sqlite3.connect(index / "ragnotes.sqlite3")) as connection:
        statement = "SELECT count(*) FROM embeddings WHERE embedder = ?"
        return int(connection.execute(statement, (embedder,)).fetchone()[0])


def test_a_rebuild_that_is_killed_goes_on_without_embedding_anything_twice_while_the_old_index_answers(
    corpus: Path, index: Path, tmp_path: Path
) -> None:
    command = ("index", "--rebuild", "--json", "--corpus", corpus, "--index", index)
    log = tmp_path / "first.log"
    with closing(WithEmbedder(corpus, index)) as served:
        before = texts(served)
        assert len(before) == NOTES
        with started(*command, dimension=32, pause_s=0.03, log=log) as first:
            wait_for(lambda: len(lines(log)) >= 12)
            assert texts(served) == before
            first.kill()
        kept = remembered(index / "rebuilding", "hashing-32")
        assert 4 <= kept < NOTES
        assert texts(served) == before
        log = tmp_path / "second.log"
        with started(*command, dimension=32, log=log) as second:
            assert second.wait(3 * WAIT_S) == 0, second.stderr and second.stderr.read()
            assert second.stdout
            assert json.load(second.stdout)["embedded"] == NOTES - kept
        assert len(lines(log)) == len(set(lines(log))) == NOTES - kept
        assert not (index / "rebuilding").exists()
        with pytest.raises(IndexMismatch, match=r"built with hashing-32 \(32\), this embedder is hashing-16"):
            texts(served)
    with closing(WithEmbedder(corpus, index, dimension=32)) as library:
        assert texts(library) == before


def test_a_question_that_began_before_the_switch_never_meets_vectors_of_another_embedder(
    corpus: Path, index: Path
) -> None:
    """Of one dimension, so that nothing but the name tells them apart."""
    with closing(WithEmbedder(corpus, index)) as served, closing(WithEmbedder(corpus, index, name="other")) as other:
        asker = served._asker(llm=False)
        assert len(asker.search("words").hits) == 10
        assert other.update(rebuild=True).embedded == NOTES
        with pytest.raises(IndexMismatch, match=r"built with other \(16\), this embedder is hashing-16 .*--embedder"):
            asker.search("words")
        assert len(other.search("words", filters=NO_FILTERS, limit=5).hits) == 5


def test_an_index_can_be_switched_back_and_costs_no_embedding(corpus: Path, index: Path) -> None:
    with closing(WithEmbedder(corpus, index, dimension=32)) as other:
        assert other.update(rebuild=True).embedded == NOTES
    with closing(WithEmbedder(corpus, index)) as library:
        assert library.update(rebuild=True).embedded == 0
        assert len(texts(library)) == NOTES


def test_a_rebuild_embeds_nothing_where_a_copy_was_removed_by_a_run_that_was_cut_off(corpus: Path, index: Path) -> None:
    (corpus / "copy.md").write_text("Words of 0.\n")
    with closing(WithEmbedder(corpus, index)) as library:
        assert library.update().embedded == 0
    with closing(LocalStore.open(index)) as store, suppress(KeyboardInterrupt), store.writer():
        store.remove(["copy.md"])
        raise KeyboardInterrupt
    (corpus / "copy.md").unlink()
    with closing(WithEmbedder(corpus, index)) as library:
        assert library.update(rebuild=True).embedded == 0
        assert len(texts(library)) == NOTES


def test_a_rebuild_with_another_embedder_than_the_one_that_was_cut_off_begins_anew(corpus: Path, index: Path) -> None:
    with closing(WithEmbedder(corpus, index, dimension=32)) as other:
        other.update(rebuild=True)
    (index / "rebuilding").mkdir(mode=0o700)
    with closing(WithEmbedder(corpus, index / "rebuilding", dimension=8)) as left:
        left.update()
    with closing(WithEmbedder(corpus, index, dimension=32)) as library:
        assert library.update(rebuild=True).embedded == 0
        assert len(texts(library)) == NOTES


@pytest.mark.parametrize("damage", ["older", "no database"])
def test_an_older_or_damaged_index_is_rebuilt_in_its_place(corpus: Path, index: Path, damage: str) -> None:
    database = index / "ragnotes.sqlite3"
    if damage == "older":
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("UPDATE meta SET schema = 1")
            connection.execute("ALTER TABLE files RENAME COLUMN reason TO why")
    else:
        database.write_bytes(b"no database at all" * 1000)
    with closing(WithEmbedder(corpus, index)) as library, pytest.raises((IndexMismatch, IndexDamaged)):
        library.update()
    with closing(WithEmbedder(corpus, index)) as library:
        assert library.update(rebuild=True).embedded == (0 if damage == "older" else NOTES)
        assert len(texts(library)) == NOTES
    assert {path.name for path in index.iterdir() if path.suffix != ".sqlite3-shm"} >= {"ragnotes.sqlite3"}
    assert not list(index.glob("*damaged*"))


def test_damaged_vectors_are_made_anew_and_a_calibration_is_kept(corpus: Path, index: Path) -> None:
    fitted = Calibration(0.4, 1.5, -0.25, 30, 12, "2026-11-21T12:00:00+00:00")
    with closing(LocalStore.open(index)) as store, store.writer():
        store.calibrate(fitted)
    with closing(sqlite3.connect(index / "ragnotes.sqlite3", isolation_level=None)) as connection:
        connection.execute("UPDATE embeddings SET vector = zeroblob(64) WHERE id <= 3")
        connection.execute("UPDATE embeddings SET vector = x'00' WHERE id = 4")
    with closing(WithEmbedder(corpus, index)) as library:
        assert library.update(rebuild=True).embedded == 4
        assert len(texts(library)) == NOTES
        with library.store().reading() as snapshot:
            assert snapshot.calibration() == fitted


@pytest.mark.parametrize(("sent", "codes"), [(signal.SIGTERM, {-15, 143}), (signal.SIGINT, {130})])
def test_a_run_that_is_told_to_end_does_so_and_leaves_whole_documents(
    corpus: Path, tmp_path: Path, sent: signal.Signals, codes: set[int]
) -> None:
    index, log = tmp_path / "new", tmp_path / "log"
    with started("index", "--corpus", corpus, "--index", index, pause_s=0.05, log=log) as run:
        wait_for(lambda: len(lines(log)) >= 4)
        told = time.monotonic()
        run.send_signal(sent)
        assert run.wait(WAIT_S) in codes
        assert time.monotonic() - told < WAIT_S
    with closing(LocalStore.open(index)) as store:
        assert findings(index) == []
        with store.reading() as snapshot:
            whole = len(snapshot.documents())
            assert snapshot.count() == snapshot.generation == whole
        with store.writer():
            pass
    with closing(WithEmbedder(corpus, index)) as library:
        left = NOTES - remembered(index, "hashing-16")
        assert 0 < left < NOTES
        assert library.update().embedded == left


def test_a_run_beside_another_says_who_has_the_index_and_changes_nothing(
    corpus: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (corpus / "new.md").write_text("New words.\n")
    with closing(LocalStore.open(index)) as store, store.writer():
        for option in ((), ("--rebuild",)):
            command = ["index", "--corpus", str(corpus), "--index", str(index), *option]
            assert main(command, library=lambda _: WithEmbedder(corpus, index)) == 1
            assert f"is being written to by process {os.getpid()} (" in capsys.readouterr().err
        with store.reading() as snapshot:
            assert snapshot.count() == NOTES
