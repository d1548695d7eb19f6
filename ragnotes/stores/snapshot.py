"""Reading one generation of a local index: search, records and counts, as SQL on a connection that the store owns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from types import UnionType
from typing import Any, TypeVar

import numpy as np

from ragnotes.answers import Filters, Scored
from ragnotes.calibration import CLUES, Calibration
from ragnotes.errors import IndexDamaged
from ragnotes.places import SPEAKER_SEPARATOR
from ragnotes.ports import FilterName
from ragnotes.stores.checksums import CHECKED, REPAIR_HINT, verify
from ragnotes.stores.filtering import all_of, passing
from ragnotes.stores.lexical import LexicalSearch, SharedCounts
from ragnotes.stores.rows import (
    DOCUMENT_COLUMNS,
    FILE_COLUMNS,
    LISTED,
    SOURCE_COLUMNS,
    Query,
    Row,
    calibration_of,
    chunk_of,
    document_of,
    file_of,
    in_one_row,
    listed,
    manifest_of,
    source_of,
    unpack,
)
from ragnotes.stores.schema import check_not_newer
from ragnotes.stores.sharing import SharedVectors
from ragnotes.stores.vectors import Identity, Ids, VectorIndex, unit_rows
from ragnotes.types import Chunk, Document, FileRecord, Manifest, Source, Vectors

__all__ = ["LocalSnapshot", "Query", "read_meta"]

T = TypeVar("T")

CHECKSUMS_SINCE = 3
VECTORS_AT_ONCE = 4096

META: Mapping[str, UnionType | type] = {"schema": int, "generation": int, "lineage": str, "manifest": str | None}


class LocalSnapshot:
    """The `Snapshot` of a local store, for one thread, inside one read transaction."""

    def __init__(self, query: Query, shared: SharedVectors, counts: SharedCounts | None = None) -> None:
        self._query = query
        self._shared = shared
        self._documents: dict[str, int] = {}
        """The rows of the documents whose passages were read so far."""
        self._unverified: dict[int, list[Any]] = {}
        """The latest vectors read for a search, with what they are verified by, by row."""
        self._scores: tuple[bytes, dict[int, float]] = b"", {}
        """The vector of the latest search, and the cosines of what was found, by row."""
        self._own: VectorIndex | None = None
        self._generation: int
        self._lineage: str
        (schema,) = read_meta(query, "schema")
        check_not_newer(schema)
        self._generation, self._lineage, manifest = read_meta(query, "generation", "lineage", "manifest")
        [self._manifest] = _records(lambda row: manifest_of(row[0]), [(manifest,)])
        self._words = LexicalSearch(query, counts.at(self._lineage, self._generation) if counts else None)
        self._checksum = "checksum" if schema >= CHECKSUMS_SINCE else "NULL"

    @property
    def generation(self) -> int:
        return self._generation

    @property
    def lineage(self) -> str:
        """Which index this is a generation of."""
        return self._lineage

    @property
    def manifest(self) -> Manifest | None:
        """What it was built with; None before the first `start`."""
        return self._manifest

    def dense(self, vector: Vectors, limit: int, filters: Filters) -> list[Scored]:
        """The nearest chunks with their exact cosines; the query has shape (dimension,) or (1, dimension).

        In a large index, which is searched by codes, one may be missing, as `VectorIndex` says.
        """
        index = self._index()
        if index is None or limit <= 0:
            return []
        found = index.search(vector, limit, self._allowed(filters), self._stored)
        self._verify_vectors([row for row, _ in found])
        self._scores = vector.tobytes(), dict(found)
        names = self._names([row for row, _ in found])
        self._words.rows |= {name: row for row, name in names.items()}
        hits = [Scored(names[row], score) for row, score in found if row in names]
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))[:limit]

    def lexical(
        self, terms: Sequence[str], limit: int, filters: Filters, *, as_written: Sequence[str] = ()
    ) -> list[Scored]:
        """The best chunks by BM25 that hold any of the words, as `LexicalSearch.best` gives them."""
        return self._words.best(terms, limit, filters, as_written=as_written)

    def holding(
        self, words: Sequence[Sequence[str]], filters: Filters, *, newest_first: bool = False
    ) -> list[tuple[str, str]]:
        """The ids of every chunk that holds each word in one of its spellings, stemmed by FTS5, and of its document.

        They come by path and in the order of the text, or the latest first and those without a day last. A spelling of
        several words is a phrase. No words give all chunks that pass.
        """
        passes, values = passing(filters)
        expression = all_of(words)
        if words and not expression:
            return []
        conditions = [f"chunks.id IN ({passes})"] if filters else []
        if expression:
            conditions.insert(0, "chunks.id IN (SELECT rowid FROM words WHERE words MATCH ?)")
            values = [expression, *values]
        statement = f"""
            SELECT chunks.chunk_id, documents.doc_id FROM chunks JOIN documents ON documents.id = chunks.document
            WHERE {" AND ".join(conditions) or "TRUE"}
            ORDER BY {"date_since DESC, " if newest_first else ""}documents.path, chunks.ordinal
        """
        return [(chunk_id, doc_id) for chunk_id, doc_id in self._query(statement, values)]

    def sections(self, terms: Sequence[str], chunk_ids: Sequence[str]) -> list[float]:
        """BM25 of the section around each chunk, in the order of the ids, as `LexicalSearch.sections` gives it."""
        rows = self._rows_of(chunk_ids)
        scores = dict(zip(rows.values(), self._words.sections(terms, list(rows.values())), strict=True))
        return [scores[rows[chunk_id]] if chunk_id in rows else 0.0 for chunk_id in chunk_ids]

    def cosines(self, vector: Vectors, chunk_ids: Sequence[str]) -> list[float]:
        """Exact cosines in the order of the ids; raises KeyError on an id that is not of this snapshot."""
        index = self._index()
        rows = self._rows_of(chunk_ids)
        if unknown := [chunk_id for chunk_id in chunk_ids if chunk_id not in rows]:
            # Looked for without the index of ids: where that is damaged, a search still finds them.
            if not self._query(f"SELECT 1 FROM chunks WHERE +chunk_id IN {LISTED} LIMIT 1", (listed(unknown),)):
                raise KeyError(unknown[0])
            raise IndexDamaged("passages of the index are not where it says that they are", REPAIR_HINT)
        if index is None:
            return []
        scores = self._scores[1] if self._scores[0] == vector.tobytes() else {}
        wanted = [row for row in rows.values() if row not in scores]
        try:
            scores = scores | dict(zip(wanted, index.scores(vector, wanted, self._stored), strict=True))
            self._verify_vectors(wanted)
        except KeyError as error:
            raise IndexDamaged(f"the index is at odds with its vectors: {error}", REPAIR_HINT) from error
        return [scores[rows[chunk_id]] for chunk_id in chunk_ids]

    def passages(self, chunk_ids: Sequence[str]) -> list[tuple[Chunk, Source]]:
        """Chunks with their sources, in the order of the ids; unknown ids are left out."""
        return self._passages(chunk_ids, self._texts)

    def outlines(self, chunk_ids: Sequence[str]) -> list[tuple[Chunk, Source]]:
        """As `passages`, but with "" for the text of each chunk, which is read from its document by `with_texts`.

        Whether the sources are as they were written is not known before that either: it takes the whole document.
        """
        return self._passages(chunk_ids, self._sources_of)

    def with_texts(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """Chunks that `outlines` gave, with their text; raises KeyError on others."""
        rows = sorted({self._documents[chunk.doc_id] for chunk in chunks})
        texts = {source.doc_id: text for text, source in self._texts(rows).values()}
        return [replace(chunk, text=texts[chunk.doc_id][chunk.start : chunk.end]) for chunk in chunks]

    def _passages(
        self, chunk_ids: Sequence[str], read: Callable[[Sequence[int]], dict[int, tuple[str, Source]]]
    ) -> list[tuple[Chunk, Source]]:
        statement = f"SELECT {CHECKED['chunks']}, {self._checksum} FROM chunks WHERE id IN {LISTED}"
        rows = self._query(statement, (listed(list(self._rows_of(chunk_ids).values())),))
        documents = read(sorted({row[0] for row in rows}))
        self._documents |= {source.doc_id: number for number, (_, source) in documents.items()}

        def passage(row: Row) -> tuple[Chunk, Source]:
            document, _, _, _, *values, checksum = row
            text, source = documents[document]
            verify(f"a passage of {source.path}", row[:-1], checksum)
            return chunk_of(tuple(values), source.doc_id, text), source

        found = {chunk.chunk_id: (chunk, source) for chunk, source in _records(passage, rows)}
        return [found[chunk_id] for chunk_id in chunk_ids if chunk_id in found]

    def neighbours(self, chunk_ids: Sequence[str]) -> list[tuple[str | None, str | None]]:
        """The ids of the chunks before and after each in its document; None where there is none, or no such id."""
        statement = f"""
            SELECT this.chunk_id, other.ordinal < this.ordinal, other.chunk_id
            FROM chunks AS this JOIN chunks AS other
                ON other.document = this.document AND abs(other.ordinal - this.ordinal) = 1
            WHERE this.chunk_id IN {LISTED}
        """
        beside = {(name, bool(before)): other for name, before, other in self._query(statement, (listed(chunk_ids),))}
        return [(beside.get((name, True)), beside.get((name, False))) for name in chunk_ids]

    def frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many chunks each word stands, as stemmed by FTS5."""
        return self._words.frequencies(terms)

    def respelled(self, words: Sequence[str]) -> list[str]:
        """What words that occur nowhere may have been meant for, as they are written in the notes."""
        return self._words.respelled(words)

    def count(self) -> int:
        """How many chunks there are."""
        return self._words.chunks

    def any_passes(self, filters: Filters) -> bool:
        """Whether any chunk passes."""
        statement, values = passing(filters)
        return bool(self._query(f"{statement} LIMIT 1", values))

    def values_of(self, name: FilterName) -> list[str]:
        """What there is to filter by, sorted: paths and their folders; for `since` the last day, else the first."""
        rows = [row[0] for row in self._query(VALUES[name], ()) if row[0] is not None]
        found = [unpack(value) if isinstance(value, bytes) else str(value) for value in rows]
        if name == "speakers":
            found = [speaker for speakers in found for speaker in speakers.split(SPEAKER_SEPARATOR)]
        if name == "paths":
            found += [str(folder) for path in found for folder in PurePosixPath(path).parents if folder.name]
        return sorted(set(found))

    def documents(self) -> list[Source]:
        """All documents, by path."""
        return _records(source_of, self._query(f"SELECT {SOURCE_COLUMNS} FROM documents ORDER BY path", ()))

    def document(self, doc_id: str) -> Document | None:
        """The document as it was stored, without its blocks; None if there is none of that id."""
        statement = f"SELECT {DOCUMENT_COLUMNS}, {self._checksum} FROM documents WHERE doc_id IN {LISTED}"
        rows = self._query(statement, (listed([doc_id]),))
        for *values, checksum in rows:
            verify(f"document {doc_id}", values, checksum)
        return next(iter(_records(document_of, [row[:-1] for row in rows])), None)

    def chunks(self, doc_id: str) -> list[Chunk]:
        """The document's chunks in the order of its text; none if there is no document of that id."""
        statement = "SELECT chunk_id FROM chunks JOIN documents ON documents.id = document"
        rows = self._query(f"{statement} WHERE doc_id IN {LISTED} ORDER BY ordinal", (listed([doc_id]),))
        return [chunk for chunk, _ in self.passages([chunk_id for (chunk_id,) in rows])]

    def files(self) -> list[FileRecord]:
        """What is known of every file, by path."""
        return _records(file_of, self._query(f"SELECT {FILE_COLUMNS} FROM files ORDER BY path", ()))

    def calibration(self) -> Calibration | None:
        """What was fitted to questions over this index; None with another embedder, chunker or clues."""
        if self._manifest is None or not self._query("SELECT 1 FROM sqlite_master WHERE name = 'calibrations'", ()):
            return None
        for embedder, chunker, calibration, checksum in self._query(
            f"SELECT {CHECKED['calibrations']}, {self._checksum} FROM calibrations", ()
        ):
            verify("the calibration", (embedder, chunker, calibration), checksum)
            if (embedder, chunker) == (self._manifest.embedder, self._manifest.chunker):
                [kept] = _records(calibration_of, [(calibration,)])
                return kept if kept.clues == CLUES else None
        return None

    def identity(self) -> Identity | None:
        """What this snapshot's vectors belong to; None while there is no manifest, and so no vector."""
        manifest = self._manifest
        return None if manifest is None else Identity(self._lineage, manifest.embedder, manifest.dimension)

    def live_ids(self) -> Ids:
        """The row ids of all chunks, ascending."""
        # Without ORDER BY, SQLite reads the narrowest index instead of the wide rows.
        return np.sort(self._ids("SELECT id FROM chunks", ()))

    def vectors(self, ids: Ids) -> Vectors:
        """The vectors of these rows, shape (n, dimension), for ascending ids; ValueError where one is missing."""
        joined = bytearray()
        for first in range(0, len(ids), VECTORS_AT_ONCE):
            for _, *columns, checksum in self._vector_rows(ids[first : first + VECTORS_AT_ONCE]):
                verify("a vector", columns, checksum)
                joined += columns[-1]
        return self._as_rows(joined, len(ids))

    def _texts(self, rows: Sequence[int]) -> dict[int, tuple[str, Source]]:
        """Text and source of the documents of these rows; what is quoted from them is what was written."""
        statement = f"SELECT id, {DOCUMENT_COLUMNS}, {self._checksum} FROM documents WHERE id IN {LISTED}"
        found: dict[int, tuple[str, Source]] = {}
        for number, *columns, checksum in self._query(statement, (listed(rows),)):
            doc_id, path, kind, title, _, _, sha256, _, _, text = columns
            [source] = _records(source_of, [(doc_id, path, title, kind, sha256)])
            verify(source.path, columns, checksum)
            found[number] = text, source
        return found

    def _sources_of(self, rows: Sequence[int]) -> dict[int, tuple[str, Source]]:
        """As `_texts`, with "" for the text, and without telling whether the source is what was written."""
        found = self._query(f"SELECT id, {SOURCE_COLUMNS} FROM documents WHERE id IN {LISTED}", (listed(rows),))
        sources = _records(source_of, [tuple(columns) for _, *columns in found])
        return {row[0]: ("", source) for row, source in zip(found, sources, strict=True)}

    def _index(self) -> VectorIndex | None:
        identity = self.identity()
        if self._own is None and identity is not None:
            try:
                self._own = self._shared.at(self, identity)
            except ValueError as error:
                raise IndexDamaged(f"the stored vectors cannot be used: {error}", REPAIR_HINT) from error
        return self._own

    def _allowed(self, filters: Filters) -> Ids | None:
        return self._ids(*passing(filters)) if filters else None

    def _ids(self, statement: str, values: Sequence[object]) -> Ids:
        """The ids that a statement selects as `id`. As one string they take a quarter of the time of a row each."""
        [(joined,)] = self._query(f"SELECT group_concat(id) FROM ({statement})", values)
        return np.fromstring(joined or "", dtype=np.int64, sep=",")

    def _stored(self, ids: Ids) -> Vectors:
        """`vectors` for a search: what is missing or was never a unit vector is damage.

        Most of them are not found after all, so `_verify_vectors` does the rest.
        """
        read = self._vector_rows(ids)
        self._unverified = {row: columns for row, *columns in read}
        try:
            rows = self._as_rows(b"".join(vector for *_, vector, _ in read), len(ids))
            return unit_rows(rows, rows.shape[1])
        except (TypeError, ValueError) as error:
            raise IndexDamaged(f"the stored vectors cannot be used: {error}", REPAIR_HINT) from error

    def _verify_vectors(self, rows: Sequence[int]) -> None:
        """Raises IndexDamaged where a vector that was read for a search is not as it was written."""
        for row in rows:
            if row in self._unverified:
                *columns, checksum = self._unverified[row]
                verify("a vector", columns, checksum)

    def _vector_rows(self, ids: Ids) -> list[Row]:
        """Row, embedder, key, vector and checksum of these rows, in their order."""
        checksum = self._checksum.replace("checksum", "embeddings.checksum")
        statement = f"SELECT chunks.id, embedder, key, vector, {checksum} FROM chunks JOIN embeddings"
        statement = f"{statement} ON embeddings.id = embedding WHERE chunks.id IN {LISTED} ORDER BY chunks.id"
        return self._query(statement, (listed(ids.tolist()),))

    def _as_rows(self, joined: bytes | bytearray, count: int) -> Vectors:
        dimension = self._manifest.dimension if self._manifest else 0
        return np.frombuffer(joined, dtype="<f4").reshape(count, dimension)

    def _names(self, rows: Sequence[int]) -> dict[int, str]:
        statement = f"SELECT id, chunk_id FROM chunks WHERE id IN {LISTED}"
        return dict(in_one_row(self._query, statement, ("id", "chunk_id"), (listed(rows),)))

    def _rows_of(self, chunk_ids: Sequence[str]) -> dict[str, int]:
        """The rows of these chunks; those that a search found are known, unknown ids are left out."""
        rows = self._words.rows
        if new := [chunk_id for chunk_id in chunk_ids if chunk_id not in rows]:
            statement = f"SELECT chunk_id, id FROM chunks WHERE chunk_id IN {LISTED}"
            rows |= in_one_row(self._query, statement, ("chunk_id", "id"), (listed(new),))
        return {chunk_id: rows[chunk_id] for chunk_id in dict.fromkeys(chunk_ids) if chunk_id in rows}


VALUES: Mapping[FilterName, str] = {
    "since": "SELECT max(date_until) FROM chunks",
    "until": "SELECT min(date_since) FROM chunks",
    "tags": "SELECT tag FROM tags",
    "paths": "SELECT path FROM documents",
    "kinds": "SELECT kind FROM documents",
    "speakers": "SELECT DISTINCT json_extract(place, '$.speaker') FROM chunks WHERE speaker IS NOT NULL",
}


def read_meta(query: Query, *columns: str) -> Row:
    """These of what the index says of itself. Raises IndexDamaged where it cannot be read as it was written."""
    rows = query(f"SELECT {', '.join(columns)} FROM meta", ())
    if len(rows) != 1 or not all(isinstance(value, META[name]) for value, name in zip(rows[0], columns, strict=True)):
        raise IndexDamaged("what the index says of itself cannot be read", REPAIR_HINT)
    return rows[0]


def _records(convert: Callable[[Row], T], rows: list[Row]) -> list[T]:
    """The rows as records; raises IndexDamaged on one that no record was ever written as."""
    try:
        return [convert(row) for row in rows]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexDamaged(f"a row of the index cannot be read: {error}", REPAIR_HINT) from error
