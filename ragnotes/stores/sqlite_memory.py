"""SQLite without its count of the memory it takes, which every allocation of every thread waits for."""

from __future__ import annotations

import _sqlite3
import ctypes
from contextlib import suppress
from functools import cache

__all__ = ["count_no_memory"]

_OK = 0
_CONFIG_MEMSTATUS = 9


@cache
def count_no_memory() -> bool:
    """Whether SQLite does not count; tried once. It still does where it is in use already, or built into Python.

    Its own advice for programs with threads: https://sqlite.org/compile.html#recommended_compile_time_options. Many
    distributions build it without, and without the small allocations of each connection that would spare most of it.
    Eight threads that search have 1.8 to 2.3 times as much done as one, else 1.4 to 1.6. For a moment no other thread
    may use SQLite.
    """
    with suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(_sqlite3.__file__)
        if library.sqlite3_compileoption_used(b"DEFAULT_MEMSTATUS=0"):
            return True  # and what it says of the memory in use tells nothing
        library.sqlite3_memory_used.restype = ctypes.c_int64
        library.sqlite3_config.argtypes = [ctypes.c_int]  # of what comes after it the number varies
        if library.sqlite3_memory_used() == 0 and library.sqlite3_shutdown() == _OK:
            told = library.sqlite3_config(_CONFIG_MEMSTATUS, 0)
            return bool(told == library.sqlite3_initialize() == _OK)
    return False
