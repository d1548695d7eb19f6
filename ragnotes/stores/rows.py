"""Records to database values and back, losing nothing: NUL, any Unicode, file names that are not Unicode."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ragnotes.calibration import Calibration
from ragnotes.matching import folded
from ragnotes.types import (
    Chunk,
    CueMark,
    DateMark,
    DateRange,
    Document,
    FileRecord,
    FileStatus,
    HeadingMark,
    Kind,
    Link,
    Manifest,
    Mark,
    Metadata,
    PageMark,
    Place,
    Source,
    Unit,
)

__all__ = [
    "CHUNK_COLUMNS",
    "DOCUMENT_COLUMNS",
    "FILE_COLUMNS",
    "LISTED",
    "SOURCE_COLUMNS",
    "Query",
    "Row",
    "calibration_of",
    "calibration_value",
    "chunk_of",
    "chunk_values",
    "document_of",
    "document_values",
    "embedding_key",
    "file_of",
    "file_values",
    "in_one_row",
    "listed",
    "manifest_of",
    "manifest_value",
    "pack",
    "placeholders",
    "source_of",
    "unpack",
]

Row = tuple[Any, ...]
"""A row of values as the database gives them."""

Query = Callable[[str, Sequence[object]], list[Row]]
"""Runs one SQL statement with its parameters and gives all rows."""

LISTED = "(SELECT value FROM json_each(?))"
"""For `IN`: the values of one parameter made by `listed`, however many; SQLite bounds the number of parameters."""

DOCUMENT_COLUMNS = "doc_id, path, kind, title, titled, verbatim, sha256, metadata, marks, text"
SOURCE_COLUMNS = "doc_id, path, title, kind, sha256"
CHUNK_COLUMNS = 'chunk_id, start, "end", section, date_since, date_until, speaker, place, context, plain, links, units'
FILE_COLUMNS = "path, status, reason, chunks, indexed_at, fingerprint, sha256"

_MARKS: dict[str, type[HeadingMark | PageMark | CueMark | DateMark]] = {
    "heading": HeadingMark,
    "page": PageMark,
    "cue": CueMark,
    "date": DateMark,
}
_MARK_NAMES = {kind: name for name, kind in _MARKS.items()}


def pack(text: str) -> bytes:
    """UTF-8 that also carries lone surrogates, as file names that are not UTF-8 have; sorts as the strings do."""
    return text.encode("utf-8", "surrogatepass")


def unpack(packed: bytes) -> str:
    """The string that `pack` was given."""
    return packed.decode("utf-8", "surrogatepass")


def placeholders(values: Sequence[object]) -> str:
    """`?, ?, ?` for the parameters of one SQL statement."""
    return ", ".join("?" for _ in values)


def listed(values: Sequence[object]) -> str:
    """The parameter of `LISTED`."""
    return json.dumps(values)


def in_one_row(query: Query, statement: str, columns: Sequence[str], values: Sequence[object]) -> list[Row]:
    """These columns of all rows of a statement: numbers and text, no BLOB.

    SQLite gives them as one string: for each row that is fetched alone Python's lock is let go of, and other threads
    make this one wait for it.
    """
    joined = f"SELECT json_group_array(json_array({', '.join(columns)})) FROM ({statement})"
    [(rows,)] = query(joined, values)
    return [tuple(row) for row in json.loads(rows)]


def embedding_key(text: str) -> bytes:
    """SHA-256 of the exact embedded string."""
    return hashlib.sha256(pack(text)).digest()


def document_values(document: Document) -> Row:
    """In the order of DOCUMENT_COLUMNS."""
    return (
        document.doc_id,
        pack(document.path),
        document.kind.value,
        pack(document.title),
        document.titled,
        document.verbatim,
        document.sha256,
        _dumps({**_fields(document.metadata), "extra": dict(document.metadata.extra)}),
        _dumps([_mark_value(mark) for mark in document.marks]),
        document.text,
    )


def document_of(row: Row) -> Document:
    """The document of a row of DOCUMENT_COLUMNS, without its blocks: they serve chunking only and are not kept."""
    doc_id, path, kind, title, titled, verbatim, sha256, metadata, marks, text = row
    return Document(
        doc_id=doc_id,
        path=unpack(path),
        kind=Kind(kind),
        title=unpack(title),
        titled=bool(titled),
        verbatim=bool(verbatim),
        text=text,
        sha256=sha256,
        marks=tuple(_mark_of(value) for value in json.loads(marks)),
        metadata=_metadata_of(json.loads(metadata)),
    )


def source_of(row: Row) -> Source:
    """The source of a row of SOURCE_COLUMNS."""
    doc_id, path, title, kind, sha256 = row
    return Source(doc_id, unpack(path), unpack(title), Kind(kind), sha256)


def chunk_values(chunk: Chunk) -> Row:
    """In the order of CHUNK_COLUMNS; dates and the speaker stand apart from the place for filters to compare."""
    when, speaker = chunk.place.date, chunk.place.speaker
    return (
        chunk.chunk_id,
        chunk.start,
        chunk.end,
        chunk.section,
        when and when.since.isoformat(),
        when and when.until.isoformat(),
        speaker and pack(folded(speaker)),
        _dumps(_fields(chunk.place)),
        chunk.context,
        chunk.plain,
        _dumps(chunk.links),
        _dumps([_unit_value(unit) for unit in chunk.units]),
    )


def chunk_of(row: Row, doc_id: str, text: str) -> Chunk:
    """The chunk of a row of CHUNK_COLUMNS; `text` is that of its whole document.

    The slice is cut here, not by SQL: SQLite's substr ends at the first NUL.
    """
    chunk_id, start, end, section, _, _, _, place, context, plain, links, units = row
    fields = json.loads(place)
    return Chunk(
        chunk_id=chunk_id,
        doc_id=doc_id,
        start=start,
        end=end,
        text=text[start:end],
        context=context,
        plain=plain,
        place=Place(**{**fields, "date": _date_of(fields["date"])}),
        units=tuple(_unit_of(*value) for value in json.loads(units)),
        links=tuple(json.loads(links)),
        section=section,
    )


def _unit_value(unit: Unit) -> tuple[object, ...]:
    """As short as it may be: most units have no links."""
    value = (unit.start, unit.end, unit.plain, unit.lead, unit.shown, unit.links, unit.near)
    return value if unit.links or unit.near else value[: 5 if unit.shown else 4]


def _unit_of(start: int, end: int, plain: str, lead: str, shown: str = "", *links: Sequence[list[str]]) -> Unit:
    inside, near = (tuple(Link(*link) for link in each) for each in links or ((), ()))
    return Unit(start, end, plain, lead, shown, inside, near)


def file_values(record: FileRecord) -> Row:
    """In the order of FILE_COLUMNS."""
    return (
        pack(record.path),
        record.status.value,
        record.reason,
        record.chunks,
        record.indexed_at,
        record.fingerprint,
        record.sha256,
    )


def file_of(row: Row) -> FileRecord:
    """The record of a row of FILE_COLUMNS."""
    path, status, *rest = row
    return FileRecord(unpack(path), FileStatus(status), *rest)


def manifest_value(manifest: Manifest) -> str:
    return _dumps(asdict(manifest))


def manifest_of(value: str | None) -> Manifest | None:
    if value is None:
        return None
    fields = json.loads(value)
    return Manifest(**{**fields, "roots": tuple(fields["roots"])})


def calibration_value(calibration: Calibration) -> str:
    return _dumps(asdict(calibration))


def calibration_of(row: Row) -> Calibration:
    return Calibration(**{"clues": 1, **json.loads(row[0])})  # the first did not say which


def _mark_value(mark: Mark) -> dict[str, object]:
    return {"kind": _MARK_NAMES[type(mark)], **_fields(mark)}


def _mark_of(value: Mapping[str, Any]) -> Mark:
    fields = dict(value)
    kind = _MARKS[fields.pop("kind")]
    if kind is HeadingMark:
        fields["path"] = tuple(fields["path"])
    if kind is DateMark:
        fields["date"] = _date_of(fields["date"])
    return kind(**fields)


def _metadata_of(fields: Mapping[str, Any]) -> Metadata:
    return Metadata(**{**fields, "tags": tuple(fields["tags"]), "date": _date_of(fields["date"])})


def _fields(record: Metadata | Place | Mark) -> dict[str, object]:
    """The record's fields by name, dates as ISO 8601."""
    values = {name: getattr(record, name) for name in record.__dataclass_fields__}
    return {name: str(value) if isinstance(value, DateRange) else value for name, value in values.items()}


def _date_of(value: str | None) -> DateRange | None:
    return None if value is None else DateRange.parse(value)


def _dumps(value: Mapping[str, object] | Sequence[object]) -> str:
    """JSON as UTF-8 can carry it: a lone surrogate becomes its escape, everything else stays as it is, searchable."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")
