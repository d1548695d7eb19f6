"""Seeing to it that of text taken out nothing is left in the files of an index.

SQLite overwrites deleted rows with zeros (`secure_delete`), and yet two traces stay: full text keeps the words of a
deleted passage until the segment that they were written to is merged with others, and now and then a page that was
split keeps a copy of what had moved to its neighbour (of 2,000 deleted words, one was found there). So segments are
merged and the database is rewritten after a run that took text out. That costs 0.06 s for each 1,000 passages of the
index, however little was taken out, and is put off where it would take more than a twentieth of the time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from ragnotes.errors import IndexLocked, IndexWriteFailed
from ragnotes.stores.full_text import FULL_TEXT
from ragnotes.stores.snapshot import Query

__all__ = ["purge"]

log = logging.getLogger(__name__)

SHARE = 20
"""At most one part in so many of the time between two runs goes into this."""
LONGEST_S = 3600.0
"""What is put off for longer was told by a clock that was wrong."""


def purge(transaction: Callable[[], AbstractContextManager[Query]], *, at_once: bool = False) -> None:
    """Drop the words and vectors of what was taken out, if anything was, and it is time or to be done `at_once`.

    Vectors in use again stay. What fails is logged and done by the next run: what was taken out is out all the same.
    """
    started = time.time()
    try:
        with transaction() as query:
            [(due_at, any_removed)] = query("SELECT purge_at, EXISTS (SELECT 1 FROM removed) FROM meta", ())
            put_off = 0 < due_at - started < LONGEST_S
            if not any_removed or (put_off and not at_once):
                return
            _merge(query)
        query("VACUUM", ())  # rewrites every page; not possible in a transaction
        with transaction() as query:
            query("DELETE FROM removed", ())
            ended = time.time()
            query("UPDATE meta SET purge_at = ?", (ended + SHARE * (ended - started),))
    except (IndexWriteFailed, IndexLocked) as error:
        log.warning("traces of deleted text stay until the next run: %s", error)


def _merge(query: Query) -> None:
    used = "SELECT 1 FROM chunks WHERE chunks.embedding = removed.embedding"
    query(f"DELETE FROM embeddings WHERE id IN (SELECT embedding FROM removed WHERE NOT EXISTS ({used}))", ())
    for name in FULL_TEXT:
        query(f"INSERT INTO {name} ({name}) VALUES ('optimize')", ())
