"""An index that each released schema version wrote opens, answers and can be updated."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from filelock import FileLock

from ragnotes.answers import Filters
from ragnotes.errors import IndexDamaged, IndexMismatch
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading.chunking import chunk_document
from ragnotes.reading.loaders import Limits, load_document
from ragnotes.stores.checksums import CHECKED
from ragnotes.stores.integrity import findings
from ragnotes.stores.local import LocalStore
from ragnotes.stores.repair import repair
from ragnotes.stores.schema import OLDEST_SCHEMA, SCHEMA_VERSION
from ragnotes.types import FileRecord, FileStatus

FIXTURES = Path(__file__).parent / "fixtures"
EMBEDDER = HashingEmbedder(64)
CHAIN = "The chain was changed on 7 March 2026 after 3,400 km. The new one has 114 links."


@pytest.fixture(params=range(OLDEST_SCHEMA, SCHEMA_VERSION))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An index of three notes as that version wrote it."""
    directory = tmp_path / "index"
    shutil.copytree(FIXTURES / f"schema_{request.param}", directory)
    assert schema_of(directory) == request.param
    return directory


def schema_of(directory: Path) -> int:
    with closing(sqlite3.connect(directory / "ragnotes.sqlite3")) as connection:
        [schema] = connection.execute("SELECT schema FROM meta").fetchone()
    return int(schema)


def assert_it_answers(directory: Path) -> None:
    with closing(LocalStore.open(directory)) as store, store.reading() as snapshot:
        [vector] = EMBEDDER.embed_queries(["chain of the bicycle"])
        for found in (
            snapshot.lexical(["chain"], 10, Filters()),
            snapshot.dense(vector, 1, Filters()),
            snapshot.lexical(["links"], 10, Filters(tags=("workshop",))),
        ):
            [(chunk, source)] = snapshot.passages([hit.chunk_id for hit in found])
            assert chunk.text.endswith(CHAIN)
            assert (source.path, chunk.place.heading) == ("bicycle.md", "Bicycle > Chain")
        [talk] = snapshot.lexical(["tomatoes"], 10, Filters(speakers=("Ines",)))
        [(chunk, _)] = snapshot.passages([talk.chunk_id])
        assert chunk.place.t_start == 1.0


def test_an_old_index_answers_and_is_brought_to_this_schema(old: Path) -> None:
    assert findings(old) == [], "whole as it is"
    assert_it_answers(old)
    assert schema_of(old) == SCHEMA_VERSION
    assert findings(old) == []
    assert_it_answers(old)


def test_an_old_index_can_be_updated(old: Path) -> None:
    document = load_document(b"# Bread\n\nThe oven is lit at dawn.\n", "bread.md", Limits())
    chunks = chunk_document(document, EMBEDDER)
    texts = [chunk.embedded for chunk in chunks]
    with closing(LocalStore.open(old)) as store:
        assert store.embeddings(EMBEDDER.name, texts) == {}
        with store.writer():
            store.remember(EMBEDDER.name, texts, EMBEDDER.embed_documents(texts))
            record = FileRecord("bread.md", FileStatus.INDEXED, None, len(chunks), sha256=document.sha256)
            store.replace(document, chunks, record)
            store.remove(["talks/garden.vtt"])
        with store.reading() as snapshot:
            assert [source.path for source in snapshot.documents()] == ["bicycle.md", "bread.md"]
            assert snapshot.lexical(["starter"], 10, Filters()) == []
            assert len(snapshot.lexical(["dawn"], 10, Filters())) == 1
    assert findings(old) == []
    assert b"starter" not in (old / "ragnotes.sqlite3").read_bytes()


def test_an_old_index_answers_as_it_is_while_another_writes(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ragnotes.stores.local.LOCK_WAIT_S", 0.01)
    before = schema_of(old)
    with FileLock(old / "writer.lock"):
        assert_it_answers(old)
        assert findings(old) == []
    assert schema_of(old) == before


def test_a_migration_that_is_cut_off_leaves_the_old_index(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = schema_of(old)
    monkeypatch.setattr("ragnotes.stores.migrations._REMOVED_3", "CREATE TABLE removed (no SQL")
    with pytest.raises(IndexDamaged):
        LocalStore.open(old)
    assert schema_of(old) == before
    monkeypatch.undo()
    assert_it_answers(old)
    assert schema_of(old) == SCHEMA_VERSION


def test_a_step_does_not_follow_what_the_schema_of_today_is(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(CHECKED, "files", "path")
        LocalStore.open(old).close()
    assert schema_of(old) == SCHEMA_VERSION
    assert findings(old) == []


def test_a_damaged_old_index_is_repaired_and_keeps_what_is_whole(old: Path) -> None:
    with closing(sqlite3.connect(old / "ragnotes.sqlite3", isolation_level=None)) as connection:
        [vectors] = connection.execute("SELECT count(*) FROM embeddings").fetchone()
        connection.execute('UPDATE chunks SET "end" = 9999 WHERE document = (SELECT max(id) FROM documents)')
    assert findings(old) != []
    done = repair(old, datetime(2026, 11, 21))
    assert (done.vectors, len(done.dropped), done.lost) == (vectors, 1, ())
    assert schema_of(old) == SCHEMA_VERSION
    assert findings(old) == []
    with closing(LocalStore.open(old)) as store, store.reading() as snapshot:
        assert len(snapshot.documents()) == 2


def test_what_runs_does_not_touch_an_index_that_a_newer_ragnotes_took_over(old: Path) -> None:
    with closing(LocalStore.open(old)) as store:
        with closing(sqlite3.connect(old / "ragnotes.sqlite3", isolation_level=None)) as connection:
            connection.execute("UPDATE meta SET schema = ?", (SCHEMA_VERSION + 1,))
        with pytest.raises(IndexMismatch, match="newer version of ragnotes"), store.writer():
            pytest.fail("it may write")
        with pytest.raises(IndexMismatch, match="newer version of ragnotes"), store.reading():
            pytest.fail("it may read")
