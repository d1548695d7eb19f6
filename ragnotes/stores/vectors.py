"""Exact nearest neighbours over the vectors of one index generation, and the file that spares rebuilding them.

The vectors' truth is the store's database; what stands here can be thrown away at any time. FAISS takes duplicate ids,
NaN and damaged files without a word, so everything is checked before it goes in and a file is believed only when its
own checksum holds. This is the only module that imports faiss.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from ragnotes.types import Vectors

__all__ = [
    "MAX_HEADER_BYTES",
    "NORM_TOLERANCE",
    "SCORE_DECIMALS",
    "Identity",
    "Ids",
    "VectorIndex",
    "load_vectors",
    "save_vectors",
    "saved_generation",
    "sync_directory",
    "temporary_of",
    "unit_rows",
    "vectors_in",
]

Ids = NDArray[np.int64]
"""int64, shape (n,)."""

SCORE_DECIMALS = 6
NORM_TOLERANCE = 1e-3
# FAISS's float32 sums differ from exact ones by less than this; a hit so close to the last wanted is fetched too.
SCORE_MARGIN = 1e-5
MAX_HEADER_BYTES = 4096
ROWS_AT_ONCE = 4096
# An IndexIDMap2 over a flat index nests one level; FAISS counts such steps while it reads a file.
MAX_LOAD_STEPS = 16


@dataclass(frozen=True, slots=True)
class Identity:
    """What vectors belong to: `lineage` is one database from its creation on, so that row numbers mean the same."""

    lineage: str
    embedder: str
    dimension: int


class VectorIndex:
    """Unit vectors under integer ids, searched exactly by inner product. Safe to search from many threads at once.

    `add` and `remove` must not run beside a search: change a `copy` and hand that on.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._index = _faiss().IndexIDMap2(_faiss().IndexFlatIP(dimension))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def ids(self) -> Ids:
        """All ids, ascending."""
        ids: Ids = _faiss().vector_to_array(self._index.id_map)
        return np.sort(ids)

    def copy(self) -> VectorIndex:
        """The same vectors, to be changed apart from these."""
        return _wrapped(_faiss().clone_index(self._index), self.dimension)

    def add(self, ids: Ids, rows: Vectors) -> None:
        """Take in rows; raises ValueError on an id that is there already or a row that is no unit vector."""
        rows = unit_rows(rows, self.dimension)
        if len(ids) != len(rows):
            raise ValueError(f"{len(ids)} ids for {len(rows)} vectors")
        if len(np.unique(ids)) != len(ids) or np.isin(ids, self.ids).any():
            raise ValueError("an id is given twice")
        self._index.add_with_ids(rows, np.ascontiguousarray(ids, dtype=np.int64))

    def remove(self, ids: Ids) -> None:
        """Drop the rows of these ids; ids that are not there are ignored."""
        if len(ids):
            self._index.remove_ids(np.ascontiguousarray(ids, dtype=np.int64))

    def rows(self, ids: Sequence[int] | Ids) -> Vectors:
        """The vectors of these ids, shape (n, dimension), in their order; raises KeyError on an unknown id."""
        try:
            rows: Vectors = self._index.reconstruct_batch(np.ascontiguousarray(ids, dtype=np.int64))
        except RuntimeError as error:
            raise KeyError(f"one of the {len(ids)} ids is unknown") from error
        return rows

    def scores(self, vector: Vectors, ids: Sequence[int] | Ids) -> list[float]:
        """Cosines in the order of the ids, in [-1, 1], summed in float64 and rounded to 6 decimals.

        Every score that leaves the store comes from here, so it never depends on what else was in the batch.
        """
        query = _query(vector, self.dimension).astype(np.float64)
        scores = np.clip(self.rows(ids).astype(np.float64) @ query, -1, 1).round(SCORE_DECIMALS)
        return [float(score) + 0.0 for score in scores]  # + 0.0 turns the -0.0 that rounding makes into 0.0

    def search(self, vector: Vectors, limit: int, allowed: Ids | None = None) -> list[tuple[int, float]]:
        """Ids and cosines of the nearest rows, best first, ties by id; `allowed` of None means all rows.

        More than `limit` come back when others tie with the last, so that the caller may break ties as it likes.
        """
        query = _query(vector, self.dimension)
        reachable = len(self) if allowed is None else min(len(self), len(allowed))
        if limit <= 0 or not reachable:
            return []
        found = self._nearest(query, min(limit, reachable), reachable, allowed)
        scored = sorted(
            zip(self.scores(query, found), found.tolist(), strict=True), key=lambda pair: (-pair[0], pair[1])
        )
        last = scored[min(limit, len(scored)) - 1][0] if scored else 0.0
        return [(chunk, score) for score, chunk in scored if score >= last]

    def _nearest(self, query: Vectors, limit: int, reachable: int, allowed: Ids | None) -> Ids:
        """At least every id that may be among the best `limit`; fetches on for as long as the last one ties."""
        faiss = _faiss()
        # The selector is kept by a name: FAISS holds no reference to it.
        selector = None if allowed is None else faiss.IDSelectorBatch(np.ascontiguousarray(allowed, dtype=np.int64))
        parameters = None if selector is None else faiss.SearchParameters(sel=selector)
        fetched = min(limit + 16, reachable)
        while True:
            scores, ids = self._index.search(query[np.newaxis], fetched, params=parameters)
            found: Ids = ids[0][ids[0] >= 0]
            complete = len(found) < fetched or fetched == reachable
            if complete or scores[0][-1] < scores[0][limit - 1] - SCORE_MARGIN:
                return found
            fetched = min(fetched * 2, reachable)


def unit_rows(rows: Vectors, dimension: int) -> Vectors:
    """The rows, float32 and contiguous; raises ValueError on another shape, or a row not finite and of norm 1."""
    checked = np.ascontiguousarray(rows, dtype=np.float32)
    if checked.ndim != 2 or checked.shape[1] != dimension:
        raise ValueError(f"vectors of shape {checked.shape}, expected (n, {dimension})")
    for first in range(0, len(checked), ROWS_AT_ONCE):  # the squares take as much room as the rows
        norms = np.linalg.norm(checked[first : first + ROWS_AT_ONCE], axis=1)
        if not np.all(np.abs(norms - 1) <= NORM_TOLERANCE):  # also false for NaN and infinity
            raise ValueError("a vector is not finite, or not of norm 1")
    return checked


def save_vectors(path: Path, index: VectorIndex, identity: Identity, generation: int) -> None:
    """Write the file whole or not at all: a header line of JSON, then FAISS's bytes. Raises OSError.

    One process at a time may save: the temporary file has a fixed name, so that a killed run leaves at most one.
    """
    digest = hashlib.sha256()
    header = {**asdict(identity), "generation": generation, "count": len(index)}
    temporary = temporary_of(path)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:

        def write(piece: bytes) -> int:
            digest.update(piece)
            return file.write(piece)

        # Piece by piece, for FAISS would hold all vectors three times over; their checksum is known at the end.
        file.write(_header_line(header, "0" * 64))
        _faiss().write_index(index._index, _faiss().PyCallbackIOWriter(write))
        file.seek(0)
        file.write(_header_line(header, digest.hexdigest()))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


def _header_line(header: Mapping[str, object], sha256: str) -> bytes:
    return json.dumps({**header, "sha256": sha256}).encode() + b"\n"


def temporary_of(path: Path) -> Path:
    """Where the file is written before it takes its place."""
    return path.with_name(f"{path.name}.tmp")


def saved_generation(path: Path) -> int:
    """The generation that the file says it holds; -1 where there is none that tells."""
    try:
        with path.open("rb") as file:
            return int(json.loads(file.readline(MAX_HEADER_BYTES))["generation"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return -1


def sync_directory(directory: Path) -> None:
    """Make the names of new and replaced files in the directory survive a power cut."""
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def load_vectors(path: Path, identity: Identity, newest: int) -> tuple[int, VectorIndex] | None:
    """The generation and vectors that the file holds.

    None when it is absent, damaged in any byte, of another identity, or of a generation after `newest`: such a file
    was left by a database that has since been replaced.
    """
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline(MAX_HEADER_BYTES))
            payload = file.read()
        expected = {**asdict(identity), "generation": int(header["generation"]), "count": int(header["count"])}
        expected["sha256"] = hashlib.sha256(payload).hexdigest()
        if header != expected or header["generation"] > newest:
            return None
        return int(header["generation"]), vectors_in(payload, identity.dimension, int(header["count"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, RuntimeError):  # FAISS raises RuntimeError
        return None


def vectors_in(payload: bytes, dimension: int, count: int) -> VectorIndex:
    """The index in FAISS's bytes, whose checksum held. Raises ValueError and RuntimeError on other bytes."""
    faiss = _faiss()
    faiss.set_deserialization_vector_byte_limit(len(payload))
    faiss.set_deserialization_loop_limit(MAX_LOAD_STEPS)
    raw = faiss.deserialize_index(np.frombuffer(payload, dtype=np.uint8))
    if not isinstance(raw, faiss.IndexIDMap2) or raw.d != dimension or raw.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise ValueError("not an index of this kind")
    index = _wrapped(raw, dimension)
    if not len(index) == count == len(np.unique(index.ids)):
        raise ValueError("not as many vectors as announced")
    return index


def _wrapped(raw: object, dimension: int) -> VectorIndex:
    index = VectorIndex.__new__(VectorIndex)
    index.dimension = dimension
    index._index = raw
    return index


def _query(vector: Vectors, dimension: int) -> Vectors:
    query: Vectors = unit_rows(np.reshape(vector, (1, -1)), dimension)[0]
    return query


@cache
def _faiss() -> ModuleType:
    """Loaded at the first search, not at import: it costs 0.1 s, which reading the status of an index need not pay."""
    import faiss

    module: ModuleType = faiss
    return module
