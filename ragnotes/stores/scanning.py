"""Every row of a table that can be read, past those that cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ragnotes.errors import IndexDamaged
from ragnotes.stores.rows import Row
from ragnotes.stores.snapshot import Query

__all__ = ["Unread", "scan"]

BATCH_ROWS = 256
PARTS = 64
"""Into how many a batch is cut that follows one of which nothing could be read."""
LAST_KEY = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Unread:
    """The rows of this table from `first` to `last`, as many as there are, cannot be read."""

    table: str
    first: int
    last: int
    problem: str

    def __str__(self) -> str:
        rows = f"row {self.first}" if self.first == self.last else f"rows from {self.first} to {self.last}"
        return f"{self.table}, {rows}: {self.problem}"


def scan(query: Query, table: str, columns: str) -> Iterator[Row | Unread]:
    """The rows, each with its `id` before its columns, in the order of the ids, in batches.

    Where a batch cannot be read it is halved until the rows are found that cannot; those next to each other are told
    of once. Where nothing at all can be read, the batches grow, and the parts that are told apart with them: the last
    id may be damaged too, and 2**63.
    """
    return _joined(_rows(query, table, f"SELECT id, {columns} FROM {table} WHERE id BETWEEN ? AND ? ORDER BY 1"))


def _rows(query: Query, table: str, statement: str) -> Iterator[Row | Unread]:
    last = _end_of(query, f"SELECT max(id) FROM {table}", LAST_KEY)
    first = _end_of(query, f"SELECT min(id) FROM {table}", 1)
    size = BATCH_ROWS
    while first is not None and last is not None and first <= last:
        end = min(first + size - 1, last)
        grain = 1 if size == BATCH_ROWS else size // PARTS
        size *= 4
        for row in _between(query, table, statement, first, end, grain=grain):
            if not isinstance(row, Unread):
                size = BATCH_ROWS
            yield row
        if end == last:
            return
        following = _end_of(query, f"SELECT min(id) FROM {table} WHERE id > {end}", end + 1)  # past deleted rows
        first = following and max(following, end + 1)  # a damaged table may lead in circles


def _joined(rows: Iterator[Row | Unread]) -> Iterator[Row | Unread]:
    """The same with one `Unread` for those next to each other."""
    pending: Unread | None = None
    for row in rows:
        if pending is not None and isinstance(row, Unread) and row.first == pending.last + 1:
            pending = replace(pending, last=row.last)
            continue
        if pending is not None:
            yield pending
        pending = row if isinstance(row, Unread) else None
        if pending is None:
            yield row
    if pending is not None:
        yield pending


def _end_of(query: Query, statement: str, unknown: int) -> int | None:
    try:
        [(key,)] = query(statement, ())
    except IndexDamaged:
        return unknown
    return key if key is None else int(key)


def _between(query: Query, table: str, statement: str, first: int, end: int, *, grain: int) -> Iterator[Row | Unread]:
    try:
        rows = query(statement, (first, end))
    except IndexDamaged as error:
        if end - first < grain:
            yield Unread(table, first, end, error.problem)
            return
        middle = (first + end) // 2
        yield from _between(query, table, statement, first, middle, grain=grain)
        yield from _between(query, table, statement, middle + 1, end, grain=grain)
    else:
        yield from rows
