"""Nearest neighbours over the vectors of one index generation, exact or by codes.

The vectors' truth is the store's database; what stands here can be thrown away at any time. FAISS takes duplicate ids,
NaN and damaged files without a word, so everything is checked before it goes in. This is the only module that imports
faiss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragnotes.types import Vectors

__all__ = [
    "NORM_TOLERANCE",
    "SAMPLE",
    "SCORE_DECIMALS",
    "Identity",
    "Ids",
    "Stored",
    "VectorIndex",
    "unit_rows",
    "vectors_in",
]

Raw = Any
"""An index as FAISS has it; its classes tell no types."""
Ids = NDArray[np.int64]
"""int64, shape (n,)."""
Stored = Callable[[Ids], Vectors]
"""Gives the vectors of ascending ids as the database has them, unit rows of shape (n, dimension)."""

SCORE_DECIMALS = 6
NORM_TOLERANCE = 1e-3
# FAISS's float32 sums differ from exact ones by less than this; a hit so close to the last wanted is fetched too.
SCORE_MARGIN = 1e-5
ROWS_AT_ONCE = 4096
# An IndexIDMap2 over a flat index nests one level; FAISS counts such steps while it reads a file.
MAX_LOAD_STEPS = 16

SAMPLE = 4096
"""Rows that codes are fitted to: FAISS uses no more for the 16 values of a code."""
NO_IDS: Ids = np.empty(0, dtype=np.int64)

CANDIDATES, CANDIDATES_PER_HIT = 400, 4
"""How many are taken by their codes to be scored exactly: of each hit wanted so many, and no fewer than this."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What vectors belong to: `lineage` is one database from its creation on, so that row numbers mean the same."""

    lineage: str
    embedder: str
    dimension: int


class VectorIndex:
    """Unit vectors under integer ids, searched by inner product. Safe to search from many threads at once.

    An exact one looks through all vectors. One made by `coded` holds 4 bits for every two dimensions, looks through the
    codes of all, and scores the best of them by the vectors that it holds too, or else by what is `stored`: every score
    is exact, and only a hit that its code ranks below several hundred others is missed.

    `add` and `remove` must not run beside a search: change a `copy` and hand that on.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._rows: Raw = _empty(dimension)
        self._codes: Raw = None

    @classmethod
    def coded(cls, sample: Vectors, *, with_rows: bool = False) -> VectorIndex:
        """An empty one for codes, fitted to these rows; raises ValueError on none, or such as `add` does not take."""
        rows = unit_rows(sample, sample.shape[-1])
        if not len(rows):
            raise ValueError("codes need vectors to be fitted to")
        codes = _unfitted(rows.shape[1])
        chosen = np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE)).astype(np.int64)
        with _one_thread():
            codes.train(rows[np.resize(chosen, max(len(chosen), codes.pq.ksub))])
        return _made_of(_empty(rows.shape[1]) if with_rows else None, codes, rows.shape[1])

    @property
    def exact(self) -> bool:
        """Whether it looks through all vectors, and has no codes."""
        return self._codes is None

    @property
    def holds_rows(self) -> bool:
        """Whether the vectors themselves are in memory."""
        return self._rows is not None

    def __len__(self) -> int:
        return int((self._codes if self._rows is None else self._rows).ntotal)

    @property
    def ids(self) -> Ids:
        """All ids, ascending."""
        return next(self._ids_held())

    def copy(self) -> VectorIndex:
        """The same vectors, to be changed apart from these."""
        rows, codes = (each and _faiss().clone_index(each) for each in (self._rows, self._codes))
        return _made_of(rows, codes, self.dimension)

    def add(self, ids: Ids, rows: Vectors) -> None:
        """Take in rows; raises ValueError on an id that is there already or a row that is no unit vector."""
        rows = unit_rows(rows, self.dimension)
        if len(ids) != len(rows):
            raise ValueError(f"{len(ids)} ids for {len(rows)} vectors")
        if not _all_differ(np.sort(ids)) or np.isin(ids, self.ids).any():
            raise ValueError("an id is given twice")
        for each in self._held:
            each.add_with_ids(rows, np.ascontiguousarray(ids, dtype=np.int64))

    def remove(self, ids: Ids) -> None:
        """Drop the rows of these ids; ids that are not there are ignored."""
        if len(ids):
            for each in self._held:
                each.remove_ids(np.ascontiguousarray(ids, dtype=np.int64))
            if not self.exact:
                self._clear_end()

    def rows(self, ids: Sequence[int] | Ids) -> Vectors:
        """The vectors of these ids, shape (n, dimension), in order, where `holds_rows`; KeyError on an unknown id."""
        try:
            rows: Vectors = self._rows.reconstruct_batch(np.ascontiguousarray(ids, dtype=np.int64))
        except RuntimeError as error:
            raise KeyError(f"one of the {len(ids)} ids is unknown") from error
        return rows

    def scores(self, vector: Vectors, ids: Sequence[int] | Ids, stored: Stored | None = None) -> list[float]:
        """Cosines in the order of the ids, in [-1, 1], summed in float64 and rounded to 6 decimals.

        Every score that leaves the store comes from here, so it never depends on what else was in the batch. Without
        `stored` the index must hold the vectors.
        """
        query = _query(vector, self.dimension).astype(np.float64)
        if self.holds_rows or stored is None:
            rows = self.rows(ids)
        else:
            ascending, order = np.unique(np.asarray(ids, dtype=np.int64), return_inverse=True)
            rows = stored(ascending)[order]
        scores = np.clip(rows.astype(np.float64) @ query, -1, 1).round(SCORE_DECIMALS)
        return [float(score) + 0.0 for score in scores]  # + 0.0 turns the -0.0 that rounding makes into 0.0

    def search(
        self, vector: Vectors, limit: int, allowed: Ids | None = None, stored: Stored | None = None
    ) -> list[tuple[int, float]]:
        """Ids and cosines of the nearest rows, best first, ties by id; `allowed` of None means all rows.

        More than `limit` come back when others tie with the last, so that the caller may break ties as it likes.
        Without `stored` the index must hold the vectors.
        """
        query = _query(vector, self.dimension)
        reachable = len(self) if allowed is None else min(len(self), len(allowed))
        if limit <= 0 or not reachable:
            return []
        nearest = self._nearest if self.exact else self._nearest_by_code
        found = nearest(query, min(limit, reachable), reachable, allowed)
        scored = sorted(
            zip(self.scores(query, found, stored), found.tolist(), strict=True), key=lambda pair: (-pair[0], pair[1])
        )
        last = scored[min(limit, len(scored)) - 1][0] if scored else 0.0
        return [(chunk, score) for score, chunk in scored if score >= last]

    def agrees(self, stored: Stored) -> bool:
        """Whether it holds what it would hold of the rows that are stored under its ids."""
        pieces = np.array_split(self.ids, -(-len(self) // ROWS_AT_ONCE) or 1)
        if self.holds_rows and not all(np.array_equal(self.rows(ids), stored(ids)) for ids in pieces):
            return False
        if self.exact:
            return True
        again = _made_of(None, _faiss().clone_index(self._codes), self.dimension)
        again._codes.reset()
        for ids in pieces:
            again.add(ids, stored(ids))
        return np.array_equal(self._scores_by_code(), again._scores_by_code())

    def write(self, write: Callable[[bytes], int]) -> None:
        """Hand over all bytes piece by piece, for FAISS would hold them three times over; `vectors_in` reads them."""
        for each in self._held:
            _faiss().write_index(each, _faiss().PyCallbackIOWriter(write))

    @property
    def _held(self) -> list[Raw]:
        return [each for each in (self._rows, self._codes) if each is not None]

    def _nearest(self, query: Vectors, limit: int, reachable: int, allowed: Ids | None) -> Ids:
        """At least every id that may be among the best `limit`; fetches on for as long as the last one ties."""
        faiss = _faiss()
        # The selector is kept by a name: FAISS holds no reference to it.
        selector = None if allowed is None else faiss.IDSelectorBatch(np.ascontiguousarray(allowed, dtype=np.int64))
        parameters = None if selector is None else faiss.SearchParameters(sel=selector)
        fetched = min(limit + 16, reachable)
        while True:
            with _one_thread():
                scores, ids = self._rows.search(query[np.newaxis], fetched, params=parameters)
            found: Ids = ids[0][ids[0] >= 0]
            complete = len(found) < fetched or fetched == reachable
            if complete or scores[0][-1] < scores[0][limit - 1] - SCORE_MARGIN:
                return found
            fetched = min(fetched * 2, reachable)

    def _nearest_by_code(self, query: Vectors, limit: int, reachable: int, allowed: Ids | None) -> Ids:
        """The ids whose codes are nearest; all that are allowed, where those are no more than the candidates."""
        faiss = _faiss()
        fetched = min(max(CANDIDATES, CANDIDATES_PER_HIT * limit), reachable)
        parameters = None
        if allowed is not None:  # bits and selector are kept by names: FAISS holds no reference to them
            bits = _bits(allowed)
            selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
            parameters = faiss.SearchParametersIVF(sel=selector)
        with _one_thread():
            _, ids = self._codes.search(query[np.newaxis], fetched, params=parameters)
        found: Ids = ids[0][ids[0] >= 0]
        if len(found) < fetched:  # FAISS leaves out a code that is the worst in all its parts, as where all are alike
            reached = self.ids if allowed is None else np.intersect1d(allowed, self.ids)
            found = np.concatenate([found, np.setdiff1d(reached, found)[: fetched - len(found)]])
        return found

    def _ids_held(self) -> Iterator[Ids]:
        """All ids, ascending, of the vectors and of the codes."""
        if self._rows is not None:
            yield np.sort(_faiss().vector_to_array(self._rows.id_map))
        if self._codes is not None:
            yield np.sort(self._listed())

    def _listed(self) -> Ids:
        """The ids of the codes as FAISS has them, to be copied before it changes."""
        count = int(self._codes.ntotal)
        ids: Ids = _faiss().rev_swig_ptr(self._codes.invlists.get_ids(0), count) if count else NO_IDS
        return ids

    def _clear_end(self) -> None:
        """Take out the block that is not full, and put it in anew.

        FAISS keeps codes in blocks. What is taken out stays in the last one, and mixes with the next codes put there.
        A code is made of what it stands for without change. (FAISS's own way back from a code crashes on a read index.)
        """
        count, raw, faiss = int(self._codes.ntotal), self._codes, _faiss()
        first = count - count % raw.bbs
        if first < count:
            lists = faiss.downcast_InvertedLists(raw.invlists)
            size = lists.block_size
            blocks = faiss.rev_swig_ptr(lists.get_codes(0), (first // raw.bbs + 1) * size).reshape(-1, size)
            rows = raw.pq.decode(np.stack([lists.packer.unpack_1(blocks, place) for place in range(first, count)]))
            ids = self._listed()[first:].copy()
            raw.remove_ids(ids)
            raw.add_with_ids(rows, ids)

    def _scores_by_code(self) -> Vectors:
        """The scores that the codes give to all ids, ascending, for some fixed queries; shape (2, n)."""
        queries = np.random.default_rng(0).standard_normal((2, self.dimension), dtype=np.float32)
        scores, ids = self._codes.search(queries, max(1, len(self)))
        ordered: Vectors = np.take_along_axis(scores, np.argsort(ids, axis=1), axis=1)
        return ordered


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


def vectors_in(payload: bytes, dimension: int, count: int) -> VectorIndex:
    """The index in FAISS's bytes, whose checksum held. Raises ValueError and RuntimeError on other bytes."""
    faiss = _faiss()
    faiss.set_deserialization_vector_byte_limit(len(payload))
    faiss.set_deserialization_loop_limit(MAX_LOAD_STEPS)
    reader = faiss.VectorIOReader()
    faiss.copy_array_to_vector(np.frombuffer(payload, dtype=np.uint8), reader.data)
    rows = codes = None
    while reader.rp < len(payload):
        raw = faiss.read_index(reader)
        if raw.d != dimension or raw.metric_type != faiss.METRIC_INNER_PRODUCT or raw.ntotal != count:
            raise ValueError("not as many vectors as announced, or others")
        if rows is None and codes is None and isinstance(raw, faiss.IndexIDMap2):
            rows = raw
        elif codes is None and _holds_codes(raw):
            codes = raw
        else:
            raise ValueError("not an index of this kind")
    index = _made_of(rows, codes, dimension)
    if not index._held or not all(_all_differ(ids) and np.array_equal(ids, index.ids) for ids in index._ids_held()):
        raise ValueError("an id is there twice, or not in both")
    return index


def _holds_codes(raw: Raw) -> bool:
    """Whether what FAISS has read is of the shape that is made here."""
    made = _unfitted(raw.d)
    if not isinstance(raw, type(made)):
        return False
    shape = (
        "nlist",
        "nprobe",
        "code_size",
        "M",
        "M2",
        "ksub",
        "nbits",
        "bbs",
        "by_residual",
        "implem",
        "skip",
        "qbs",
        "qbs2",
    )
    alike = all(getattr(raw, name) == getattr(made, name) for name in shape) and raw.is_trained
    return bool(alike and raw.quantizer.ntotal == raw.invlists.nlist == 1 and raw.invlists.list_size(0) == raw.ntotal)


def _made_of(rows: Raw | None, codes: Raw | None, dimension: int) -> VectorIndex:
    index = VectorIndex.__new__(VectorIndex)
    index.dimension, index._rows, index._codes = dimension, rows, codes
    return index


def _empty(dimension: int) -> Raw:
    """FAISS's index of all vectors under ids."""
    return _faiss().IndexIDMap2(_faiss().IndexFlatIP(dimension))


def _unfitted(dimension: int) -> Raw:
    """FAISS's index of one list, all of which is searched: unlike one without lists it takes ids out and filters."""
    faiss = _faiss()
    pairs = dimension // 2 if dimension % 2 == 0 else dimension
    raw = faiss.index_factory(dimension, f"IVF1,PQ{pairs}x4fs", faiss.METRIC_INNER_PRODUCT)
    raw.quantizer.add(np.zeros((1, dimension), dtype=np.float32))
    raw.by_residual = False
    raw.pq.cp.min_points_per_centroid = 1  # below this FAISS prints a warning
    return raw


@contextmanager
def _one_thread() -> Iterator[None]:
    """FAISS's threads wait for each other, the longer the busier the machine is.

    On two busy cores one thread looks through 100,000 vectors in 7 ms, two in 35; it fits codes in 2 s, two in 60.
    """
    faiss = _faiss()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _all_differ(ascending: Ids) -> bool:
    """Whether no id is there twice. For a million that are sorted, numpy's `unique` takes 0.8 s."""
    return bool(np.all(ascending[1:] != ascending[:-1]))


def _bits(ids: Ids) -> NDArray[np.uint8]:
    """A bit for each id from 0 on, set for these; others are ignored."""
    kept = ids[ids >= 0]
    flags = np.zeros(int(kept.max(initial=-1)) + 1, dtype=np.bool_)
    flags[kept] = True
    return np.packbits(flags, bitorder="little")


def _query(vector: Vectors, dimension: int) -> Vectors:
    query: Vectors = unit_rows(np.reshape(vector, (1, -1)), dimension)[0]
    return query


@cache
def _faiss() -> ModuleType:
    """Loaded at the first search, not at import: it costs 0.1 s, which reading the status of an index need not pay."""
    import faiss

    module: ModuleType = faiss
    return module
