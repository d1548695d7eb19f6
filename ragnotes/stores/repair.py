"""Making an index whole again, without losing what embedding has cost.

Full text is made anew from the passages. Where that is not all, a new database is filled with every vector, document
and record that is as it was written, and takes the place of the damaged one, which is moved aside and never deleted.
What is left out is read again from the notes by the next `ragnotes index`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ragnotes.errors import IndexDamaged, IndexMissing, IndexWriteFailed
from ragnotes.stores import writing
from ragnotes.stores.checksums import CHECKED
from ragnotes.stores.connections import LOG_ENDINGS
from ragnotes.stores.full_text import rebuild_full_text
from ragnotes.stores.integrity import as_written, checksum_column, examine, whole_documents
from ragnotes.stores.local import DATABASE, VECTORS, LocalStore
from ragnotes.stores.replacing import SALVAGED
from ragnotes.stores.rows import FILE_COLUMNS, calibration_of, file_of, unpack
from ragnotes.stores.scanning import Unread, scan
from ragnotes.stores.snapshot import Query
from ragnotes.stores.vectors_file import sync_directory
from ragnotes.types import FORGOTTEN, FileRecord, Manifest

__all__ = ["Repaired", "repair"]

FILES_KINDS = frozenset({"vectors file", "conversation"})
LOCK_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done, and what is lost. `dropped` are the files that the next index run reads again."""

    done: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    vectors: int = 0
    moved_to: Path | None = None

    @property
    def repaired(self) -> bool:
        """Whether there was anything to do."""
        return bool(self.done)


def repair(directory: Path, now: datetime) -> Repaired:
    """Repair what can be repaired. Raises as `integrity.examine` does, and IndexLocked while another writes."""
    found = examine(directory).findings
    outcome = Repaired(lost=tuple(f"{each.where}: {each.problem}" for each in found if each.kind == "conversation"))
    if any(each.kind == "vectors file" for each in found):
        with closing(LocalStore(directory)) as store, store.locked(timeout_s=LOCK_WAIT_S):
            (directory / VECTORS).unlink(missing_ok=True)
        outcome = replace(outcome, done=("the vectors file was deleted; the next search makes it anew",))
    kinds = {each.kind for each in found} - FILES_KINDS
    if kinds == {"full text"} and _rebuilt(directory):
        return replace(outcome, done=(*outcome.done, "full text search was made anew from the passages"))
    return _salvaged(directory, now, outcome) if kinds else outcome


def _rebuilt(directory: Path) -> bool:
    """Whether the index is whole once its full text is made anew."""
    try:
        with closing(LocalStore.open(directory)) as store, store.writer(), store.transaction() as query:
            rebuild_full_text(query)
            writing.bump_generation(query)  # others that run have counted words by the damaged one
    except IndexDamaged:
        return False
    return not {each.kind for each in examine(directory).findings} - FILES_KINDS


def _salvaged(directory: Path, now: datetime, outcome: Repaired) -> Repaired:
    """A new database takes the place of the damaged one, with all that is as it was written."""
    with closing(LocalStore(directory)) as store, store.made_beside(SALVAGED) as new:
        shutil.rmtree(new, ignore_errors=True)
        with closing(LocalStore.open(new, create=True)) as filled, filled.writer():
            found = _Salvage(filled)
            found.take(store)
        aside = _kept_aside(directory, now)
        store.take_over(new)
    return replace(
        outcome,
        done=(*outcome.done, f"the database was moved to {aside}, and made anew of what can be read"),
        dropped=tuple(sorted(found.dropped)),
        lost=(*outcome.lost, *found.lost),
        vectors=found.vectors,
        moved_to=aside,
    )


class _Salvage:
    """Fills a new store from what can be read of a damaged database, and keeps count."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self.vectors = 0
        self.dropped: set[str] = set()
        self.lost: list[str] = []

    def take(self, damaged: LocalStore) -> None:
        """Vectors first, then what needs them; each step goes as far as it can.

        Raises IndexWriteFailed where the new database cannot be filled. One that cannot be opened holds nothing.
        """
        with suppress(IndexDamaged, IndexMissing), damaged.examining() as query:
            query("SELECT 1 FROM sqlite_master LIMIT 1", ())
            checksum = checksum_column(query)
            self._vectors(query, checksum)
            records = self._records(query, checksum)
            manifest = self._manifest(query)
            if manifest is not None:
                with _filling():
                    self._store.start(manifest)
                self._documents(query, records)
                self._calibration(query, manifest, checksum)
            return
        self.lost.append("what was forgotten cannot be read: forget it again")

    def _manifest(self, query: Query) -> Manifest | None:
        try:
            return writing.read_manifest(query)
        except IndexDamaged:
            self.lost.append("what the index was built with cannot be read")
            return None

    def _vectors(self, query: Query, checksum: str) -> None:
        lost = False
        with _filling(), self._store.transaction() as own:
            for row in scan(query, "embeddings", f"{CHECKED['embeddings']}, {checksum}"):
                if isinstance(row, Unread) or not as_written(row[1:], checksum):
                    lost = True
                    continue
                writing.insert(own, "embeddings", row[1:-1], "ON CONFLICT DO NOTHING")
                self.vectors += 1
        if lost:
            self.lost.append("vectors that cannot be read, which are embedded again where they are in use")

    def _records(self, query: Query, checksum: str) -> dict[str, FileRecord]:
        """What is known of every file, as far as it is as it was written; what was forgotten stays so in any case."""
        forgotten, whole = writing.forgotten_in(query, "files")
        found = {record.path: record for record in forgotten}
        unsure = set(found)
        try:
            for row in query(f"SELECT {FILE_COLUMNS}, {checksum} FROM files", ()):
                with suppress(ValueError, KeyError, TypeError, AttributeError):
                    if as_written(row, checksum):
                        record = file_of(row[:-1])
                        found[record.path] = record
                        unsure.discard(record.path)
                    elif row[1] != FORGOTTEN:
                        unsure.add(unpack(row[0]))
        except IndexDamaged:
            whole = False
        self.lost += [f"what was known of {path}: forget it again where it was forgotten" for path in sorted(unsure)]
        if not whole:
            self.lost.append("which files were forgotten cannot be read in full: see ragnotes status")
        with _filling():
            self._store.record([record for record in found.values() if not record.sha256])
        return found

    def _documents(self, query: Query, records: dict[str, FileRecord]) -> None:
        """Documents that are whole, vectors included; the records of the others go, so that they are read again."""
        kept: set[str] = set()
        for document, chunks in whole_documents(query):
            record = records.get(document.path)
            if record is None or (record.sha256, record.chunks) != (document.sha256, len(chunks)):
                continue
            with suppress(KeyError, ValueError), _filling():  # a vector that was lost
                self._store.replace(document, chunks, record)
                kept.add(document.path)
        self.dropped = {path for path, record in records.items() if record.sha256 and path not in kept}

    def _calibration(self, query: Query, manifest: Manifest, checksum: str) -> None:
        lost = "the calibration of the index: run eval --calibrate again"
        try:
            if not query("SELECT 1 FROM sqlite_master WHERE name = 'calibrations'", ()):
                return
            for row in query(f"SELECT {CHECKED['calibrations']}, {checksum} FROM calibrations", ()):
                if not as_written(row, checksum):
                    self.lost.append(lost)
                elif row[:2] == (manifest.embedder, manifest.chunker):
                    calibration = calibration_of((row[2],))
                    with _filling():
                        self._store.calibrate(calibration)
        except (IndexDamaged, ValueError, KeyError, TypeError):
            self.lost.append(lost)


@contextmanager
def _filling() -> Iterator[None]:
    """What is damaged in the new database is none of the old one's, which then stays."""
    try:
        yield
    except IndexDamaged as error:
        raise IndexWriteFailed(f"the new database cannot be filled: {error.problem}", "check the disk") from error


def _kept_aside(directory: Path, now: datetime) -> Path:
    """A folder with a copy of the damaged database and its log. Raises IndexWriteFailed."""
    name = f"damaged-{now:%Y%m%d-%H%M%S}"
    names = (name, *(f"{name}-{number}" for number in range(2, 100)))
    aside = next(directory / each for each in names if not (directory / each).exists())
    try:
        aside.mkdir(mode=0o700)
        for ending in ("", *LOG_ENDINGS):
            with suppress(FileNotFoundError):
                copy = aside / f"{DATABASE}{ending}"
                shutil.copy2(directory / copy.name, copy)
                with copy.open("rb") as written:
                    os.fsync(written.fileno())
        sync_directory(aside)
        sync_directory(directory)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise IndexWriteFailed(
            f"{directory} has no room for a copy of the damaged database: {error}", "free some space, or check the disk"
        ) from error
    return aside
