"""What is to take the place of a whole index: where it is made, and what stays of it where it does not come to that.

All of it lies in the directory of the index, for the holder of its lock. Whatever is left holds text of the notes,
also of those that are taken out later, and none of it is searched.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ragnotes.errors import IndexDamaged
from ragnotes.stores.connections import LOG_ENDINGS
from ragnotes.stores.snapshot import LocalSnapshot, Query
from ragnotes.stores.vectors_file import sync_directory

__all__ = [
    "RESTORED",
    "SALVAGED",
    "SHADOW",
    "UNSEARCHED",
    "check_readable",
    "drop_shadow",
    "drop_unfinished",
    "in_the_way",
    "made_beside",
]

SHADOW = "rebuilding"
"""The index that a rebuild fills. Cut off, the next one goes on with it."""
RESTORED = "restoring"
"""The one that comes out of a backup."""
SALVAGED = "repairing"
"""The one that holds what could be read of a damaged one."""
UNSEARCHED = frozenset({SHADOW, RESTORED, SALVAGED})
"""None of them needs a file of vectors where it is made."""
DAMAGED = ".damaged"


@contextmanager
def made_beside(directory: Path, name: str) -> Iterator[Path]:
    """A directory in this one for an index that is to take its place. It is gone at the end, however that comes.

    Only the shadow stays where the block raises, so that another run goes on with it, unless it is damaged.
    """
    folder = directory / name
    try:
        yield folder
    except BaseException as error:
        if name != SHADOW or isinstance(error, IndexDamaged):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def in_the_way(database: Path) -> Iterator[None]:
    """Keeps a database that cannot be opened under another name until another one has its place, then deletes it."""
    aside = database.with_name(f"{database.name}{DAMAGED}")
    _rename(database, aside)
    try:
        yield
    except BaseException:
        _rename(aside, database)
        raise
    _delete(aside)


def check_readable(query: Query, snapshot: LocalSnapshot) -> None:
    """Raises IndexDamaged where a shadow that was left cannot be gone on with."""
    [(problem,)] = query("PRAGMA quick_check(1)", ())
    if problem != "ok":
        raise IndexDamaged(f"a rebuild that was cut off is damaged: {problem}", "run: ragnotes index --rebuild")
    snapshot.files()
    snapshot.documents()


def drop_shadow(directory: Path) -> None:
    """Delete what a rebuild that was cut off has made: it may hold text that the index no longer has."""
    shutil.rmtree(directory / SHADOW, ignore_errors=True)


def drop_unfinished(database: Path) -> None:
    """Delete what was cut off and that no later run goes on with."""
    for name in (RESTORED, SALVAGED):
        shutil.rmtree(database.parent / name, ignore_errors=True)
    for left in database.parent.glob(f"{database.name}{DAMAGED}*"):
        with suppress(OSError):
            left.unlink()


def _rename(database: Path, to: Path) -> None:
    """Rename a database, its log first: beside another database it would be that one's."""
    _delete(to)
    for ending in (*LOG_ENDINGS, ""):
        with suppress(FileNotFoundError):
            Path(f"{database}{ending}").rename(f"{to}{ending}")
    sync_directory(database.parent)


def _delete(database: Path) -> None:
    for ending in ("", *LOG_ENDINGS):
        Path(f"{database}{ending}").unlink(missing_ok=True)
