"""Opening what lies inside a folder, and nothing else: no link is followed on the way, in whatever part of the path.

A file is opened one component at a time, each relative to the folder before it, so that a folder that is exchanged for
a link between listing and opening leads nowhere. Linux before 5.6 has no `openat2`, so this is done by hand.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

__all__ = ["open_inside"]

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_LINK
_FILE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NO_LINK  # a pipe is not waited for
_STEPWISE = os.open in os.supports_dir_fd


def open_inside(root: Path, relative: str) -> int:
    """A descriptor of the regular file at `relative`, a posix path below `root`, to be closed by the caller.

    Raises OSError: EINVAL for a path that leaves the root, ELOOP or ENOTDIR for a link, EISDIR for what is no file.
    """
    parts = relative.split("/")
    if "\0" in relative or any(part in ("", ".", "..") for part in parts):
        raise OSError(errno.EINVAL, "not a path below the folder of notes", relative)
    if not _STEPWISE:
        return _regular(os.open(root / relative, _FILE), relative)
    folder = os.open(root, _FOLDER & ~_NO_LINK)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        return _regular(os.open(parts[-1], _FILE, dir_fd=folder), relative)
    finally:
        os.close(folder)


def _regular(descriptor: int, relative: str) -> int:
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EISDIR, "no longer a regular file", relative)
