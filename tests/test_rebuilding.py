"""Another embedder, and an index that can only be rebuilt: what answers meanwhile, and what it costs."""

from __future__ import annotations

import json
import os
import shutil
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
from ragnotes.events import Progress
from ragnotes.forgetting import forget, remember_again
from ragnotes.ports import Embedder
from ragnotes.stores.integrity import findings
from ragnotes.stores.local import LocalStore
from ragnotes.types import FileRecord, FileStatus
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
    names = {path.name for path in index.iterdir()} - {"ragnotes.sqlite3-wal", "ragnotes.sqlite3-shm"}
    assert names == {"ragnotes.sqlite3", "vectors.faiss", "writer.lock"}


@pytest.fixture
def shadow(corpus: Path, index: Path) -> Path:
    """What a rebuild leaves that is cut off at its end."""
    (index / "rebuilding").mkdir(mode=0o700)
    with closing(WithEmbedder(corpus, index / "rebuilding", dimension=32)) as left:
        left.update()
    return index / "rebuilding"


def test_a_run_without_changes_leaves_alone_what_a_rebuild_can_go_on_with(
    corpus: Path, index: Path, shadow: Path
) -> None:
    with closing(WithEmbedder(corpus, index)) as library:
        assert library.update().unchanged == NOTES
    with closing(WithEmbedder(corpus, index, dimension=32)) as library:
        assert library.update(rebuild=True).embedded == 0
    assert not shadow.exists()


def test_text_that_was_edited_away_is_not_left_in_a_rebuild_that_was_cut_off(
    corpus: Path, index: Path, shadow: Path
) -> None:
    (corpus / "7.md").write_text("Other words.\n")
    with closing(WithEmbedder(corpus, index)) as library:
        assert library.update().changed == 1
    assert not shadow.exists()


def test_a_file_that_was_forgotten_is_not_left_in_a_rebuild_though_the_index_had_no_text_of_it(
    corpus: Path, index: Path, shadow: Path
) -> None:
    with closing(WithEmbedder(corpus, index)) as library:
        with library.store().writer():
            library.store().remove(["7.md"])
            library.store().record([FileRecord("7.md", FileStatus.FAILED, "unreadable")])
            library.store().purge()
            assert not shadow.exists()
            shutil.copytree(index, shadow)
        assert forget(library.store(), library.conversations, "7.md", with_conversations=False).cleared
    assert not shadow.exists()


def test_a_file_that_is_no_longer_forgotten_is_not_forgotten_by_a_rebuild_that_was_cut_off(
    corpus: Path, index: Path
) -> None:
    with closing(WithEmbedder(corpus, index)) as library:
        forget(library.store(), library.conversations, "7.md", with_conversations=False)
        with pytest.raises(KeyboardInterrupt):
            library.update(cut_off, rebuild=True)
        assert (index / "rebuilding").exists()
        remember_again(library.store(), "7.md")
        library.update()
        library.update(rebuild=True)
        assert len(texts(library)) == NOTES


def cut_off(progress: Progress) -> None:
    if progress.done == NOTES // 2:
        raise KeyboardInterrupt


@pytest.mark.parametrize("damage", ["a page", "the tables", "a record"])
def test_a_damaged_rebuild_that_was_cut_off_is_begun_anew(corpus: Path, index: Path, shadow: Path, damage: str) -> None:
    database = shadow / "ragnotes.sqlite3"
    content = database.read_bytes()
    if damage == "a page":
        half = len(content) // 2 // 4096 * 4096
        database.write_bytes(content[:half] + b"\xff" * 4096 + content[half + 4096 :])
    else:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("DROP TABLE files" if damage == "the tables" else "UPDATE files SET status = 'x'")
    with closing(WithEmbedder(corpus, index, dimension=32)) as library:
        assert library.update(rebuild=True).embedded in (0, NOTES)
        assert len(texts(library)) == NOTES
    assert findings(index) == []


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


@pytest.mark.parametrize("value", ["'{'", "1.5", "'5'"])
def test_a_damaged_calibration_is_left_behind(corpus: Path, index: Path, value: str) -> None:
    with closing(LocalStore.open(index)) as store, store.writer():
        store.calibrate(Calibration(0.4, 1.5, -0.25, 30, 12, "2026-11-21T12:00:00+00:00"))
    with closing(sqlite3.connect(index / "ragnotes.sqlite3", isolation_level=None)) as connection:
        connection.execute(f"UPDATE calibrations SET calibration = {value}")
    with closing(WithEmbedder(corpus, index)) as library:
        assert library.update(rebuild=True).embedded == 0
        with library.store().reading() as snapshot:
            assert snapshot.calibration() is None


@pytest.mark.parametrize(
    "damage", ["DELETE FROM meta", "UPDATE files SET status = 'x'", "UPDATE files SET indexed_at = 'x', chunks = 1.5"]
)
def test_what_was_forgotten_stays_so_when_a_damaged_index_is_rebuilt(corpus: Path, index: Path, damage: str) -> None:
    with closing(WithEmbedder(corpus, index)) as library:
        forget(library.store(), library.conversations, "7.md", with_conversations=False)
    with closing(sqlite3.connect(index / "ragnotes.sqlite3", isolation_level=None)) as connection:
        connection.execute(damage)
    with closing(WithEmbedder(corpus, index)) as library:
        assert library.update(rebuild=True).skipped == 1
        assert "Words of 7." not in texts(library)


def test_where_nothing_can_be_read_of_what_was_forgotten_a_rebuild_says_so(
    corpus: Path, index: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (index / "ragnotes.sqlite3").write_bytes(b"no database at all" * 1000)
    with closing(WithEmbedder(corpus, index)) as library:
        assert library.update(rebuild=True).added == NOTES
    assert "which files were forgotten cannot be read" in caplog.text


@pytest.mark.parametrize(("sent", "codes"), [(signal.SIGTERM, {-15, 143}), (signal.SIGINT, {130})])
def test_a_run_that_is_told_to_end_does_so_and_leaves_whole_documents(
    corpus: Path, tmp_path: Path, sent: signal.Signals, codes: set[int]
) -> None:
    index, log = tmp_path / "new", tmp_path / "log"
    with started("index", "--corpus", corpus, "--index", index, pause_s=0.2, log=log) as run:
        wait_for(lambda: len(lines(log)) >= 20)  # the first 16 are committed by then, and the rest takes 4 s
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
