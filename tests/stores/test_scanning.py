"""Reading past what cannot be read: everything else is found, in a number of steps that ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import pytest

from ragnotes.errors import IndexDamaged
from ragnotes.stores.rows import Row
from ragnotes.stores.scanning import LAST_KEY, Unread, scan
from ragnotes.stores.snapshot import Query

ROWS = 3000


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as opened:
        opened.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, word TEXT)")
        opened.executemany("INSERT INTO notes VALUES (?, ?)", ((number, f"w{number}") for number in range(1, ROWS + 1)))
        yield opened


def failing(connection: sqlite3.Connection, fails: Callable[[int, int], bool]) -> tuple[Query, list[str]]:
    """SQL on a disk of which some rows cannot be read, nor the ends of the table; and the statements that were run."""
    asked: list[str] = []

    def query(statement: str, values: Sequence[object]) -> list[Row]:
        asked.append(statement)
        first, end = (int(str(value)) for value in values or (1, LAST_KEY))
        if fails(first, end):
            raise IndexDamaged("a page cannot be read", "")
        return connection.execute(statement, values).fetchall()

    return query, asked


def test_rows_around_unreadable_ones_are_all_found_and_those_are_told_of_once(connection: sqlite3.Connection) -> None:
    query, asked = failing(connection, lambda first, end: first <= 700 and end >= 601)
    found = list(scan(query, "notes", "word"))
    unread = [each for each in found if isinstance(each, Unread)]
    assert [(each.first, each.last) for each in unread] == [(601, 700)]
    assert str(unread[0]) == "notes, rows from 601 to 700: a page cannot be read"
    numbers = [each[0] for each in found if not isinstance(each, Unread)]
    assert [*range(1, 601), *range(701, ROWS + 1)] == numbers
    assert len(asked) < 10_000


def test_a_table_of_which_nothing_can_be_read_is_told_of_once(connection: sqlite3.Connection) -> None:
    query, asked = failing(connection, lambda _first, _end: True)
    [unread] = scan(query, "notes", "word")
    assert unread == Unread("notes", 1, LAST_KEY, "a page cannot be read")
    assert len(asked) < 10_000


def test_deleted_rows_leave_no_gap_to_walk_through(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM notes WHERE id > 5")
    connection.execute("INSERT INTO notes VALUES (?, 'last')", (LAST_KEY,))
    query, asked = failing(connection, lambda _first, _end: False)
    assert [row[0] for row in scan(query, "notes", "word") if not isinstance(row, Unread)] == [1, 2, 3, 4, 5, LAST_KEY]
    assert len(asked) < 10
