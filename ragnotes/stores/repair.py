"""Making an index whole again, without losing what embedding has cost.

Full text is made anew from the passages. Where that is not all, a new database is filled with every vector, document
and record that is as it was written, and takes the place of the damaged one, which is moved aside and never deleted.
What is left out is read again from the notes by the next `ragnotes index`.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ragnotes.errors import IndexDamaged, IndexWriteFailed, RagnotesError
from ragnotes.stores import writing
from ragnotes.stores.checksums import CHECKED, checksum_of
from ragnotes.stores.full_text import rebuild_full_text
from ragnotes.stores.integrity import examine, examining, whole_documents
from ragnotes.stores.local import DATABASE, VECTORS, LocalStore
from ragnotes.stores.rows import calibration_of, file_of, manifest_of
from ragnotes.stores.scanning import Unread, scan
from ragnotes.stores.snapshot import Query
from ragnotes.stores.vectors import sync_directory
from ragnotes.types import FileRecord, Manifest

__all__ = ["Repaired", "repair"]

SALVAGE = "repairing"
LOG_ENDINGS = ("-wal", "-shm")
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
        with closing(LocalStore(directory)) as store, store._locked(timeout_s=LOCK_WAIT_S):
            (directory / VECTORS).unlink(missing_ok=True)
        outcome = replace(outcome, done=("the vectors file was deleted; the next search makes it anew",))
    kinds = {each.kind for each in found} - FILES_KINDS
    if kinds == {"full text"} and _rebuilt(directory):
        return replace(outcome, done=(*outcome.done, "full text search was made anew from the passages"))
    return _salvaged(directory, now, outcome) if kinds else outcome


def _rebuilt(directory: Path) -> bool:
    """Whether the index is whole once its full text is made anew."""
    try:
        with closing(LocalStore.open(directory)) as store, store.writer(), store._transaction() as query:
            rebuild_full_text(query)
    except IndexDamaged:
        return False
    return not {each.kind for each in examine(directory).findings} - FILES_KINDS


def _salvaged(directory: Path, now: datetime, outcome: Repaired) -> Repaired:
    """A new database takes the place of the damaged one, with all that is as it was written."""
    new = directory / SALVAGE
    with closing(LocalStore(directory)) as store, store._locked(timeout_s=LOCK_WAIT_S):
        shutil.rmtree(new, ignore_errors=True)
        with closing(LocalStore.open(new, create=True)) as filled, filled.writer():
            found = _Salvage(filled)
            with suppress(RagnotesError), examining(store) as query:  # a database that cannot be opened holds nothing
                found.take(query)
        aside = directory / f"damaged-{now:%Y%m%d-%H%M%S}"
        _swap(directory, new, aside)
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

    def take(self, query: Query) -> None:
        """Vectors first, then what needs them; each step goes as far as it can."""
        manifest, generation = self._description(query)
        self._vectors(query)
        if manifest is not None:
            self._store.start(manifest)
            records = self._records(query)
            self._documents(query, records)
            self._calibration(query, manifest)
        with self._store._transaction() as own:
            own("UPDATE meta SET generation = ?", (generation + 1,))

    def _description(self, query: Query) -> tuple[Manifest | None, int]:
        try:
            [(manifest, generation)] = query("SELECT manifest, generation FROM meta", ())
            return manifest_of(manifest), max(0, int(generation))
        except (IndexDamaged, ValueError, KeyError, TypeError):
            self.lost.append("what the index was built with cannot be read")
            return None, 0

    def _vectors(self, query: Query) -> None:
        lost = 0
        with self._store._transaction() as own:
            for row in scan(query, "embeddings", f"{CHECKED['embeddings']}, checksum"):
                if isinstance(row, Unread) or checksum_of(row[1:-1]) != row[-1]:
                    lost += 1
                    continue
                writing.insert(own, "embeddings", row[1:-1], "ON CONFLICT DO NOTHING")
                self.vectors += 1
        if lost:
            self.lost.append(f"{lost} vectors cannot be read, and are embedded again where they are in use")

    def _records(self, query: Query) -> dict[str, FileRecord]:
        """What is known of every file, as far as it is as it was written."""
        found: dict[str, FileRecord] = {}
        try:
            for *row, checksum in query(f"SELECT {CHECKED['files']}, checksum FROM files", ()):
                if checksum_of(row) == checksum:
                    record = file_of(tuple(row))
                    found[record.path] = record
        except IndexDamaged:
            self.lost.append("which files were forgotten cannot be read in full: see ragnotes status")
        return found

    def _documents(self, query: Query, records: dict[str, FileRecord]) -> None:
        """Documents that are whole, vectors included; the records of the others go, so that they are read again."""
        kept: set[str] = set()
        for document, chunks in whole_documents(query):
            record = records.get(document.path)
            if record is None or (record.sha256, record.chunks) != (document.sha256, len(chunks)):
                continue
            with suppress(KeyError, ValueError):  # a vector that was lost
                self._store.replace(document, chunks, record)
                kept.add(document.path)
        self.dropped = {path for path, record in records.items() if record.sha256 and path not in kept}
        self._store.record([record for record in records.values() if not record.sha256])

    def _calibration(self, query: Query, manifest: Manifest) -> None:
        try:
            for *row, checksum in query(f"SELECT {CHECKED['calibrations']}, checksum FROM calibrations", ()):
                if checksum_of(row) != checksum:
                    self.lost.append("the calibration of the index: run eval --calibrate again")
                elif row[:2] == [manifest.embedder, manifest.chunker]:
                    self._store.calibrate(calibration_of((row[2],)))
        except IndexDamaged:
            self.lost.append("the calibration of the index: run eval --calibrate again")


def _swap(directory: Path, new: Path, aside: Path) -> None:
    """Put the new database in its place, so that there is one at every moment; the old one, with its log, goes aside.

    The log goes before its database: beside another one it would pass for that one's.
    """
    log = new / f"{DATABASE}-wal"
    if log.exists() and log.stat().st_size:
        raise IndexWriteFailed(f"the new database in {new} could not be finished", "run: ragnotes repair once more")
    aside.mkdir(mode=0o700)
    for name in (DATABASE, *(f"{DATABASE}{ending}" for ending in LOG_ENDINGS), VECTORS):
        with suppress(FileNotFoundError):
            try:
                os.link(directory / name, aside / name)
            except PermissionError:  # a file system without links
                shutil.copy2(directory / name, aside / name)
    sync_directory(aside)
    for name in (*(f"{DATABASE}{ending}" for ending in LOG_ENDINGS), VECTORS):
        (directory / name).unlink(missing_ok=True)
    sync_directory(directory)
    (new / DATABASE).replace(directory / DATABASE)
    sync_directory(directory)
    shutil.rmtree(new, ignore_errors=True)
