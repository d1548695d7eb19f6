"""The store of one machine: a directory with a SQLite database, the truth, and a file of vectors, a copy for speed.

Connections, transactions, the writer's lock and the translation of SQLite's errors live here; the SQL is in `snapshot`
and `writing`. This is the only module that imports sqlite3.

Only the writer's connection writes and checkpoints: with SQLite before 3.51.3 two that do so at once can corrupt the
log (the WAL-reset bug). `synchronous=FULL` because with NORMAL a power cut loses acknowledged
transactions.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, RLock

from filelock import FileLock, Timeout

from ragnotes.calibration import Calibration
from ragnotes.errors import IndexDamaged, IndexLocked, IndexMismatch, IndexMissing, IndexWriteFailed, RagnotesError
from ragnotes.stores import writing
from ragnotes.stores.filtering import PATH_FUNCTION, path_matches
from ragnotes.stores.rows import Row
from ragnotes.stores.schema import CREATE, SCHEMA_VERSION
from ragnotes.stores.sharing import SharedVectors
from ragnotes.stores.snapshot import REPAIR_HINT, LocalSnapshot, Query
from ragnotes.stores.vectors import sync_directory
from ragnotes.types import Chunk, Document, FileRecord, Manifest, Vectors

__all__ = ["LocalStore"]

DATABASE = "ragnotes.sqlite3"
VECTORS = "vectors.faiss"
LOCK = "writer.lock"
LOCK_HOLDER = "writer.pid"

UPGRADE_HINT = "upgrade ragnotes, or name another directory with --index"

BUSY_TIMEOUT_S = 5.0
LOCK_WAIT_S = 1.0
IDLE_READERS = 8
LOG_BYTES = 64 * 1024 * 1024

READER_PRAGMAS = ("query_only = ON",)
WRITER_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "secure_delete = ON",
    "wal_autocheckpoint = 1000",
    f"journal_size_limit = {LOG_BYTES}",
)

BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
REFUSED = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_NOMEM,
    }
)


class LocalStore:
    """The `Store` in one directory; made by `LocalStore.open`. May be used from many threads at once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._database = directory / DATABASE
        self._shared = SharedVectors(directory / VECTORS)
        self._pool_lock = Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._writing = RLock()
        self._writer: sqlite3.Connection | None = None

    @classmethod
    def open(cls, directory: Path, *, create: bool = False) -> LocalStore:
        """The store in this directory, made if there is none and `create` says so.

        Raises IndexMissing, IndexDamaged for what is no index, IndexMismatch for one of another ragnotes, and
        IndexWriteFailed where it cannot be made.
        """
        store = cls(directory)
        schema = store._schema()
        if schema is None and not create:
            raise IndexMissing(f"there is no index in {directory}", "run: ragnotes index")
        if schema is None:
            store._create()
        elif schema != SCHEMA_VERSION:
            other, hint = ("an older", REPAIR_HINT) if schema < SCHEMA_VERSION else ("a newer", UPGRADE_HINT)
            raise IndexMismatch(
                f"{directory} was written by {other} version of ragnotes (schema {schema}, this one has"
                f" {SCHEMA_VERSION})",
                hint,
            )
        return store

    @contextmanager
    def reading(self) -> Iterator[LocalSnapshot]:
        """What is committed now, unchanged until the end; for use by one thread."""
        connection = self._take_reader()
        query = self._query(connection, writing=False)
        try:
            query("BEGIN", ())
            yield LocalSnapshot(query, self._shared)
        finally:
            self._give_back(connection)

    @contextmanager
    def writer(self) -> Iterator[None]:
        """The right to write. Raises IndexLocked while another process or thread has it, after a moment's wait.

        A reader that ends holds the lock while it saves the vectors file.
        """
        with self._locked(timeout_s=LOCK_WAIT_S):
            connection = self._connect("rw", WRITER_PRAGMAS, writing=True)
            self._writer = connection
            try:
                before = self._generation(connection)
                yield
                with self._transaction() as query:
                    writing.remove_unused_vectors(query)
            finally:
                try:
                    if self._generation(connection) != before:
                        self._save_vectors()
                finally:
                    self._writer = None
                    _fold_log(connection)
                    connection.close()

    def manifest(self) -> Manifest | None:
        """What the index was built with; None before the first `start`."""
        with self._committed() as query:
            return writing.read_manifest(query)

    def start(self, manifest: Manifest) -> None:
        """Begin an index with this manifest, or check that it was begun with the same; raises IndexMismatch."""
        with self._transaction() as query:
            built = writing.read_manifest(query)
            if built is None:
                writing.write_manifest(query, manifest)
            else:
                writing.check_manifest(self.directory, built, manifest)

    def embeddings(self, embedder: str, texts: Sequence[str]) -> dict[str, Vectors]:
        """The vectors that are known, each of shape (dimension,), by text."""
        with self._committed() as query:
            return writing.known_vectors(query, embedder, texts)

    def remember(self, embedder: str, texts: Sequence[str], vectors: Vectors) -> None:
        """Keep row i of the vectors, of shape (n, dimension), for text i; raises ValueError if it is no unit vector."""
        with self._transaction() as query:
            writing.put_vectors(query, embedder, texts, vectors)

    def replace(self, document: Document, chunks: Sequence[Chunk], record: FileRecord) -> None:
        """Put a document in the place of what had its id or path. See `writing.put_document` for what it raises."""
        with self._transaction() as query:
            writing.put_document(query, self._started(query), document, chunks, record)
            writing.bump_generation(query)

    def record(self, records: Sequence[FileRecord]) -> None:
        """Keep what is known of these files; their documents, and the generation, stay as they are."""
        with self._transaction() as query:
            writing.put_files(query, records)

    def remove(self, paths: Sequence[str]) -> None:
        """Drop the documents and records of these files; unknown paths are ignored."""
        with self._transaction() as query:
            if writing.remove_paths(query, paths):
                writing.bump_generation(query)

    def calibrate(self, calibration: Calibration | None) -> None:
        """Keep this calibration for the index as it is built now; None goes back to the shipped one."""
        with self._transaction() as query:
            writing.keep_calibration(query, self._started(query), calibration)
            writing.bump_generation(query)

    def rebuild(self, manifest: Manifest, documents: Iterable[tuple[Document, Sequence[Chunk], FileRecord]]) -> None:
        """Put these documents in the place of everything, in one transaction; `documents` may call `remember`."""
        with self._transaction() as query:
            writing.remove_all(query)
            writing.write_manifest(query, manifest)
            for document, chunks, record in documents:
                writing.put_document(query, manifest, document, chunks, record)
            writing.bump_generation(query)

    def close(self) -> None:
        """Save the vectors if this process holds newer ones than the file, and let go of the database."""
        if self._shared.unsaved and not self._closed:
            with suppress(IndexLocked, IndexWriteFailed), self._locked(timeout_s=0):  # else the one who writes saves
                self._save_vectors()
        with self._pool_lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _save_vectors(self) -> None:
        with self.reading() as snapshot:
            self._shared.save(snapshot)

    def _schema(self) -> int | None:
        """The schema's version; None if there is no index, or its making was cut off."""
        try:
            if not self._database.exists():
                return None
        except OSError as error:
            raise IndexDamaged(f"{self.directory} cannot be read: {error}", "check its permissions") from error
        with self._committed() as query:
            if not query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'", ()):
                return None
            return int(query("SELECT schema FROM meta", ())[0][0])

    def _create(self) -> None:
        """Make directory and database, readable by their owner only."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise IndexWriteFailed(f"{self.directory} cannot be made: {error}", "name another with --index") from error
        with self._locked(timeout_s=BUSY_TIMEOUT_S):
            if self._schema() is not None:  # another process was faster
                return
            os.close(os.open(self._database, os.O_RDWR | os.O_CREAT, 0o600))
            self._writer = self._connect("rw", WRITER_PRAGMAS, writing=True)
            try:
                with self._transaction() as query:
                    for statement in CREATE:
                        query(statement, ())
                sync_directory(self.directory)
            finally:
                self._writer.close()
                self._writer = None

    @contextmanager
    def _locked(self, *, timeout_s: float) -> Iterator[None]:
        lock = FileLock(self.directory / LOCK, timeout=timeout_s, mode=0o600)
        holder = self.directory / LOCK_HOLDER
        try:
            lock.acquire()
            holder.write_text(str(os.getpid()))
        except Timeout as error:
            raise IndexLocked(
                f"{self.directory} is being written to by process {_read(holder) or 'unknown'}",
                "wait until it has finished, and try again",
            ) from error
        except OSError as error:
            lock.release()
            raise IndexWriteFailed(
                f"{self.directory} cannot be written to: {error}", "check its permissions"
            ) from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _transaction(self) -> Iterator[Query]:
        """A write transaction, committed at its end; one begun inside another is part of it."""
        with self._writing:
            if self._writer is None:
                raise RuntimeError("writing to a store needs `with store.writer():` around it")
            query = self._query(self._writer, writing=True)
            if self._writer.in_transaction:
                yield query
                return
            query("BEGIN IMMEDIATE", ())
            try:
                yield query
                query("COMMIT", ())
            except BaseException:
                with suppress(sqlite3.Error):  # a disk that fails may refuse this too; closing then undoes the rest
                    self._writer.rollback()
                raise

    @contextmanager
    def _committed(self) -> Iterator[Query]:
        connection = self._take_reader()
        try:
            yield self._query(connection, writing=False)
        finally:
            self._give_back(connection)

    def _take_reader(self) -> sqlite3.Connection:
        with self._pool_lock:
            if self._closed:
                raise RuntimeError("the store is closed")
            if self._idle:
                return self._idle.pop()
        return self._connect("ro", READER_PRAGMAS, writing=False)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error):
            connection.rollback()
        with self._pool_lock:
            keep = not self._closed and not connection.in_transaction and len(self._idle) < IDLE_READERS
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()

    def _connect(self, mode: str, pragmas: Sequence[str], *, writing: bool) -> sqlite3.Connection:
        """An open connection. `mode` keeps SQLite from making a database where there is none."""
        with self._translated(writing=writing):
            connection = sqlite3.connect(
                f"{self._database.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,  # a connection serves one thread at a time, but not always the same
            )
            try:
                connection.create_function(PATH_FUNCTION, 2, path_matches, deterministic=True)
                for pragma in pragmas:
                    connection.execute(f"PRAGMA {pragma}").close()
            except BaseException:
                connection.close()
                raise
            return connection

    def _query(self, connection: sqlite3.Connection, *, writing: bool) -> Query:
        def run(statement: str, values: Sequence[object]) -> list[Row]:
            with self._translated(writing=writing):
                return connection.execute(statement, values).fetchall()

        return run

    def _generation(self, connection: sqlite3.Connection) -> int:
        return int(self._query(connection, writing=True)("SELECT generation FROM meta", ())[0][0])

    def _started(self, query: Query) -> Manifest:
        manifest = writing.read_manifest(query)
        if manifest is None:
            raise RuntimeError("a document needs a manifest: call `start` first")
        return manifest

    @contextmanager
    def _translated(self, *, writing: bool) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as error:
            raise self._error_of(error, writing=writing) from error

    def _error_of(self, error: sqlite3.Error, *, writing: bool) -> RagnotesError | ValueError:
        """The error that callers know. Only the first byte of SQLite's code is its kind."""
        kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if kind == sqlite3.SQLITE_CONSTRAINT:
            return ValueError(f"{self._database}: {error}")
        if kind in BUSY:
            return IndexLocked(f"{self._database} is locked by another process", "wait until it has finished")
        if kind in REFUSED and writing:
            return IndexWriteFailed(
                f"{self._database} cannot be written: {error}", "free some space, or check the disk"
            )
        if kind in REFUSED:
            return IndexDamaged(f"{self._database} cannot be read: {error}", "check its permissions and the disk")
        return IndexDamaged(f"{self._database} is damaged: {error}", REPAIR_HINT)


def _fold_log(connection: sqlite3.Connection) -> None:
    """Move the log into the database and empty it, so that deleted text leaves the disk; not waiting for readers.

    Whatever stays in the log is committed all the same, so a failure here is none of the writer's.
    """
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA busy_timeout = 0").close()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
