from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from ragnotes.errors import CorpusError
from ragnotes.reading.corpus import walk
from ragnotes.reading.ignoring import IGNORE_FILE

SUFFIXES = frozenset({".md"})
# To git `?` is one byte, to us one character, so no name here has a single one beyond ASCII.
FOLDERS = ["", "a/", "b/", "a/b/", "a/keep/", "b/keep/"]
NAMES = ["x.md", "y.md", "keep.md", "[x].md", "a b.md", "äö.md"]
PATTERNS = [
    *("*.md", "x.md", "/x.md", "a/", "b", "keep/", "!keep/", "!x.md", "!keep.md", "a/*", "!a/b/", "**/b", "a/**"),
    *("a/**/y.md", "**", "*", "!*/", "?.md", "[xy].md", "[!x].md", "\\[x\\].md", "a b.md", "x.md ", "# x.md", "!", "/"),
    *("", "äö.md", "b/x.md", "/a/b", "*/keep", "!/a/keep/x.md", "\\!x.md", "***", "[", "a//b", "!**/y.md"),
]


def outcomes(root: Path) -> dict[str, str | None]:
    return {file.path: file.skipped for file in walk([root], index=root / "index", suffixes=SUFFIXES)}


def put(root: Path, path: str, content: str = "words") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(content)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_notes_are_ignored_as_git_ignores_them(tmp_path: Path) -> None:
    chance = random.Random(8)
    paths = [folder + name for folder in FOLDERS for name in NAMES]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for path in paths:
        put(tmp_path, path)
    for _ in range(60):
        rules = {folder: chance.choices(PATTERNS, k=chance.randint(0, 4)) for folder in FOLDERS}
        for folder, lines in rules.items():
            for name in (IGNORE_FILE, ".gitignore"):
                put(tmp_path, folder + name, "\n".join(lines))
        command = ["git", "-c", "core.quotePath=false", "check-ignore", "--no-index", "-z", "--stdin"]
        asked = "\0".join(paths).encode()
        told = subprocess.run(command, cwd=tmp_path, input=asked, capture_output=True).stdout
        by_git = {os.fsdecode(path) for path in told.split(b"\0") if path}
        found = outcomes(tmp_path)
        assert {path for path in paths if found[path] == "ignored"} == by_git, rules


def test_a_byte_order_mark_crlf_and_bytes_that_are_no_utf8_are_taken_as_they_come(tmp_path: Path) -> None:
    put(tmp_path, "x.md")
    put(tmp_path, "y.md")
    put(tmp_path, "caf\udce9.md")
    (tmp_path / IGNORE_FILE).write_bytes(b"\xef\xbb\xbfx.md\r\ncaf\xe9.md\r\n")
    assert outcomes(tmp_path) == {IGNORE_FILE: "hidden", "x.md": "ignored", "y.md": None, "caf\udce9.md": "ignored"}


def test_a_line_break_in_a_name_is_no_end_of_the_name(tmp_path: Path) -> None:
    put(tmp_path, "x.md\n.md")
    put(tmp_path, "a\nb/x.md")
    put(tmp_path, IGNORE_FILE, "x.md\n/a*/*.md\n")
    assert outcomes(tmp_path) == {IGNORE_FILE: "hidden", "x.md\n.md": None, "a\nb/x.md": "ignored"}


@pytest.mark.parametrize("kind", ["link", "folder of no permission", "too long"])
def test_an_ignore_file_that_cannot_be_read_is_an_error(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "notes" / IGNORE_FILE
    put(tmp_path, "notes/secret.md")
    if kind == "link":
        file.symlink_to(tmp_path / "patterns")
    elif kind == "too long":
        file.write_bytes(b"x" * (1024 * 1024 + 1))
    elif os.geteuid() == 0:
        pytest.skip("the superuser may read everything")
    else:
        file.touch(mode=0o000)
    with pytest.raises(CorpusError, match=r"\.ragnotesignore .*what it says to ignore is not known"):
        outcomes(tmp_path / "notes")
