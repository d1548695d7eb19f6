"""Whether the full text index holds the words of the passages, and no others.

FTS5 tests an index only where it may write. So its tables are copied into memory, over views of the passages as they
are in the database, and tested there.
"""

from __future__ import annotations

from collections.abc import Iterator

from ragnotes.errors import IndexDamaged
from ragnotes.stores.schema import CREATE, SECTION_TEXTS
from ragnotes.stores.snapshot import Query

__all__ = ["FULL_TEXT", "damaged_full_text", "rebuild_full_text"]

FULL_TEXT = ("words", "spellings", "sections")

_ALL_SECTIONS = (
    SECTION_TEXTS.format(document="document")
    .replace("GROUP BY section", "GROUP BY document, section")
    .replace("FROM chunks", "FROM main.chunks")
)
_CONTENT = {
    "words": "SELECT id, context, plain, links, forms FROM main.chunks",
    "spellings": "SELECT id, context, plain FROM main.chunks",
    "sections": f"WITH each (id, text) AS ({_ALL_SECTIONS}) SELECT id, text FROM each",
}


def damaged_full_text(query: Query) -> Iterator[tuple[str, str]]:
    """The names of the tables that do not agree with the passages, each with what SQLite says; needs `temp`."""
    for name in FULL_TEXT:
        try:
            _copy(query, name)
            query(f"INSERT INTO temp.{name}_copy ({name}_copy, rank) VALUES ('integrity-check', 1)", ())
        except IndexDamaged as error:
            yield name, error.problem


def _copy(query: Query, name: str) -> None:
    [statement] = [each for each in CREATE if f"VIRTUAL TABLE {name} " in each]
    statement = statement.replace(f"VIRTUAL TABLE {name} ", f"VIRTUAL TABLE temp.{name}_copy ")
    statement = statement.replace("content=''", "content='chunks', content_rowid='id'")
    statement = statement.replace("content='chunks'", f"content='{name}_content'")
    query(f"CREATE TEMP VIEW {name}_content AS {_CONTENT[name]}", ())
    query(statement, ())
    parts = query("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name GLOB ?", (f"{name}_*",))
    for (part,) in parts:
        copy = part.replace(name, f"{name}_copy", 1)
        query(f"DELETE FROM temp.{copy}", ())
        query(f"INSERT INTO temp.{copy} SELECT * FROM main.{part}", ())


def rebuild_full_text(query: Query) -> None:
    """Make the full text index anew from the passages, in the caller's transaction."""
    for name in FULL_TEXT[:2]:
        query(f"INSERT INTO {name} ({name}) VALUES ('rebuild')", ())
    query("INSERT INTO sections (sections) VALUES ('delete-all')", ())
    for (document,) in query("SELECT id FROM documents", ()):
        query(f"INSERT INTO sections (rowid, text) {SECTION_TEXTS.format(document='?')}", (document,))
