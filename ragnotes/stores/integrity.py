"""Whether an index is whole: every row as it was written, and all of them in agreement.

Nothing is changed and no model is needed. All is read in one transaction, so it may run while others write. What a run
that was cut off leaves is no damage: a log not yet folded in, a vectors file that is behind or half written, vectors
that no passage uses.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ragnotes.errors import IndexDamaged, IndexMissing
from ragnotes.matching import tag_key
from ragnotes.stores.checksums import CHECKED, checksum_of
from ragnotes.stores.file_checks import damaged_conversations, damaged_vectors_file, read_vectors_file
from ragnotes.stores.full_text import damaged_full_text
from ragnotes.stores.local import DATABASE, VECTORS, LocalStore
from ragnotes.stores.rows import (
    CHUNK_COLUMNS,
    DOCUMENT_COLUMNS,
    FILE_COLUMNS,
    Row,
    chunk_of,
    document_of,
    embedding_key,
    file_of,
    unpack,
)
from ragnotes.stores.scanning import Unread, scan
from ragnotes.stores.schema import CREATE, SCHEMA_VERSION, check_not_newer
from ragnotes.stores.sharing import SharedVectors
from ragnotes.stores.snapshot import CHECKSUMS_SINCE, LocalSnapshot, Query, read_meta
from ragnotes.stores.vectors import NORM_TOLERANCE
from ragnotes.stores.writing import read_manifest
from ragnotes.types import Chunk, Document, FileStatus, Manifest

__all__ = [
    "Examined",
    "Finding",
    "as_written",
    "checksum_column",
    "examine",
    "findings",
    "whole_documents",
]

REPAIR = "run: ragnotes repair, then: ragnotes index"
BY_ITSELF = "nothing to do: the next search or index run makes it anew"
DELETE = "delete it: ragnotes history delete ID; it tells of an answer, not of your notes"

_TOKEN = re.compile(r"\w+|'[^']*'")
_NAME = re.compile(r"(?:TABLE|INDEX|TRIGGER)(?: IF NOT EXISTS)? (\w+)")


@dataclass(frozen=True, slots=True)
class Finding:
    """One damage: of what kind, in which file or row, what is wrong with it, and what to do."""

    kind: str
    where: str
    problem: str
    advice: str


@dataclass(frozen=True, slots=True)
class Examined:
    """What was looked at, and what was found to be damaged."""

    findings: tuple[Finding, ...]
    generation: int = 0
    documents: int = 0
    chunks: int = 0


def findings(directory: Path) -> list[Finding]:
    """Every damage of the index in this directory; none where it is whole. Raises as `examine` does."""
    return list(examine(directory).findings)


def examine(directory: Path) -> Examined:
    """What there is in the directory and what is damaged.

    Raises IndexMissing where there is no index, IndexMismatch for one of another ragnotes, and IndexLocked where
    another program keeps it from being read.
    """
    if not (directory / DATABASE).exists():
        raise IndexMissing(f"there is no index in {directory}", "run: ragnotes index")
    saved = read_vectors_file(directory / VECTORS)  # first: a writer may commit and save while this reads
    found: list[Finding] = []
    counts = (0, 0, 0)
    try:
        with closing(LocalStore(directory)) as store, store.examining() as query:
            schema = _schema(directory, query)
            for each in _database(query, schema):
                found.append(each)  # what was found before an error stays
            snapshot = LocalSnapshot(query, SharedVectors(directory / VECTORS))
            found += [
                Finding("vectors file", VECTORS, problem, BY_ITSELF)
                for problem in damaged_vectors_file(saved, snapshot)
            ]
            counts = (snapshot.generation, len(snapshot.documents()), snapshot.count())
    except IndexDamaged as error:
        found.append(Finding("database", DATABASE, error.problem, REPAIR))
    found += [Finding("conversation", where, problem, DELETE) for where, problem in damaged_conversations(directory)]
    return Examined(tuple(dict.fromkeys(found)), *counts)


def _schema(directory: Path, query: Query) -> int:
    if not query("SELECT 1 FROM sqlite_master", ()):
        raise IndexMissing(f"{directory} holds no index: its making was cut off", "run: ragnotes index")
    (schema,) = read_meta(query, "schema")
    check_not_newer(schema, directory)
    return int(schema)


def _database(query: Query, schema: int) -> Iterator[Finding]:
    yield from _structure(query)
    if schema == SCHEMA_VERSION:
        yield from _tables(query)
    yield from _numbers(query)
    checksums = schema >= CHECKSUMS_SINCE
    for table in CHECKED:
        if checksums:
            yield from _checksums(query, table)
    yield from _documents(query)
    yield from _files(query)
    yield from _vectors(query)
    for name, problem in damaged_full_text(query):
        yield Finding("full text", f"{DATABASE}: {name}", problem, REPAIR)


def _structure(query: Query) -> Iterator[Finding]:
    """What SQLite says of its own pages and of rows that point nowhere."""
    for (problem,) in query("PRAGMA main.integrity_check(20)", ()):
        if problem != "ok":
            yield Finding("structure", DATABASE, problem, REPAIR)
    for table, row, parent, _ in query("PRAGMA main.foreign_key_check", ()):
        yield Finding("structure", DATABASE, f"row {row} of {table} belongs to no row of {parent}", REPAIR)


def _tables(query: Query) -> Iterator[Finding]:
    """Whether tables, indexes and triggers are those that this ragnotes makes, white space and order aside."""
    made = [_tokens(sql) for (sql,) in query("SELECT sql FROM main.sqlite_master WHERE sql IS NOT NULL", ())]
    wanted = [statement for statement in CREATE if statement.strip().startswith("CREATE")]
    for statement in wanted:
        if _tokens(statement) not in made:
            name = _NAME.search(statement)
            yield Finding("structure", DATABASE, f"{name and name[1]} is not as it was made", REPAIR)


def _tokens(sql: str) -> Counter[str]:
    return Counter(_TOKEN.findall(sql.replace("IF NOT EXISTS ", "")))


def _numbers(query: Query) -> Iterator[Finding]:
    """What there is one of: the description of the index, and the numbers that rows were given last."""
    try:
        read_manifest(query)
    except IndexDamaged as error:
        yield Finding("description", f"{DATABASE}: meta", error.problem, REPAIR)
    last = {name: seq for name, seq in query("SELECT name, seq FROM sqlite_sequence", ())}  # noqa: C416
    for table in ("documents", "chunks"):
        [(highest,)] = query(f"SELECT max(id) FROM {table}", ())
        given = last.get(table, 0)
        if not isinstance(given, int) or (highest or 0) > given:
            yield Finding("structure", f"{DATABASE}: {table}", "numbers of rows would be given twice", REPAIR)


def _checksums(query: Query, table: str) -> Iterator[Finding]:
    columns = f"{CHECKED[table]}, checksum"
    rows = scan(query, table, columns) if table != "files" else query(f"SELECT 0, {columns} FROM files", ())
    for row in rows:
        if isinstance(row, Unread):
            yield Finding("row", f"{DATABASE}: {table}", str(row), REPAIR)
        elif checksum_of(row[1:-1]) != row[-1]:
            yield Finding("checksum", _where(table, row), "this is not what was written", REPAIR)


def _where(table: str, row: Row) -> str:
    """The path where the row has one, else its number."""
    path = {"documents": 2, "files": 1}.get(table)
    return f"{DATABASE}: {table} {_name(row[path]) if path else row[0]}"


def _name(path: object) -> str:
    return path.decode("utf-8", "replace") if isinstance(path, bytes) else repr(path)


def _documents(query: Query) -> Iterator[Finding]:
    """Whether every document can be read and its passages are slices of it, in order, each with its own vector."""
    for row in scan(query, "documents", DOCUMENT_COLUMNS):
        if isinstance(row, Unread):
            yield Finding("row", f"{DATABASE}: documents", str(row), REPAIR)
            continue
        number, *values = row
        try:
            document = document_of(tuple(values))
            problem = _wrong_passages(query, number, document) or _wrong_tags(query, number, document)
        except (ValueError, KeyError, TypeError, AttributeError, IndexDamaged) as error:
            problem = f"it cannot be read: {error}"
        if problem:
            yield Finding("document", f"{DATABASE}: {_name(row[2])}", problem, REPAIR)


def checksum_column(query: Query) -> str:
    """What selects the checksum of a row: NULL in an index from before there were any."""
    try:
        return "checksum" if query("SELECT 1 FROM pragma_table_info('files') WHERE name = 'checksum'", ()) else "NULL"
    except IndexDamaged:
        return "checksum"


def as_written(row: Row, checksum: str) -> bool:
    """Whether a row that ends in `checksum_column` is what was written, as far as can be told."""
    return checksum == "NULL" or checksum_of(row[:-1]) == row[-1]


def whole_documents(query: Query) -> Iterator[tuple[Document, list[Chunk]]]:
    """Every document of which all is as it was written, with its passages."""
    checksum = checksum_column(query)
    for row in scan(query, "documents", f"{DOCUMENT_COLUMNS}, {checksum}"):
        if isinstance(row, Unread) or not as_written(row[1:], checksum):
            continue
        with suppress(ValueError, KeyError, TypeError, AttributeError, IndexDamaged):
            document = document_of(row[1:-1])
            statement = f"SELECT {CHECKED['chunks']}, {checksum} FROM chunks WHERE document = ? ORDER BY ordinal"
            passages = query(statement, (row[0],))
            whole = all(as_written(passage, checksum) for passage in passages)
            if whole and not _wrong_passages(query, row[0], document):
                yield document, [chunk_of(passage[4:-1], document.doc_id, document.text) for passage in passages]


PASSAGES = f"""
    SELECT chunks.id, ordinal, embedder, key, {CHUNK_COLUMNS}
    FROM chunks LEFT JOIN embeddings ON embeddings.id = embedding WHERE document = ? ORDER BY ordinal
"""


def _wrong_passages(query: Query, number: int, document: Document) -> str | None:
    """What is wrong with the passages of a document; None where nothing is."""
    built = _built(query)
    first, end = None, 0
    for position, (row, ordinal, embedder, key, *values) in enumerate(query(PASSAGES, (number,))):
        chunk = chunk_of(tuple(values), document.doc_id, document.text)
        first = row if first is None else first
        if (ordinal, row) != (position, first + position):
            return f"its passages are not numbered in one go at passage {position}"
        if not 0 <= chunk.start <= chunk.end <= len(document.text) or chunk.end < end:
            return f"passage {position} is no slice of its text, or out of order"
        if built is None or (embedder, key) != (built.embedder, embedding_key(chunk.embedded)):
            return f"passage {position} has no vector of its own"
        end = chunk.end
    return None


def _wrong_tags(query: Query, number: int, document: Document) -> str | None:
    wanted = {tag_key(tag) for tag in document.metadata.tags} - {""}
    kept = {unpack(tag) for (tag,) in query("SELECT tag FROM tags WHERE document = ?", (number,))}
    return None if kept == wanted else "its tags are not those that it has"


def _files(query: Query) -> Iterator[Finding]:
    """Whether files and documents agree: which there are, their content, and how many passages they have."""
    statement = "SELECT path, sha256, (SELECT count(*) FROM chunks WHERE document = documents.id) FROM documents"
    documents = {path: (sha256, count) for path, sha256, count in query(statement, ())}
    files = {row[0]: row for row in query(f"SELECT {FILE_COLUMNS} FROM files", ())}
    for path in sorted(documents.keys() | files.keys(), key=_name):
        if problem := _disagreement(documents.get(path), files.get(path)):
            yield Finding("file", f"{DATABASE}: {_name(path)}", problem, REPAIR)


def _disagreement(document: tuple[object, ...] | None, row: Row | None) -> str | None:
    if row is None:
        return "the index has its text but no record of the file"
    try:
        file = file_of(row)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f"the record of the file cannot be read: {error}"
    if (file.sha256 is None) != (document is None):
        return "the record of the file says otherwise than the text that the index has"
    if document is not None and document != (file.sha256, file.chunks):
        return f"the file has {file.chunks} passages by its record, {document[1]} in the index, or other content"
    if document is None and file.status is FileStatus.INDEXED:
        return "the file is indexed by its record, and the index has no text of it"
    return None


def _built(query: Query) -> Manifest | None:
    """What the index was built with; None where that cannot be read."""
    with suppress(IndexDamaged):
        return read_manifest(query)
    return None


def _vectors(query: Query) -> Iterator[Finding]:
    """Whether every vector of the embedder in use is finite, of norm 1 and of the right dimension."""
    built = _built(query)
    for row in scan(query, "embeddings", "embedder, vector"):
        if isinstance(row, Unread):
            yield Finding("row", f"{DATABASE}: embeddings", str(row), REPAIR)
        elif built and row[1] == built.embedder and not _is_unit(row[2], built.dimension):
            yield Finding("vector", f"{DATABASE}: embeddings {row[0]}", "it is no unit vector", REPAIR)


def _is_unit(vector: object, dimension: int) -> bool:
    if not isinstance(vector, bytes) or len(vector) != 4 * dimension:
        return False
    return bool(abs(np.linalg.norm(np.frombuffer(vector, "<f4")) - 1) <= NORM_TOLERANCE)
