"""The folders of notes: every file in them, and what may be read.

A walk opens no note: of files, only `.ragnotesignore`. It lists each regular file with a fingerprint that changes when
the file may have changed, and says of each that is not to be read why not.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ragnotes.errors import CorpusError, LoadError
from ragnotes.reading.identity import sha256_of
from ragnotes.reading.ignoring import IGNORE_FILE, NO_RULES, Rules
from ragnotes.reading.opening import open_inside
from ragnotes.types import Source

__all__ = [
    "UNREADABLE_FOLDER",
    "Content",
    "CorpusFile",
    "FreshnessCheck",
    "check_roots",
    "file_at",
    "fingerprint_of",
    "is_ignored",
    "read_file",
    "suffix_of",
    "walk",
]

UNREADABLE_FOLDER = "unreadable_folder"
MAX_IGNORE_BYTES = 1024 * 1024
MAX_READS = 3
"""How often a file that is written to meanwhile is read from the start."""
TICK_NS = 20_000_000
"""File times move on by the kernel's tick, 10 ms at most: what is written twice within one looks written once."""
COARSE_NS = 2_000_000_000
"""The same where file times are whole seconds, as on FAT."""


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file under a root, at `relative` in it. `skipped` is the reason code where it is not to be read, else None.

    What is skipped has no fingerprint: nobody looks at it again.
    """

    path: str
    root: Path
    relative: str
    fingerprint: str = ""
    size_bytes: int = 0
    skipped: str | None = None


class Content(NamedTuple):
    """The bytes of a file, and its fingerprint while it held them."""

    content: bytes
    fingerprint: str


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

    The index directory is not entered. A link, a hidden or ignored file and one of an unknown suffix are listed as
    skipped, and so is a folder that cannot be listed, its path ending in a slash. Raises CorpusError where a root
    cannot be listed, or an ignore file cannot be read: what is to be left alone is then not known.
    """
    index = index.resolve()
    found: list[CorpusFile] = []
    for root in roots:
        folder = _Walk(root.resolve(), f"{root.name}/" if len(roots) > 1 else "", str(index), suffixes)
        found += folder.files()
    return sorted(found, key=lambda file: file.path)


class _Folder(NamedTuple):
    """A folder to be listed: its path in the root, "" or ending in a slash; why all of it is skipped; its rules."""

    relative: str
    skipped: str | None
    rules: Rules


class _Walk:
    """One root, listed folder by folder. Files that are not to be read cost no system call of their own."""

    def __init__(self, root: Path, prefix: str, index: str, suffixes: frozenset[str]) -> None:
        self._root = root
        self._at = str(root).rstrip("/") + "/"
        self._prefix = prefix
        self._index = index
        self._suffixes = suffixes

    def files(self) -> Iterator[CorpusFile]:
        waiting = [_Folder("", None, NO_RULES)]
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(self._at + folder.relative) as listed:
                    entries = list(listed)
            except (FileNotFoundError, NotADirectoryError) as error:
                self._check_root(folder, error)  # any other folder has gone since its own was listed
                continue
            except OSError as error:
                self._check_root(folder, error)
                yield self._file(folder.relative, UNREADABLE_FOLDER)
                continue
            folder = self._with_rules(folder, entries)
            for entry in entries:
                if _is_folder(entry):
                    waiting += self._inner(folder, entry)
                else:
                    yield from self._listed(folder, entry)

    def _check_root(self, folder: _Folder, error: OSError) -> None:
        if not folder.relative:  # a disk that hangs or a mount that broke: its notes are out of sight, not gone
            raise CorpusError(f"corpus folder {self._root} cannot be listed: {error.strerror}", "mount or restore it")

    def _with_rules(self, folder: _Folder, entries: Sequence[os.DirEntry[str]]) -> _Folder:
        if folder.skipped or all(entry.name != IGNORE_FILE for entry in entries):
            return folder
        relative = folder.relative + IGNORE_FILE
        try:
            content = read_file(self._file(relative), max_bytes=MAX_IGNORE_BYTES).content
        except LoadError as error:
            raise CorpusError(
                f"{error.problem}, so what it says to ignore is not known", "make it a plain file that you may read"
            ) from error
        return folder._replace(rules=folder.rules.and_those(folder.relative, content))

    def _inner(self, folder: _Folder, entry: os.DirEntry[str]) -> list[_Folder]:
        relative = f"{folder.relative}{entry.name}/"
        if self._at + relative[:-1] == self._index:
            return []
        return [_Folder(relative, folder.skipped or self._unwanted(folder, entry.name, relative), folder.rules)]

    def _listed(self, folder: _Folder, entry: os.DirEntry[str]) -> Iterator[CorpusFile]:
        """The file as the index sees it; nothing for what is no file (a socket, pipe, device) or has just gone."""
        relative = folder.relative + entry.name
        try:
            if not entry.is_file():  # of a link, what it leads to
                return
            skipped = "symlink" if entry.is_symlink() else folder.skipped
            skipped = skipped or self._unwanted(folder, entry.name, relative)
            if skipped is None and suffix_of(entry.name) not in self._suffixes:
                skipped = "unknown_suffix"
            status = None if skipped else entry.stat(follow_symlinks=False)
        except OSError:
            return
        if status is None:
            yield self._file(relative, skipped)
        elif stat.S_ISREG(status.st_mode):
            path = self._prefix + relative
            yield CorpusFile(path, self._root, relative, fingerprint_of(status), status.st_size)

    def _unwanted(self, folder: _Folder, name: str, relative: str) -> str | None:
        if name.startswith("."):
            return "hidden"
        return "ignored" if folder.rules.ignore(relative) else None

    def _file(self, relative: str, skipped: str | None = None) -> CorpusFile:
        return CorpusFile(self._prefix + relative, self._root, relative, skipped=skipped)


def suffix_of(name: str) -> str:
    """The suffix of a file's name in small letters, dot included; "" where it has none."""
    stem, _, suffix = name.rpartition(".")
    return f".{suffix.lower()}" if stem else ""


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # some file systems have to be asked, and may refuse
        return False


def fingerprint_of(status: os.stat_result) -> str:
    """Changes whenever the file may have changed: size, times to the nanosecond, and which file it is."""
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


def file_at(roots: Sequence[Path], path: str) -> CorpusFile | None:
    """The file of that path as it is now; None where it has gone, or none of the roots has such a path."""
    named = {root.name: root for root in roots} if len(roots) > 1 else {"": roots[0]}
    name, _, relative = path.partition("/") if len(roots) > 1 else ("", "", path)
    if name not in named or "\0" in relative:
        return None
    try:
        status = (named[name] / relative).lstat()
    except OSError:
        return None
    return CorpusFile(path, named[name], relative, fingerprint_of(status), status.st_size)


def is_ignored(file: CorpusFile) -> bool:
    """Whether the ignore files now say to leave the file alone, or one of them cannot be read."""
    rules, folder = NO_RULES, ""
    for part in PurePosixPath(file.relative).parts:
        try:
            beside = replace(file, relative=folder + IGNORE_FILE, size_bytes=0)
            rules = rules.and_those(folder, read_file(beside, max_bytes=MAX_IGNORE_BYTES).content)
        except LoadError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                return True
        at = folder + part
        folder = f"{at}/"
        if rules.ignore(at if at == file.relative else folder):
            return True
    return False


def read_file(file: CorpusFile, *, max_bytes: int) -> Content:
    """The content of the file. Raises LoadError: "unreadable" where it cannot be opened or has gone, or "too_large".

    A file that is written to meanwhile is read again; where that does not end, the fingerprint is one that it no longer
    has, so that the next run reads it once more.
    """
    if file.size_bytes > max_bytes:
        raise LoadError("too_large", f"{file.path} has {file.size_bytes} bytes, over the limit of {max_bytes}")
    try:
        descriptor = open_inside(file.root, file.relative)
        try:
            return _settled(descriptor, file.path, max_bytes)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise LoadError(
            "unreadable", f"{file.path} cannot be read: {error.strerror}", "check its permissions"
        ) from error


def _settled(descriptor: int, path: str, max_bytes: int) -> Content:
    """The content, read while nobody wrote to it, as far as that can be had."""
    for _ in range(MAX_READS):
        before = os.fstat(descriptor)
        _wait_for_the_next_tick(before)
        os.lseek(descriptor, 0, os.SEEK_SET)
        content = _up_to(descriptor, before.st_size, max_bytes)
        if len(content) > max_bytes:
            raise LoadError("too_large", f"{path} has grown over the limit of {max_bytes} bytes")
        if fingerprint_of(os.fstat(descriptor)) == fingerprint_of(before):
            return Content(content, "" if _may_hide_a_change(before) else fingerprint_of(before))
    return Content(content, fingerprint_of(before))


def _up_to(descriptor: int, expected_bytes: int, max_bytes: int) -> bytes:
    """What stands in the file from here on, cut off one byte behind the limit."""
    pieces: list[bytes] = []
    left = max_bytes + 1
    while left > 0 and (piece := os.read(descriptor, min(left, max(expected_bytes + 1, 65536)))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _wait_for_the_next_tick(status: os.stat_result) -> None:
    """Whatever is written after this has another time than what was written before."""
    age_ns = time.time_ns() - status.st_ctime_ns
    if 0 <= age_ns < TICK_NS:
        time.sleep((TICK_NS - age_ns) / 1e9)


def _may_hide_a_change(status: os.stat_result) -> bool:
    """Whether another write of the same length may leave the file's times as they are."""
    whole_seconds = status.st_mtime_ns % 1_000_000_000 == 0 == status.st_ctime_ns % 1_000_000_000
    return whole_seconds and time.time_ns() - status.st_mtime_ns < COARSE_NS


class FreshnessCheck:
    """Whether a file still holds what was indexed. A file is hashed once for each state it is seen in."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(roots)
        self._hashes: dict[str, tuple[str, str]] = {}
        """By path: the fingerprint, and the digest of what stood there."""

    def __call__(self, source: Source) -> bool:
        """False where the file has gone, cannot be read, or has other content than the passages of `source`."""
        file = file_at(self._roots, source.path)
        if file is None:
            return False
        known = self._hashes.get(source.path)
        if known is None or known[0] != file.fingerprint:
            try:
                read = read_file(file, max_bytes=file.size_bytes)
            except LoadError:
                return False
            known = self._hashes[source.path] = (read.fingerprint, sha256_of(read.content))
        return known[1] == source.sha256
