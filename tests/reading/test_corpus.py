from __future__ import annotations

import os
from pathlib import Path

import pytest

from ragnotes.errors import CorpusError, LoadError
from ragnotes.reading.corpus import CorpusFile, FreshnessCheck, check_roots, fingerprint_of, read_file, walk
from ragnotes.reading.identity import sha256_of
from ragnotes.types import Kind, Source

SUFFIXES = frozenset({".md", ".txt"})


def put(root: Path, *paths: str, content: str = "words") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)


def found(*roots: Path, index: Path = Path("/nowhere")) -> list[tuple[str, str | None]]:
    return [(file.path, file.skipped) for file in walk(check_roots(roots), index=index, suffixes=SUFFIXES)]


def source(path: str, content: str) -> Source:
    return Source("d1", path, "Title", Kind.NOTE, sha256_of(content.encode()))


def test_every_file_is_listed_by_path_with_the_reason_why_it_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, "b.md", "a/c.TXT", "A.Md", "a/pic.png", "README", ".hidden.md", ".git/x.md", "a/.trash/y.md")
    assert found(tmp_path) == [
        (".git/x.md", "hidden"),
        (".hidden.md", "hidden"),
        ("A.Md", None),
        ("README", "unknown_suffix"),
        ("a/.trash/y.md", "hidden"),
        ("a/c.TXT", None),
        ("a/pic.png", "unknown_suffix"),
        ("b.md", None),
    ]


def test_links_to_files_are_listed_and_no_link_is_followed(tmp_path: Path) -> None:
    put(tmp_path, "notes/a.md", "outside/b.md")
    notes = tmp_path / "notes"
    (notes / "link.md").symlink_to(tmp_path / "outside/b.md")
    (notes / "folder").symlink_to(tmp_path / "outside")
    (notes / "loop").symlink_to(notes)
    (notes / "self.md").symlink_to(notes / "self.md")
    (notes / "broken.md").symlink_to(tmp_path / "gone.md")
    assert found(notes) == [("a.md", None), ("link.md", "symlink")]


def test_a_pipe_is_no_file_and_is_not_waited_for(tmp_path: Path) -> None:
    put(tmp_path, "a.md")
    os.mkfifo(tmp_path / "pipe.md")
    assert found(tmp_path) == [("a.md", None)]
    with pytest.raises(LoadError, match="no longer a regular file"):
        read_file(CorpusFile("pipe.md", tmp_path, "pipe.md"), max_bytes=10)


def test_with_several_roots_paths_start_with_the_name_of_the_root(tmp_path: Path) -> None:
    put(tmp_path, "work/a.md", "home/a.md")
    assert found(tmp_path / "work", tmp_path / "home") == [("home/a.md", None), ("work/a.md", None)]


def test_the_index_inside_the_corpus_is_not_entered(tmp_path: Path) -> None:
    put(tmp_path, "a.md", "indexes/default/b.md", "indexes/c.md")
    assert found(tmp_path, index=tmp_path / "x/../indexes/default") == [("a.md", None), ("indexes/c.md", None)]


def test_any_name_is_a_path(tmp_path: Path) -> None:
    names = ["line\nbreak.md", "emoji 🎉.md", "caf\udce9.md", "e\u0301.md", " .md"]
    put(tmp_path, *names)
    assert {path for path, _ in found(tmp_path)} == set(names)


def test_roots_are_checked(tmp_path: Path) -> None:
    put(tmp_path, "a/notes/x.md", "b/notes/x.md", "file.md")
    (tmp_path / "link").symlink_to(tmp_path / "a/notes")
    assert check_roots([tmp_path / "link"]) == ((tmp_path / "a/notes").resolve(),)
    for roots, problem in (
        ([tmp_path / "gone"], "does not exist"),
        ([tmp_path / "file.md"], "is not a folder"),
        ([tmp_path / "a/notes", tmp_path / "b/notes"], "both named notes"),
        ([tmp_path / "a/notes", tmp_path / "link"], "both named notes"),
    ):
        with pytest.raises(CorpusError, match=problem):
            check_roots(roots)


def test_a_root_that_cannot_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a.md")

    def refuse(path: str | Path) -> None:
        raise OSError(107, "Transport endpoint is not connected", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(CorpusError, match="cannot be listed: Transport endpoint is not connected"):
        found(tmp_path)


def test_the_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("one")
    seen = {fingerprint_of(path.stat())}
    assert fingerprint_of(path.stat()) in seen
    os.utime(path, ns=(1, 1))
    seen.add(fingerprint_of(path.stat()))
    path.write_text("two")
    os.utime(path, ns=(1, 1))
    seen.add(fingerprint_of(path.stat()))
    assert len(seen) == 3


def test_reading_has_a_limit_that_holds_for_a_file_that_grows_too(tmp_path: Path) -> None:
    put(tmp_path, "a.md", content="12345")
    [file] = walk([tmp_path], index=tmp_path / "i", suffixes=SUFFIXES)
    assert read_file(file, max_bytes=5) == (b"12345", file.fingerprint)
    with pytest.raises(LoadError) as error:
        read_file(file, max_bytes=4)
    assert error.value.reason == "too_large"
    put(tmp_path, "a.md", content="123456")
    with pytest.raises(LoadError) as error:
        read_file(file, max_bytes=5)
    assert error.value.reason == "too_large"
    (tmp_path / "a.md").unlink()
    with pytest.raises(LoadError) as error:
        read_file(file, max_bytes=5)
    assert error.value.reason == "unreadable"


def test_a_file_is_fresh_while_it_holds_what_was_indexed(tmp_path: Path) -> None:
    put(tmp_path, "a.md", content="one")
    fresh = FreshnessCheck([tmp_path])
    assert fresh(source("a.md", "one"))
    os.utime(tmp_path / "a.md", ns=(1, 1))
    assert fresh(source("a.md", "one"))
    put(tmp_path, "a.md", content="two")
    assert not fresh(source("a.md", "one"))
    assert fresh(source("a.md", "two"))
    (tmp_path / "a.md").unlink()
    assert not fresh(source("a.md", "two"))


def test_a_file_that_became_a_link_or_folder_is_not_fresh(tmp_path: Path) -> None:
    put(tmp_path, "notes/folder.md/x", "b.md", content="one")
    (tmp_path / "notes/a.md").symlink_to(tmp_path / "b.md")
    fresh = FreshnessCheck([tmp_path / "notes"])
    assert (fresh(source("a.md", "one")), fresh(source("folder.md", "one"))) == (False, False)


def test_freshness_with_several_roots_looks_in_the_named_one(tmp_path: Path) -> None:
    put(tmp_path, "work/a.md", content="one")
    put(tmp_path, "home/a.md", content="two")
    fresh = FreshnessCheck([tmp_path / "work", tmp_path / "home"])
    assert fresh(source("work/a.md", "one"))
    assert not fresh(source("home/a.md", "one"))
    assert not fresh(source("gone/a.md", "one"))
