"""The process that is killed, stopped and starved: it indexes notes and tells what was acknowledged, line by line.

It waits for orders on standard input, one JSON object a line, and forks a child for each, so that a run costs no
imports. A child writes to a file of its own: `embed KEY` for each string that it embeds, `kept KEY` once its vector is
committed, `ack PATH SHA256` and `gone PATH` once a document is committed or removed, `end` or `error NAME TEXT`.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from ragnotes.errors import RagnotesError
from ragnotes.indexing import Indexer
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading.loaders import Limits
from ragnotes.stores.local import LocalStore
from ragnotes.types import Chunk, Document, FileRecord, Vectors

__all__ = ["Order", "index_notes", "key_of"]

CHILD_FAILED = 3


@dataclass(frozen=True, slots=True)
class Order:
    """One run of indexing. `rounds` are folders: the files in each are moved over the notes before a run.

    `dies_after` kills the process with that statement of SQL, of those that change something. `held` stops it before it
    begins. `limits` are of `resource`, without RLIMIT_. `user` is the user id that it runs as.
    """

    notes: str
    index: str
    log: str
    rounds: Sequence[str] = ()
    dies_after: int | None = None
    held: bool = False
    limits: Sequence[tuple[str, int]] = ()
    user: int | None = None

    def encoded(self) -> str:
        return json.dumps(asdict(self))


def key_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Log:
    """Lines in a file, each written whole by one system call."""

    def __init__(self, path: str | None) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._descriptor = os.open(path, flags, 0o666) if path else None

    def __call__(self, *words: str) -> None:
        if self._descriptor is not None:
            os.write(self._descriptor, (" ".join(words).replace("\n", " ") + "\n").encode("utf-8", "surrogateescape"))


class TellingEmbedder(HashingEmbedder):
    """Tells each string that it embeds."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def embed_documents(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        for text in texts:
            self._log("embed", key_of(text))
        return super().embed_documents(texts, background=background)


class TellingStore(LocalStore):
    """Tells what it acknowledged."""

    log = Log(None)

    def remember(self, embedder: str, texts: Sequence[str], vectors: Vectors) -> None:
        super().remember(embedder, texts, vectors)
        for text in texts:
            self.log("kept", key_of(text))

    def replace(self, document: Document, chunks: Sequence[Chunk], record: FileRecord) -> None:
        super().replace(document, chunks, record)
        self.log("ack", record.sha256 or "", document.path)

    def remove(self, paths: Sequence[str], *, keeping: Sequence[FileRecord] = ()) -> None:
        super().remove(paths, keeping=keeping)
        for path in paths:
            self.log("gone", path)


def index_notes(order: Order, log: Log) -> None:
    """One run for each round, or one over the notes as they are. Raises what indexing raises."""
    notes, index = Path(order.notes), Path(order.index)
    TellingStore.log = log
    if order.dies_after is not None:
        _die_after(order.dies_after)
    with closing(TellingStore.open(index, create=True)) as store:
        indexer = Indexer(store, TellingEmbedder(log), (notes,), index, Limits())
        for folder in order.rounds or (None,):
            if folder is not None:
                _move_over(Path(folder), notes)
            indexer.update(lambda _: None, allow_empty=True)
            log("end")


def _die_after(statements: int) -> None:
    """From now on the process dies with that statement that changes something, whichever connection it comes from."""
    left = [statements]

    def count(statement: str) -> None:
        if not statement.lstrip().startswith(("SELECT", "PRAGMA", "--", "WITH")):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def connect(*values: object, **options: object) -> sqlite3.Connection:
        connection = opened(*values, **options)
        connection.set_trace_callback(count)
        return connection

    opened: Callable[..., sqlite3.Connection] = sqlite3.connect
    sqlite3.connect = connect  # type: ignore[assignment]


def _move_over(folder: Path, notes: Path) -> None:
    for file in sorted(folder.iterdir()):
        file.replace(notes / file.name)


def _child(order: Order) -> int:
    log = Log(order.log)
    for name, limit in order.limits:
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (limit, limit))
    if order.user is not None:
        os.setgroups([])
        os.setgid(order.user)
        os.setuid(order.user)
    if order.held:
        os.kill(os.getpid(), signal.SIGSTOP)
    try:
        index_notes(order, log)
    except (RagnotesError, MemoryError) as error:
        log("error", type(error).__name__, str(error))
        return CHILD_FAILED
    except BaseException as error:
        log("error", type(error).__name__, str(error))
        raise
    return 0


def _orders() -> Iterator[Order]:
    for line in sys.stdin:
        yield Order(**json.loads(line))


def main() -> None:
    """Forks a child for each order, tells its process id and, once it has ended, how."""
    _warm_up()
    for order in _orders():
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                status = _child(order)
            finally:
                os._exit(status)
        print(pid, flush=True)
        _, ended = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(ended), flush=True)


def _warm_up() -> None:
    """Load what is loaded at first use."""
    import faiss  # noqa: F401

    TellingEmbedder(Log(None)).embed_documents(["words"])


if __name__ == "__main__":
    main()
