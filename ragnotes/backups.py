"""An index saved to one file and brought back, also while it is served and written to.

A backup is one generation, whole. A restore checks the file before it touches anything, and takes the place of the old
index in one transaction: whoever reads goes on with the old one until it reads anew.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ragnotes import __version__
from ragnotes.errors import IndexDamaged, IndexMismatch, IndexWriteFailed, UsageError
from ragnotes.reading.corpus import check_roots
from ragnotes.stores import conversations
from ragnotes.stores.archive import CONVERSATIONS, DATABASE_MEMBER, FORMAT, BackupManifest, extract, measured, pack
from ragnotes.stores.integrity import findings
from ragnotes.stores.local import LocalStore
from ragnotes.stores.replacing import RESTORED
from ragnotes.stores.schema import SCHEMA_VERSION
from ragnotes.stores.vectors_file import sync_directory

__all__ = ["back_up", "restore"]

ABANDONED_S = 24 * 3600.0
"""No backup takes so long."""


def back_up(index: Path, to: Path, *, force: bool = False, history: bool = True) -> BackupManifest:
    """Write the newest generation of the index, and its history, to a new file; an old one is replaced with `force`.

    Raises UsageError where there is such a file, and IndexWriteFailed: then nothing of that name has changed.
    """
    _check_free(to, force=force)
    partial = to.with_name(f".{to.name}.partial")
    with closing(LocalStore.open(index)) as store, _disk(to):
        _drop_unfinished(partial)
        partial.mkdir(mode=0o700)
        try:
            store.copy(partial / DATABASE_MEMBER)
            manifest = _manifest(partial, _copied(index, partial) if history else [])
            pack(partial, partial / "tar", manifest)
            _check_free(to, force=force)
            (partial / "tar").replace(to)
            sync_directory(to.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return manifest


def restore(
    index: Path, roots: Sequence[Path], backup: Path, *, moved: bool = False, history: bool = True
) -> tuple[BackupManifest, int]:
    """Put the index of a backup in the place of this one, or make it; gives what it held, and the new generation.

    Its conversations are added to those that are there. With `moved` it may be of other folders of notes: it is then
    one of `roots`. Raises IndexDamaged, IndexMismatch and IndexLocked, and then leaves the index as it is.
    """
    if not backup.is_file():
        raise UsageError(f"there is no file {backup}", "name a file that `ragnotes backup` wrote")
    with closing(LocalStore(index)) as store, _disk(index):
        with store.made_beside(RESTORED) as folder:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            manifest = extract(backup, folder)
            _check_database(backup, folder, [str(root) for root in check_roots(roots)], moved=moved)
            store.take_over(folder)
            if history:
                _add_conversations(folder, index)
        with store.reading() as snapshot:
            return manifest, snapshot.generation


def _check_free(to: Path, *, force: bool) -> None:
    if to.is_dir():
        raise UsageError(f"{to} is a folder", "name a file")
    if os.path.lexists(to) and not force:
        raise UsageError(f"{to} exists", "name another file, or replace it with --force")


def _drop_unfinished(partial: Path) -> None:
    """Delete what backups to this folder left that were killed, under whatever name; another may be at work now."""
    for left in partial.parent.glob(".*.partial"):
        with suppress(OSError):
            ours = left == partial or (left / DATABASE_MEMBER).exists()
            if ours and (left == partial or time.time() - left.stat().st_mtime > ABANDONED_S):
                shutil.rmtree(left)


def _copied(index: Path, folder: Path) -> list[str]:
    """The conversations, copied up to their last whole line: one may be asked in at this moment."""
    (folder / CONVERSATIONS).mkdir(mode=0o700)
    names = []
    for file in conversations.files_in(index / conversations.FOLDER):
        with suppress(FileNotFoundError):  # deleted at this moment
            content = file.read_bytes()
            name = f"{CONVERSATIONS}/{file.name}"
            (folder / name).write_bytes(content[: content.rfind(b"\n") + 1])
            names.append(name)
    return names


def _manifest(folder: Path, kept: Sequence[str]) -> BackupManifest:
    with closing(LocalStore.open(folder)) as copy, copy.reading() as snapshot:
        generation, documents = snapshot.generation, len(snapshot.documents())
    return BackupManifest(
        format=FORMAT,
        ragnotes=__version__,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        schema=SCHEMA_VERSION,
        generation=generation,
        documents=documents,
        files={name: measured(folder / name) for name in (DATABASE_MEMBER, *sorted(kept))},
    )


def _check_database(backup: Path, folder: Path, roots: Sequence[str], *, moved: bool) -> None:
    """Raises IndexMismatch and IndexDamaged where what was extracted is nothing to be served here."""
    with closing(LocalStore.open(folder)) as copy:
        if found := findings(folder):
            raise IndexDamaged(f"{backup} holds a damaged index: {found[0].where}: {found[0].problem}", "use another")
        built = copy.manifest()
        if built is None or list(built.roots) == list(roots):
            return
        if not moved:
            raise IndexMismatch(
                f"{backup} is of {', '.join(built.roots)}, the notes are in {', '.join(roots)}",
                "name its folders with --corpus, or say that the notes have moved: --moved",
            )
        with copy.writer():
            copy.describe(replace(built, roots=tuple(roots)))


def _add_conversations(folder: Path, index: Path) -> None:
    """Put what was kept beside what is kept now; where both are one conversation, the longer has what the other has."""
    target = index / conversations.FOLDER
    for file in conversations.files_in(folder / CONVERSATIONS):
        target.mkdir(mode=0o700, exist_ok=True)
        there = target / file.name
        if not there.is_file() or there.stat().st_size < file.stat().st_size:
            file.replace(there)
    if target.is_dir():
        sync_directory(target)


@contextmanager
def _disk(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise IndexWriteFailed(f"{place} cannot be written: {error}", "check its permissions and free space") from error
