"""One in-memory vector index for all readers of a store, kept in step with the database.

An index is never changed once published: a reader of another generation gets a changed copy. So searches need no lock,
a reader sees exactly the rows of its own generation, and what another process wrote is caught up in the same way.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np

from ragnotes.errors import RagnotesError
from ragnotes.stores.vectors import (
    Identity,
    Ids,
    VectorIndex,
    load_vectors,
    save_vectors,
    saved_generation,
    temporary_of,
)
from ragnotes.types import Vectors

__all__ = ["SharedVectors", "VectorSource"]

log = logging.getLogger(__name__)


class VectorSource(Protocol):
    """One generation of the database, as far as vectors go: row ids in ascending order, and the vectors of some."""

    @property
    def generation(self) -> int: ...
    def identity(self) -> Identity | None: ...
    def live_ids(self) -> Ids: ...
    def vectors(self, ids: Ids) -> Vectors: ...


class SharedVectors:
    """The newest index that any reader of this process needed, and the file it is saved to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._published: tuple[int, Identity, VectorIndex] | None = None
        self._on_disk = -1

    def at(self, source: VectorSource, identity: Identity) -> VectorIndex:
        """The index of exactly the source's rows."""
        published = self._published
        if published is not None and published[:2] == (source.generation, identity):
            return published[2]
        with self._lock:
            index = _in_step(self._nearest(source, identity), source)
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
            index = self.at(source, identity)
            if self._on_disk < source.generation:  # `at` may just have found the file to be whole and current
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


def _in_step(base: VectorIndex, source: VectorSource) -> VectorIndex:
    """The base itself if it holds the source's rows and no others, else a changed copy."""
    held, live = base.ids, source.live_ids()
    gone = np.setdiff1d(held, live, assume_unique=True)
    new = np.setdiff1d(live, held, assume_unique=True)
    if not len(gone) and not len(new):
        return base
    if len(gone) == len(held):
        index = VectorIndex(base.dimension)
    else:
        index = base.copy()
        index.remove(gone)
    if len(new):
        index.add(new, source.vectors(new))
    return index
