"""Every row of a table that can be read, past those that cannot."""

from __future__ import annotations

from collections.abc import Iterator

from ragnotes.errors import IndexDamaged
from ragnotes.stores.rows import Row
from ragnotes.stores.snapshot import Query

__all__ = ["Unread", "scan"]

BATCH_ROWS = 256


class Unread(Exception):
    """The rows of this table from `first` to `last` cannot be read."""

    def __init__(self, table: str, first: int, last: int, problem: str) -> None:
        super().__init__(table, first, last, problem)
        self.table, self.first, self.last, self.problem = table, first, last, problem

    def __str__(self) -> str:
        rows = f"row {self.first}" if self.first == self.last else f"rows {self.first} to {self.last}"
        return f"{self.table}, {rows}: {self.problem}"


def scan(query: Query, table: str, columns: str, key: str = "id") -> Iterator[Row | Unread]:
    """The rows, each with its key before its columns, in the order of the keys, in batches.

    Where a batch cannot be read it is halved until the rows are found that cannot. Keys are integers.
    """
    try:
        [(first, last)] = query(f"SELECT min({key}), max({key}) FROM {table}", ())
    except IndexDamaged as error:
        yield Unread(table, 0, 0, error.problem)
        return
    while first is not None and first <= last:
        end = min(first + BATCH_ROWS, last + 1)
        yield from _between(query, f"SELECT {key}, {columns} FROM {table} WHERE {key} >= ? AND {key} < ?", first, end)
        try:  # over the gap that deleted rows leave
            [(first,)] = query(f"SELECT min({key}) FROM {table} WHERE {key} >= ?", (end,))
        except IndexDamaged:
            first = end


def _between(query: Query, statement: str, first: int, end: int) -> Iterator[Row | Unread]:
    try:
        yield from query(f"{statement} ORDER BY 1", (first, end))
    except IndexDamaged as error:
        if end - first == 1:
            yield Unread(statement.partition(" FROM ")[2].partition(" ")[0], first, first, error.problem)
            return
        middle = (first + end) // 2
        yield from _between(query, statement, first, middle)
        yield from _between(query, statement, middle, end)
