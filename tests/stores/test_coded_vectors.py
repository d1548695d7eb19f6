"""Large indexes: searched by codes, scored by what is stored."""

from __future__ import annotations

import hashlib
import json
import resource
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragnotes.stores.integrity import findings
from ragnotes.stores.local import VECTORS, LocalStore
from ragnotes.stores.sharing import Bounds, SharedVectors
from ragnotes.stores.vectors import Identity, Ids, Stored, VectorIndex
from ragnotes.stores.vectors_file import load_vectors, save_vectors
from ragnotes.types import Vectors
from tests.stores.samples import DIMENSION, NO_FILTERS, damaged, entry, fill, vector_of, vectors_of

COUNT, WIDE = 4000, 64
IDENTITY = Identity("lineage", "fake", WIDE)


def clustered(count: int, seed: int = 0) -> Vectors:
    """Unit rows around 80 centres."""
    draw = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((80, WIDE))
    rows = centres[draw.integers(80, size=count)] + 0.7 * draw.standard_normal((count, WIDE))
    unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


ROWS = clustered(COUNT)
QUERIES = clustered(50, seed=1)
IDS = np.arange(COUNT, dtype=np.int64) * 3 + 5


def stored(ids: Ids) -> Vectors:
    assert np.all(ids[1:] > ids[:-1])
    rows: Vectors = ROWS[(ids - 5) // 3]
    return rows


def coded(rows: Vectors = ROWS, ids: Ids = IDS, *, with_rows: bool = False) -> VectorIndex:
    index = VectorIndex.coded(rows, with_rows=with_rows)
    index.add(ids, rows)
    return index


def exact(ids: Ids = IDS) -> VectorIndex:
    index = VectorIndex(WIDE)
    index.add(ids, stored(ids))
    return index


def recall(index: VectorIndex, truth: VectorIndex, limit: int, allowed: Ids | None = None) -> float:
    """The share of the nearest that is found; what is found has the truth's scores and order."""
    shares = []
    for query in QUERIES:
        wanted = truth.search(query, limit, allowed)
        found = index.search(query, limit, allowed, stored)
        scores = truth.scores(query, [number for number, _ in found])
        assert found == sorted(
            zip([number for number, _ in found], scores, strict=True), key=lambda hit: (-hit[1], hit[0])
        )
        shares.append(len({number for number, _ in wanted} & {number for number, _ in found}) / len(wanted))
    return float(np.mean(shares))


WITH_ROWS = pytest.mark.parametrize("with_rows", [False, True], ids=["stored", "in memory"])
"""Where the vectors are by which the best codes are scored."""


@WITH_ROWS
def test_codes_find_what_a_scan_of_all_vectors_finds_with_its_scores(with_rows: bool) -> None:
    index = coded(with_rows=with_rows)
    assert (index.exact, index.holds_rows) == (False, with_rows)
    assert recall(index, exact(), 10) >= 0.99
    assert recall(index, exact(), 100) >= 0.98


def test_filters_reach_as_much_and_few_allowed_are_all_scored() -> None:
    allowed = np.sort(np.random.default_rng(2).choice(IDS, 1500, replace=False))
    assert recall(coded(), exact(), 10, allowed) >= 0.99
    assert recall(coded(), exact(), 100, allowed[:400]) == 1
    assert recall(coded(), exact(), 10, allowed[:7]) == 1


def test_allowed_ids_that_are_not_there_are_never_found() -> None:
    found = coded().search(QUERIES[0], 9, np.array([8, 9, -1, 10**6], dtype=np.int64), stored)
    assert [number for number, _ in found] == [8]


CHANGES = st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 99), min_size=1)), max_size=8)


@given(changes=CHANGES, limit=st.integers(1, 110), with_rows=st.booleans())
@settings(max_examples=80, deadline=None)
def test_any_changes_lead_to_the_codes_of_what_is_left_and_a_copy_does_not_change_its_origin(
    changes: list[tuple[bool, set[int]]], limit: int, with_rows: bool
) -> None:
    origin = coded(ROWS[:50], IDS[:50], with_rows=with_rows)
    changed = origin.copy()
    for added, numbers in changes:
        ids = IDS[sorted(numbers)]
        if added:
            new = np.setdiff1d(ids, changed.ids)
            changed.add(new, stored(new))
        else:
            changed.remove(ids)
    assert changed.agrees(stored)
    if len(changed):
        assert recall(changed, exact(changed.ids), limit) == 1
    assert origin.ids.tolist() == IDS[:50].tolist()
    assert origin.agrees(stored)


def test_vectors_that_are_all_alike_are_found() -> None:
    index = coded(np.repeat(ROWS[:1], 900, axis=0), IDS[:900])
    found = index.search(ROWS[0], 5, None, lambda ids: np.repeat(ROWS[:1], len(ids), axis=0))
    assert {score for _, score in found} == {1.0}
    assert len(found) >= 5


@pytest.mark.parametrize("dimension", [1, 7, 16, 384])
def test_codes_are_made_of_any_dimension_and_of_a_single_row(dimension: int) -> None:
    rows = vectors_of(["a"], dimension)
    index = VectorIndex.coded(rows)
    assert not index.exact
    assert index.search(rows[0], 3, None, lambda ids: rows) == []
    index.add(IDS[:1], rows)
    assert index.search(rows[0], 3, None, lambda ids: rows) == [(5, 1.0)]


def test_codes_need_unit_vectors_and_refuse_an_id_given_twice() -> None:
    with pytest.raises(ValueError, match="fitted"):
        VectorIndex.coded(ROWS[:0])
    with pytest.raises(ValueError, match="norm"):
        VectorIndex.coded(ROWS * 2)
    index = coded(ROWS[:20], IDS[:20])
    with pytest.raises(ValueError, match="twice"):
        index.add(IDS[19:21], ROWS[19:21])


def test_codes_that_are_not_of_the_stored_vectors_disagree() -> None:
    def other(ids: Ids) -> Vectors:
        rows = stored(ids).copy()
        rows[ids == 5] *= -1
        return rows

    for index in (coded(), coded(with_rows=True), exact()):
        assert index.agrees(stored)
        assert not index.agrees(other)


@WITH_ROWS
def test_a_saved_file_of_codes_loads_and_finds_the_same(tmp_path: Path, with_rows: bool) -> None:
    path, index = tmp_path / VECTORS, coded(with_rows=with_rows)
    save_vectors(path, index, IDENTITY, 3)
    loaded = load_vectors(path, IDENTITY, 3)
    assert loaded is not None
    assert (loaded[1].exact, loaded[1].holds_rows) == (False, with_rows)
    assert (path.stat().st_size < COUNT * WIDE) == (not with_rows)
    for query in QUERIES:
        assert loaded[1].search(query, 10, None, stored) == index.search(query, 10, None, stored)
    loaded[1].remove(IDS[:10])
    loaded[1].add(IDS[:10], ROWS[:10])
    assert loaded[1].agrees(stored)


@WITH_ROWS
def test_a_file_of_codes_with_any_byte_flipped_or_cut_counts_as_absent(tmp_path: Path, with_rows: bool) -> None:
    path = tmp_path / VECTORS
    save_vectors(path, coded(ROWS[:40], IDS[:40], with_rows=with_rows), IDENTITY, 3)
    whole = path.read_bytes()
    for position, content in damaged(whole, 41):
        path.write_bytes(content)
        assert load_vectors(path, IDENTITY, 3) is None, position


def test_a_file_whose_vectors_and_codes_are_not_of_the_same_rows_counts_as_absent(tmp_path: Path) -> None:
    path, pieces = tmp_path / VECTORS, list[bytes]()
    index = coded(ROWS[:40], IDS[:40], with_rows=True)
    save_vectors(path, index, IDENTITY, 3)
    head, _, payload = path.read_bytes().partition(b"\n")
    coded(ROWS[:40], IDS[1:41]).write(lambda piece: pieces.append(piece) or len(piece))  # type: ignore[func-returns-value]
    codes = b"".join(pieces)
    vectors = payload[: -len(codes)]
    for other in (vectors + codes, codes + vectors, vectors + vectors, codes + codes, b""):
        forged = json.loads(head) | {"sha256": hashlib.sha256(other).hexdigest()}
        path.write_bytes(json.dumps(forged).encode() + b"\n" + other)
        assert load_vectors(path, IDENTITY, 3) is None
    path.write_bytes(head + b"\n" + payload)
    assert load_vectors(path, IDENTITY, 3) is not None


@WITH_ROWS
def test_a_file_of_codes_with_a_checksum_of_its_own_makes_faiss_take_no_more_than_it_holds(
    tmp_path: Path, with_rows: bool
) -> None:
    path = tmp_path / VECTORS
    rows = vectors_of([str(number) for number in range(40)])
    identity = replace(IDENTITY, dimension=DIMENSION)
    save_vectors(path, coded(rows, IDS[:40], with_rows=with_rows), identity, 3)
    head, _, payload = path.read_bytes().partition(b"\n")
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for position in range(0, len(payload) - 8, 4):
        hostile = payload[:position] + (1 << 40).to_bytes(8, "little") + payload[position + 8 :]
        forged = json.loads(head) | {"sha256": hashlib.sha256(hostile).hexdigest()}
        path.write_bytes(json.dumps(forged).encode() + b"\n" + hostile)
        loaded = load_vectors(path, identity, 3)
        if loaded is not None:  # only a value was overwritten: it is searched as any other
            loaded[1].search(rows[0], 5, None, lambda ids: rows[: len(ids)])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 100 * 1024


@dataclass(frozen=True)
class Generation:
    """A generation of a database with the first rows of ROWS."""

    count: int
    generation: int

    def identity(self) -> Identity:
        return IDENTITY

    def live_ids(self) -> Ids:
        return IDS[: self.count]

    def vectors(self, ids: Ids) -> Vectors:
        return stored(ids)


def test_an_index_is_coded_by_the_writer_when_it_outgrows_the_bound_and_exact_again_at_half(tmp_path: Path) -> None:
    path = tmp_path / VECTORS
    shared = SharedVectors(path, bounds=Bounds(100, 100))
    kinds, counts = [], (100, 101, 60, 51, 50, 80, 101)
    for number, count in enumerate(counts, start=1):
        source = Generation(count, number)
        before = shared.at(source, IDENTITY)
        shared.save(source)
        after = shared.at(source, IDENTITY)
        loaded = load_vectors(path, IDENTITY, number)
        assert loaded is not None
        assert loaded[1].exact == after.exact
        for index in (before, after, loaded[1]):
            assert index.ids.tolist() == IDS[:count].tolist()
            assert index.search(QUERIES[0], 5, None, stored) == exact(IDS[:count]).search(QUERIES[0], 5)
        kinds.append((before.exact, after.exact))
    assert kinds == [
        (True, True),
        (True, False),
        (False, False),
        (False, False),
        (False, True),
        (True, True),
        (True, False),
    ]


def test_the_vectors_leave_memory_past_a_bound_of_their_own_and_come_back_at_half(tmp_path: Path) -> None:
    shared = SharedVectors(tmp_path / VECTORS, bounds=Bounds(20, 100))
    kinds = []
    for number, count in enumerate((20, 21, 100, 101, 60, 50, 11, 10), start=1):
        source = Generation(count, number)
        shared.save(source)
        index = shared.at(source, IDENTITY)
        assert index.ids.tolist() == IDS[:count].tolist()
        assert index.search(QUERIES[0], 5, None, stored) == exact(IDS[:count]).search(QUERIES[0], 5)
        kinds.append((index.exact, index.holds_rows))
    assert kinds == [
        (True, True),
        (False, True),
        (False, True),
        (False, False),
        (False, False),
        (False, True),
        (False, True),
        (True, True),
    ]


def test_an_index_without_a_file_is_made_of_the_kind_that_its_size_asks_for(tmp_path: Path) -> None:
    for bound, kind in ((99, False), (100, True)):
        shared = SharedVectors(tmp_path / f"{bound}", bounds=Bounds(bound, bound))
        assert shared.at(Generation(100, 1), IDENTITY).exact == kind


def nearest(store: LocalStore, text: str, limit: int = 5) -> list[tuple[str, float]]:
    with store.reading() as snapshot:
        return [(hit.chunk_id, hit.score) for hit in snapshot.dense(vector_of(text), limit, NO_FILTERS)]


def test_a_store_that_outgrows_the_bound_answers_as_an_exact_one_also_after_a_restart_and_damage(
    tmp_path: Path,
) -> None:
    notes = [entry(f"{number}.md", *(f"passage {number} {part}" for part in range(6))) for number in range(10)]
    stores = {bound: tmp_path / str(bound) for bound in (20, 10_000)}
    for bound, directory in stores.items():
        with closing(LocalStore.open(directory, create=True, bounds=Bounds(bound, bound))) as store:
            for each in notes:
                fill(store, each)
            with store.writer():
                store.remove(["3.md", "4.md"])
            assert findings(directory) == []
    small, whole = (stores[20] / VECTORS).stat().st_size, (stores[10_000] / VECTORS).stat().st_size
    assert small != whole
    with closing(LocalStore.open(stores[10_000])) as store:
        wanted = [nearest(store, text) for text in ("passage 7 2", "another")]
    for damage in (None, b"\xff" * 40):
        if damage:
            content = bytearray((stores[20] / VECTORS).read_bytes())
            content[-200:-160] = damage
            (stores[20] / VECTORS).write_bytes(content)
        with closing(LocalStore.open(stores[20], bounds=Bounds(20, 20))) as store:
            assert [nearest(store, text) for text in ("passage 7 2", "another")] == wanted


def test_scores_by_ids_come_in_their_order_also_when_asked_for_twice() -> None:
    asked = [IDS[9], IDS[2], IDS[9]]
    assert coded().scores(QUERIES[0], asked, stored) == exact().scores(QUERIES[0], asked)


def test_rows_missing_from_what_is_stored_are_an_error() -> None:
    missing: Stored = lambda ids: ROWS[: max(0, len(ids) - 1)]  # noqa: E731
    with pytest.raises((ValueError, IndexError)):
        coded().scores(QUERIES[0], [IDS[0], IDS[1]], missing)
