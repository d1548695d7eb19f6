"""An index that an older ragnotes wrote, brought to the schema of this one in a transaction of its owner.

Each step has the SQL of its own schema written out: what the tables of today are called must not change it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ragnotes.stores.checksums import checksum_of
from ragnotes.stores.schema import SCHEMA_VERSION, check_not_newer
from ragnotes.stores.snapshot import Query, read_meta

__all__ = ["migrate"]


def migrate(query: Query) -> None:
    """Bring the index to `SCHEMA_VERSION`, step by step; nothing is done to one that is there already.

    Raises IndexMismatch for one of a newer ragnotes.
    """
    (schema,) = read_meta(query, "schema")
    check_not_newer(schema)
    for version in range(schema, SCHEMA_VERSION):
        _STEPS[version](query)
        query("UPDATE meta SET schema = ?", (version + 1,))


_CALIBRATIONS_2 = """
    CREATE TABLE IF NOT EXISTS calibrations (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        embedder TEXT NOT NULL,
        chunker TEXT NOT NULL,
        calibration TEXT NOT NULL
    )
"""
_CHECKED_3 = {
    "documents": "doc_id, path, kind, title, titled, verbatim, sha256, metadata, marks, text",
    "chunks": (
        'document, embedding, ordinal, forms, chunk_id, start, "end", section, date_since, date_until, speaker, place,'
        " context, plain, links, units"
    ),
    "embeddings": "embedder, key, vector",
    "files": "path, status, reason, chunks, indexed_at, fingerprint, sha256",
    "calibrations": "embedder, chunker, calibration",
}
_REMOVED_3 = "CREATE TABLE removed (embedding INTEGER PRIMARY KEY)"
_CHUNK_REMOVED_3 = """
    CREATE TRIGGER chunk_removed AFTER DELETE ON chunks BEGIN
        INSERT INTO words (words, rowid, context, plain, links, forms)
        VALUES ('delete', old.id, old.context, old.plain, old.links, old.forms);
        INSERT INTO spellings (spellings, rowid, context, plain) VALUES ('delete', old.id, old.context, old.plain);
        INSERT OR IGNORE INTO removed VALUES (old.embedding);
    END
"""


def _add_checksums(query: Query) -> None:
    """From 2 to 3: a checksum for each row as it is now, and a list of the vectors whose chunks were taken out."""
    query(_CALIBRATIONS_2, ())
    for table, columns in _CHECKED_3.items():
        query(f"ALTER TABLE {table} ADD COLUMN checksum BLOB", ())
        key = "path" if table == "files" else "id"
        for (row,) in query(f"SELECT {key} FROM {table}", ()):  # one by one: texts are large
            [values] = query(f"SELECT {columns} FROM {table} WHERE {key} = ?", (row,))
            query(f"UPDATE {table} SET checksum = ? WHERE {key} = ?", (checksum_of(values), row))
    query("ALTER TABLE meta ADD COLUMN purge_at REAL NOT NULL DEFAULT 0", ())
    query("DROP TRIGGER chunk_removed", ())
    query(_REMOVED_3, ())
    query(_CHUNK_REMOVED_3, ())


_STEPS: Mapping[int, Callable[[Query], None]] = {2: _add_checksums}
