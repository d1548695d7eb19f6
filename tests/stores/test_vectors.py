from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragnotes.stores.vectors import Identity, Ids, VectorIndex
from ragnotes.stores.vectors_file import load_vectors, save_vectors
from ragnotes.types import Vectors
from tests.stores.samples import DIMENSION, damaged, vector_of, vectors_of

IDENTITY = Identity("lineage", "fake", DIMENSION)


def ids_of(*ids: int) -> Ids:
    return np.array(ids, dtype=np.int64)


def index_of(count: int) -> VectorIndex:
    """Ids 10, 20, … with the vectors of their numerals."""
    index = VectorIndex(DIMENSION)
    ids = ids_of(*range(10, 10 * count + 10, 10))
    index.add(ids, vectors_of([str(number) for number in ids]))
    return index


def brute_force(query: Vectors, ids: Ids, limit: int) -> list[tuple[int, float]]:
    rows = vectors_of([str(number) for number in ids]).astype(np.float64)
    scored = [(int(number), round(float(score), 6)) for number, score in zip(ids, rows @ query, strict=True)]
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:limit]


@given(count=st.integers(0, 60), limit=st.integers(0, 70), seed=st.text(max_size=3), data=st.data())
@settings(max_examples=60, deadline=None)
def test_search_equals_brute_force_with_and_without_allowed_ids(
    count: int, limit: int, seed: str, data: st.DataObject
) -> None:
    index, query = index_of(count), vector_of(seed)
    chosen = data.draw(st.lists(st.sampled_from(index.ids.tolist()), unique=True)) if count else []
    allowed = ids_of(*chosen)
    assert index.search(query, limit) == brute_force(query, index.ids, limit)
    assert index.search(query, limit, allowed) == brute_force(query, allowed, limit)


def test_ids_that_tie_with_the_last_wanted_all_come_back() -> None:
    index = VectorIndex(DIMENSION)
    index.add(ids_of(1, 2), vectors_of(["near", "far"]))
    index.add(np.arange(100, 400, dtype=np.int64), vectors_of(["near"] * 300))
    assert index.search(vector_of("near"), 5) == [(number, 1.0) for number in (1, *range(100, 400))]


def test_allowed_ids_that_are_not_there_are_never_found() -> None:
    assert [number for number, _ in index_of(3).search(vector_of("x"), 9, ids_of(20, 99, -1))] == [20]


def test_scores_are_in_the_order_of_the_ids_and_at_most_one() -> None:
    index = index_of(5)
    expected = vectors_of(["30", "10", "30"]) @ vector_of("30")
    assert index.scores(vector_of("30"), [30, 10, 30]) == pytest.approx(expected, abs=1e-6)
    assert index.scores(vector_of("30"), [30]) == [1.0]
    with pytest.raises(KeyError):
        index.scores(vector_of("30"), [30, 31])


def test_rows_come_back_as_they_were_added() -> None:
    np.testing.assert_array_equal(index_of(5).rows([50, 20]), vectors_of(["50", "20"]))
    assert index_of(5).rows([]).shape == (0, DIMENSION)


def test_removed_ids_are_gone_and_a_copy_does_not_change_its_origin() -> None:
    index = index_of(5)
    changed = index.copy()
    changed.remove(ids_of(20, 40, 999))
    changed.add(ids_of(7), vectors_of(["7"]))
    assert changed.ids.tolist() == [7, 10, 30, 50]
    assert len(changed) == 4
    assert changed.search(vector_of("7"), 1) == [(7, 1.0)]
    assert index.ids.tolist() == [10, 20, 30, 40, 50]


@pytest.mark.parametrize(
    "rows",
    [
        np.full((1, DIMENSION), np.nan, dtype=np.float32),
        np.full((1, DIMENSION), np.inf, dtype=np.float32),
        np.zeros((1, DIMENSION), dtype=np.float32),
        vectors_of(["x"]) * np.float32(1.01),
        vectors_of(["x"], DIMENSION + 1),
        vector_of("x"),
    ],
    ids=["nan", "inf", "zero", "not unit", "other dimension", "one axis"],
)
def test_rows_that_are_no_unit_vectors_are_refused(rows: Vectors) -> None:
    index = VectorIndex(DIMENSION)
    with pytest.raises(ValueError, match="vector"):
        index.add(ids_of(1), rows)
    assert len(index) == 0


def test_a_query_that_is_no_unit_vector_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        index_of(2).search(np.full(DIMENSION, np.nan, dtype=np.float32), 1)
    with pytest.raises(ValueError, match="shape"):
        index_of(2).search(vector_of("x", DIMENSION - 1), 1)


def test_an_id_given_twice_is_refused() -> None:
    index = index_of(2)
    for ids in (ids_of(10, 11), ids_of(12, 12)):
        with pytest.raises(ValueError, match="twice"):
            index.add(ids, vectors_of(["a", "b"]))
    with pytest.raises(ValueError, match="1 ids for 2 vectors"):
        index.add(ids_of(12), vectors_of(["a", "b"]))
    assert index.ids.tolist() == [10, 20]


def test_a_saved_file_loads_with_its_generation(tmp_path: Path) -> None:
    path = tmp_path / "vectors.faiss"
    save_vectors(path, index_of(7), IDENTITY, 3)
    loaded = load_vectors(path, IDENTITY, 3)
    assert loaded is not None
    assert loaded[0] == 3
    assert loaded[1].search(vector_of("x"), 5) == index_of(7).search(vector_of("x"), 5)
    assert [file.name for file in tmp_path.iterdir()] == ["vectors.faiss"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("identity", "newest"),
    [
        (Identity("another", "fake", DIMENSION), 3),
        (Identity("lineage", "other", DIMENSION), 3),
        (Identity("lineage", "fake", DIMENSION + 1), 3),
        (IDENTITY, 2),
    ],
    ids=["another database", "another embedder", "another dimension", "a later generation"],
)
def test_a_file_that_belongs_elsewhere_counts_as_absent(tmp_path: Path, identity: Identity, newest: int) -> None:
    path = tmp_path / "vectors.faiss"
    save_vectors(path, index_of(7), IDENTITY, 3)
    assert load_vectors(path, identity, newest) is None


def test_a_file_with_any_byte_flipped_or_cut_counts_as_absent(tmp_path: Path) -> None:
    path = tmp_path / "vectors.faiss"
    assert load_vectors(path, IDENTITY, 3) is None
    save_vectors(path, index_of(7), IDENTITY, 3)
    whole = path.read_bytes()
    for position, content in damaged(whole, 7):
        path.write_bytes(content)
        assert load_vectors(path, IDENTITY, 3) is None, position
    path.write_bytes(whole + b"x")
    assert load_vectors(path, IDENTITY, 3) is None


def test_importing_a_store_loads_no_engine() -> None:
    script = "import sys, ragnotes.stores.local; sys.exit('faiss' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0


def test_a_file_with_a_checksum_of_its_own_makes_faiss_take_no_more_than_it_holds(tmp_path: Path) -> None:
    """Whoever can write to the directory can also count up the checksum: lengths in it are still not believed."""
    path = tmp_path / "vectors.faiss"
    save_vectors(path, index_of(7), IDENTITY, 3)
    head, _, payload = path.read_bytes().partition(b"\n")
    header = json.loads(head)
    loaded, before_kb = 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for position in range(0, len(payload) - 8, 4):
        hostile = payload[:position] + (1 << 40).to_bytes(8, "little") + payload[position + 8 :]
        forged = header | {"sha256": hashlib.sha256(hostile).hexdigest()}
        path.write_bytes(json.dumps(forged).encode() + b"\n" + hostile)
        loaded += load_vectors(path, IDENTITY, 3) is not None  # where only a value was overwritten
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 100 * 1024
    assert loaded < len(payload) // 4
