"""What the writing methods of a local store do inside their transaction, in SQL. Nothing here begins or commits one."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from urllib.parse import unquote

import numpy as np

from ragnotes.calibration import Calibration
from ragnotes.errors import IndexDamaged, IndexMismatch
from ragnotes.forms import forms_in
from ragnotes.languages import language_of
from ragnotes.matching import tag_key
from ragnotes.stores.checksums import CHECKED, REPAIR_HINT, checksum_of
from ragnotes.stores.rows import (
    LISTED,
    Row,
    calibration_of,
    calibration_value,
    chunk_values,
    document_values,
    embedding_key,
    file_values,
    listed,
    manifest_of,
    manifest_value,
    pack,
    placeholders,
    unpack,
)
from ragnotes.stores.scanning import Unread, scan
from ragnotes.stores.schema import REMOVED_KEYS, SECTION_TEXTS
from ragnotes.stores.snapshot import Query, read_meta
from ragnotes.stores.vectors import unit_rows
from ragnotes.types import FORGOTTEN, Chunk, Document, FileRecord, FileStatus, Manifest, Vectors

__all__ = [
    "bump_generation",
    "carry_over",
    "carrying",
    "check_manifest",
    "check_same_roots",
    "forgotten_in",
    "insert",
    "keep_calibration",
    "known_vectors",
    "put_document",
    "put_files",
    "put_vectors",
    "read_manifest",
    "remove_all",
    "remove_paths",
    "remove_unused_vectors",
    "renew",
    "write_manifest",
]

log = logging.getLogger(__name__)

KEPT_UNUSED_VECTORS = 10_000
LANGUAGE_CHARS = 20_000
LAST_PATH = b"\xff" * 8
"""After every path: no byte of UTF-8 is as high, nor any of a surrogate."""


def read_manifest(query: Query) -> Manifest | None:
    """What the index was built with. Raises IndexDamaged where that cannot be read."""
    (manifest,) = read_meta(query, "manifest")
    try:
        return manifest_of(manifest)
    except (ValueError, KeyError, TypeError) as error:
        raise IndexDamaged(f"what the index was built with cannot be read: {error}", REPAIR_HINT) from error


def write_manifest(query: Query, manifest: Manifest) -> None:
    query("UPDATE meta SET manifest = ?", (manifest_value(manifest),))


def check_manifest(index: object, built: Manifest, asked: Manifest) -> None:
    """Raises IndexMismatch unless both are the same."""
    check_same_roots(index, built.roots, asked.roots)
    hint = "run: ragnotes index --rebuild"
    if (built.embedder, built.dimension) != (asked.embedder, asked.dimension):
        was, now = f"{built.embedder} ({built.dimension})", f"{asked.embedder} ({asked.dimension})"
        problem = f"{index} was built with {was}, this embedder is {now}"
        hint = f"name the other with --embedder, where it serves too, or {hint}"
    elif built.chunker != asked.chunker:
        problem = f"{index} was built with chunker {built.chunker}, this one is {asked.chunker}"
    else:
        return
    raise IndexMismatch(problem, hint)


def check_same_roots(index: object, built: Sequence[str], asked: Sequence[str]) -> None:
    """Raises IndexMismatch where an index was built from other folders than those asked for."""
    if tuple(built) != tuple(asked):
        raise IndexMismatch(
            f"{index} was built from {', '.join(built)}, asked for is {', '.join(asked)}",
            "name its folders with --corpus, another directory with --index, or run: ragnotes index --rebuild",
        )


def keep_calibration(query: Query, manifest: Manifest, calibration: Calibration | None) -> None:
    """Keep this one, fitted to the index as the manifest describes it, in the place of any other; None keeps none."""
    query("DELETE FROM calibrations", ())
    if calibration is not None:
        insert(query, "calibrations", (manifest.embedder, manifest.chunker, calibration_value(calibration)))


def bump_generation(query: Query) -> None:
    query("UPDATE meta SET generation = generation + 1", ())


def renew(query: Query, generation: int) -> None:
    """Begin another lineage at this generation: nothing that was kept of the index before is taken for this one's."""
    query("UPDATE meta SET lineage = lower(hex(randomblob(16))), generation = ?", (generation,))


def carry_over(query: Query) -> None:
    """Take what was forgotten, the sound vectors and the calibration of the database attached as `old`.

    What is known already stays. Vectors of text that was taken out are left behind. An index from before there were
    checksums has none.
    """
    _carry_forgotten(query)
    checked = bool(query("SELECT 1 FROM old.sqlite_master WHERE name = 'removed'", ()))
    with suppress(IndexDamaged):
        _carry_calibration(query, "checksum" if checked else "NULL")
    gone = _gone_keys(query) if checked else set[bytes]()
    for row in scan(query, "old.embeddings", f"{CHECKED['embeddings']}, {'checksum' if checked else 'NULL'}"):
        if isinstance(row, Unread):
            continue
        _, *values, checksum = row
        if values[1] not in gone and checksum in (None, checksum_of(values)) and _is_unit(values[-1]):
            insert(query, "embeddings", tuple(values), "ON CONFLICT DO NOTHING")


def _gone_keys(query: Query) -> set[bytes]:
    """What stands for the texts that were taken out of the old index."""
    for statement in (REMOVED_KEYS, "SELECT key FROM {schema}embeddings WHERE id IN {schema}removed"):
        with suppress(IndexDamaged):
            return {key for (key,) in query(statement.format(schema="old."), ())}
    return set()


@contextmanager
def carrying(old: object) -> Iterator[None]:
    """For `carry_over`: where the old database cannot be read, that is logged, and a rebuild goes on without it."""
    try:
        yield
    except IndexDamaged as error:
        log.warning("which files were forgotten cannot be read of %s, forget them again: %s", old, error.problem)


def _carry_forgotten(query: Query) -> None:
    """Files stay forgotten also where more cannot be read of the old index."""
    records, whole = forgotten_in(query, "old.files")
    put_files(query, records)
    if not whole:
        log.warning("which files were forgotten cannot be read in full: see ragnotes status, and forget them again")


def _carry_calibration(query: Query, checksum_column: str) -> None:
    if query("SELECT 1 FROM old.sqlite_master WHERE name = 'calibrations'", ()):
        for *row, checksum in query(f"SELECT {CHECKED['calibrations']}, {checksum_column} FROM old.calibrations", ()):
            if checksum in (None, checksum_of(row)):
                with suppress(ValueError, KeyError, TypeError):
                    keep_calibration(query, Manifest(row[0], 0, row[1], ()), calibration_of((row[2],)))


def forgotten_in(query: Query, files: str) -> tuple[list[FileRecord], bool]:
    """The files that a table says were forgotten, damaged rows and all, and whether it could be read to its end.

    Read from both ends, as far as a page that cannot be read.
    """
    found: dict[str, FileRecord] = {}
    for after, order in ((">", ""), ("<", "DESC")):
        statement = f"SELECT path, reason FROM {files} WHERE path {after} ? ORDER BY path {order} LIMIT 1"
        path, seen = b"" if after == ">" else LAST_PATH, set[object]()
        try:
            while rows := query(statement, (path,)):
                [(path, reason)] = rows
                if path in seen:  # a damaged table may lead in circles
                    break
                seen.add(path)
                if reason == FORGOTTEN and isinstance(path, bytes):
                    with suppress(ValueError):
                        found[unpack(path)] = FileRecord(unpack(path), FileStatus.SKIPPED, FORGOTTEN)
            else:
                return list(found.values()), True
        except IndexDamaged:
            continue
    return list(found.values()), False


def _is_unit(vector: bytes) -> bool:
    try:
        row = np.frombuffer(vector, dtype="<f4")
        return bool(len(unit_rows(row[np.newaxis], len(row))))
    except (ValueError, TypeError):
        return False


def put_vectors(query: Query, embedder: str, texts: Sequence[str], vectors: Vectors) -> None:
    """Keep the vector of each text, in the place of one before. Raises ValueError on what is no unit vector."""
    rows = unit_rows(vectors, vectors.shape[-1])
    for text, row in zip(texts, rows, strict=True):
        insert(
            query,
            "embeddings",
            (embedder, embedding_key(text), row.astype("<f4").tobytes()),
            # A vector that is damaged counts as unknown, and is mended by the next.
            "ON CONFLICT DO UPDATE SET vector = excluded.vector, checksum = excluded.checksum",
        )


def known_vectors(query: Query, embedder: str, texts: Sequence[str]) -> dict[str, Vectors]:
    """The vectors that are known, each of shape (dimension,), by text."""
    known: dict[str, Vectors] = {}
    for text in dict.fromkeys(texts):
        values = (embedder, embedding_key(text))
        rows = query("SELECT vector, checksum FROM embeddings WHERE embedder = ? AND key = ?", values)
        if rows and rows[0][1] == checksum_of((*values, rows[0][0])):
            known[text] = np.frombuffer(rows[0][0], dtype="<f4").astype(np.float32)
    return known


def put_document(
    query: Query, manifest: Manifest, document: Document, chunks: Sequence[Chunk], record: FileRecord
) -> None:
    """Put a document in the place of what had its id or path before, chunks and file record included.

    Raises KeyError on a chunk whose vector is not known, ValueError on one that is not of this document.
    """
    embeddings = [_embedding(query, manifest, chunk) for chunk in _slices(document, chunks)]
    query("DELETE FROM documents WHERE doc_id = ? OR path = ?", (document.doc_id, pack(document.path)))
    [(row,)] = insert(query, "documents", document_values(document), "RETURNING id")
    for tag in filter(None, dict.fromkeys(tag_key(tag) for tag in document.metadata.tags)):
        query("INSERT INTO tags (tag, document) VALUES (?, ?)", (pack(tag), row))
    language = language_of(document.text[:LANGUAGE_CHARS])
    for ordinal, (chunk, embedding) in enumerate(zip(chunks, embeddings, strict=True)):
        insert(query, "chunks", (row, embedding, ordinal, _forms(chunk, language), *chunk_values(chunk)))
    query(f"INSERT INTO sections (rowid, text) {SECTION_TEXTS.format(document='?')}", (row,))
    put_files(query, [record])


def _slices(document: Document, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """The chunks; raises ValueError on one that is not of this document."""
    for chunk in chunks:
        if chunk.doc_id != document.doc_id or chunk.text != document.text[chunk.start : chunk.end]:
            raise ValueError(f"chunk {chunk.chunk_id} is no slice of document {document.doc_id}")
        yield chunk


def insert(query: Query, table: str, values: Row, ending: str = "") -> list[Row]:
    """Puts in a row of `CHECKED[table]` with its checksum."""
    statement = f"INSERT INTO {table} ({CHECKED[table]}, checksum) VALUES ({placeholders(values)}, ?) {ending}"
    return query(statement, (*values, checksum_of(values)))


def _forms(chunk: Chunk, language: str | None) -> str:
    """Under what the words of a chunk are found besides; `language` is the document's, for a chunk that shows none."""
    links = [unquote(link) for link in chunk.links]
    text = "\n".join((chunk.context, chunk.plain, *links))
    forms = forms_in(text, language_of(chunk.plain) or language)
    decoded = (link for link, written in zip(links, chunk.links, strict=True) if link != written)
    return " ".join((*forms, *decoded)).encode("utf-8", "replace").decode("utf-8")


def _embedding(query: Query, manifest: Manifest, chunk: Chunk) -> int:
    """The row of the chunk's vector, if it has the manifest's dimension."""
    rows = query(
        "SELECT id FROM embeddings WHERE embedder = ? AND key = ? AND length(vector) = ?",
        (manifest.embedder, embedding_key(chunk.embedded), 4 * manifest.dimension),
    )
    if not rows:
        raise KeyError(f"no vector of {manifest.embedder} was remembered for chunk {chunk.chunk_id}")
    return int(rows[0][0])


def put_files(query: Query, records: Iterable[FileRecord]) -> None:
    """Keep what is known of these files; their documents stay as they are."""
    for record in records:
        query("DELETE FROM files WHERE path = ?", (pack(record.path),))
        insert(query, "files", file_values(record))


def remove_paths(query: Query, paths: Sequence[str]) -> bool:
    """Drop documents and file records; whether any document went."""
    gone = False
    for path in paths:
        gone |= bool(query("DELETE FROM documents WHERE path = ? RETURNING id", (pack(path),)))
        query("DELETE FROM files WHERE path = ?", (pack(path),))
    return gone


def remove_all(query: Query) -> None:
    """Drop documents and file records; vectors stay, for what is written next, and so does what was forgotten."""
    query("DELETE FROM documents", ())
    query("DELETE FROM files WHERE reason IS NOT ?", (FORGOTTEN,))


def remove_unused_vectors(query: Query) -> None:
    """Drop the oldest vectors that no chunk uses, as far as they outnumber 10,000 and those in use.

    They are what runs that were cut off have embedded; the vectors of text taken out go by `removal`.
    """
    [(known, used)] = query(
        "SELECT (SELECT count(*) FROM embeddings), (SELECT count(DISTINCT embedding) FROM chunks)", ()
    )
    excess = known - used - max(KEPT_UNUSED_VECTORS, used)
    if excess > 0:
        unused = "SELECT id FROM embeddings WHERE id NOT IN (SELECT embedding FROM chunks) ORDER BY id LIMIT ?"
        oldest = [row[0] for row in query(unused, (excess,))]
        query(f"DELETE FROM embeddings WHERE id IN {LISTED}", (listed(oldest),))
