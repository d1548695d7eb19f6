"""Rights: what an index keeps of a person's notes is readable by that person alone."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ragnotes.errors import IndexWriteFailed

__all__ = ["make_directory", "make_private", "written_to"]

log = logging.getLogger(__name__)

_OURS = re.compile(
    r"ragnotes\.sqlite3.*|vectors\.faiss.*|.*\.(lock|pid)|server\.json|conversations|benchmark"
    r"|rebuilding|repairing|restoring|damaged-.*|\.gitignore"
)
"""What ragnotes makes in the directory of an index."""


def make_directory(directory: Path) -> None:
    """Make the directory where it is missing. Raises IndexWriteFailed."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise IndexWriteFailed(f"{directory} cannot be made: {error}", "name another with --index") from error


@contextmanager
def written_to(directory: Path) -> Iterator[None]:
    """What is done to files in the directory; what the system refuses there is IndexWriteFailed."""
    try:
        yield
    except OSError as error:
        raise IndexWriteFailed(
            f"{directory} cannot be written to: {error}", "free some space, or check the disk, rights and limits"
        ) from error


def make_private(directory: Path) -> None:
    """Take the rights of others off the directory and what ragnotes made in it; where that fails, it is logged.

    A directory that holds other things too is the user's to share, and keeps its rights.
    """
    try:
        entries = list(os.scandir(directory))
        ours = [entry for entry in entries if _OURS.fullmatch(entry.name) and not entry.is_symlink()]
        found = [(Path(entry.path), entry.stat(follow_symlinks=False)) for entry in ours]
        if len(ours) == len(entries):
            found.append((directory, directory.stat()))
        for path, status in found:
            open_to_others = stat.S_IMODE(status.st_mode) & 0o077
            if open_to_others and (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                path.chmod(stat.S_IMODE(status.st_mode) & 0o700)
    except OSError as error:
        log.warning("others may be able to read what is in %s: %s", directory, error)
