"""Files that a search hits and that have changed since they were indexed: read again at once, where that is quick.

Only these few are looked at, and only where nobody else writes; whatever would take long is left to the next run, and
its passages are left out of the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ragnotes.errors import IndexLocked, IndexWriteFailed, LoadError
from ragnotes.indexing import Indexer, manifest_for, record_of
from ragnotes.ports import Snapshot
from ragnotes.reading.chunking import chunk_document
from ragnotes.reading.corpus import check_roots, file_at, is_ignored, read_file, suffix_of
from ragnotes.reading.identity import document_id, sha256_of
from ragnotes.reading.loaders import load_document

__all__ = ["reread"]

MAX_FILES = 3
MAX_BYTES = 256 * 1024
MAX_STRINGS = 32
"""To embed; a page of edited text has fewer."""
EMBEDDED_AT_ONCE = 8
"""After so many somebody may have left, or the time be over."""
MAX_S = 1.0
"""After this long nothing more is begun. What was embedded by then is kept: the next question goes on from there."""
SLOW = frozenset({".pdf"})
"""Read in a process of their own."""


def reread(indexer: Indexer, paths: Sequence[str], stopped: Callable[[], bool] = lambda: False) -> tuple[str, ...]:
    """Those of the paths whose files are in the index again as they are now, in order; no more once `stopped()`.

    () where another writes, or the index is of another embedder, chunker or folder.
    """
    wanted = [path for path in paths if suffix_of(path) not in SLOW][:MAX_FILES]
    if not wanted:
        return ()
    roots = check_roots(indexer.roots)
    indexer = replace(indexer, roots=roots, limits=replace(indexer.limits, max_file_bytes=MAX_BYTES))
    ends = time.monotonic() + MAX_S
    done: list[str] = []

    def over() -> bool:
        return time.monotonic() > ends or stopped()

    try:
        with indexer.store.writer(brief=True):  # a question waits
            if indexer.store.manifest() != manifest_for(indexer.embedder, roots, indexer.order):
                return ()
            for path in wanted:
                if not over() and _reread(indexer, path, over):
                    done.append(path)
    except (IndexLocked, IndexWriteFailed):
        pass
    return tuple(done)


def _reread(indexer: Indexer, path: str, stopped: Callable[[], bool]) -> bool:
    """Whether the file's passages are those of its content now. One that cannot be read stays as it is in the index."""
    file = file_at(indexer.roots, path)
    with indexer.store.reading() as snapshot:
        indexed = _digest(snapshot, path)
    if file is None or indexed is None or is_ignored(file):
        return False
    try:
        content, fingerprint = read_file(file, max_bytes=indexer.limits.max_file_bytes)
        if (sha256 := sha256_of(content)) == indexed:  # another question was faster
            return True
        document = load_document(content, path, indexer.limits, order=indexer.order)
    except LoadError:
        return False
    chunks = chunk_document(document, indexer.embedder)
    if not _embed(indexer, [chunk.embedded for chunk in chunks], stopped):
        return False
    indexer.store.replace(document, chunks, record_of(path, len(chunks), fingerprint, sha256))
    return True


def _digest(snapshot: Snapshot, path: str) -> str | None:
    """The digest of what is indexed; None where the file has been taken out meanwhile."""
    document = snapshot.document(document_id(path))
    return document.sha256 if document else None


def _embed(indexer: Indexer, texts: Sequence[str], stopped: Callable[[], bool]) -> bool:
    """Whether the vectors of all texts are in the store; not where there are too many to embed in time."""
    embedder = indexer.embedder
    known = indexer.store.embeddings(embedder.name, texts)
    missing = [text for text in dict.fromkeys(texts) if text not in known]
    if len(missing) > MAX_STRINGS:
        return False
    for first in range(0, len(missing), EMBEDDED_AT_ONCE):
        if stopped():
            return False
        strings = missing[first : first + EMBEDDED_AT_ONCE]
        indexer.store.remember(embedder.name, strings, np.ascontiguousarray(embedder.embed_documents(strings)))
    return True
