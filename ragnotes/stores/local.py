"""The store of one machine: a directory with a SQLite database, the truth, and a file of vectors, a copy for speed.

Transactions, the writer's role and what takes the place of a whole index live here; the connections are in
`connections`, the SQL is in `snapshot` and `writing`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Lock, RLock

from ragnotes.calibration import Calibration
from ragnotes.errors import IndexDamaged, IndexLocked, IndexMismatch, IndexMissing, IndexWriteFailed
from ragnotes.stores import writing
from ragnotes.stores.connections import LOG_ENDINGS, Connection, Connections, fold_log, roll_back
from ragnotes.stores.locking import Taken, held
from ragnotes.stores.migrations import migrate
from ragnotes.stores.permissions import make_private
from ragnotes.stores.removal import purge
from ragnotes.stores.schema import CREATE, OLDEST_SCHEMA, SCHEMA_VERSION
from ragnotes.stores.sharing import SharedVectors
from ragnotes.stores.snapshot import LocalSnapshot, Query
from ragnotes.stores.vectors import sync_directory
from ragnotes.types import Chunk, Document, FileRecord, Manifest, Vectors

__all__ = ["RESTORED", "LocalStore"]

DATABASE = "ragnotes.sqlite3"
VECTORS = "vectors.faiss"
LOCK = "writer.lock"
SHADOW = "rebuilding"
"""The index that a rebuild fills, in the directory of the one whose place it takes."""
RESTORED = "restoring"
"""The one that comes out of a backup, likewise. Neither is searched where it is, so it needs no file of vectors."""
DAMAGED = ".damaged"

REBUILD_HINT = "move its folder away and run: ragnotes index (your notes are not touched)"
UPGRADE_HINT = "upgrade ragnotes, or name another directory with --index"

LOCK_WAIT_S = 1.0
TURN_WAIT_S = 30.0
"""For who goes on at once or not at all, and so is soon done."""
CREATE_WAIT_S = 5.0


class LocalStore:
    """The `Store` in one directory; made by `LocalStore.open`. May be used from many threads at once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._database = directory / DATABASE
        self._shared = SharedVectors(directory / VECTORS)
        self._connections = Connections(self._database)
        self._closed = False
        self._turn = Lock()
        self._writing = RLock()
        self._writer: Connection | None = None

    @classmethod
    def open(cls, directory: Path, *, create: bool = False, rebuild: bool = False) -> LocalStore:
        """The store in this directory, made if there is none and `create` says so.

        Raises IndexMissing, IndexDamaged for what is no index, IndexMismatch for one of another ragnotes, and
        IndexWriteFailed where it cannot be made. To `rebuild` it, an older or damaged one will do.
        """
        store = cls(directory)
        if rebuild and store._of_no_use():
            return store
        schema = store._schema()
        if schema is None and not create:
            raise IndexMissing(f"there is no index in {directory}", "run: ragnotes index")
        if schema is None:
            store._create()
        elif OLDEST_SCHEMA <= schema < SCHEMA_VERSION:
            with suppress(IndexLocked, IndexWriteFailed), store.writer():
                pass  # it migrates; where that cannot be, the index is read as it is
        elif schema != SCHEMA_VERSION:
            other, hint = ("an older", REBUILD_HINT) if schema < SCHEMA_VERSION else ("a newer", UPGRADE_HINT)
            raise IndexMismatch(
                f"{directory} was written by {other} version of ragnotes (schema {schema}, this one has"
                f" {SCHEMA_VERSION})",
                hint,
            )
        make_private(directory)
        return store

    @contextmanager
    def reading(self) -> Iterator[LocalSnapshot]:
        """What is committed now, unchanged until the end; for use by one thread."""
        with self._committed() as query:
            query("BEGIN", ())
            yield LocalSnapshot(query, self._shared)

    @contextmanager
    def writer(self, *, brief: bool = False) -> Iterator[None]:
        """The right to write. Raises IndexLocked while another process or thread has it, after a moment's wait.

        At its end traces of what was taken out are removed and the vectors are saved, which takes the longer the larger
        the index is. A `brief` writer leaves both to the next one, and waits for nobody. Others in this process wait
        for it: they go first where both want to write. A reader that ends holds the lock while it saves.
        """
        if self._schema() is None:  # the directory was deleted while this process ran
            self._create()
        with self._locked(timeout_s=0 if brief else LOCK_WAIT_S):
            connection = self._connections.writer()
            self._writer, before = connection, None
            query = self._connections.query(connection, writing=True)
            try:
                with self._transaction():
                    migrate(query)
                before = self._generation(query)
                self._shared.clear_leftovers(before)
                yield
                if not brief:
                    with self._transaction():
                        writing.remove_unused_vectors(query)
                    purge(self._transaction)
            finally:
                try:
                    searched = not brief and self.directory.name not in (SHADOW, RESTORED)
                    if searched and before is not None and self._generation(query) != before:
                        self._save_vectors()
                finally:
                    self._writer = None
                    fold_log(connection)
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
            if gone := writing.remove_paths(query, paths):
                writing.bump_generation(query)
        if gone:  # a rebuild that was cut off may hold their text too
            shutil.rmtree(self.directory / SHADOW, ignore_errors=True)

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

    def purge(self) -> None:
        """Leave no trace of what was taken out, in any file, as far as readers let go of the log."""
        purge(self._transaction, at_once=True)

    @contextmanager
    def rebuilding(self, manifest: Manifest) -> Iterator[LocalStore]:
        """Another store to write to, which takes the place of this one at the end, as `replaced_by` says.

        Vectors known here are known there. What a rebuild with this manifest wrote before it was cut off is there too.
        """
        with self.replaced_by(SHADOW) as directory:
            try:
                shadow = LocalStore.open(directory, create=True)
            except (IndexDamaged, IndexMismatch):
                shutil.rmtree(directory)
                shadow = LocalStore.open(directory, create=True)
            with closing(shadow), shadow.writer():
                shadow._carry_over(self._database)
                if shadow.manifest() != manifest:
                    shadow.rebuild(manifest, ())
                yield shadow

    @contextmanager
    def replaced_by(self, name: str) -> Iterator[Path]:
        """A directory in this one's, where an index is to be made that takes the place of this one, in one transaction.

        Until then this one answers, also in other processes, and where the block raises it stays. The generation is
        higher afterwards. Raises IndexLocked as `writer` does.
        """
        _make_directory(self.directory)
        with self._locked(timeout_s=LOCK_WAIT_S):
            yield self.directory / name
            self._take_over(self.directory / name)
            shutil.rmtree(self.directory / name, ignore_errors=True)

    def describe(self, manifest: Manifest) -> None:
        """Say that this is what the index was built with; for one whose folders of notes were moved."""
        with self._transaction() as query:
            writing.write_manifest(query, manifest)

    def copy(self, to: Path) -> None:
        """Write what is committed now to a new database file. Raises IndexWriteFailed."""
        self._connections.copy(to)

    def close(self) -> None:
        """Save the vectors if this process holds newer ones than the file, and let go of the database."""
        if self._shared.unsaved and not self._closed:
            with suppress(IndexLocked, IndexMissing, IndexWriteFailed), self._locked(timeout_s=0):
                self._save_vectors()  # else the one who writes saves
        self._closed = True
        self._connections.close()

    def _carry_over(self, old: Path) -> None:
        """Take the vectors and calibration of another database, where it has any that can be read."""
        assert self._writer is not None
        query = self._connections.query(self._writer, writing=True)
        with suppress(IndexDamaged, IndexWriteFailed):
            query("ATTACH ? AS old", (f"{old.absolute().as_uri()}?mode=ro",))
            try:
                with self._transaction() as inside:
                    writing.carry_over(inside)
            finally:
                query("DETACH old", ())

    def _take_over(self, directory: Path) -> None:
        """Put the index of that directory in the place of this one; for the holder of the lock."""
        with closing(LocalStore.open(directory)) as other:
            newest = 0
            with suppress(IndexDamaged, IndexMissing), self._committed() as query:
                newest = self._generation(query)
            with other.writer(), other._transaction() as query:
                writing.renew(query, 1 + max(newest, self._generation(query)))
        useless = self._of_no_use(older=False)
        if useless:
            self._set_aside()
        if not self._database.exists():
            os.close(os.open(self._database, os.O_RDWR | os.O_CREAT, 0o600))
        self._connections.overwrite(directory / DATABASE)
        sync_directory(self.directory)
        self._save_vectors()
        if useless:
            for ending in ("", *LOG_ENDINGS):
                (self.directory / f"{DATABASE}{DAMAGED}{ending}").unlink(missing_ok=True)

    def _of_no_use(self, *, older: bool = True) -> bool:
        """Whether what is here can only be rebuilt: it is damaged at its root, or `older` than can be read."""
        try:
            schema = self._schema()
        except IndexDamaged:
            return True
        return older and schema is not None and schema < SCHEMA_VERSION

    def _set_aside(self) -> None:
        """Rename a database that cannot be opened, the log first: beside another database it would be its log."""
        for ending in (*LOG_ENDINGS, ""):
            with suppress(FileNotFoundError):
                (self.directory / f"{DATABASE}{ending}").rename(self.directory / f"{DATABASE}{DAMAGED}{ending}")
        sync_directory(self.directory)

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
            if not query("SELECT 1 FROM sqlite_master", ()):
                return None
            return int(query("SELECT schema FROM meta", ())[0][0])

    def _create(self) -> None:
        """Make directory and database, readable by their owner only."""
        _make_directory(self.directory)
        with self._locked(timeout_s=CREATE_WAIT_S):
            if self._schema() is not None:  # another process was faster
                return
            os.close(os.open(self._database, os.O_RDWR | os.O_CREAT, 0o600))
            self._writer = self._connections.writer()
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
        """Holds the lock; without a time to wait also the turn, which the others in this process come for first."""
        with ExitStack() as stack:
            try:
                if not self._turn.acquire(timeout=TURN_WAIT_S if timeout_s else 0):
                    raise Taken(None)
                with ExitStack() as turn:
                    turn.callback(self._turn.release)
                    stack.enter_context(held(self.directory / LOCK, timeout_s=timeout_s))
                    if not timeout_s:
                        stack.enter_context(turn.pop_all())
            except Taken as error:
                raise IndexLocked(
                    f"{self.directory} is being written to by {error}", "wait until it has finished, and try again"
                ) from error
            yield

    @contextmanager
    def _transaction(self) -> Iterator[Query]:
        """A write transaction, committed at its end; one begun inside another is part of it."""
        with self._writing:
            if self._writer is None:
                raise RuntimeError("writing to a store needs `with store.writer():` around it")
            query = self._connections.query(self._writer, writing=True)
            if self._writer.in_transaction:
                yield query
                return
            query("BEGIN IMMEDIATE", ())
            try:
                yield query
                query("COMMIT", ())
            except BaseException:
                roll_back(self._writer)
                raise

    @contextmanager
    def _committed(self) -> Iterator[Query]:
        connection = self._connections.reader()
        try:
            yield self._connections.query(connection, writing=False)
        finally:
            self._connections.give_back(connection)

    def _generation(self, query: Query) -> int:
        return int(query("SELECT generation FROM meta", ())[0][0])

    def _started(self, query: Query) -> Manifest:
        manifest = writing.read_manifest(query)
        if manifest is None:
            raise RuntimeError("a document needs a manifest: call `start` first")
        return manifest


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise IndexWriteFailed(f"{directory} cannot be made: {error}", "name another with --index") from error
