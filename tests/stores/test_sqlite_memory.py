from __future__ import annotations

import _sqlite3
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(_sqlite3, "__file__"), reason="SQLite is built into this Python")

OPEN = """
connection = sqlite3.connect(":memory:")
connection.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
connection.execute("INSERT INTO words VALUES ('river')")
"""
COUNTED = """
used = ctypes.CDLL(_sqlite3.__file__).sqlite3_memory_used
used.restype = ctypes.c_int64
print(used() > 0, connection.execute("SELECT text FROM words WHERE words MATCH 'river'").fetchall())
"""
IMPORTS = "import _sqlite3, ctypes, sqlite3\n"
STORE = """
from pathlib import Path
from ragnotes.stores.connections import Connections
Connections(Path("none"))
"""


def printed(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_process_that_opens_an_index_counts_no_memory_and_searches_as_ever() -> None:
    assert printed(IMPORTS + STORE + OPEN + COUNTED) == "False [('river',)]"


def test_sqlite_that_is_in_use_stays_as_it_is() -> None:
    assert printed(IMPORTS + OPEN + STORE + COUNTED) == "True [('river',)]"


def test_it_is_told_once_however_often_it_is_asked() -> None:
    again = "from ragnotes.stores.sqlite_memory import count_no_memory\nassert count_no_memory()\n"
    assert printed(IMPORTS + STORE + OPEN + again + COUNTED) == "False [('river',)]"
