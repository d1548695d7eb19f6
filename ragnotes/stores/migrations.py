"""An index that an older ragnotes wrote, brought to the schema of this one in a transaction of its owner."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ragnotes.stores.checksums import CHECKED, checksum_of
from ragnotes.stores.schema import CALIBRATIONS, CHUNK_REMOVED, REMOVED, SCHEMA_VERSION
from ragnotes.stores.snapshot import Query

__all__ = ["migrate"]


def migrate(query: Query) -> None:
    """Bring the index to `SCHEMA_VERSION`, step by step; nothing is done to one that is there already."""
    [(schema,)] = query("SELECT schema FROM meta", ())
    for version in range(int(schema), SCHEMA_VERSION):
        _STEPS[version](query)
        query("UPDATE meta SET schema = ?", (version + 1,))


def _add_checksums(query: Query) -> None:
    """From 2 to 3: a checksum for each row as it is now, and a list of the vectors whose chunks were taken out."""
    query(CALIBRATIONS.replace(",\n        checksum BLOB", ""), ())
    for table, columns in CHECKED.items():
        query(f"ALTER TABLE {table} ADD COLUMN checksum BLOB", ())
        key = "path" if table == "files" else "id"
        for (row,) in query(f"SELECT {key} FROM {table}", ()):  # one by one: texts are large
            [values] = query(f"SELECT {columns} FROM {table} WHERE {key} = ?", (row,))
            query(f"UPDATE {table} SET checksum = ? WHERE {key} = ?", (checksum_of(values), row))
    query("ALTER TABLE meta ADD COLUMN purge_at REAL NOT NULL DEFAULT 0", ())
    query("DROP TRIGGER chunk_removed", ())
    query(REMOVED, ())
    query(CHUNK_REMOVED, ())


_STEPS: Mapping[int, Callable[[Query], None]] = {2: _add_checksums}
