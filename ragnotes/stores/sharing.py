"""One in-memory vector index for all readers of a store, kept in step with the database.

An index is never changed once published: a reader of another generation gets a changed copy. So searches need no lock,
a reader sees exactly the rows of its own generation, and what another process wrote is caught up in the same way.

Up to so many rows the index is exact, above it has codes, and above a larger number nothing but codes. One that grows
past either, or shrinks to half of it, is made anew by the writer before it saves; searches go on with what there is
until then.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple, Protocol

import numpy as np

from ragnotes.errors import RagnotesError
from ragnotes.stores.vectors import SAMPLE, Identity, Ids, VectorIndex
from ragnotes.stores.vectors_file import load_vectors, save_vectors, saved_generation, temporary_of
from ragnotes.types import Vectors

__all__ = ["BOUNDS", "Bounds", "SharedVectors", "VectorSource"]

log = logging.getLogger(__name__)


class Bounds(NamedTuple):
    """Numbers of rows: up to `exact` all vectors are looked through, up to `rows` they are in memory."""

    exact: int
    rows: int

    def asked(self, count: int, held: VectorIndex | None = None) -> tuple[bool, bool]:
        """Whether an index of so many rows is to be exact, and to hold the vectors; one that is held stays longer."""
        return (
            count <= self.exact and (held is None or held.exact or 2 * count <= self.exact),
            count <= self.rows and (held is None or held.holds_rows or 2 * count <= self.rows),
        )


BOUNDS = Bounds(exact=30_000, rows=150_000)
"""Above the first a scan takes longer than codes do; above the second the vectors take 230 MB. docs/decisions/0011."""
READ_AT_ONCE = 1 << 15
"""Rows taken from the database together: 50 MB at 384 dimensions."""


class VectorSource(Protocol):
    """One generation of the database, as far as vectors go: row ids in ascending order, and the vectors of some."""

    @property
    def generation(self) -> int: ...
    def identity(self) -> Identity | None: ...
    def live_ids(self) -> Ids: ...
    def vectors(self, ids: Ids) -> Vectors: ...


class SharedVectors:
    """The newest index that any reader of this process needed, and the file it is saved to."""

    def __init__(self, path: Path, *, bounds: Bounds = BOUNDS) -> None:
        self._path = path
        self._bounds = bounds
        self._lock = Lock()
        self._published: tuple[int, Identity, VectorIndex] | None = None
        self._on_disk = -1

    def at(self, source: VectorSource, identity: Identity) -> VectorIndex:
        """The index of exactly the source's rows."""
        published = self._published
        if published is not None and published[:2] == (source.generation, identity):
            return published[2]
        with self._lock:
            index = self._in_step(self._nearest(source, identity), source)
            newest = self._published
            if newest is None or newest[1] != identity or source.generation > newest[0]:
                self._published = (source.generation, identity, index)
            return index

    def save(self, source: VectorSource) -> None:
        """Write the file if it is behind the source; a failure is logged and does no harm. Needs the writer's lock."""
        identity = source.identity()
        if identity is None or self._on_disk >= source.generation:
            return
        try:
            held = self.at(source, identity)
            index = self._of_the_right_kind(held, source, identity)
            # `at` may just have found the file to be whole and current
            if self._on_disk < source.generation or index is not held:
                save_vectors(self._path, index, identity, source.generation)
                self._on_disk = source.generation
        except (OSError, ValueError, RuntimeError, RagnotesError) as error:  # FAISS raises RuntimeError
            log.warning("%s was not saved, the next start takes longer: %s", self._path, error)

    def clear_leftovers(self, generation: int) -> None:
        """Removes what a killed run left, and a file ahead of the database. Needs the writer's lock.

        A database that lost its last changes gives their numbers to other rows: such a file would pass for theirs.
        """
        with suppress(OSError):
            temporary_of(self._path).unlink(missing_ok=True)
            if saved_generation(self._path) > generation:
                self._path.unlink()

    @property
    def unsaved(self) -> bool:
        """Whether this process holds an index newer than the file."""
        return self._published is not None and self._published[0] > self._on_disk

    def _nearest(self, source: VectorSource, identity: Identity) -> VectorIndex:
        """The index to start from: the one in memory, the one in the file, or an empty one."""
        if self._published is not None and self._published[1] == identity:
            return self._published[2]
        loaded = load_vectors(self._path, identity, source.generation)
        if loaded is None:
            return VectorIndex(identity.dimension)
        self._on_disk, index = loaded
        return index

    def _of_the_right_kind(self, index: VectorIndex, source: VectorSource, identity: Identity) -> VectorIndex:
        """The index of the source's rows, made anew where it has outgrown its kind. Searches do not wait for that."""
        asked = self._bounds.asked(len(index), index)
        if (index.exact, index.holds_rows) != asked:
            index = self._made(source, source.live_ids(), identity.dimension, *asked)
            with self._lock:
                if self._published is not None and self._published[:2] == (source.generation, identity):
                    self._published = (source.generation, identity, index)
        return index

    def _in_step(self, base: VectorIndex, source: VectorSource) -> VectorIndex:
        """The base itself if it holds the source's rows and no others, else a changed copy."""
        held, live = base.ids, source.live_ids()
        gone = np.setdiff1d(held, live, assume_unique=True)
        new = np.setdiff1d(live, held, assume_unique=True)
        if not len(gone) and not len(new):
            return base
        if len(gone) == len(held):
            return self._made(source, live, base.dimension, *self._bounds.asked(len(live)))
        index = base.copy()
        index.remove(gone)
        _add(index, new, source)
        return index

    def _made(self, source: VectorSource, ids: Ids, dimension: int, exact: bool, with_rows: bool) -> VectorIndex:
        """A new index of these rows; an exact one holds the vectors in any case."""
        if exact:
            index = VectorIndex(dimension)
        else:
            sample = np.unique(np.linspace(0, len(ids) - 1, SAMPLE).astype(np.int64))
            index = VectorIndex.coded(source.vectors(ids[sample]), with_rows=with_rows)
        _add(index, ids, source)
        return index


def _add(index: VectorIndex, ids: Ids, source: VectorSource) -> None:
    for first in range(0, len(ids), READ_AT_ONCE):
        some = ids[first : first + READ_AT_ONCE]
        index.add(some, source.vectors(some))
