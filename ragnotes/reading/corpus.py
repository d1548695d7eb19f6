"""The folders of notes: every file in them, and what may be read.

A walk opens no file. It lists each regular file with a fingerprint that changes when the file may have changed, and
says of each that is not to be read why not.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ragnotes.errors import CorpusError, LoadError
from ragnotes.reading.identity import sha256_of
from ragnotes.types import Source

__all__ = ["UNREADABLE_FOLDER", "CorpusFile", "FreshnessCheck", "check_roots", "fingerprint_of", "read_bytes", "walk"]

UNREADABLE_FOLDER = "unreadable_folder"


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file under a root. `skipped` is the reason code where it is not to be read, else None."""

    path: str
    absolute: Path
    fingerprint: str
    size_bytes: int
    skipped: str | None


def check_roots(roots: Sequence[Path]) -> tuple[Path, ...]:
    """The roots, absolute and resolved. Raises CorpusError where one is missing, is no folder, or repeats another."""
    resolved = []
    for root in roots:
        if not root.exists():
            raise CorpusError(f"corpus folder {root} does not exist", "create it, or name yours with --corpus DIR")
        if not root.is_dir():
            raise CorpusError(
                f"corpus {root} is not a folder", "name the folder that holds your notes with --corpus DIR"
            )
        if not os.access(root, os.R_OK | os.X_OK):
            raise CorpusError(f"corpus folder {root} cannot be read", "give yourself read permission on it")
        resolved.append(root.resolve())
    names = [root.name for root in resolved]
    if len(set(names)) < len(names):
        raise CorpusError(
            f"two corpus folders are both named {next(name for name in names if names.count(name) > 1)}",
            "rename one: with several folders, paths start with the folder's name",
        )
    return tuple(resolved)


def walk(roots: Sequence[Path], *, index: Path, suffixes: frozenset[str]) -> list[CorpusFile]:
    """Every regular file and link to a file under the roots, sorted by path. Links are not followed.

    The index directory is not entered. A link, a hidden file and one of an unknown suffix are listed as skipped, and so
    is a folder that cannot be listed, its path ending in a slash. Raises CorpusError where a root cannot be listed.
    """
    found: list[CorpusFile] = []
    index = index.resolve()
    for root in roots:
        prefix = f"{root.name}/" if len(roots) > 1 else ""
        closed: list[OSError] = []
        for folder, folders, names in os.walk(root, onerror=closed.append):
            here = Path(folder).resolve()
            folders[:] = [name for name in folders if here / name != index]
            for name in names:
                absolute = Path(folder, name)
                relative = absolute.relative_to(root)
                file = _examine(prefix, relative, absolute, suffixes)
                if file is not None:
                    found.append(file)
        for error in closed:
            absolute = Path(error.filename)
            if absolute == root:  # a disk that hangs or a mount that broke: its notes are out of sight, not gone
                raise CorpusError(f"corpus folder {root} cannot be listed: {error.strerror}", "mount or restore it")
            path = f"{prefix}{absolute.relative_to(root).as_posix()}/"
            found.append(CorpusFile(path, absolute, "", 0, UNREADABLE_FOLDER))
    return sorted(found, key=lambda file: file.path)


def fingerprint_of(status: os.stat_result) -> str:
    """Changes whenever the file may have changed: size, times to the nanosecond, and which file it is."""
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


def read_bytes(file: CorpusFile, *, max_bytes: int) -> bytes:
    """The content of the file. Raises LoadError: "unreadable" where it cannot be opened or has gone, or "too_large"."""
    if file.size_bytes > max_bytes:
        raise LoadError("too_large", f"{file.path} has {file.size_bytes} bytes, over the limit of {max_bytes}")
    try:
        descriptor = os.open(file.absolute, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise LoadError("unreadable", f"{file.path} is no longer a regular file")
            content = stream.read(max_bytes + 1)
    except OSError as error:
        raise LoadError(
            "unreadable", f"{file.path} cannot be read: {error.strerror}", "check its permissions"
        ) from error
    if len(content) > max_bytes:
        raise LoadError("too_large", f"{file.path} has grown over the limit of {max_bytes} bytes")
    return content


def _examine(prefix: str, relative: Path, absolute: Path, suffixes: frozenset[str]) -> CorpusFile | None:
    """The file as the index sees it; None for what is no file (sockets, pipes, devices) or has just gone."""
    try:
        status = absolute.lstat()
    except OSError:
        return None
    skipped = None
    if stat.S_ISLNK(status.st_mode):
        if not absolute.is_file():
            return None
        skipped = "symlink"
    elif not stat.S_ISREG(status.st_mode):
        return None
    elif any(part.startswith(".") for part in relative.parts):
        skipped = "hidden"
    elif absolute.suffix.lower() not in suffixes:
        skipped = "unknown_suffix"
    return CorpusFile(prefix + relative.as_posix(), absolute, fingerprint_of(status), status.st_size, skipped)


class FreshnessCheck:
    """Whether a file still holds what was indexed. A file is hashed once for each state it is seen in."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = {root.name: root for root in roots} if len(roots) > 1 else {"": roots[0]}
        self._hashes: dict[tuple[str, str], str] = {}

    def __call__(self, source: Source) -> bool:
        """False where the file has gone, cannot be read, or has other content than the passages of `source`."""
        absolute = self._absolute(source.path)
        if absolute is None:
            return False
        try:
            status = absolute.lstat()
            state = (source.path, fingerprint_of(status))
            if state not in self._hashes:
                file = CorpusFile(source.path, absolute, state[1], status.st_size, None)
                self._hashes[state] = sha256_of(read_bytes(file, max_bytes=status.st_size))
        except (OSError, LoadError):
            return False
        return self._hashes[state] == source.sha256

    def _absolute(self, path: str) -> Path | None:
        if "" in self._roots:
            return self._roots[""] / path
        name, _, rest = path.partition("/")
        return self._roots[name] / rest if name in self._roots else None
