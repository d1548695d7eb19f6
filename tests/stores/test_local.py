"""What a local store must survive: damaged files, killed writers, foreign hands."""

from __future__ import annotations

import logging
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ragnotes.answers import Scored
from ragnotes.calibration import CLUES, Calibration
from ragnotes.errors import IndexDamaged, IndexLocked, IndexMismatch, IndexMissing, IndexWriteFailed
from ragnotes.stores import writing
from ragnotes.stores.local import LocalStore
from ragnotes.stores.locking import held
from ragnotes.stores.rows import calibration_of, calibration_value
from tests.fakes import WAIT_S
from tests.stores.samples import MANIFEST, NO_FILTERS, embed, entry, fill, vector_of, vectors_of


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An index of three documents, closed."""
    directory = tmp_path / "index"
    with closing(LocalStore.open(directory, create=True)) as store:
        fill(store, *(entry(f"{name}.md", name, f"{name} again") for name in ("alpha", "beta", "gamma")))
    return directory


def search(directory: Path) -> list[Scored]:
    with closing(LocalStore.open(directory)) as store, store.reading() as snapshot:
        return snapshot.dense(vector_of("q"), 100, NO_FILTERS)


def sql(directory: Path, statement: str) -> list[tuple[object, ...]]:
    """Runs a statement past the store."""
    with closing(sqlite3.connect(directory / "ragnotes.sqlite3", isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


def test_opening_creates_nothing_unless_asked(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="ragnotes index"):
        LocalStore.open(tmp_path / "index")
    assert list(tmp_path.iterdir()) == []


def test_a_database_whose_making_was_cut_off_is_no_index_and_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "ragnotes.sqlite3").touch()
    with pytest.raises(IndexMissing):
        LocalStore.open(tmp_path)
    with closing(LocalStore.open(tmp_path, create=True)) as store:
        assert store.manifest() is None


def test_a_database_cut_off_amid_its_making_is_made_again(tmp_path: Path) -> None:
    """Its journal is to be rolled back, which no reader may do."""
    made, index = tmp_path / "made", tmp_path / "index"
    made.mkdir()
    with closing(sqlite3.connect(made / "ragnotes.sqlite3", isolation_level=None)) as maker:
        maker.execute("PRAGMA cache_size = 1")
        maker.execute("CREATE TABLE before (x)")
        maker.execute("INSERT INTO before VALUES (zeroblob(100000))")
        maker.execute("BEGIN")
        maker.execute("UPDATE before SET x = randomblob(100000)")
        shutil.copytree(made, index)
    assert (index / "ragnotes.sqlite3-journal").stat().st_size
    with pytest.raises(IndexDamaged), closing(LocalStore.open(index)):  # what was committed is no index
        pass
    assert not (index / "ragnotes.sqlite3-journal").exists()


def test_only_the_owner_may_read(directory: Path) -> None:
    assert directory.stat().st_mode & 0o777 == 0o700
    files = ("ragnotes.sqlite3", "vectors.faiss", "writer.lock")
    assert [(directory / name).stat().st_mode & 0o777 for name in files] == [0o600] * 3


def test_a_directory_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(IndexWriteFailed, match="cannot be made"):
        LocalStore.open(tmp_path / "file" / "index", create=True)


def test_any_damage_to_the_vectors_file_changes_no_result(directory: Path) -> None:
    expected = search(directory)
    path = directory / "vectors.faiss"
    whole = path.read_bytes()
    for position in range(0, len(whole), 50):
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        for content in (damaged, whole[:position]):
            path.write_bytes(content)
            assert search(directory) == expected, position
            assert path.read_bytes() == whole, "rebuilt and saved"
    path.unlink()
    assert search(directory) == expected
    assert path.read_bytes() == whole


def test_a_vectors_file_left_behind_is_caught_up(directory: Path) -> None:
    path = directory / "vectors.faiss"
    stale = path.read_bytes()
    with closing(LocalStore.open(directory)) as store:
        fill(store, entry("beta.md", "beta changed"), entry("delta.md", "delta"))
        with store.writer():
            store.remove(["alpha.md"])
    expected = search(directory)
    assert len(expected) == 4
    path.write_bytes(stale)
    assert search(directory) == expected


def test_a_vectors_file_of_a_deleted_index_is_not_believed(directory: Path) -> None:
    stale = (directory / "vectors.faiss").read_bytes()
    for file in directory.iterdir():
        file.unlink()
    with closing(LocalStore.open(directory, create=True)) as store:
        fill(store, *(entry(f"{number}.md", f"other {number}", f"text {number}") for number in range(3)))
    expected = search(directory)
    (directory / "vectors.faiss").write_bytes(stale)
    assert search(directory) == expected


def test_vectors_that_cannot_be_saved_are_a_warning(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = directory / "vectors.faiss"
    path.unlink()
    path.mkdir()
    with caplog.at_level(logging.WARNING), closing(LocalStore.open(directory)) as store:
        fill(store, entry("delta.md", "delta"))
        with store.reading() as snapshot:
            assert len(snapshot.dense(vector_of("q"), 100, NO_FILTERS)) == 7
    assert "vectors.faiss was not saved" in caplog.text


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_damage(directory: Path, content: bytes) -> None:
    (directory / "ragnotes.sqlite3").write_bytes(content)
    for create in (False, True):
        with pytest.raises(IndexDamaged, match=r"ragnotes check.*ragnotes repair"):
            LocalStore.open(directory, create=create)


def test_a_cut_off_database_is_damage(directory: Path) -> None:
    path = directory / "ragnotes.sqlite3"
    path.write_bytes(path.read_bytes()[:8192])
    with pytest.raises(IndexDamaged):
        search(directory)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE embeddings SET vector = zeroblob(64)",
        "UPDATE embeddings SET vector = x'00'",
    ],
)
def test_damaged_vectors_are_damage(directory: Path, damage: str) -> None:
    (directory / "vectors.faiss").unlink()
    sql(directory, damage)
    with pytest.raises(IndexDamaged):
        search(directory)


@pytest.mark.parametrize("damage", ["place = 'x'", "units = '[1]'", "links = '{'", "place = '{}'"])
def test_a_row_that_cannot_be_read_is_damage(directory: Path, damage: str) -> None:
    sql(directory, f"UPDATE chunks SET {damage}")
    ids = [hit.chunk_id for hit in search(directory)]
    with closing(LocalStore.open(directory)) as store, store.reading() as snapshot, pytest.raises(IndexDamaged):
        snapshot.passages(ids)


@pytest.mark.parametrize(
    ("schema", "problem", "hint"),
    [
        (99, "a newer version of ragnotes (schema 99", "upgrade ragnotes"),
        (1, "an older version of ragnotes (schema 1", "move its folder away and run: ragnotes index"),
    ],
)
def test_an_index_of_another_ragnotes_is_refused(directory: Path, schema: int, problem: str, hint: str) -> None:
    sql(directory, f"UPDATE meta SET schema = {schema}")
    for create in (False, True):
        with pytest.raises(IndexMismatch) as raised:
            LocalStore.open(directory, create=create)
        assert problem in str(raised.value)
        assert hint in str(raised.value)


def test_a_database_that_another_program_holds_is_locked(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ragnotes.stores.connections.BUSY_TIMEOUT_S", 0.05)
    with closing(sqlite3.connect(directory / "ragnotes.sqlite3", isolation_level=None)) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        with closing(LocalStore.open(directory)) as store:
            assert store.manifest() == MANIFEST, "readers are not held up"
            with pytest.raises(IndexLocked), store.writer():
                store.remove(["alpha.md"])


def test_a_brief_writer_waits_for_nobody_and_the_others_of_its_process_wait_for_it(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ragnotes.stores.local.LOCK_WAIT_S", 0.01)
    with closing(LocalStore.open(directory)) as store, ThreadPoolExecutor(1) as pool:

        def write() -> None:
            with store.writer():
                store.remove(["alpha.md"])

        with store.writer(brief=True):
            waiting = pool.submit(write)
            with pytest.raises(IndexLocked), store.writer(brief=True):
                pytest.fail("two write at once")
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
        waiting.result(WAIT_S)
        with store.reading() as snapshot:
            assert {source.path for source in snapshot.documents()} == {"beta.md", "gamma.md"}


def test_a_brief_writer_does_not_go_before_one_that_waits(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ragnotes.stores.local.LOCK_WAIT_S", 3 * WAIT_S)
    with closing(LocalStore.open(directory)) as store, ThreadPoolExecutor(1) as pool:
        wrote, deadline = threading.Event(), time.monotonic() + WAIT_S

        def write() -> None:
            with store.writer():
                wrote.set()

        with held(directory / "writer.lock", timeout_s=0):
            waiting = pool.submit(write)
            while not store._lock._turn.locked():
                assert time.monotonic() < deadline
                time.sleep(0.001)
        with suppress(IndexLocked), store.writer(brief=True):
            assert wrote.is_set()
        waiting.result(WAIT_S)


def test_a_full_disk_is_a_failed_write_and_the_index_stays(directory: Path) -> None:
    expected = search(directory)
    big = entry("big.md", *(f"{number} {'word ' * 500}" for number in range(50)))
    with closing(LocalStore.open(directory)) as store, store.writer():
        embed(store, big)
        assert store._writer is not None
        pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
        store._writer.execute(f"PRAGMA max_page_count = {pages}").close()
        with pytest.raises(IndexWriteFailed, match="full"):
            store.replace(big.document, big.chunks, big.record)
        store._writer.execute("PRAGMA max_page_count = 1000000").close()
        store.replace(big.document, big.chunks, big.record)
        store.remove(["big.md"])
    assert search(directory) == expected


def test_two_chunks_of_one_id_are_refused(directory: Path) -> None:
    each = entry("delta.md", "delta")
    with closing(LocalStore.open(directory)) as store, store.writer():
        embed(store, each)
        with pytest.raises(ValueError, match="chunk_id"):
            store.replace(each.document, each.chunks * 2, each.record)


def test_the_log_is_folded_in_and_the_text_of_a_deleted_note_leaves_the_disk(directory: Path) -> None:
    with closing(LocalStore.open(directory)) as store:
        with store.reading():
            pass  # leaves an idle reader, which keeps SQLite from folding the log by itself
        fill(store, entry("secret.md", "Xylophonconcerto"))
        assert b"Xylophonconcerto" in (directory / "ragnotes.sqlite3").read_bytes()
        with store.writer():
            store.remove(["secret.md"])
        for file in directory.iterdir():
            assert b"Xylophonconcerto" not in file.read_bytes(), file


def test_vectors_out_of_use_are_kept_up_to_a_bound_and_the_oldest_go_first(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "KEPT_UNUSED_VECTORS", 8)
    texts = [f"unused {number}" for number in range(20)]
    with closing(LocalStore.open(directory)) as store:
        with store.writer():
            store.remember("fake", texts, vectors_of(texts))
        assert list(store.embeddings("fake", [*texts, "alpha"])) == [*texts[12:], "alpha"]


def test_a_store_once_closed_is_closed(directory: Path) -> None:
    store = LocalStore.open(directory)
    store.close()
    store.close()
    with pytest.raises(RuntimeError, match="closed"), store.reading():
        pytest.fail("reading")


def test_a_store_whose_vectors_cannot_be_saved_is_closed_all_the_same(directory: Path) -> None:
    store = LocalStore.open(directory)
    (directory / "vectors.faiss").unlink()
    with store.reading() as snapshot:
        assert len(snapshot.dense(vector_of("q"), 100, NO_FILTERS)) == 6
    sql(directory, "UPDATE meta SET manifest = '{'")
    with pytest.raises(IndexDamaged):
        store.close()
    with pytest.raises(RuntimeError, match="closed"), store.reading():
        pytest.fail("reading")


def test_a_reader_held_while_the_index_is_made_anew_is_never_used_again(directory: Path) -> None:
    with closing(LocalStore.open(directory)) as store:
        with store.reading() as old:
            assert len(old.documents()) == 3
            for file in directory.iterdir():
                file.unlink()
            with closing(LocalStore.open(directory, create=True)) as other:
                fill(other, entry("new.md", "new"))
            with store.reading() as new:
                assert [source.path for source in new.documents()] == ["new.md"]
            assert len(old.documents()) == 3
        with store.reading() as again:
            assert [source.path for source in again.documents()] == ["new.md"]


def test_what_was_cut_off_and_no_run_goes_on_with_is_removed_by_the_next(directory: Path) -> None:
    for folder in ("restoring", "repairing", "damaged-20260101-000000"):
        shutil.copytree(directory, directory.parent / folder)
        (directory.parent / folder).rename(directory / folder)
    for ending in ("", "-wal"):
        (directory / f"ragnotes.sqlite3.damaged{ending}").write_bytes(b"Xylophonconcerto")
    with closing(LocalStore.open(directory)) as store, store.writer():
        pass
    names = {path.name for path in directory.iterdir()}
    assert names - {"ragnotes.sqlite3-wal", "ragnotes.sqlite3-shm"} == {
        "damaged-20260101-000000",
        "ragnotes.sqlite3",
        "vectors.faiss",
        "writer.lock",
    }


WRITER = """
import sys
from pathlib import Path
from ragnotes.stores.local import LocalStore
from tests.stores.samples import MANIFEST, entry, put

store = LocalStore.open(Path(sys.argv[1]), create=True)
first = int(sys.argv[2])
with store.writer():
    store.start(MANIFEST)
    print("ready", flush=True)
    for version in range(first, first + 400):
        each = entry(f"{version % 7}.md", *(f"{part} of {version}" for part in range(4)))
        put(store, each)
        print(version, flush=True)
        if version % 50 == 0:
            store._save_vectors()
"""


def versions_left(directory: Path) -> dict[str, set[int]]:
    """The versions in the index, by path; each document must be whole."""
    with closing(LocalStore.open(directory)) as store, store.reading() as snapshot:
        hits = snapshot.dense(vector_of("q"), 1000, NO_FILTERS)
        passages = snapshot.passages([hit.chunk_id for hit in hits])
        assert len(passages) == snapshot.count() == 4 * len(snapshot.documents())
        versions: dict[str, set[int]] = {source.path: set() for source in snapshot.documents()}
    for chunk, source in passages:
        versions[source.path].add(int(chunk.text.split()[-1]))
    return versions


def acknowledged(directory: Path, first: int, wait_s: float) -> Iterator[int]:
    """Runs the writer, kills it after a while, and gives the versions that it said were written."""
    command = [sys.executable, "-c", WRITER, str(directory), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(wait_s)
        process.kill()
        for line in process.stdout:
            yield int(line)


def test_a_writer_killed_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    directory, written, first, waits = tmp_path / "index", dict[str, int](), 0, random.Random(7)
    for _ in range(20):
        for version in acknowledged(directory, first, waits.uniform(0, 0.1)):
            written[f"{version % 7}.md"] = version
            first = version + 1
        left = versions_left(directory)
        for path, version in written.items():
            # The one after the last acknowledged may have been committed too.
            assert left[path] in ({version}, {first}), path
            assert left[path] == {version} or path == f"{first % 7}.md"
        assert sql(directory, "PRAGMA integrity_check") == [("ok",)]
        assert sql(directory, "PRAGMA foreign_key_check") == []
        sql(directory, "INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
    assert first > 20, "enough was written for the kills to have hit something"


def test_a_calibration_that_does_not_say_which_clues_it_was_fitted_to_is_of_the_first() -> None:
    fitted = Calibration(0.4, 1.5, -0.25, 30, 12, "2026-11-21T12:00:00+00:00")
    assert calibration_of((calibration_value(fitted),)) == fitted
    older = '{"threshold":0.4,"slope":1.5,"shift":-0.25,"answerable":30,"unanswerable":12,"fitted_at":null}'
    assert calibration_of((older,)).clues == 1 < CLUES
