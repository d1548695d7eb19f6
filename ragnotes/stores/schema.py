"""The tables of a local index, as SQL.

`chunks.id` is never reused, so it can stand for a vector outside the database. A chunk's text is not stored: it is
sliced from its document. Embeddings stand apart from documents and are found by the hash of the embedded string. The
checksum of a row is made of its other columns, as `checksums` says; it is NULL in no row of this schema.
Strings that come from file names are BLOBs, because file names need not be valid Unicode.
"""

from __future__ import annotations

from ragnotes.errors import IndexMismatch

__all__ = [
    "AS_WRITTEN",
    "BM25_WEIGHTS",
    "CALIBRATIONS",
    "CHUNK_REMOVED",
    "CREATE",
    "OLDEST_SCHEMA",
    "REMOVED",
    "REMOVED_KEYS",
    "SCHEMA_VERSION",
    "SECTION_TEXTS",
    "UPGRADE_HINT",
    "check_not_newer",
]

SCHEMA_VERSION = 3
OLDEST_SCHEMA = 2
"""What `migrations` starts from. Older indexes were never released."""

UPGRADE_HINT = "upgrade ragnotes, or name another directory with --index"

AS_WRITTEN = "context plain links"
"""The searched columns that hold what is in the notes; `forms` holds the other forms of its words."""

BM25_WEIGHTS = (1.0, 1.0, 1.0, 1.0)
"""Of context, plain, links and forms: equal, because weights from 0.3 to 3 gained nothing on two sets at once."""

SECTION_TEXTS = """
    SELECT
        min(id),
        group_concat(
            CASE WHEN ordinal = section THEN context || ' ' ELSE '' END || plain || ' ' || links || ' ' || forms, ' '
        )
    FROM (SELECT * FROM chunks WHERE document = {document} ORDER BY id) GROUP BY section
"""
"""The sections of a document, each under the id of its first chunk, with the words of all its chunks."""

CALIBRATIONS = """
    CREATE TABLE IF NOT EXISTS calibrations (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        embedder TEXT NOT NULL,
        chunker TEXT NOT NULL,
        calibration TEXT NOT NULL,
        checksum BLOB
    )
"""
"""Indexes of schema 2 have it only where one was kept."""

REMOVED = "CREATE TABLE removed (embedding INTEGER PRIMARY KEY)"
"""The vectors of chunks that were taken out, until `removal` has seen to it that nothing of them is left."""

REMOVED_KEYS = """
    SELECT gone.key FROM {schema}removed JOIN {schema}embeddings AS gone ON gone.id = removed.embedding
    WHERE gone.key NOT IN (
        SELECT used.key FROM {schema}chunks JOIN {schema}embeddings AS used ON used.id = chunks.embedding
    )
"""
"""The keys of texts that were taken out and are nowhere else; another embedder may have made vectors of them too."""

# Chunks are replaced, never updated. FTS5 wants the old values to take a row of an external content table out.
CHUNK_REMOVED = """
    CREATE TRIGGER chunk_removed AFTER DELETE ON chunks BEGIN
        INSERT INTO words (words, rowid, context, plain, links, forms)
        VALUES ('delete', old.id, old.context, old.plain, old.links, old.forms);
        INSERT INTO spellings (spellings, rowid, context, plain) VALUES ('delete', old.id, old.context, old.plain);
        INSERT OR IGNORE INTO removed VALUES (old.embedding);
    END
"""

CREATE = (
    """
    CREATE TABLE meta (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        schema INTEGER NOT NULL,
        lineage TEXT NOT NULL,
        generation INTEGER NOT NULL,
        manifest TEXT,
        purge_at REAL NOT NULL DEFAULT 0
    )
    """,
    f"INSERT INTO meta VALUES (1, {SCHEMA_VERSION}, lower(hex(randomblob(16))), 0, NULL, 0)",
    """
    CREATE TABLE documents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        doc_id TEXT NOT NULL UNIQUE,
        path BLOB NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        title BLOB NOT NULL,
        titled INTEGER NOT NULL,
        verbatim INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        metadata TEXT NOT NULL,
        marks TEXT NOT NULL,
        text TEXT NOT NULL,
        checksum BLOB
    )
    """,
    """
    CREATE TABLE tags (
        tag BLOB NOT NULL,
        document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        PRIMARY KEY (tag, document)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX tags_by_document ON tags (document)",
    """
    CREATE TABLE embeddings (
        id INTEGER PRIMARY KEY,
        embedder TEXT NOT NULL,
        key BLOB NOT NULL,
        vector BLOB NOT NULL,
        checksum BLOB,
        UNIQUE (embedder, key)
    )
    """,
    """
    CREATE TABLE chunks (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        chunk_id TEXT NOT NULL UNIQUE,
        document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        embedding INTEGER NOT NULL REFERENCES embeddings (id),
        ordinal INTEGER NOT NULL,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        section INTEGER NOT NULL,
        date_since TEXT,
        date_until TEXT,
        speaker BLOB,
        place TEXT NOT NULL,
        context TEXT NOT NULL,
        plain TEXT NOT NULL,
        links TEXT NOT NULL,
        units TEXT NOT NULL,
        forms TEXT NOT NULL,
        checksum BLOB
    )
    """,
    # Rows are wide: filters and lists of ids are answered from these two indexes alone.
    "CREATE INDEX chunks_by_document ON chunks (document, date_since, date_until, speaker)",
    "CREATE INDEX chunks_by_embedding ON chunks (embedding)",
    """
    CREATE TABLE files (
        path BLOB PRIMARY KEY,
        status TEXT NOT NULL,
        reason TEXT,
        chunks INTEGER NOT NULL,
        indexed_at TEXT,
        fingerprint TEXT NOT NULL,
        sha256 TEXT,
        checksum BLOB
    ) WITHOUT ROWID
    """,
    """
    CREATE VIRTUAL TABLE words USING fts5(
        context, plain, links, forms,
        content='chunks', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2'
    )
    """,
    """
    CREATE TRIGGER chunk_added AFTER INSERT ON chunks BEGIN
        INSERT INTO words (rowid, context, plain, links, forms)
        VALUES (new.id, new.context, new.plain, new.links, new.forms);
        INSERT INTO spellings (rowid, context, plain) VALUES (new.id, new.context, new.plain);
    END
    """,
    CHUNK_REMOVED,
    "CREATE VIRTUAL TABLE sections USING fts5(text, content='', tokenize='porter unicode61 remove_diacritics 2')",
    # Before: it takes the words of all chunks to take a section out.
    f"""
    CREATE TRIGGER document_removed BEFORE DELETE ON documents BEGIN
        INSERT INTO sections (sections, rowid, text)
        SELECT 'delete', * FROM ({SECTION_TEXTS.format(document="old.id")});
    END
    """,
    # The words as they are spelled, for `vocabulary` to list; without places, so it takes little room.
    """
    CREATE VIRTUAL TABLE spellings USING fts5(
        context, plain, content='chunks', content_rowid='id', detail=none, columnsize=0,
        tokenize='unicode61 remove_diacritics 2'
    )
    """,
    "CREATE VIRTUAL TABLE vocabulary USING fts5vocab(spellings, row)",
    REMOVED,
    CALIBRATIONS,
)


def check_not_newer(schema: int, index: object = "the index") -> None:
    """Raises IndexMismatch for an index of a newer ragnotes, also where that took over while this one runs."""
    if schema > SCHEMA_VERSION:
        raise IndexMismatch(
            f"{index} was written by a newer version of ragnotes (schema {schema}, this one has {SCHEMA_VERSION})",
            UPGRADE_HINT,
        )
