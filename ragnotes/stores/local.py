"""The store of one machine: a directory with a SQLite database, the truth, and a file of vectors, a copy for speed.

Transactions and the writer's role live here; the connections are in `connections`, the SQL is in `snapshot` and
`writing`, and what takes the place of a whole index is in `replacing`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from threading import RLock

from ragnotes.calibration import Calibration
from ragnotes.errors import IndexDamaged, IndexLocked, IndexMismatch, IndexMissing, IndexWriteFailed
from ragnotes.stores import pacing, replacing, writing
from ragnotes.stores.connections import Connection, Connections, fold_log, roll_back
from ragnotes.stores.lexical import SharedCounts
from ragnotes.stores.locking import SharedLock, Taken
from ragnotes.stores.migrations import migrate
from ragnotes.stores.pacing import Pace
from ragnotes.stores.permissions import make_directory, make_private, written_to
from ragnotes.stores.removal import any_removed, purge
from ragnotes.stores.schema import CREATE, OLDEST_SCHEMA, SCHEMA_VERSION, UPGRADE_HINT
from ragnotes.stores.sharing import BOUNDS, Bounds, SharedVectors
from ragnotes.stores.snapshot import LocalSnapshot, Query, read_meta
from ragnotes.stores.vectors_file import saved_generation, sync_directory
from ragnotes.types import Chunk, Document, FileRecord, Manifest, Vectors

__all__ = ["LocalStore"]

DATABASE = "ragnotes.sqlite3"
VECTORS = "vectors.faiss"
LOCK = "writer.lock"

REBUILD_HINT = "move its folder away and run: ragnotes index (your notes are not touched)"

LOCK_WAIT_S = 1.0
CREATE_WAIT_S = 5.0


class LocalStore:
    """The `Store` in one directory; made by `LocalStore.open`. May be used from many threads at once."""

    def __init__(self, directory: Path, *, bounds: Bounds = BOUNDS) -> None:
        self.directory = directory
        self._database = directory / DATABASE
        self._vectors = directory / VECTORS
        self._shared = SharedVectors(self._vectors, bounds=bounds)
        self._counts = SharedCounts()
        self._connections = Connections(self._database)
        self._closed = False
        self._lock = SharedLock(directory / LOCK)
        self._writing = RLock()
        self._writer: Connection | None = None
        self._saves, self._purges = Pace(), Pace()
        self._behind = False
        """Whether saving the vectors was put off."""

    @classmethod
    def open(
        cls, directory: Path, *, create: bool = False, rebuild: bool = False, bounds: Bounds = BOUNDS
    ) -> LocalStore:
        """The store in this directory, made if there is none and `create` says so. See `sharing` for `bounds`.

        Raises IndexMissing, IndexDamaged for what is no index, IndexMismatch for one of another ragnotes, and
        IndexWriteFailed where it cannot be made. To `rebuild` it, an older or damaged one will do.
        """
        store = cls(directory, bounds=bounds)
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
            yield LocalSnapshot(query, self._shared, self._counts)

    @contextmanager
    def writer(self, *, brief: bool = False) -> Iterator[None]:
        """The right to write. Raises IndexLocked while another process or thread has it, after a moment's wait.

        At its end traces of what was taken out are removed and the vectors are saved, which takes the longer the larger
        the index is; in a process that writes often both are put off. A `brief` writer leaves both to the next one, and
        waits for nobody. Others in this process wait for it: they go first where both want to write. A reader that ends
        holds the lock while it saves.
        """
        if self._schema() is None:  # the directory was deleted while this process ran
            self._create()
        with self.locked(timeout_s=0 if brief else LOCK_WAIT_S):
            connection = self._connections.writer()
            self._writer, before = connection, None
            query = self._connections.query(connection, writing=True)
            try:
                with written_to(self.directory):
                    replacing.drop_unfinished(self._database)
                with self.transaction():
                    migrate(query)
                before = self._generation(query)
                self._shared.clear_leftovers(before)
                yield
                if not brief:
                    self._tidy(query)
            finally:
                try:
                    if not brief and before is not None:
                        self._keep_up(query)
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
        with self.transaction() as query:
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
        with self.transaction() as query:
            writing.put_vectors(query, embedder, texts, vectors)

    def replace(self, document: Document, chunks: Sequence[Chunk], record: FileRecord) -> None:
        """Put a document in the place of what had its id or path. See `writing.put_document` for what it raises."""
        with self.transaction() as query:
            writing.put_document(query, self._started(query), document, chunks, record)
            writing.bump_generation(query)

    def record(self, records: Sequence[FileRecord]) -> None:
        """Keep what is known of these files; their documents, and the generation, stay as they are."""
        with self.transaction() as query:
            writing.put_files(query, records)

    def remove(self, paths: Sequence[str], *, keeping: Sequence[FileRecord] = ()) -> None:
        """Drop the documents and records of these files, but for records to keep; unknown paths are ignored."""
        with self.transaction() as query:
            if writing.remove_paths(query, paths):
                writing.bump_generation(query)
            writing.put_files(query, keeping)
        if paths:  # a rebuild that was cut off may hold their text, also where this index has none
            replacing.drop_shadow(self.directory)

    def calibrate(self, calibration: Calibration | None) -> None:
        """Keep this calibration for the index as it is built now; None goes back to the shipped one."""
        with self.transaction() as query:
            writing.keep_calibration(query, self._started(query), calibration)
            writing.bump_generation(query)

    def reset(self, manifest: Manifest) -> None:
        """Begin anew with this manifest: documents and records go, vectors and what was forgotten stay."""
        with self.transaction() as query:
            writing.remove_all(query)
            writing.write_manifest(query, manifest)
            writing.bump_generation(query)

    def purge(self) -> bool:
        """Leave no trace of what was taken out, in any file, as far as readers let go of the log; whether it was done.

        What failed, for want of room, is logged and done by a later run.
        """
        return self._purge(at_once=True)

    @contextmanager
    def rebuilding(self, manifest: Manifest) -> Iterator[LocalStore]:
        """Another store to write to, which takes the place of this one at the end, as `take_over` says.

        Vectors known here are known there. What a rebuild with this manifest wrote before it was cut off is there too,
        unless it was damaged since. Raises IndexLocked as `writer` does.
        """
        with self.made_beside(replacing.SHADOW) as directory:
            with ExitStack() as stack:
                try:
                    shadow = stack.enter_context(self._shadow(directory, manifest))
                except (IndexDamaged, IndexMismatch):
                    shutil.rmtree(directory)
                    shadow = stack.enter_context(self._shadow(directory, manifest))
                yield shadow
            self.take_over(directory)

    @contextmanager
    def made_beside(self, name: str) -> Iterator[Path]:
        """A directory in this one's, where an index is to be made while nobody else writes; see `replacing`.

        Raises IndexLocked as `writer` does.
        """
        make_directory(self.directory)
        with self.locked(timeout_s=LOCK_WAIT_S), replacing.made_beside(self.directory, name) as folder:
            yield folder

    def take_over(self, directory: Path) -> None:
        """Put the index of that directory in the place of this one, in one transaction; for the holder of the lock.

        Until then this one answers, also in other processes. The generation is higher afterwards.
        """
        with closing(LocalStore.open(directory)) as other:
            newest = 0
            with suppress(IndexDamaged, IndexMissing), self._committed() as query:
                newest = self._generation(query)
            with other.writer(), other.transaction() as query:
                writing.renew(query, 1 + max(newest, self._generation(query)))
        with replacing.in_the_way(self._database) if self._of_no_use(older=False) else nullcontext():
            if not self._database.exists():
                os.close(os.open(self._database, os.O_RDWR | os.O_CREAT, 0o600))
            self._connections.overwrite(directory / DATABASE)
            sync_directory(self.directory)
        self._save_vectors()

    def describe(self, manifest: Manifest) -> None:
        """Say that this is what the index was built with; for one whose folders of notes were moved."""
        with self.transaction() as query:
            writing.write_manifest(query, manifest)

    def copy(self, to: Path) -> None:
        """Write what is committed now to a new database file. Raises IndexWriteFailed."""
        self._connections.copy(to)

    def close(self) -> None:
        """Save the vectors if this process holds newer ones than the file, or put that off; let go of the database."""
        closed, self._closed = self._closed, True
        try:
            if not closed and (self._behind or self._shared.unsaved):
                with suppress(IndexLocked, IndexMissing, IndexWriteFailed), self.locked(timeout_s=0):
                    self._save_vectors()  # else the one who writes saves
        finally:
            self._connections.close()

    @contextmanager
    def examining(self) -> Iterator[Query]:
        """SQL on what is committed now, which it cannot change; for tables of its own there is `temp`, in memory."""
        with closing(self._connections.examiner()) as connection:
            query = self._connections.query(connection, writing=False)
            for statement in ("PRAGMA temp_store = MEMORY", "BEGIN"):
                query(statement, ())
            yield query

    @contextmanager
    def _shadow(self, directory: Path, manifest: Manifest) -> Iterator[LocalStore]:
        """The store that a rebuild fills, begun or gone on with. Raises IndexDamaged, as far as that can be seen."""
        with closing(LocalStore.open(directory, create=True)) as shadow, shadow.writer():
            with shadow.examining() as query, shadow.reading() as snapshot:
                replacing.check_readable(query, snapshot)
            shadow._carry_over(self._database)
            if shadow.manifest() != manifest:
                shadow.reset(manifest)
            yield shadow

    def _carry_over(self, old: Path) -> None:
        """Take the vectors and calibration of another database, where it has any that can be read."""
        assert self._writer is not None
        query = self._connections.query(self._writer, writing=True)
        with suppress(IndexWriteFailed), writing.carrying(old):
            query("ATTACH ? AS old", (f"{old.absolute().as_uri()}?mode=ro",))
            try:
                with self.transaction():
                    writing.carry_over(query)
            finally:
                query("DETACH old", ())

    def _tidy(self, query: Query) -> None:
        with self.transaction():
            writing.remove_unused_vectors(query)
        if any_removed(query) and self._purges.due(pacing.PURGE_SHARE):
            self._purge()

    def _purge(self, *, at_once: bool = False) -> bool:
        with self._purges.work():
            done = purge(self.transaction, at_once=at_once)
        if done or at_once:
            replacing.drop_shadow(self.directory)
            self._saves = Pace()  # the file of vectors is to forget them with the rest
        return done

    def _keep_up(self, query: Query) -> None:
        """Save the vectors where the file is not of this generation, unless they were saved just now."""
        if self.directory.name in replacing.UNSEARCHED:
            return
        self._behind = saved_generation(self._vectors) != self._generation(query)
        if self._behind and self._saves.due(pacing.SAVE_SHARE):
            with self._saves.work():
                self._save_vectors()

    def _of_no_use(self, *, older: bool = True) -> bool:
        """Whether what is here can only be rebuilt: it is damaged at its root, or `older` than can be read."""
        try:
            schema = self._schema()
        except IndexDamaged:
            return True
        return older and schema is not None and schema < SCHEMA_VERSION

    def _save_vectors(self) -> None:
        with self.reading() as snapshot:
            self._shared.save(snapshot)
        self._behind = False

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
            return int(read_meta(query, "schema")[0])

    def _create(self) -> None:
        """Make directory and database, readable by their owner only."""
        make_directory(self.directory)
        with self.locked(timeout_s=CREATE_WAIT_S), written_to(self.directory):
            if self._schema() is not None:  # another process was faster
                return
            os.close(os.open(self._database, os.O_RDWR | os.O_CREAT, 0o600))
            self._writer = self._connections.writer()
            try:
                with self.transaction() as query:
                    for statement in CREATE:
                        query(statement, ())
                sync_directory(self.directory)
            finally:
                self._writer.close()
                self._writer = None

    @contextmanager
    def locked(self, *, timeout_s: float) -> Iterator[None]:
        """The lock of the index, without a connection that writes. Raises IndexLocked while another has it."""
        with ExitStack() as stack:
            try:
                stack.enter_context(self._lock.taken(timeout_s=timeout_s))
            except Taken as error:
                problem = f"{self.directory} is being written to by {error}"
                raise IndexLocked(problem, "wait until it has finished, and try again") from error
            yield

    @contextmanager
    def transaction(self) -> Iterator[Query]:
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
        with self._connections.reader() as connection:
            yield self._connections.query(connection, writing=False)

    def _generation(self, query: Query) -> int:
        return int(read_meta(query, "generation")[0])

    def _started(self, query: Query) -> Manifest:
        manifest = writing.read_manifest(query)
        if manifest is None:
            raise RuntimeError("a document needs a manifest: call `start` first")
        return manifest
