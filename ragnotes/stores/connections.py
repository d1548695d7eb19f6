"""Connections to one SQLite database: readers that are used again, a new one for each writer, whole copies.

SQLite's errors are translated here. This is the only module that imports sqlite3.

Only the writer's connection writes and checkpoints: with SQLite before 3.51.3 two that do so at once can corrupt the
log (the WAL-reset bug). `synchronous=FULL` because with NORMAL a power cut loses acknowledged transactions.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Lock

from ragnotes.errors import (
    IndexDamaged,
    IndexLocked,
    IndexMissing,
    IndexWriteFailed,
    RagnotesError,
    is_out_of_files,
)
from ragnotes.stores.checksums import REPAIR_HINT
from ragnotes.stores.filtering import PATH_FUNCTION, path_matches
from ragnotes.stores.rows import Row
from ragnotes.stores.snapshot import Query
from ragnotes.stores.sqlite_memory import count_no_memory

__all__ = ["LOG_ENDINGS", "Connection", "Connections", "fold_log", "roll_back"]

Connection = sqlite3.Connection
File = tuple[int, int]
"""Device and number: a path may come to name another file."""

BUSY_TIMEOUT_S = 5.0
IDLE_READERS = 8
LOG_BYTES = 64 * 1024 * 1024
JOURNAL = "-journal"
LOG_ENDINGS = (JOURNAL, "-wal", "-shm")
"""What the files beside a database are called that belong to it."""

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


class Connections:
    """The connections of one store. May be used from many threads at once; a connection serves one at a time."""

    def __init__(self, database: Path) -> None:
        count_no_memory()
        self._database = database
        self._lock = Lock()
        self._idle: list[Connection] = []
        self._idle_of: File | None = None
        """The file that the idle readers have open: a directory may be deleted and made anew while we run."""
        self._closed = False

    @contextmanager
    def reader(self) -> Iterator[Connection]:
        """A connection that reads, given back at the end. Raises IndexMissing where the database is gone."""
        file = self._file()
        connection = self._taken(file) or self._connect("ro", READER_PRAGMAS, writing=False)
        try:
            yield connection
        finally:
            self._give_back(connection, file)

    def examiner(self) -> Connection:
        """A new connection that cannot change the database, but make tables and files of its own; to be closed."""
        self._file()
        return self._connect("ro", (), writing=False)

    def _taken(self, file: File | None) -> Connection | None:
        """An idle reader of this file, if there is one. Those of another file are closed."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the store is closed")
            stale: list[Connection] = []
            if file != self._idle_of:
                stale, self._idle, self._idle_of = self._idle, [], file
            connection = self._idle.pop() if self._idle else None
        for each in stale:
            each.close()
        return connection

    def _give_back(self, connection: Connection, file: File | None) -> None:
        """Ends what the reader of this file reads, and keeps it for the next one while the file is the database."""
        with suppress(sqlite3.Error):
            connection.rollback()
        try:
            now = self._file(missing_ok=True)
        except IndexDamaged:
            now = None
        with self._lock:
            keep = (
                not self._closed
                and file == now == self._idle_of
                and not connection.in_transaction
                and len(self._idle) < IDLE_READERS
            )
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()

    def writer(self) -> Connection:
        """A new connection that may write; for the holder of the writer's lock, who closes it."""
        return self._connect("rw", WRITER_PRAGMAS, writing=True)

    def query(self, connection: Connection, *, writing: bool) -> Query:
        """What runs statements on the connection, with errors that callers know."""

        def run(statement: str, values: Sequence[object]) -> list[Row]:
            with self._translated(writing=writing):
                return connection.execute(statement, values).fetchall()

        return run

    def copy(self, to: Path) -> None:
        """Write what is committed now to a new database, compact and in one file. Raises IndexWriteFailed."""
        # A copy is a write to SQLite, though not to this database.
        with closing(self.examiner()) as connection, self._translated(writing=True):
            connection.execute("VACUUM INTO ?", (str(to),)).close()

    def overwrite(self, source: Path) -> None:
        """Put the whole content of another database in the place of this one's, in one transaction.

        Readers, also those of other processes, go on with what they see until they begin anew. For the holder of the
        writer's lock.
        """
        with closing(self.writer()) as connection, closing(sqlite3.connect(source)) as other:
            with self._translated(writing=True):
                other.backup(connection, progress=self._give_up_on_a_lock())
            fold_log(connection)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _give_up_on_a_lock(self) -> Callable[[int, int, int], None]:
        """For `backup`, which by itself waits for a foreign lock for ever."""
        deadline = time.monotonic() + BUSY_TIMEOUT_S

        def check(status: int, _remaining: int, _total: int) -> None:
            if status & 0xFF in BUSY and time.monotonic() > deadline:
                raise IndexLocked(f"{self._database} is locked by another process", "wait until it has finished")

        return check

    def _file(self, *, missing_ok: bool = False) -> File | None:
        try:
            found = self._database.stat()
        except FileNotFoundError:
            if missing_ok:
                return None
            raise IndexMissing(f"there is no index in {self._database.parent}", "run: ragnotes index") from None
        except OSError as error:
            raise IndexDamaged(f"{self._database} cannot be read: {error}", "check its permissions") from error
        return found.st_dev, found.st_ino

    def _connect(self, mode: str, pragmas: Sequence[str], *, writing: bool) -> Connection:
        """An open connection. `mode` keeps SQLite from making a database where there is none."""
        if not writing and Path(f"{self._database}{JOURNAL}").exists():
            self._roll_back_journal()
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

    def _roll_back_journal(self) -> None:
        """Undo what was cut off while the database was made, before it had a log. A reader may not."""
        with self._translated(writing=True):
            uri = f"{self._database.absolute().as_uri()}?mode=rw"
            with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
                connection.execute("SELECT 1 FROM sqlite_master").close()

    @contextmanager
    def _translated(self, *, writing: bool) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as error:
            raise self._error_of(error, writing=writing) from error
        except UnicodeDecodeError as error:  # SQLite's own message may quote what is damaged
            raise IndexDamaged(f"{self._database} is damaged: {error}", REPAIR_HINT) from error

    def _error_of(self, error: sqlite3.Error, *, writing: bool) -> RagnotesError | ValueError:
        """The error that callers know. Only the first byte of SQLite's code is its kind."""
        kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if kind == sqlite3.SQLITE_CONSTRAINT:
            return ValueError(f"{self._database}: {error}")
        if kind in BUSY:
            return IndexLocked(f"{self._database} is locked by another process", "wait until it has finished")
        if kind == sqlite3.SQLITE_CANTOPEN and self._no_file_left():
            return IndexLocked(
                f"{self._database} cannot be opened: as many files are open as may be",
                "try again, or allow more open files (ulimit -n)",
            )
        if kind in REFUSED and writing:
            return IndexWriteFailed(
                f"{self._database} cannot be written: {error}", "free some space, or check the disk"
            )
        if kind in REFUSED:
            return IndexDamaged(f"{self._database} cannot be read: {error}", "check its permissions and the disk")
        return IndexDamaged(f"{self._database} is damaged: {error}", REPAIR_HINT)

    def _no_file_left(self) -> bool:
        """Whether this process cannot open a file just now, which SQLite does not tell."""
        try:
            self._database.open("rb").close()
        except OSError as error:
            return is_out_of_files(error)
        return False


def roll_back(connection: Connection) -> None:
    """Undo what was not committed. A disk that fails may refuse this too; closing then undoes the rest."""
    with suppress(sqlite3.Error):
        connection.rollback()


def fold_log(connection: Connection) -> None:
    """Move the log into the database and empty it, so that deleted text leaves the disk; not waiting for readers.

    Whatever stays in the log is committed all the same, so a failure here is none of the writer's.
    """
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA busy_timeout = 0").close()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
