"""Files that a search hits and that have changed since they were indexed: read again at once, where that is quick.

Only these few are looked at, and only where nobody else writes; whatever would take long is left to the next run, and
its passages are left out of the answer.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ragnotes.errors import IndexLocked, IndexWriteFailed, LoadError
from ragnotes.indexing import Indexer, manifest_for, record_of
from ragnotes.ports import Snapshot
from ragnotes.reading.chunking import chunk_document
from ragnotes.reading.corpus import check_roots, file_at, read_file, suffix_of
from ragnotes.reading.identity import document_id, sha256_of
from ragnotes.reading.loaders import load_document

__all__ = ["reread"]

MAX_FILES = 3
MAX_BYTES = 256 * 1024
MAX_STRINGS = 32
"""To embed; a page of edited text has fewer."""
MAX_S = 1.0
"""Another file is not begun after this long."""
SLOW = frozenset({".pdf"})
"""Read in a process of their own."""


def reread(indexer: Indexer, paths: Sequence[str]) -> tuple[str, ...]:
    """Those of the paths whose files are in the index again as they are now, in order.

    () where another process writes, or the index is of another embedder, chunker or folder.
    """
    wanted = [path for path in paths if suffix_of(path) not in SLOW][:MAX_FILES]
    if not wanted:
        return ()
    roots = check_roots(indexer.roots)
    indexer = replace(indexer, roots=roots, limits=replace(indexer.limits, max_file_bytes=MAX_BYTES))
    started = time.monotonic()
    done: list[str] = []
    try:
        with indexer.store.writer(tidy=False):  # a question waits
            if indexer.store.manifest() != manifest_for(indexer.embedder, roots, indexer.order):
                return ()
            for path in wanted:
                if time.monotonic() - started < MAX_S and _reread(indexer, path):
                    done.append(path)
    except (IndexLocked, IndexWriteFailed):
        pass
    return tuple(done)


def _reread(indexer: Indexer, path: str) -> bool:
    """Whether the file's passages are those of its content now. One that cannot be read stays as it is in the index."""
    file = file_at(indexer.roots, path)
    with indexer.store.reading() as snapshot:
        indexed = _digest(snapshot, path)
    if file is None or indexed is None:
        return False
    try:
        content, fingerprint = read_file(file, max_bytes=indexer.limits.max_file_bytes)
        if (sha256 := sha256_of(content)) == indexed:  # another question was faster
            return True
        document = load_document(content, path, indexer.limits, order=indexer.order)
    except LoadError:
        return False
    chunks = chunk_document(document, indexer.embedder)
    if not _embed(indexer, [chunk.embedded for chunk in chunks]):
        return False
    indexer.store.replace(document, chunks, record_of(path, len(chunks), fingerprint, sha256))
    return True


def _digest(snapshot: Snapshot, path: str) -> str | None:
    """The digest of what is indexed; None where the file has been taken out meanwhile."""
    document = snapshot.document(document_id(path))
    return document.sha256 if document else None


def _embed(indexer: Indexer, texts: Sequence[str]) -> bool:
    """Whether the vectors of all texts are in the store; not where there are too many to embed."""
    embedder = indexer.embedder
    known = indexer.store.embeddings(embedder.name, texts)
    missing = [text for text in dict.fromkeys(texts) if text not in known]
    if len(missing) > MAX_STRINGS:
        return False
    if missing:
        vectors = np.ascontiguousarray(embedder.embed_documents(missing))
        indexer.store.remember(embedder.name, missing, vectors)
    return True
