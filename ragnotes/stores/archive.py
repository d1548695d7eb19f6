"""A backup as one file: a tar of `manifest`, the database, and the conversations, in this order.

The manifest is a line of JSON and a line with its SHA-256. It has the length and SHA-256 of every other member, so a
backup is known to be whole before anything of it is used. Members are read one by one under names that are expected;
nothing is ever extracted to a name that a file tells.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from ragnotes.errors import IndexDamaged

__all__ = ["CONVERSATIONS", "DATABASE_MEMBER", "FORMAT", "BackupManifest", "extract", "measured", "pack"]

MANIFEST = "manifest"
DATABASE_MEMBER = "ragnotes.sqlite3"
CONVERSATIONS = "conversations"
FORMAT = 1
_MEMBER = re.compile(rf"{re.escape(DATABASE_MEMBER)}|{CONVERSATIONS}/[0-9a-f-]{{1,64}}\.jsonl", re.ASCII)
_MAX_MANIFEST_BYTES = 64 * 1024 * 1024
_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """What a backup holds: `files` are length in bytes and SHA-256 by the member's name."""

    format: int
    ragnotes: str
    created_at: str
    schema: int
    generation: int
    documents: int
    files: Mapping[str, tuple[int, str]]

    @property
    def conversations(self) -> int:
        return len(self.files) - 1


def pack(folder: Path, to: Path, manifest: BackupManifest) -> None:
    """Write the manifest and its files, which lie in the folder, to a new file that its owner alone can read."""
    line = json.dumps(asdict(manifest)).encode()
    content = line + b"\n" + hashlib.sha256(line).hexdigest().encode() + b"\n"
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            _add(archive, MANIFEST, len(content), io.BytesIO(content))
            for name, (size, _) in manifest.files.items():
                with (folder / name).open("rb") as member:
                    _add(archive, name, size, member)
        file.flush()
        os.fsync(file.fileno())


def extract(backup: Path, folder: Path) -> BackupManifest:
    """Write the files of a backup to the folder, readable by their owner alone, and give what they are.

    Raises IndexDamaged on what is no whole backup: then what lies in the folder is of no use.
    """
    with _judged(backup), backup.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
        members = iter(archive)
        manifest = _manifest(archive, next(members))
        left = dict(manifest.files)
        for member in members:
            size, sha256 = left.pop(member.name)
            if not member.isreg() or member.size != size:
                raise ValueError(f"{member.name} is not what the manifest says")
            content = archive.extractfile(member)
            assert content is not None
            target = folder / member.name
            target.parent.mkdir(mode=0o700, exist_ok=True)
            if _written(content, target) != sha256:
                raise ValueError(f"{member.name} was changed")
        if left:
            raise ValueError(f"{min(left)} is missing")
    return manifest


def measured(path: Path) -> tuple[int, str]:
    """Length and SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return path.stat().st_size, digest.hexdigest()


def _add(archive: tarfile.TarFile, name: str, size: int, content: IO[bytes]) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    archive.addfile(member, content)


def _manifest(archive: tarfile.TarFile, first: tarfile.TarInfo) -> BackupManifest:
    content = archive.extractfile(first) if first.name == MANIFEST and first.size <= _MAX_MANIFEST_BYTES else None
    if content is None:
        raise ValueError("it does not begin with a manifest")
    line, _, digest = content.read().partition(b"\n")
    if hashlib.sha256(line).hexdigest().encode() + b"\n" != digest:
        raise ValueError("its manifest was changed")
    found = json.loads(line)
    if found["format"] != FORMAT:
        raise ValueError(f"it is of format {found['format']}, this ragnotes knows {FORMAT}")
    files = {str(name): (int(size), str(sha256)) for name, (size, sha256) in found["files"].items()}
    if DATABASE_MEMBER not in files or not all(map(_MEMBER.fullmatch, files)):
        raise ValueError("it names files that do not belong to a backup")
    return BackupManifest(**{**found, "files": files})


def _written(content: IO[bytes], target: Path) -> str:
    """The SHA-256 of what was written to a new file."""
    digest = hashlib.sha256()
    opened = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(opened, "wb") as file:
        while block := content.read(_BLOCK_BYTES):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


@contextmanager
def _judged(backup: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError) as error:
        why = str(error) or type(error).__name__
        raise IndexDamaged(
            f"{backup} is no whole backup: {why}", "use another one; the index was left as it is"
        ) from error
