from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ragnotes.reading.opening import open_inside


def content(root: Path, relative: str) -> bytes:
    with os.fdopen(open_inside(root, relative), "rb") as stream:
        return stream.read()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/x.md").write_text("secret")
    (tmp_path / "notes/a/b").mkdir(parents=True)
    (tmp_path / "notes/a/b/x.md").write_text("words")
    return tmp_path / "notes"


def test_a_file_is_opened_however_deep_it_lies(root: Path) -> None:
    deep = "/".join(["d" * 200] * 30)  # longer than any path that the system takes at once
    folder = os.open(root, os.O_RDONLY)
    for part in deep.split("/"):
        os.mkdir(part, dir_fd=folder)
        inner = os.open(part, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    with os.fdopen(os.open("x.md", os.O_WRONLY | os.O_CREAT, dir_fd=folder), "wb") as stream:
        stream.write(b"deep")
    os.close(folder)
    assert (content(root, "a/b/x.md"), content(root, f"{deep}/x.md")) == (b"words", b"deep")


@pytest.mark.parametrize("relative", ["", "/", "/etc/passwd", "../secret/x.md", "a/../a/b/x.md", "a//b/x.md", "a\0b"])
def test_a_path_that_leaves_the_folder_is_refused(root: Path, relative: str) -> None:
    with pytest.raises(OSError, match="not a path below") as refused:
        open_inside(root, relative)
    assert refused.value.errno == errno.EINVAL


def test_no_link_is_followed_in_any_part_of_the_path(root: Path) -> None:
    (root / "link.md").symlink_to(root.parent / "secret/x.md")
    (root / "folder").symlink_to(root.parent / "secret")
    (root / "a/up").symlink_to("../..")
    (root / "loop").symlink_to(".")
    for relative in ("link.md", "folder/x.md", "a/up/secret/x.md", "loop/loop/a/b/x.md"):
        with pytest.raises(OSError) as refused:  # noqa: PT011
            open_inside(root, relative)
        assert refused.value.errno in (errno.ELOOP, errno.ENOTDIR), relative


def test_only_a_regular_file_is_opened_and_nothing_is_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe.md")
    for relative in ("pipe.md", "a"):
        with pytest.raises(OSError, match="no longer a regular file"):
            open_inside(root, relative)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0  # noqa: PTH208
    for _ in range(20):
        with pytest.raises(OSError):  # noqa: PT011
            open_inside(root, "pipe.md")
    if before:
        assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
