"""Corpus to store: compare, read, chunk, embed only what is new, commit file by file.

The corpus is the truth and the index follows it. A file is read when its fingerprint differs from the one on record; a
string is embedded when the store has never seen it. Vectors are committed before the documents that need them, so a
run that is cut off loses no work, and the next one goes on where it stopped.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ragnotes.dates import DayMonthOrder
from ragnotes.errors import CorpusError, IndexDamaged, IndexMissing, LoadError
from ragnotes.events import IndexStatus, IndexSummary, Progress
from ragnotes.ports import Embedder, Store
from ragnotes.reading.chunking import CHUNKER, chunks_of
from ragnotes.reading.corpus import UNREADABLE_FOLDER, CorpusFile, check_roots, read_file, walk
from ragnotes.reading.identity import sha256_of
from ragnotes.reading.loaders import SUFFIXES, Limits, load_document
from ragnotes.reading.packing import PackedChunks
from ragnotes.types import FORGOTTEN, Document, FileRecord, FileStatus, Manifest

__all__ = ["Indexer", "manifest_for", "record_of", "status_of"]

_log = logging.getLogger(__name__)

BATCH_STRINGS = 256
"""Strings gathered over files before they are embedded together."""
EMBEDDED_AT_ONCE = 16
"""Strings between two looks at whether the run is to stop: less than a second."""
ASKED_AT_ONCE = 4096
"""Strings whose vectors are looked up together."""
KEPT_REASONS = frozenset({"unreadable", "timed_out"})
"""Failures that say nothing about the content: the passages indexed before stay, until the file can be read."""


@dataclass(frozen=True, slots=True)
class Read:
    """A file that was read and cut, waiting for its vectors; its document has no blocks any more."""

    document: Document
    chunks: PackedChunks
    record: FileRecord


@dataclass(frozen=True, slots=True)
class Indexer:
    """Brings one store up to date with the folders it was made from."""

    store: Store
    embedder: Embedder
    roots: tuple[Path, ...]
    index: Path
    limits: Limits
    order: DayMonthOrder | None = None

    def update(
        self,
        progress: Callable[[Progress], None],
        *,
        rebuild: bool = False,
        allow_empty: bool = False,
        retry_failed: bool = False,
    ) -> IndexSummary:
        """One run over the whole corpus. Raises CorpusError where a folder is missing or empty.

        `rebuild` accepts another embedder, chunker or root, and makes another index beside the old one, which answers
        until it is replaced; cut off, the next rebuild goes on. A file that fails is recorded and the run goes on.
        """
        started = time.monotonic()
        roots = check_roots(self.roots)
        manifest = manifest_for(self.embedder, roots, self.order)
        with self.store.rebuilding(manifest) if rebuild else self.store.writer() as shadow:
            files = walk(roots, index=self.index, suffixes=SUFFIXES)
            known = self._known(damaged_ok=rebuild)
            if not allow_empty:
                _check_not_empty(roots, files, known)
            if shadow is None:
                self.store.start(manifest)
            written = self
            if shadow is not None:
                written = replace(self, store=shadow)
                known = written._known()
            run = _Run(written, files, known, progress, retry_failed)
            run.changes()
        with self.store.reading() as snapshot:
            return replace(
                run.summary(),
                chunks=snapshot.count(),
                generation=snapshot.generation,
                seconds=time.monotonic() - started,
            )

    def _known(self, *, damaged_ok: bool = False) -> dict[str, FileRecord]:
        try:
            with self.store.reading() as snapshot:
                return {record.path: record for record in snapshot.files()}
        except (IndexDamaged, IndexMissing):
            if damaged_ok:
                return {}
            raise


class _Run:
    """One pass over the files: what is to be done with each, and the tally."""

    def __init__(
        self,
        indexer: Indexer,
        files: Sequence[CorpusFile],
        known: dict[str, FileRecord],
        progress: Callable[[Progress], None],
        retry_failed: bool,
    ) -> None:
        self._indexer = indexer
        self._store = indexer.store
        self._files = files
        self._known = known
        self._progress = progress
        self._told = Progress(0, len(files))
        self._retry_failed = retry_failed
        closed = tuple(file.path for file in files if file.skipped == UNREADABLE_FOLDER)
        missing = known.keys() - {file.path for file in files}
        missing = {path for path in missing if known[path].reason != FORGOTTEN}  # it may come back
        self._gone = sorted(path for path in missing if not path.startswith(closed))  # out of sight is not gone
        self._gone_contents = Counter(known[path].sha256 for path in self._gone if known[path].sha256)
        self._tally: Counter[str] = Counter()
        self._outcome = ""
        """Of the file that was read last."""
        self._notes: list[FileRecord] = []
        self._unwanted: list[str] = []
        """Skipped now, and on record: of what is skipped nothing is kept, so that a scan is short."""

    def summary(self) -> IndexSummary:
        names = ("added", "changed", "moved", "removed", "unchanged", "skipped", "failed", "embedded")
        return IndexSummary(**{name: self._tally[name] for name in names})

    def changes(self) -> None:
        """Commits every file that differs from the record, each in a transaction of its own."""
        for batch in self._batches():
            while batch:  # what is done is not to be held while the next is read
                read = batch.pop(0)
                self._store.replace(read.document, read.chunks, read.record)
                del read
            self._store.record(self._notes)
            self._notes.clear()
        self._store.remove([*self._gone, *self._unwanted])
        self._tally["removed"] = sum(self._gone_contents.values())

    def _batches(self) -> Iterator[list[Read]]:
        """Files read and cut, in groups whose vectors are in the store."""
        batch: list[Read] = []
        for number, file in enumerate(self._files):
            self._tell(Progress(number, len(self._files), file.path))
            read = self._read(file)
            self._tell(Progress(number + 1, len(self._files), file.path, self._outcome))
            if read is not None:
                batch.append(read)
            del read  # the batch alone holds it
            if sum(len(read.chunks) for read in batch) >= BATCH_STRINGS:
                self._embed(batch)
                yield batch
                batch = []
        self._embed(batch)
        yield batch
        self._tell(Progress(len(self._files), len(self._files)))

    def _tell(self, progress: Progress) -> None:
        """Says how far the run is. Whoever listens may raise, which ends it."""
        self._told = progress
        self._progress(progress)

    def _embed(self, batch: Iterable[Read]) -> None:
        embedder = self._indexer.embedder
        texts = list(dict.fromkeys(chunk.embedded for read in batch for chunk in read.chunks))
        missing = sorted(self._unknown(texts), key=len)  # like lengths go together
        for first in range(0, len(missing), EMBEDDED_AT_ONCE):  # a long file that is cut off resumes too
            if first:
                self._tell(replace(self._told, outcome=""))
            strings = missing[first : first + EMBEDDED_AT_ONCE]
            vectors = embedder.embed_documents(strings, background=True)
            self._store.remember(embedder.name, strings, np.ascontiguousarray(vectors))
            self._tally["embedded"] += len(strings)

    def _count(self, outcome: str) -> None:
        self._outcome = outcome
        self._tally[outcome] += 1

    def _unknown(self, texts: Sequence[str]) -> Iterator[str]:
        """Those whose vectors are not in the store, in order."""
        for first in range(0, len(texts), ASKED_AT_ONCE):
            asked = texts[first : first + ASKED_AT_ONCE]
            known = self._store.embeddings(self._indexer.embedder.name, asked)
            yield from (text for text in asked if text not in known)

    def _read(self, file: CorpusFile) -> Read | None:
        """The file, read and cut; None where nothing is to be indexed, its record then being up to date."""
        known = self._known.get(file.path)
        if known and known.reason == FORGOTTEN:
            self._count("skipped")
            return None
        if file.skipped:
            self._count("skipped")
            if known:  # what was a note is now a link, or ignored
                self._unwanted.append(file.path)
            return None
        if known and known.fingerprint == file.fingerprint and not self._tried_otherwise(file, known):
            self._count("unchanged" if known.status is FileStatus.INDEXED else known.status)
            return None
        try:
            content, fingerprint = read_file(file, max_bytes=self._indexer.limits.max_file_bytes)
            sha256 = sha256_of(content)
            if known and known.sha256 == sha256 and known.status is FileStatus.INDEXED:
                self._count("unchanged")
                self._note(replace(known, fingerprint=fingerprint), known)
                return None
            document = load_document(content, file.path, self._indexer.limits, order=self._indexer.order)
            del content  # a long one takes as much room as its text
            chunks = PackedChunks(document.text, chunks_of(document, self._indexer.embedder))
        except LoadError as error:
            self._fail(file, known, error)
            return None
        except MemoryError:  # says nothing about the file
            raise
        except Exception as error:  # a reader's own mistake must not cost the files after this one
            _log.exception("%s cannot be read", file.path)
            self._fail(file, known, LoadError("reader_error", f"{file.path}: {error}"))
            return None
        self._count(self._change(known, sha256))
        return Read(replace(document, blocks=()), chunks, record_of(file.path, len(chunks), fingerprint, sha256))

    def _tried_otherwise(self, file: CorpusFile, known: FileRecord) -> bool:
        """Whether an unchanged file is worth another look: on demand, or under another limit or list of suffixes."""
        if known.reason == "too_large":
            return file.size_bytes <= self._indexer.limits.max_file_bytes
        if known.reason == "unreadable":  # the next open may succeed, and one that fails costs nothing
            return True
        skipped = known.status is FileStatus.SKIPPED and known.reason != "not_a_transcript"
        return skipped or (self._retry_failed and known.status is FileStatus.FAILED)

    def _change(self, known: FileRecord | None, sha256: str) -> str:
        if known is not None and known.sha256 is not None:
            return "changed"
        if self._gone_contents[sha256] > 0:
            self._gone_contents[sha256] -= 1
            return "moved"
        return "added"

    def _fail(self, file: CorpusFile, known: FileRecord | None, error: LoadError) -> None:
        """Records the failure. Passages of a content that is no longer in the file are dropped."""
        skipped = error.reason == "not_a_transcript"
        status = FileStatus.SKIPPED if skipped else FileStatus.FAILED
        self._count("skipped" if skipped else "failed")
        kept = known is not None and error.reason in KEPT_REASONS
        if known is not None and known.sha256 and not kept:
            self._store.remove([file.path])
        record = FileRecord(file.path, status, error.reason, fingerprint=file.fingerprint, indexed_at=_now())
        if known is not None and kept:
            record = replace(record, chunks=known.chunks, sha256=known.sha256)
        self._note(record, known)

    def _note(self, record: FileRecord, known: FileRecord | None) -> None:
        if record != known:
            self._notes.append(record)


def record_of(path: str, chunks: int, fingerprint: str, sha256: str) -> FileRecord:
    """The record of a file that is in the index as of now."""
    return FileRecord(
        path=path,
        status=FileStatus.INDEXED,
        reason=None if chunks else "empty",
        chunks=chunks,
        indexed_at=_now(),
        fingerprint=fingerprint,
        sha256=sha256,
    )


def manifest_for(embedder: Embedder, roots: Sequence[Path], order: DayMonthOrder | None = None) -> Manifest:
    """What an index of these resolved roots is built with by this ragnotes, the way of reading dates included."""
    chunker = f"{CHUNKER}, {order} dates" if order else CHUNKER
    return Manifest(embedder.name, embedder.dimension, chunker, tuple(str(root) for root in roots))


def status_of(store: Store, roots: Sequence[Path], index: Path, *, model: str | None) -> IndexStatus:
    """Every file of the corpus with its outcome, as disk and index stand now; opens only files that look changed."""
    files = {file.path: file for file in walk(check_roots(roots), index=index, suffixes=SUFFIXES)}
    with store.reading() as snapshot:
        known = {record.path: record for record in snapshot.files()}
        generation = snapshot.generation
        calibration = snapshot.calibration()
    closed = tuple(path for path, file in files.items() if file.skipped == UNREADABLE_FOLDER)
    records = [
        replace(known[path], status=FileStatus.STALE, reason=UNREADABLE_FOLDER)
        if path not in files and path.startswith(closed)
        else _status_of_file(files.get(path), known.get(path))
        for path in sorted(files.keys() | known.keys())
    ]
    manifest = store.manifest()
    return IndexStatus(
        files=tuple(records),
        counts={status.value: sum(record.status is status for record in records) for status in FileStatus},
        generation=generation,
        embedder=manifest.embedder if manifest else "",
        model=model,
        calibration=calibration,
    )


def _status_of_file(file: CorpusFile | None, known: FileRecord | None) -> FileRecord:
    if known is not None and known.reason == FORGOTTEN:
        return known
    if file is None:
        assert known is not None  # the path came from one of the two
        return replace(known, status=FileStatus.STALE, reason="deleted")
    if file.skipped:
        return FileRecord(file.path, FileStatus.SKIPPED, file.skipped)
    if known is None:
        return FileRecord(file.path, FileStatus.STALE, "not_indexed")
    if known.fingerprint == file.fingerprint or _same_content(file, known):
        return known
    return replace(known, status=FileStatus.STALE, reason="changed")


def _same_content(file: CorpusFile, known: FileRecord) -> bool:
    if known.sha256 is None:  # it could not be read, perhaps for its size
        return False
    try:
        return known.sha256 == sha256_of(read_file(file, max_bytes=file.size_bytes).content)
    except LoadError:
        return False


def _check_not_empty(roots: Sequence[Path], files: Sequence[CorpusFile], known: dict[str, FileRecord]) -> None:
    """An unmounted disk looks like an empty folder: the index is kept, and the user is asked."""
    readable = [file.path for file in files if not file.skipped or file.skipped == UNREADABLE_FOLDER]
    for root in roots:
        prefix = f"{root.name}/" if len(roots) > 1 else ""
        had = sum(bool(record.sha256) for path, record in known.items() if path.startswith(prefix))
        if had and not any(path.startswith(prefix) for path in readable):
            raise CorpusError(
                f"corpus folder {root} is empty, but the index holds {had} files of it; the index was kept",
                "mount or restore the folder, or accept it: ragnotes index --allow-empty",
            )
    if not readable:
        raise CorpusError(
            f"there is no note in {', '.join(map(str, roots))} ({len(files)} files of other kinds)",
            "add notes (.md .txt .pdf .html .vtt .srt), name another folder with --corpus, or accept it:"
            " ragnotes index --allow-empty",
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
