"""Locks on a directory: one holder at a time, named to whoever comes second.

The lock itself is the system's (flock), so it is free the moment its holder is dead, however it died; children do not
inherit it. Beside it stands a note of who holds it. That note is for messages only: one left by a dead process is told
apart and says nothing.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

from filelock import FileLock, Timeout

from ragnotes.errors import IndexWriteFailed

__all__ = ["Holder", "SharedLock", "Taken", "held", "write_privately"]

TURN_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds a lock: its command, and since when."""

    pid: int
    command: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command}, since {self.since})"


class Taken(Exception):
    """Another has the lock. `holder` is None where nobody can be named."""

    def __init__(self, holder: Holder | None) -> None:
        super().__init__(holder)
        self.holder = holder

    def __str__(self) -> str:
        return str(self.holder or "another process")


@contextmanager
def held(lock: Path, *, timeout_s: float) -> Iterator[None]:
    """Holds the lock of this file, which is made; its holder is noted in the file of the same name that ends in .pid.

    Raises Taken while another process or thread has it, and IndexWriteFailed where the disk refuses it.
    """
    if not lock.parent.is_dir():  # the lock would make it, readable by others
        raise IndexWriteFailed(f"{lock.parent} cannot be written to: it is no folder", "name another with --index")
    file, note = FileLock(lock, timeout=timeout_s, mode=0o600), lock.with_suffix(".pid")
    try:
        file.acquire()
        write_privately(note, _about_us())
    except Timeout as error:
        raise Taken(_holder(note)) from error
    except OSError as error:
        file.release()
        raise IndexWriteFailed(f"{lock.parent} cannot be written to: {error}", "check its permissions") from error
    try:
        yield
    finally:
        with suppress(OSError):
            note.unlink()
        file.release()


class SharedLock:
    """`held` for the threads of one process too. Who waits for it goes before those that take it at once or not at all.

    Those that do are soon done, and are waited for however short the time to wait is.
    """

    def __init__(self, lock: Path) -> None:
        self._file = lock
        self._turn = Lock()

    @contextmanager
    def taken(self, *, timeout_s: float) -> Iterator[None]:
        """Holds the lock, and without a time to wait the turn too. Raises as `held` does."""
        if not self._turn.acquire(timeout=TURN_WAIT_S if timeout_s else 0):
            raise Taken(None)
        with ExitStack() as turn:
            turn.callback(self._turn.release)
            with held(self._file, timeout_s=timeout_s):
                if timeout_s:
                    turn.close()
                yield


def write_privately(path: Path, content: bytes) -> None:
    """Writes a new file that its owner alone can read; one left behind, which may have other rights, is removed."""
    path.unlink(missing_ok=True)
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(opened, "wb") as file:
        file.write(content)


def _about_us() -> bytes:
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    return json.dumps(asdict(Holder(os.getpid(), _command(), since))).encode()


def _holder(note: Path) -> Holder | None:
    """Who is noted; None where that process is gone, or nothing can be read."""
    with suppress(OSError, ValueError, TypeError):
        holder = Holder(**json.loads(note.read_bytes()))
        os.kill(holder.pid, 0)
        return holder
    return None


def _command() -> str:
    """`ragnotes index`, and no more of the command line: a question may stand in it."""
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] not in ("", "-c", "-m") else "python"
    commands = [word for word in sys.argv[1:2] if program == "ragnotes" and word.isalpha()]
    return " ".join([program, *commands])
