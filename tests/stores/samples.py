"""Small documents with vectors, for tests of stores: real records, deterministic per text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ragnotes.answers import Filters
from ragnotes.ports import Store
from ragnotes.types import (
    Chunk,
    DateRange,
    Document,
    FileRecord,
    FileStatus,
    Kind,
    Manifest,
    Metadata,
    Place,
    Unit,
    Vectors,
)

DIMENSION = 16
MANIFEST = Manifest(embedder="fake", dimension=DIMENSION, chunker="paragraphs-1", roots=("/notes",))

NO_FILTERS = Filters()

OpenStore = Callable[[Path], AbstractContextManager[Store]]


@dataclass(frozen=True)
class Entry:
    """A document as the indexer hands it over."""

    document: Document
    chunks: tuple[Chunk, ...]
    record: FileRecord


def vector_of(text: str, dimension: int = DIMENSION) -> Vectors:
    """A unit vector that depends on the text alone, shape (dimension,)."""
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    vector = np.random.default_rng(seed).standard_normal(dimension)
    unit: Vectors = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit


def vectors_of(texts: Sequence[str], dimension: int = DIMENSION) -> Vectors:
    """One row per text, shape (n, dimension)."""
    return np.array([vector_of(text, dimension) for text in texts], dtype=np.float32).reshape(-1, dimension)


def entry(
    path: str,
    *paragraphs: str,
    kind: Kind = Kind.NOTE,
    tags: tuple[str, ...] = (),
    speaker: str | None = None,
    date: str | None = None,
    links: tuple[str, ...] = (),
) -> Entry:
    """A document of these paragraphs, one chunk each, its title as their context."""
    text = "\n\n".join(paragraphs)
    doc_id = "d" + hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    place = Place(speaker=speaker, date=DateRange.parse(date) if date else None)
    chunks, start = [], 0
    for number, paragraph in enumerate(paragraphs):
        end = start + len(paragraph)
        unit = Unit(start, end, paragraph)
        chunks.append(Chunk(f"{doc_id}-{number}", doc_id, start, end, paragraph, "", paragraph, place, (unit,), links))
        start = end + 2
    sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    document = Document(doc_id, path, kind, path, False, text, sha256, metadata=Metadata(tags=tags))
    record = FileRecord(path, FileStatus.INDEXED, None, len(chunks), "2026-01-01T00:00:00Z", "fingerprint", sha256)
    return Entry(document, tuple(chunks), record)


def embed(store: Store, *entries: Entry) -> None:
    texts = [chunk.embedded for each in entries for chunk in each.chunks]
    store.remember(MANIFEST.embedder, texts, vectors_of(texts))


def put(store: Store, *entries: Entry) -> None:
    """Embed and replace; needs `store.writer()` around it and a manifest."""
    embed(store, *entries)
    for each in entries:
        store.replace(each.document, each.chunks, each.record)


def fill(store: Store, *entries: Entry) -> None:
    """Begin the index if need be and put the entries in."""
    with store.writer():
        store.start(MANIFEST)
        put(store, *entries)


def damaged(whole: bytes, step: int) -> Iterator[tuple[int, bytes]]:
    """The bytes with a bit flipped, and cut off, at every so many positions; each with its position."""
    for position in range(0, len(whole), step):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << (position % 8)
        yield position, bytes(flipped)
        yield position, whole[:position]
