from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragnotes import indexing
from ragnotes.answers import Filters
from ragnotes.dates import DayMonthOrder
from ragnotes.errors import CorpusError, IndexMismatch, LoadError
from ragnotes.events import IndexSummary, Progress
from ragnotes.indexing import Indexer, status_of
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading.corpus import Content, CorpusFile
from ragnotes.reading.loaders import Limits, load_document
from ragnotes.stores.local import LocalStore
from ragnotes.types import Document, FileStatus, Vectors

UNDECODABLE = bytes(range(32)) * 20


class Broken(Exception):
    """The embedder's process died."""


class CountingEmbedder(HashingEmbedder):
    """Remembers what it embedded; dies when it has embedded `dies_after` strings."""

    def __init__(self, dimension: int = 64) -> None:
        super().__init__(dimension)
        self.seen: list[str] = []
        self.dies_after: int | None = None

    def embed_documents(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        if self.dies_after is not None and len(self.seen) + len(texts) > self.dies_after:
            raise Broken
        self.seen += texts
        return super().embed_documents(texts, background=background)


class Row(NamedTuple):
    """One indexed passage, as far as a reader sees it."""

    path: str
    chunk_id: str
    text: str


@dataclass
class Notes:
    """A folder of notes with an index beside it."""

    root: Path
    index: Path
    store: LocalStore
    embedder: CountingEmbedder = field(default_factory=CountingEmbedder)
    limits: Limits = field(default_factory=Limits)
    order: DayMonthOrder | None = None

    def write(self, path: str, content: str | bytes = "Some words.\n") -> None:
        absolute = self.root / path
        absolute.parent.mkdir(parents=True, exist_ok=True)
        absolute.write_bytes(content if isinstance(content, bytes) else content.encode())

    def update(
        self, *, rebuild: bool = False, allow_empty: bool = False, progress: Callable[[Progress], None] = lambda _: None
    ) -> IndexSummary:
        indexer = Indexer(self.store, self.embedder, (self.root,), self.index, self.limits, self.order)
        return indexer.update(progress, rebuild=rebuild, allow_empty=allow_empty)

    def rows(self) -> list[Row]:
        """All passages, found by the dense search that lists every one of them."""
        with self.store.reading() as snapshot:
            query = self.embedder.embed_queries(["words"])[0]
            ids = [found.chunk_id for found in snapshot.dense(query, 10_000, Filters())]
            assert len(ids) == snapshot.count()
            return sorted(Row(source.path, chunk.chunk_id, chunk.text) for chunk, source in snapshot.passages(ids))

    def hits(self, query: str) -> list[tuple[str, float]]:
        with self.store.reading() as snapshot:
            return [
                (hit.chunk_id, hit.score)
                for hit in snapshot.dense(self.embedder.embed_queries([query])[0], 50, Filters())
            ]

    def outcomes(self) -> dict[str, tuple[str, str | None]]:
        files = status_of(self.store, [self.root], self.index, model=None).files
        return {file.path: (file.status.value, file.reason) for file in files}


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    (tmp_path / "notes").mkdir()
    with closing(LocalStore.open(tmp_path / "index", create=True)) as store:
        yield Notes(tmp_path / "notes", tmp_path / "index", store)


def tally(summary: IndexSummary) -> dict[str, int]:
    """The counts that are not 0, without what every run has."""
    names = ("added", "changed", "moved", "removed", "unchanged", "skipped", "failed", "embedded")
    return {name: count for name in names if (count := getattr(summary, name))}


def sections(count: int, edited: int | None = None) -> str:
    """A note of so many passages."""
    return "".join(
        f"## Part {number}\n\n"
        + " ".join(f"n{number}w{word}" for word in range(30))
        + (" edited" if number == edited else "")
        + "\n\n"
        for number in range(count)
    )


def test_a_run_counts_what_became_of_each_file(notes: Notes) -> None:
    for path in ("same.md", "changed.md", "removed.md", "moved.md", "a/same.md"):
        notes.write(path, f"Words of {path}.")
    notes.write("picture.png")
    notes.write("bad.md", UNDECODABLE)
    assert tally(notes.update()) == {"added": 5, "skipped": 1, "failed": 1, "embedded": 5}
    notes.write("changed.md", "Other words.")
    notes.write("new.md", "New words.")
    (notes.root / "removed.md").unlink()
    (notes.root / "moved.md").rename(notes.root / "a/renamed.md")
    assert tally(notes.update()) == {
        **{"added": 1, "changed": 1, "moved": 1, "removed": 1, "unchanged": 2, "skipped": 1, "failed": 1},
        "embedded": 2,
    }
    assert [(row.path, row.text) for row in notes.rows()] == [
        ("a/renamed.md", "Words of moved.md."),
        ("a/same.md", "Words of a/same.md."),
        ("changed.md", "Other words."),
        ("new.md", "New words."),
        ("same.md", "Words of same.md."),
    ]


def test_a_second_run_opens_no_file_and_embeds_nothing(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    notes.write("a.md")
    notes.write("b.md", UNDECODABLE)
    first = notes.update()
    monkeypatch.setattr(indexing, "read_file", lambda *_, **__: pytest.fail("a file was opened"))
    second = notes.update()
    assert tally(second) == {"unchanged": 1, "failed": 1}
    assert (second.generation, second.chunks) == (first.generation, first.chunks)


def test_a_file_that_was_touched_is_unchanged_and_is_opened_once(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    notes.write("a.md")
    generation = notes.update().generation
    os.utime(notes.root / "a.md", ns=(1, 1))
    summary = notes.update()
    assert (tally(summary), summary.generation) == ({"unchanged": 1}, generation)
    monkeypatch.setattr(indexing, "read_file", lambda *_, **__: pytest.fail("a file was opened"))
    assert tally(notes.update()) == {"unchanged": 1}


def test_a_rename_and_a_copy_embed_nothing(notes: Notes) -> None:
    notes.write("a.md", sections(5))
    notes.update()
    (notes.root / "a.md").rename(notes.root / "b.md")
    notes.write("c/a.md", sections(5))
    assert tally(notes.update()) == {"added": 1, "moved": 1}
    assert [row.path for row in notes.rows()] == ["b.md"] * 5 + ["c/a.md"] * 5


def test_one_edited_paragraph_of_a_long_note_embeds_that_paragraph(notes: Notes) -> None:
    notes.write("long.md", sections(200))
    assert notes.update().chunks == 200
    notes.write("long.md", sections(200, edited=100))
    assert tally(notes.update()) == {"changed": 1, "embedded": 1}


def test_a_failing_file_is_recorded_and_loses_its_passages_and_the_others_go_on(notes: Notes) -> None:
    notes.write("a.md", "Good words.")
    notes.write("b.md", "Words that go bad.")
    notes.update()
    notes.write("b.md", UNDECODABLE)
    notes.write("c.md", "More words.")
    assert tally(notes.update()) == {"added": 1, "unchanged": 1, "failed": 1, "embedded": 1}
    assert notes.outcomes()["b.md"] == ("failed", "undecodable")
    assert [row.path for row in notes.rows()] == ["a.md", "c.md"]
    notes.write("b.md", "Words again.")
    assert tally(notes.update()) == {"added": 1, "unchanged": 2, "embedded": 1}


def test_a_file_that_cannot_be_opened_keeps_its_passages(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    notes.write("a.md", "Good words.")
    notes.update()

    def refuse(file: CorpusFile, *, max_bytes: int) -> Content:
        raise LoadError("unreadable", f"{file.path} cannot be read")

    with monkeypatch.context() as patch:
        patch.setattr(indexing, "read_file", refuse)
        os.utime(notes.root / "a.md", ns=(1, 1))
        assert tally(notes.update()) == {"failed": 1}
    assert notes.outcomes() == {"a.md": ("failed", "unreadable")}
    assert [row.text for row in notes.rows()] == ["Good words."]


def test_a_file_that_grows_over_the_limit_loses_its_passages(notes: Notes) -> None:
    notes.limits = Limits(max_file_bytes=20)
    notes.write("a.md", "Good words.")
    notes.update()
    notes.write("a.md", "Good words. " * 5)
    assert tally(notes.update()) == {"failed": 1}
    assert (notes.rows(), notes.outcomes()) == ([], {"a.md": ("failed", "too_large")})


def test_a_note_that_became_a_link_loses_its_passages(notes: Notes, tmp_path: Path) -> None:
    notes.write("a.md", "Good words.")
    notes.write("b.md", "Other words.")
    notes.update()
    (notes.root / "a.md").rename(tmp_path / "elsewhere.md")
    (notes.root / "a.md").symlink_to(tmp_path / "elsewhere.md")
    assert tally(notes.update()) == {"unchanged": 1, "skipped": 1}
    assert [row.path for row in notes.rows()] == ["b.md"]
    assert notes.outcomes()["a.md"] == ("skipped", "symlink")


def test_a_run_that_is_cut_off_loses_nothing_and_the_next_embeds_the_rest(notes: Notes) -> None:
    for number in range(4):
        notes.write(f"{number}.md", sections(300).replace("n", f"f{number}n"))
    notes.embedder.dies_after = 700
    with pytest.raises(Broken):
        notes.update()
    embedded = len(notes.embedder.seen)
    assert embedded >= 512
    assert {row.path for row in notes.rows()} == {"0.md", "1.md"}
    notes.embedder.dies_after = None
    summary = notes.update()
    assert (summary.unchanged, summary.added, summary.embedded) == (2, 2, 1200 - embedded)
    assert summary.chunks == 1200
    assert len(notes.embedder.seen) == len(set(notes.embedder.seen))


def test_a_long_note_that_is_cut_off_resumes_within_the_note(notes: Notes) -> None:
    notes.write("long.md", sections(600))
    notes.embedder.dies_after = 550
    with pytest.raises(Broken):
        notes.update()
    assert notes.rows() == []
    notes.embedder.dies_after = None
    assert notes.update().embedded == 600 - 550 // indexing.EMBEDDED_AT_ONCE * indexing.EMBEDDED_AT_ONCE


def test_another_embedder_needs_a_rebuild_and_until_it_is_done_the_old_index_answers(notes: Notes) -> None:
    notes.write("a.md", "Good words.")
    notes.update()
    before = notes.rows()
    notes.embedder = CountingEmbedder(dimension=32)
    with pytest.raises(IndexMismatch, match="hashing-64"):
        notes.update()
    notes.embedder.dies_after = 0
    with pytest.raises(Broken):
        notes.update(rebuild=True)
    old, notes.embedder = notes.embedder, CountingEmbedder()
    assert notes.rows() == before
    notes.embedder = old
    old.dies_after = None
    assert tally(notes.update(rebuild=True)) == {"added": 1, "embedded": 1}
    assert notes.rows() == before


def test_a_rebuild_forgets_files_that_are_gone(notes: Notes) -> None:
    notes.write("a.md", "Good words.")
    notes.write("b.md", "Other words.")
    notes.update()
    (notes.root / "b.md").unlink()
    assert tally(notes.update(rebuild=True)) == {"added": 1}
    assert notes.outcomes() == {"a.md": ("indexed", None)}


def test_an_emptied_corpus_is_an_error_and_the_index_is_kept(notes: Notes) -> None:
    notes.write("a.md", "Good words.")
    notes.update()
    (notes.root / "a.md").unlink()
    for rebuild in (False, True):
        with pytest.raises(CorpusError, match=r"the index was kept; .*--allow-empty"):
            notes.update(rebuild=rebuild)
    assert [row.text for row in notes.rows()] == ["Good words."]
    assert tally(notes.update(allow_empty=True)) == {"removed": 1}
    assert (notes.rows(), notes.outcomes()) == ([], {})


def test_a_missing_corpus_is_an_error_and_the_index_is_kept(notes: Notes) -> None:
    notes.write("a.md", "Good words.")
    notes.update()
    notes.root.rename(notes.root.with_name("away"))
    with pytest.raises(CorpusError, match="does not exist"):
        notes.update(allow_empty=True)
    assert [row.text for row in notes.rows()] == ["Good words."]


def test_equal_names_in_two_folders_are_two_documents(notes: Notes) -> None:
    notes.write("a/note.md", "Same words.")
    notes.write("b/note.md", "Same words.")
    assert tally(notes.update()) == {"added": 2, "embedded": 1}
    rows = notes.rows()
    assert [row.path for row in rows] == ["a/note.md", "b/note.md"]
    assert rows[0].chunk_id != rows[1].chunk_id


def test_any_file_name_is_indexed(notes: Notes) -> None:
    names = ["caf\udce9.md", "emoji 🎉.md", "line\nbreak.md"]
    for name in names:
        notes.write(name, f"Words of {name!a}.")
    assert tally(notes.update()) == {"added": 3, "embedded": 3}
    assert sorted(row.path for row in notes.rows()) == sorted(names)
    assert tally(notes.update()) == {"unchanged": 3}


def test_the_status_names_every_file_on_disk_and_its_counts_add_up(notes: Notes) -> None:
    for path in ("good.md", "gone.md", "touched.md", "edited.md", "picture.png", ".git/config", "index.json"):
        notes.write(path, f"[]{path}" if path.endswith("json") else f"Words of {path}.")
    notes.write("empty.md", "")
    notes.write("bad.md", UNDECODABLE)
    notes.update()
    (notes.root / "gone.md").unlink()
    os.utime(notes.root / "touched.md", ns=(1, 1))
    notes.write("edited.md", "Other words.")
    notes.write("new.md", "New words.")
    status = status_of(notes.store, [notes.root], notes.index, model=None)
    assert notes.outcomes() == {
        ".git/config": ("skipped", "hidden"),
        "bad.md": ("failed", "undecodable"),
        "edited.md": ("stale", "changed"),
        "empty.md": ("indexed", "empty"),
        "gone.md": ("stale", "deleted"),
        "good.md": ("indexed", None),
        "index.json": ("skipped", "not_a_transcript"),
        "new.md": ("stale", "not_indexed"),
        "picture.png": ("skipped", "unknown_suffix"),
        "touched.md": ("indexed", None),
    }
    assert status.counts == {"indexed": 3, "stale": 3, "skipped": 3, "failed": 1}
    on_disk = sum(len(names) for _, _, names in os.walk(notes.root))
    assert sum(status.counts.values()) == on_disk + 1  # and the one that is gone
    notes.update()
    counts = status_of(notes.store, [notes.root], notes.index, model=None).counts
    assert (counts, sum(counts.values())) == ({"indexed": 5, "stale": 0, "skipped": 3, "failed": 1}, on_disk)


def test_the_status_opens_no_file_that_failed(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    notes.limits = Limits(max_file_bytes=20)
    notes.write("a.md")
    notes.write("huge.md", "Good words. " * 5)
    notes.update()
    os.utime(notes.root / "huge.md", ns=(1, 1))
    monkeypatch.setattr(indexing, "read_file", lambda *_, **__: pytest.fail("a file was opened"))
    assert notes.outcomes() == {"a.md": ("indexed", None), "huge.md": ("stale", "changed")}


def test_a_run_is_stopped_amid_a_long_file_and_goes_on_from_there(notes: Notes) -> None:
    notes.write("long.md", "\n\n".join(f"# Part {part}\n\nParagraph {part} of many." for part in range(60)))

    def stop(progress: Progress) -> None:
        if notes.embedder.seen:
            raise Broken

    with pytest.raises(Broken):
        notes.update(progress=stop)
    done = len(notes.embedder.seen)
    assert done == indexing.EMBEDDED_AT_ONCE
    summary = notes.update()
    assert (summary.added, summary.embedded) == (1, summary.chunks - done)
    assert len(set(notes.embedder.seen)) == len(notes.embedder.seen) == summary.chunks


def test_progress_names_each_file_and_ends_with_all_done(notes: Notes) -> None:
    notes.write("a.md")
    notes.write("b.md")
    seen: list[Progress] = []
    notes.update(progress=seen.append)
    assert seen == [
        Progress(0, 2, "a.md"),
        Progress(1, 2, "a.md", "added"),
        Progress(1, 2, "b.md"),
        Progress(2, 2, "b.md", "added"),
        Progress(2, 2),
    ]


PATHS = st.sampled_from(["a.md", "b.txt", "sub/a.md", "c.png"])
CONTENTS = st.sampled_from(
    [
        "",
        "Words of one.",
        "# Title\n\nWords of two.\n\n## Part\n\n- item\n",
        sections(4),
        sections(4, edited=2),
        UNDECODABLE,
    ]
)
STEPS = st.lists(st.tuples(PATHS, st.none() | CONTENTS | PATHS), max_size=4)


@given(st.lists(STEPS, min_size=1, max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_updates_equal_a_rebuild_and_a_fresh_index(runs: list[list[tuple[str, str | bytes | None]]]) -> None:
    with TemporaryDirectory() as folder:
        root, index = Path(folder, "notes"), Path(folder, "index")
        root.mkdir()
        with closing(LocalStore.open(index, create=True)) as store:
            notes = Notes(root, index, store)
            for steps in runs:
                for path, what in steps:
                    apply(notes, path, what)
                summary = notes.update(allow_empty=True)
                assert summary.chunks == len(notes.rows())
            updated = notes.rows(), notes.hits("words of part"), notes.outcomes()
            assert FileStatus.STALE.value not in {status for status, _ in updated[2].values()}
            notes.update(rebuild=True, allow_empty=True)
            assert (notes.rows(), notes.hits("words of part"), notes.outcomes()) == updated
        with closing(LocalStore.open(Path(folder, "fresh"), create=True)) as store:
            fresh = Notes(root, Path(folder, "fresh"), store)
            fresh.update(allow_empty=True)
            assert (fresh.rows(), fresh.hits("words of part"), fresh.outcomes()) == updated


def apply(notes: Notes, path: str, what: str | bytes | None) -> None:
    """Delete the file, move it to the path that `what` is, or write `what` to it."""
    absolute = notes.root / path
    if what is None:
        absolute.unlink(missing_ok=True)
    elif what in ("a.md", "b.txt", "sub/a.md", "c.png"):
        if absolute.exists():
            (notes.root / str(what)).parent.mkdir(exist_ok=True)
            absolute.rename(notes.root / str(what))
    else:
        notes.write(path, what)


def test_a_folder_that_cannot_be_listed_keeps_its_passages(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    notes.write("open.md", "# Open\n\nEveryone may read this.\n")
    notes.write("shut/inner.md", "# Shut\n\nNobody may list this.\n")
    notes.update()
    listed = os.scandir

    def refuse(path: str | Path) -> Iterator[os.DirEntry[str]]:
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    summary = notes.update()
    assert (summary.removed, summary.unchanged, summary.skipped) == (0, 1, 1)
    assert {row.path for row in notes.rows()} == {"open.md", "shut/inner.md"}
    assert notes.outcomes() == {
        "open.md": ("indexed", None),
        "shut/": ("skipped", "unreadable_folder"),
        "shut/inner.md": ("stale", "unreadable_folder"),
    }


def test_a_reader_that_breaks_costs_its_file_and_no_other(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(content: bytes, path: str, limits: Limits, *, order: DayMonthOrder | None) -> Document:
        if path == "bad.md":
            raise ZeroDivisionError
        return load_document(content, path, limits, order=order)

    monkeypatch.setattr(indexing, "load_document", breaks)
    notes.write("bad.md")
    notes.write("good.md")
    assert tally(notes.update()) == {"added": 1, "failed": 1, "embedded": 1}
    assert notes.outcomes() == {"bad.md": ("failed", "reader_error"), "good.md": ("indexed", None)}


def test_another_day_month_order_needs_a_rebuild_which_reads_the_dates_anew(notes: Notes) -> None:
    def dates() -> list[str]:
        with notes.store.reading() as snapshot:
            chunk_ids = [found.chunk_id for found in snapshot.lexical(["noon"], 10, Filters())]
            return [str(chunk.place.date) for chunk, _ in snapshot.passages(chunk_ids)]

    notes.write("2023.md", "# 2023\n\n- 3/4 at noon\n")
    notes.update()
    assert dates() == ["2023-01-01/2023-12-31"]
    notes.order = DayMonthOrder.DAY_FIRST
    with pytest.raises(
        IndexMismatch, match="this one is structure-4/160, day-first dates; run: ragnotes index --rebuild"
    ):
        notes.update()
    notes.update(rebuild=True)
    assert dates() == ["2023-04-03"]
    notes.order = DayMonthOrder.MONTH_FIRST
    notes.update(rebuild=True)
    assert dates() == ["2023-03-04"]
