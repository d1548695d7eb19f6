"""How every store takes writes: whole or not at all, one writer at a time, each reader in one generation.

Records are in test_store_records, searching is in test_store_search. Updates are compared with stores built afresh.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragnotes.answers import Scored
from ragnotes.calibration import CLUES, Calibration
from ragnotes.errors import IndexLocked, IndexMismatch
from ragnotes.ports import Snapshot, Store
from ragnotes.types import FileRecord, FileStatus, Manifest
from tests.stores.conftest import STORES
from tests.stores.samples import (
    DIMENSION,
    MANIFEST,
    NO_FILTERS,
    Entry,
    OpenStore,
    embed,
    entry,
    fill,
    put,
    vector_of,
    vectors_of,
)


def seen(snapshot: Snapshot) -> tuple[object, ...]:
    """Everything a snapshot shows, but for its generation."""
    dense = snapshot.dense(vector_of("q"), 1000, NO_FILTERS)
    return (
        dense,
        snapshot.lexical(["alpha", "beta", "gamma"], 1000, NO_FILTERS),
        snapshot.passages([hit.chunk_id for hit in dense]),
        [snapshot.document(source.doc_id) for source in snapshot.documents()],
        snapshot.files(),
        snapshot.frequencies(["alpha"]),
        snapshot.count(),
    )


WORDS = st.lists(st.sampled_from(["alpha", "beta", "gamma"]), min_size=1, max_size=4).map(" ".join)
STEPS = st.lists(st.tuples(st.sampled_from("abcd"), st.none() | st.lists(WORDS, max_size=3)), max_size=10)


@pytest.mark.parametrize("name", STORES)
@given(steps=STEPS, search_between=st.booleans())
@settings(max_examples=15, deadline=None)
def test_any_updates_equal_a_fresh_build_of_what_they_lead_to(
    name: str, steps: list[tuple[str, list[str] | None]], search_between: bool
) -> None:
    final: dict[str, Entry] = {}
    with TemporaryDirectory() as directory, STORES[name](Path(directory)) as updated:
        with updated.writer():
            updated.start(MANIFEST)
            for path, paragraphs in steps:
                final.pop(path, None)
                if paragraphs is None:
                    updated.remove([path])
                else:
                    final[path] = entry(path, *paragraphs)
                    put(updated, final[path])
                if search_between:
                    with updated.reading() as snapshot:
                        seen(snapshot)
        with TemporaryDirectory() as other, STORES[name](Path(other)) as fresh:
            fill(fresh, *(final[path] for path in sorted(final, reverse=True)))
            with updated.reading() as changed, fresh.reading() as built:
                assert seen(changed) == seen(built)
            with updated.writer():
                updated.reset(MANIFEST)
                put(updated, *final.values())
            with updated.reading() as rebuilt, fresh.reading() as built:
                assert seen(rebuilt) == seen(built)


def test_a_snapshot_keeps_its_generation_while_another_thread_writes(store: Store) -> None:
    fill(store, entry("a.md", "alpha one"), entry("b.md", "beta"))
    with store.reading() as early, store.reading() as late:
        before = seen(early)

        def write() -> None:
            fill(store, entry("a.md", "alpha two", "gamma"))
            with store.writer():
                store.remove(["b.md"])
            with store.reading() as now:
                assert seen(now) != before
                assert now.generation == 4

        writing = threading.Thread(target=write)
        writing.start()
        writing.join()
        assert seen(early) == before
        assert seen(late) == before, "its first search comes after the write"
        assert early.generation == late.generation == 2


def test_many_threads_read_while_one_writes_and_each_sees_whole_generations(store: Store) -> None:
    fill(store, *(entry(f"{number}.md", "alpha 0", "beta 0") for number in range(5)))
    failures: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            with store.reading() as snapshot:
                ids = [hit.chunk_id for hit in snapshot.dense(vector_of("q"), 100, NO_FILTERS)]
                passages = snapshot.passages(ids)
            versions = {source.path: set[str]() for _, source in passages}
            for chunk, source in passages:
                versions[source.path].add(chunk.text.split()[1])
            if len(passages) != 10 or any(len(version) != 1 for version in versions.values()):
                failures.append(f"torn: {versions}")

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    with store.writer():
        for version in range(1, 30):
            put(store, entry(f"{version % 5}.md", f"alpha {version}", f"beta {version}"))
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []


def test_a_missing_vector_is_a_key_error_and_changes_nothing(store: Store) -> None:
    fill(store, entry("a.md", "alpha"))
    changed = entry("a.md", "alpha", "never embedded")
    with store.reading() as snapshot:
        before = seen(snapshot)
    with store.writer(), pytest.raises(KeyError, match="no vector"):
        store.replace(changed.document, changed.chunks, changed.record)
    with store.reading() as snapshot:
        assert seen(snapshot) == before
        assert snapshot.generation == 1


def test_a_chunk_that_is_no_slice_of_its_document_is_refused(store: Store) -> None:
    each = entry("a.md", "alpha")
    with store.writer():
        store.start(MANIFEST)
        embed(store, each)
        for wrong in (replace(each.chunks[0], text="other"), replace(each.chunks[0], doc_id="other")):
            with pytest.raises(ValueError, match="no slice"):
                store.replace(each.document, [wrong], each.record)


def test_vectors_are_known_by_embedder_and_exact_string(store: Store) -> None:
    with store.writer():
        store.start(MANIFEST)
        store.remember("fake", ["a", "\ud800 b\0"], vectors_of(["a", "\ud800 b\0"]))
        store.remember("other", ["a"], vectors_of(["b"], 3))
        with pytest.raises(ValueError, match="finite"):
            store.remember("fake", ["c"], np.full((1, DIMENSION), np.nan, dtype=np.float32))
    known = store.embeddings("fake", ["\ud800 b\0", "a ", "a", "a", "c"])
    assert list(known) == ["\ud800 b\0", "a"]
    np.testing.assert_array_equal(known["a"], vector_of("a"))
    np.testing.assert_array_equal(store.embeddings("other", ["a"])["a"], vector_of("b", 3))
    assert store.embeddings("none", ["a"]) == {}


def test_vectors_outlive_their_document_to_the_end_of_the_run_and_no_longer(store: Store) -> None:
    fill(store, entry("a.md", "alpha"))
    with store.writer():
        store.remove(["a.md"])
        assert list(store.embeddings("fake", ["alpha"])) == ["alpha"], "a file that was moved needs no embedding"
        store.purge()
    assert store.embeddings("fake", ["alpha"]) == {}


def test_each_change_of_documents_raises_the_generation_by_one(store: Store) -> None:
    def generation() -> int:
        with store.reading() as snapshot:
            return snapshot.generation

    first, second = entry("a.md", "alpha"), entry("b.md", "beta")
    with store.writer():
        store.start(MANIFEST)
        embed(store, first, second)
        assert generation() == 0
        store.replace(first.document, first.chunks, first.record)
        assert generation() == 1
        store.replace(first.document, first.chunks, first.record)
        assert generation() == 2
        store.remove(["a.md", "b.md", "unknown"])
        assert generation() == 3
        store.remove(["a.md"])
        store.record([FileRecord("c.md", FileStatus.SKIPPED, "hidden")])
        assert generation() == 3
        store.reset(MANIFEST)
        assert generation() == 4


def test_a_failure_on_record_leaves_the_document_as_it_was(store: Store) -> None:
    fill(store, entry("a.md", "alpha"))
    failed = FileRecord("a.md", FileStatus.FAILED, "unreadable", 1)
    with store.writer():
        store.record([failed])
    with store.reading() as snapshot:
        assert snapshot.files() == [failed]
        assert snapshot.count() == 1


def test_a_document_takes_the_place_of_what_had_its_path_or_id(store: Store) -> None:
    old, new = entry("a.md", "alpha"), entry("b.md", "beta")
    fill(store, old)
    same_path = replace(new, document=replace(new.document, path="a.md"), record=replace(new.record, path="a.md"))
    fill(store, same_path)
    with store.reading() as snapshot:
        assert [source.doc_id for source in snapshot.documents()] == [new.document.doc_id]
        assert [record.path for record in snapshot.files()] == ["a.md"]


def test_a_store_begun_anew_takes_another_embedder_and_keeps_vectors(store: Store) -> None:
    fill(store, entry("a.md", "alpha"), entry("b.md", "beta"))
    with store.writer():
        store.record([FileRecord("c.md", FileStatus.SKIPPED, "hidden")])
    kept, other = entry("b.md", "beta"), replace(MANIFEST, embedder="other", dimension=8)
    with store.reading() as old:
        before = seen(old)
        with store.writer():
            store.remember("other", ["beta"], vectors_of(["beta"], 8))
            with pytest.raises(IndexMismatch):
                store.start(other)
            store.reset(other)
            store.start(other)
            with store.reading() as empty:
                assert (empty.count(), empty.files()) == (0, [])
            store.replace(kept.document, kept.chunks, kept.record)
            assert list(store.embeddings("fake", ["alpha", "beta"])) == ["alpha", "beta"]
        assert store.manifest() == other
        with store.reading() as new:
            assert new.dense(vector_of("beta", 8), 5, NO_FILTERS) == [Scored(kept.chunks[0].chunk_id, 1.0)]
            assert [record.path for record in new.files()] == ["b.md"]
        assert seen(old) == before


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (replace(MANIFEST, embedder="new"), ["fake (16)", "new (16)", "--rebuild"]),
        (replace(MANIFEST, dimension=8), ["fake (16)", "fake (8)", "--rebuild"]),
        (replace(MANIFEST, chunker="words-2"), ["paragraphs-1", "words-2", "--rebuild"]),
        (replace(MANIFEST, roots=("/else", "/b")), ["/notes", "/else, /b", "--index", "--rebuild"]),
    ],
    ids=["embedder", "dimension", "chunker", "roots"],
)
def test_another_manifest_is_refused_by_name(store: Store, asked: Manifest, words: list[str]) -> None:
    fill(store)
    with store.writer():
        store.start(MANIFEST)
        with pytest.raises(IndexMismatch) as caught:
            store.start(asked)
    assert [word for word in words if word not in str(caught.value)] == []
    assert store.manifest() == MANIFEST


def test_a_second_writer_is_turned_away_and_a_later_one_let_in(open_store: OpenStore, tmp_path: Path) -> None:
    with open_store(tmp_path) as first, open_store(tmp_path) as second:
        with first.writer():
            for other in (first, second):
                with pytest.raises(IndexLocked, match="process"), other.writer():
                    pytest.fail("two writers")
        fill(second, entry("a.md", "alpha"))
        with first.reading() as snapshot:
            assert snapshot.dense(vector_of("alpha"), 1, NO_FILTERS)[0].score == 1.0


def test_writing_without_being_the_writer_is_refused(store: Store) -> None:
    with pytest.raises(RuntimeError, match="writer"):
        store.record([])


def test_a_writer_that_fails_lets_go(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.writer():
        raise ZeroDivisionError
    fill(store, entry("a.md", "alpha"))


FITTED = Calibration(0.4, 1.5, -0.25, 30, 12, "2026-11-21T12:00:00+00:00")


def test_a_calibration_is_kept_with_the_index_and_survives_a_rebuild_and_edits(store: Store) -> None:
    fill(store, entry("a.md", "alpha"))
    with store.reading() as before:
        assert before.calibration() is None
        with store.writer():
            store.calibrate(FITTED)
        assert before.calibration() is None
    each = entry("b.md", "beta")
    fill(store, each)
    with store.writer():
        store.reset(MANIFEST)
        put(store, each)
    with store.reading() as after:
        assert after.calibration() == FITTED


def test_a_calibration_raises_the_generation_so_that_kept_answers_are_made_anew(store: Store) -> None:
    fill(store, entry("a.md", "alpha"))
    with store.reading() as before, store.writer():
        store.calibrate(FITTED)
        with store.reading() as after:
            assert after.generation == before.generation + 1


def test_a_later_calibration_takes_the_place_of_the_first_and_none_forgets_it(store: Store) -> None:
    fill(store, entry("a.md", "alpha"))
    with store.writer():
        store.calibrate(FITTED)
        store.calibrate(replace(FITTED, threshold=0.6))
        with store.reading() as snapshot:
            assert snapshot.calibration() == replace(FITTED, threshold=0.6)
        store.calibrate(None)
        with store.reading() as snapshot:
            assert snapshot.calibration() is None


@pytest.mark.parametrize("other", [replace(MANIFEST, chunker="new"), replace(MANIFEST, embedder="other")])
def test_a_calibration_of_another_embedder_or_chunker_does_not_hold(store: Store, other: Manifest) -> None:
    each = entry("a.md", "alpha")
    fill(store, each)
    with store.writer():
        store.calibrate(FITTED)
        store.remember(other.embedder, [chunk.embedded for chunk in each.chunks], vectors_of(["alpha"]))
        store.reset(other)
        store.replace(each.document, each.chunks, each.record)
        with store.reading() as snapshot:
            assert snapshot.calibration() is None


def test_a_calibration_of_other_clues_does_not_hold(store: Store) -> None:
    fill(store, entry("a.md", "alpha"))
    with store.writer():
        store.calibrate(replace(FITTED, clues=CLUES - 1))
        with store.reading() as snapshot:
            assert snapshot.calibration() is None


def test_an_index_without_a_manifest_is_not_calibrated(store: Store) -> None:
    with store.writer(), pytest.raises(RuntimeError):
        store.calibrate(FITTED)
