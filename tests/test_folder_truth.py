"""The index follows the folder, whatever happens in it: rows 24 to 31 and 51 of the fault matrix."""

from __future__ import annotations

import builtins
import io
import json
import os
import socket
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ragnotes.events import IndexSummary
from ragnotes.indexing import Indexer, status_of
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading import corpus
from ragnotes.reading.corpus import CorpusFile, read_file
from ragnotes.reading.identity import sha256_of
from ragnotes.reading.loaders import Limits
from ragnotes.service.encoding import status_json
from ragnotes.stores.local import LocalStore
from ragnotes.types import FileRecord
from tests.rights import as_any_user


@contextmanager
def opened_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the files that Python's own ways to open one are asked for."""
    names: list[str] = []

    def noting(opens: Callable[..., Any]) -> Callable[..., Any]:
        def noted(file: Any, *arguments: Any, **options: Any) -> Any:
            names.append("" if isinstance(file, int) else os.fsdecode(file))
            return opens(file, *arguments, **options)

        return noted

    with monkeypatch.context() as patch:
        for module in (os, io, builtins):
            patch.setattr(module, "open", noting(module.open))
        yield names


class Notes:
    """Some folders of notes and their index."""

    def __init__(self, store: LocalStore, index: Path, *roots: Path) -> None:
        self.roots = roots
        self.root = roots[0]
        self.store = store
        self.index = index
        self.embedder = HashingEmbedder(64)

    def update(self, *, retry_failed: bool = False) -> IndexSummary:
        indexer = Indexer(self.store, self.embedder, self.roots, self.index, Limits())
        return indexer.update(lambda _: None, retry_failed=retry_failed)

    def texts(self) -> dict[str, str]:
        """The whole text of each document, by path; every path once."""
        with self.store.reading() as snapshot:
            sources = snapshot.documents()
            documents = [snapshot.document(source.doc_id) for source in sources]
        assert len({source.path for source in sources}) == len(sources)
        return {document.path: document.text for document in documents if document}

    def records(self) -> dict[str, FileRecord]:
        return {file.path: file for file in status_of(self.store, self.roots, self.index, model=None).files}

    def outcomes(self) -> dict[str, tuple[str, str | None]]:
        return {path: (record.status.value, record.reason) for path, record in self.records().items()}


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    (tmp_path / "notes").mkdir()
    with closing(LocalStore.open(tmp_path / "index", create=True)) as store:
        yield Notes(store, tmp_path / "index", tmp_path / "notes")


def put(root: Path, path: str, text: str = "Some words.\n") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_a_scan_of_unchanged_notes_opens_no_file_of_them(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(300):
        put(notes.root, f"{number % 10}/{number}.md", f"Words of {number}.")
    put(notes.root, ".ragnotesignore", "9/\n")
    put(notes.root, ".git/config")
    notes.update()
    with opened_files(monkeypatch) as opened:
        assert notes.update().unchanged == 270
        assert notes.outcomes()["9/9.md"] == ("skipped", "ignored")
    assert {path for path in opened if path.endswith((".md", "config"))} == set()
    assert str(notes.root) in opened  # what is noted shows how the ignore file is reached
    with opened_files(monkeypatch) as opened:
        put(notes.root, "1/1.md", "Other words.")
        opened.clear()
        notes.update()
    assert [path for path in opened if path.endswith(".md")] == ["1.md"]


def test_a_changed_ignore_file_takes_effect_at_the_next_run(notes: Notes) -> None:
    for path in ("a.md", "private/b.md", "sub/private/c.md"):
        put(notes.root, path, f"Words of {path}.")
    notes.update()
    put(notes.root, ".ragnotesignore", "private/\n")
    summary = notes.update()
    assert (summary.skipped, summary.removed, set(notes.texts())) == (3, 0, {"a.md"})
    assert notes.outcomes()["sub/private/c.md"] == ("skipped", "ignored")
    put(notes.root, "sub/.ragnotesignore", "!private/\n")
    assert (notes.update().embedded, set(notes.texts())) == (1, {"a.md", "sub/private/c.md"})
    (notes.root / ".ragnotesignore").unlink()
    assert notes.update().embedded == 1
    assert set(notes.texts()) == {"a.md", "private/b.md", "sub/private/c.md"}


def test_an_atomic_save_is_one_update_and_no_duplicate(notes: Notes) -> None:
    put(notes.root, "a.md", "Version 0.")
    notes.update()
    for version in range(1, 6):
        put(notes.root, "a.md.tmp", f"Version {version}.")
        os.replace(notes.root / "a.md.tmp", notes.root / "a.md")  # noqa: PTH105
        summary = notes.update()
        assert (summary.added, summary.changed, summary.removed) == (0, 1, 0)
        assert notes.texts() == {"a.md": f"Version {version}."}


def test_files_that_are_saved_while_the_run_goes_on_end_up_as_they_are(notes: Notes) -> None:
    """A writer replaces and appends all the time; whatever a run saw, the index holds one whole version of each file,
    and the run after the last write holds that one.
    """
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            put(notes.root, "a.md.tmp", f"Replaced {number}.\n")
            os.replace(notes.root / "a.md.tmp", notes.root / "a.md")  # noqa: PTH105
            with (notes.root / "log.md").open("a") as log:
                log.write(f"Line {number}.\n")
            time.sleep(0.002)

    put(notes.root, "same.md")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            notes.update()
            texts = notes.texts()
            assert texts["same.md"] == "Some words.\n"
            lines = texts.get("log.md", "").splitlines()
            assert lines[:-1] == [f"Line {number}." for number in range(1, len(lines))]
            assert texts.get("a.md", "Replaced 1.\n").startswith("Replaced ")
            assert texts.keys() <= {"a.md", "log.md", "same.md"}
    finally:
        done.set()
        writer.join()
    notes.update()
    for path in ("a.md", "log.md"):
        assert notes.texts()[path] == (notes.root / path).read_text()
        assert notes.records()[path].sha256 == sha256_of((notes.root / path).read_bytes())
    assert notes.update().unchanged == 3


def test_a_file_that_never_rests_is_read_again_by_the_next_run(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    put(notes.root, "log.md", "One.\n")
    real = os.fstat

    def written_meanwhile(descriptor: int) -> os.stat_result:
        with (notes.root / "log.md").open("a") as log:
            log.write("More.\n")
        return real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", written_meanwhile)
        notes.update()
    indexed = notes.texts()["log.md"]
    assert notes.records()["log.md"].reason == "changed"
    assert notes.update().changed == 1
    assert notes.texts()["log.md"].startswith(indexed)
    assert notes.texts()["log.md"] == (notes.root / "log.md").read_text()


def test_two_saves_within_a_tick_of_the_clock_are_told_apart(notes: Notes) -> None:
    """Same length, same time where the clock is coarse: what is written after a read must look different."""
    path = notes.root / "a.md"
    for number in range(10):
        path.write_text(f"Version {number % 10}.")
        file = CorpusFile("a.md", notes.root, "a.md")
        read = read_file(file, max_bytes=100)
        assert time.time_ns() - path.stat().st_ctime_ns >= corpus.TICK_NS  # also where this machine's clock is fine
        path.write_text(f"Version {(number + 1) % 10}.")
        assert corpus.fingerprint_of(path.stat()) != read.fingerprint


@pytest.mark.parametrize("mtime_s", [0, 4_000_000_000])
def test_a_time_that_is_kept_or_lies_ahead_hides_no_edit(notes: Notes, mtime_s: int) -> None:
    put(notes.root, "a.md", "Version 1.")
    os.utime(notes.root / "a.md", (mtime_s, mtime_s))
    notes.update()
    for version in (2, 3):
        put(notes.root, "a.md", f"Version {version}.")
        os.utime(notes.root / "a.md", (mtime_s, mtime_s))  # as `touch -r` and `cp -p` do
        assert notes.update().changed == 1
        assert notes.texts() == {"a.md": f"Version {version}."}
    put(notes.root, "b.md", "Version 4.")
    os.utime(notes.root / "b.md", (mtime_s, mtime_s))
    (notes.root / "b.md").rename(notes.root / "a.md")
    assert (notes.update().changed, notes.texts()) == (1, {"a.md": "Version 4."})
    os.utime(notes.root / "a.md", (1, 1))
    assert (notes.update().unchanged, notes.texts()) == (1, {"a.md": "Version 4."})


def test_any_name_is_a_file_of_its_own_and_valid_json(notes: Notes) -> None:
    names = [
        *("line\nbreak.md", "caf\udce9.md", "caf\udce8.md", "x" * 252 + ".md", "Note.md", "note.md", "NOTE.MD"),
        *(unicodedata.normalize(form, "für é.md") for form in ("NFC", "NFD")),
        *("\u202egnp.md", "\x1b[31m.md", "a\tb.md", "'\"\\.md", " .md", "-rf.md", "😀.md", "a/é.md", "a/e\u0301.md"),
    ]
    for number, name in enumerate(names):
        put(notes.root, name, f"Words of {number}.")
    assert notes.update().added == len(names)
    assert notes.texts() == {name: f"Words of {number}." for number, name in enumerate(names)}
    assert notes.update().unchanged == len(names)
    shown = status_json(status_of(notes.store, notes.roots, notes.index, model=None)).model_dump_json()
    listed = json.loads(shown.encode("utf-8"))["files"]
    assert len({file["path"] for file in listed}) == len(names)
    with notes.store.reading() as snapshot:
        assert len({source.doc_id for source in snapshot.documents()}) == len(names)
    for name in names:
        (notes.root / name).unlink()
    put(notes.root, "left.md")
    assert (notes.update().removed, set(notes.texts())) == (len(names), {"left.md"})


def test_a_case_or_form_of_a_name_that_changes_is_a_move(notes: Notes) -> None:
    put(notes.root, "Note.md", "One.")
    put(notes.root, unicodedata.normalize("NFC", "é.md"), "Two.")
    notes.update()
    (notes.root / "Note.md").rename(notes.root / "note.md")
    (notes.root / unicodedata.normalize("NFC", "é.md")).rename(notes.root / unicodedata.normalize("NFD", "é.md"))
    summary = notes.update()
    assert (summary.moved, summary.embedded, summary.removed) == (2, 0, 0)
    assert notes.texts() == {"note.md": "One.", unicodedata.normalize("NFD", "é.md"): "Two."}


def test_links_and_special_files_are_not_read_and_nothing_hangs(notes: Notes, tmp_path: Path) -> None:
    put(tmp_path, "outside/secret.md", "Secret.")
    put(notes.root, "a.md", "Words.")
    (notes.root / "loop").symlink_to(".")
    (notes.root / "outside").symlink_to(tmp_path / "outside")
    (notes.root / "secret.md").symlink_to(tmp_path / "outside/secret.md")
    (notes.root / "self.md").symlink_to("self.md")
    (notes.root / "passwd.md").symlink_to("/etc/passwd")
    os.mkfifo(notes.root / "pipe.md")
    with socket.socket(socket.AF_UNIX) as listener:
        before = Path.cwd()
        os.chdir(notes.root)  # the name of a socket may only be short
        listener.bind("socket.md")
        os.chdir(before)
        if os.geteuid() == 0:
            os.mknod(notes.root / "null.md", 0o600 | 0o020000, os.makedev(1, 3))
        notes.update()
    assert notes.texts() == {"a.md": "Words."}
    assert notes.outcomes() == {
        "a.md": ("indexed", None),
        "passwd.md": ("skipped", "symlink"),
        "secret.md": ("skipped", "symlink"),
    }


def test_a_folder_exchanged_for_a_link_between_listing_and_opening_leads_nowhere(
    notes: Notes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "outside/b.md", "Secret.")
    put(notes.root, "a.md", "Words.")
    put(notes.root, "sub/b.md", "Other words.")
    listed = corpus.walk

    def walk_then_exchange(*args: object, **kwargs: object) -> list[CorpusFile]:
        files: list[CorpusFile] = listed(*args, **kwargs)  # type: ignore[arg-type]
        (notes.root / "sub").rename(tmp_path / "away")
        (notes.root / "sub").symlink_to(tmp_path / "outside")
        return files

    with monkeypatch.context() as patch:
        patch.setattr("ragnotes.indexing.walk", walk_then_exchange)
        assert notes.update().failed == 1
    assert notes.texts() == {"a.md": "Words."}
    notes.update()
    assert (notes.texts(), notes.outcomes()) == ({"a.md": "Words."}, {"a.md": ("indexed", None)})


def test_files_and_folders_that_vanish_during_a_run_are_removed(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("a.md", "b.md", "sub/c.md", "sub/deeper/d.md"):
        put(notes.root, path, f"Words of {path}.")
    notes.update()
    put(notes.root, "b.md", "Other words.")
    listed = os.scandir

    def vanish(path: str | Path) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("sub/"):
            (notes.root / "sub/deeper/d.md").unlink()
            (notes.root / "sub/deeper").rmdir()
            (notes.root / "sub/c.md").unlink()
            (notes.root / "sub").rmdir()
        return listed(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", vanish)
        summary = notes.update()
    assert (summary.removed, summary.changed, set(notes.texts())) == (2, 1, {"a.md", "b.md"})
    assert notes.outcomes() == {"a.md": ("indexed", None), "b.md": ("indexed", None)}


def test_a_note_that_may_not_be_read_fails_and_the_others_go_on(notes: Notes) -> None:
    put(notes.root, "a.md", "Words.")
    put(notes.root, "b.md", "Shut.")
    (notes.root / "b.md").chmod(0)
    with as_any_user():
        assert (notes.update().failed, notes.outcomes()["b.md"]) == (1, ("failed", "unreadable"))
        assert notes.texts() == {"a.md": "Words."}
    (notes.root / "b.md").chmod(0o600)
    assert (notes.update().added, notes.texts()["b.md"]) == (1, "Shut.")


def test_what_failed_is_tried_again_when_it_changes_or_on_demand(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    put(notes.root, "a.md", "Words.")
    (notes.root / "bad.md").write_bytes(bytes(range(32)) * 20)
    notes.update()
    record = notes.records()["bad.md"]
    assert (record.status, record.reason, record.chunks, record.indexed_at is not None) == (
        *("failed", "undecodable", 0),
        True,
    )
    with opened_files(monkeypatch) as opened:
        assert notes.update().failed == 1
        assert "bad.md" not in opened
        assert notes.update(retry_failed=True).failed == 1
        assert "bad.md" in opened
    put(notes.root, "bad.md", "Good now.")
    assert (notes.update().failed, notes.texts()["bad.md"]) == (0, "Good now.")


def test_a_file_that_could_not_be_opened_is_tried_again_by_every_run(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk, or a limit on open files, may be the reason: nothing of the file itself then changes."""
    put(notes.root, "a.md", "Words.")

    def refuse(*_: object) -> int:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(corpus, "open_inside", refuse)
        assert (notes.update().failed, notes.outcomes()) == (1, {"a.md": ("failed", "unreadable")})
    assert (notes.update().added, notes.outcomes()) == (1, {"a.md": ("indexed", None)})


def test_several_folders_with_files_of_the_same_names(tmp_path: Path) -> None:
    for folder in ("home", "work"):
        put(tmp_path / folder, "a/note.md", f"Words of {folder}.")
        put(tmp_path / folder, "b/note.md", f"Other words of {folder}.")
    put(tmp_path / "work", ".ragnotesignore", "/b/\n")
    with closing(LocalStore.open(tmp_path / "index", create=True)) as store:
        notes = Notes(store, tmp_path / "index", tmp_path / "home", tmp_path / "work")
        notes.update()
        assert notes.texts() == {
            "home/a/note.md": "Words of home.",
            "home/b/note.md": "Other words of home.",
            "work/a/note.md": "Words of work.",
        }
        (tmp_path / "home/a/note.md").rename(tmp_path / "work/moved.md")
        summary = notes.update()
        assert (summary.moved, summary.embedded, summary.removed) == (1, 0, 0)
        assert notes.texts()["work/moved.md"] == "Words of home."


def test_an_empty_file_and_one_of_white_space_are_no_errors(notes: Notes) -> None:
    put(notes.root, "a.md")
    put(notes.root, "empty.md", "")
    put(notes.root, "blank.md", " \n\t\n" * 100)
    assert notes.update().failed == 0
    found = {path: (record.status.value, record.reason) for path, record in notes.records().items()}
    assert (found["empty.md"], found["blank.md"]) == (("indexed", "empty"), ("indexed", "empty"))
