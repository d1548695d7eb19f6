"""Whatever a store is given comes back as it was, in every field, whatever characters it holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ragnotes.answers import Filters
from ragnotes.ports import Store
from ragnotes.types import (
    Chunk,
    CueMark,
    DateMark,
    DateRange,
    Document,
    FileRecord,
    FileStatus,
    HeadingMark,
    Kind,
    Link,
    Metadata,
    PageMark,
    Place,
    Source,
    Unit,
)
from tests.stores.samples import (
    MANIFEST,
    NO_FILTERS,
    Entry,
    OpenStore,
    embed,
    entry,
    fill,
    vector_of,
)

STRANGE = "Grüße \U0001f98a\0 nul, ﬁ ligature, e\u0301, \u2028 line\r end \x07"
FULL_DOCUMENT = Document(
    doc_id="d1",
    path="odd \udcff name\n.md",
    kind=Kind.TRANSCRIPT,
    title="odd \udcff name",
    titled=True,
    verbatim=True,
    text=f"{STRANGE}\n\nsecond {STRANGE}",
    sha256="ab" * 32,
    marks=(
        HeadingMark(0, ("A", "B > C")),
        HeadingMark(1, ()),
        PageMark(2, 3),
        CueMark(4, 0.1, None, "Ann\0 \ud800"),
        CueMark(5, None, 2.5),
        DateMark(6, DateRange(date(2024, 1, 2), date(2024, 2, 3))),
        DateMark(7, None),
    ),
    metadata=Metadata(("Ä/b", "b", "B", "\udc80"), "Ann", DateRange.parse("2020-02-29"), "de", {"k": "v", "ü": "\0"}),
)
FULL_CHUNKS = (
    Chunk(
        "c1",
        "d1",
        0,
        len(STRANGE),
        STRANGE,
        "T > H",
        STRANGE,
        Place("A > B", 3, 2, 0.25, 61.5, "Ann, \udc80Bob", DateRange.parse("2024-01-07")),
        (
            Unit(0, 5, "Grüße", "lead", "shown", (Link("u://x", "\0\ud800"),)),
            Unit(6, 9, "\0\ud800", shown="s", near=(Link("v"),)),
        ),
        ("https://example.org/ü?q=a b", 'with "quotes" \n'),
    ),
    Chunk("c2", "d1", len(STRANGE) + 2, len(FULL_DOCUMENT.text), f"second {STRANGE}", "", "second", Place()),
)
FULL_RECORD = FileRecord(FULL_DOCUMENT.path, FileStatus.INDEXED, "cp1252", 2, "2026-01-01", "1:2:3", "ab" * 32)


def test_neighbours_are_the_chunks_beside_each_in_its_document(store: Store) -> None:
    first, second = entry("a.md", "one", "two", "three"), entry("b.md", "four")
    fill(store, first, second)
    one, two, three = (chunk.chunk_id for chunk in first.chunks)
    [four] = (chunk.chunk_id for chunk in second.chunks)
    with store.reading() as snapshot:
        asked = snapshot.neighbours([three, four, one, "no", two, one])
    assert asked == [(two, None), (None, None), (None, two), (None, None), (one, three), (None, two)]


def test_every_field_of_every_record_comes_back_after_reopening(open_store: OpenStore, tmp_path: Path) -> None:
    failed = FileRecord("other.pdf", FileStatus.FAILED, "encrypted")
    with open_store(tmp_path) as store:
        fill(store, Entry(FULL_DOCUMENT, FULL_CHUNKS, FULL_RECORD))
        with store.writer():
            store.record([failed])
    source = Source("d1", FULL_DOCUMENT.path, FULL_DOCUMENT.title, Kind.TRANSCRIPT, "ab" * 32)
    with open_store(tmp_path) as store:
        assert store.manifest() == MANIFEST
        with store.reading() as snapshot:
            assert snapshot.document("d1") == FULL_DOCUMENT
            assert snapshot.documents() == [source]
            assert snapshot.passages(["c2", "no", "c1"]) == [(FULL_CHUNKS[1], source), (FULL_CHUNKS[0], source)]
            outlines = snapshot.outlines(["c2", "no", "c1"])
            assert outlines == [(replace(chunk, text=""), source) for chunk in reversed(FULL_CHUNKS)]
            assert snapshot.with_texts([chunk for chunk, _ in outlines]) == [FULL_CHUNKS[1], FULL_CHUNKS[0]]
            assert snapshot.chunks("d1") == list(FULL_CHUNKS)
            assert snapshot.chunks("no \ud800") == []
            assert snapshot.files() == [FULL_RECORD, failed]
            assert snapshot.document("no \ud800") is None
            assert (snapshot.count(), snapshot.generation) == (2, 1)
            by_name = Filters(paths=("odd \udcff*",), tags=("\udc80",), speakers=("\udc80bob",))
            assert [hit.chunk_id for hit in snapshot.dense(vector_of("x"), 9, by_name)] == ["c1"]


def test_text_that_is_not_unicode_is_refused_and_changes_nothing(store: Store) -> None:
    good, bad = entry("a.md", "good"), entry("a.md", "bad \ud800")
    fill(store, good)
    with store.writer():
        embed(store, bad)
        with pytest.raises(UnicodeEncodeError):
            store.replace(bad.document, bad.chunks, bad.record)
    with store.reading() as snapshot:
        assert snapshot.document(good.document.doc_id) == good.document
        assert snapshot.generation == 1


def test_files_and_documents_are_sorted_by_path(store: Store) -> None:
    paths = ["b.md", "a/z.md", "Z.md", "ä.md", "a.md", "a\udcff.md"]
    fill(store, *(entry(path, path.replace("\udcff", "")) for path in paths))
    with store.reading() as snapshot:
        assert [record.path for record in snapshot.files()] == sorted(paths)
        assert [source.path for source in snapshot.documents()] == sorted(paths)


def test_the_chunks_of_a_document_come_in_the_order_of_its_text_and_alone(store: Store) -> None:
    long, other = entry("a.md", *(f"part {number}" for number in range(12))), entry("b.md", "part 0")
    fill(store, other, long)
    fill(store, entry("a.md", "an earlier text"), long)
    with store.reading() as snapshot:
        assert snapshot.chunks(long.document.doc_id) == list(long.chunks)
        assert snapshot.chunks(other.document.doc_id) == list(other.chunks)


def test_a_document_without_chunks_is_a_document(store: Store) -> None:
    fill(store, entry("empty.md"))
    with store.reading() as snapshot:
        assert [source.path for source in snapshot.documents()] == ["empty.md"]
        assert snapshot.count() == 0
        assert snapshot.dense(vector_of("x"), 5, NO_FILTERS) == []


def test_a_store_that_was_never_written_answers_with_nothing(store: Store) -> None:
    assert store.manifest() is None
    with store.reading() as snapshot:
        assert snapshot.generation == 0
        assert snapshot.dense(vector_of("x"), 5, NO_FILTERS) == []
        assert snapshot.lexical(["x"], 5, NO_FILTERS) == []
        assert snapshot.passages(["x"]) == []
        assert (snapshot.documents(), snapshot.files(), snapshot.count()) == ([], [], 0)
