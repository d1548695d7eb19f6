"""Seeing to it that of text taken out nothing is left in the files of an index.

SQLite overwrites deleted rows with zeros (`secure_delete`), and yet two traces stay: full text keeps the words of a
deleted passage until the segment that they were written to is merged with others, and now and then a page that was
split keeps a copy of what had moved to its neighbour (of 2,000 deleted words, one was found there). So segments are
merged and the database is rewritten after a run that took text out. That costs 0.06 s for each 1,000 passages of the
index, however little was taken out, and is put off where it would take more than a twentieth of the time. It needs as
much room again as the database has, in the system's folder for temporary files; what failed is put off likewise.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from ragnotes.errors import IndexLocked, IndexWriteFailed
from ragnotes.stores.full_text import FULL_TEXT
from ragnotes.stores.schema import REMOVED_KEYS
from ragnotes.stores.snapshot import Query

__all__ = ["any_removed", "purge"]

log = logging.getLogger(__name__)

SHARE = 20
"""At most one part in so many of the time between two runs goes into this."""
LONGEST_S = 3600.0
"""What is put off for longer was told by a clock that was wrong."""


def any_removed(query: Query) -> bool:
    """Whether text was taken out of which traces may be left."""
    [(found,)] = query("SELECT EXISTS (SELECT 1 FROM removed)", ())
    return bool(found)


def purge(transaction: Callable[[], AbstractContextManager[Query]], *, at_once: bool = False) -> bool:
    """Drop the words and vectors of what was taken out, if anything was, and it is time or to be done `at_once`.

    Gives whether nothing is left of it. Vectors in use again stay. What fails is logged and done by a later run: what
    was taken out is out all the same.
    """
    started = time.time()
    try:
        with transaction() as query:
            if not any_removed(query):
                return True
            [(due_at,)] = query("SELECT purge_at FROM meta", ())
            if not at_once and 0 < due_at - started < LONGEST_S:
                return False
            _merge(query)
        query("VACUUM", ())  # rewrites every page; not possible in a transaction
        with transaction() as query:
            query("DELETE FROM removed", ())
            _put_off(query, started)
    except (IndexWriteFailed, IndexLocked) as error:
        log.warning("traces of deleted text stay until a later run: %s", error)
        with suppress(IndexWriteFailed, IndexLocked), transaction() as query:
            _put_off(query, started)
        return False
    return True


def _put_off(query: Query, started: float) -> None:
    """Keep for other processes too when the next one may be."""
    ended = time.time()
    query("UPDATE meta SET purge_at = ?", (ended + SHARE * (ended - started),))


def _merge(query: Query) -> None:
    query(f"DELETE FROM embeddings WHERE key IN ({REMOVED_KEYS.format(schema='')})", ())
    for name in FULL_TEXT:
        query(f"INSERT INTO {name} ({name}) VALUES ('optimize')", ())
