"""When the folders of notes are worth another look: something in them seems to have changed, or it is time.

What the system tells of changes is a hint and no more: it may be late, double, or missing. So a hint says only that the
whole folder is to be compared with the index, and every so often that is done without one. Where the system cannot
watch at all, it is done every second or so. (watchfiles)
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event

from ragnotes.reading.corpus import suffix_of
from ragnotes.reading.ignoring import IGNORE_FILE
from ragnotes.reading.loaders import SUFFIXES

__all__ = ["Watch"]

STEP_MS = 100
"""A change is told once nothing more has come for this long: a file that is saved in several steps is one change."""
BURST_MS = 500
"""At the latest it is told after this long, however much goes on."""
TICK_S = 1.0
"""So often the clock is looked at. So long after a new folder there is another look: it is watched only after it is
made, and what came into it by then is told by nobody."""
BLIND_S = 1.0
"""Between looks where nothing is told."""
BLIND_REST = 4.0
"""Or so many times what a look takes, where that is longer."""
LONGEST_REST_S = 1.0


class Watch:
    """The looks at some folders. `tell` is given a line for a person where they cannot be watched; `stop` ends it all.

    For use by one thread, except `stop`. After a look as much time passes as it took, one second at most, so that
    folders that change all the time do not take all of the processor.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        *,
        index: Path,
        stop: Event,
        scan_every_s: float,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._roots = tuple(root.resolve() for root in roots)
        self._index = str(index.resolve())
        self._stop = stop
        self._scan_every_s = scan_every_s
        self._tell = tell
        self._told = ""
        self._due = 0.0
        """When the next look is, by the monotonic clock."""
        self._spent_s = 0.0
        """How long the last one took."""
        self._watching = False

    def look_within(self, seconds: float) -> None:
        """The next look is no later than so long from now: the last one came to nothing."""
        self._due = min(self._due, time.monotonic() + seconds)

    def looks(self) -> Iterator[None]:
        """An item for each time that the folders are to be looked at, the first one at once."""
        while not self._stop.is_set():
            yield from self._look_if_due()
            self._watching = False
            try:
                yield from self._watched()
            except (OSError, RuntimeError) as error:  # watchfiles has RuntimeErrors of its own
                self._after(error)

    def _watched(self) -> Iterator[None]:
        """Looks for as long as the folders are the same ones, and can be watched."""
        watched = self._identities()
        if None in watched:  # watchfiles would wait for events of it without end
            raise FileNotFoundError(errno.ENOENT, "a folder is missing")
        self.look_within(TICK_S)  # what changed before the watching began
        with closing(self._changes()) as changes:
            for told in changes:
                self._watching, self._told = True, ""
                if paths := set(filter(self._matters, told)):
                    self.look_within(0)
                yield from self._look_if_due()
                if any(map(_is_folder, paths)):
                    self.look_within(TICK_S)
                if self._identities() != watched:  # moved away, or mounted anew
                    self.look_within(0)
                    return

    def _after(self, error: Exception) -> None:
        """What is to be done where watching ended, or could not begin."""
        if self._watching:  # a name that is no Unicode breaks it, and is a change
            self.look_within(0)
            return
        self.look_within(max(BLIND_S, BLIND_REST * self._spent_s))
        line = f"{', '.join(map(str, self._roots))} cannot be watched, so changes are looked for: {error}"
        if line != self._told:
            self._told = line
            self._tell(line)
        self._stop.wait(max(0.0, self._due - time.monotonic()))

    def _look_if_due(self) -> Iterator[None]:
        started = time.monotonic()
        if started < self._due or self._stop.is_set():
            return
        self._due = started + self._scan_every_s
        yield
        self._spent_s = time.monotonic() - started
        self._stop.wait(min(self._spent_s, LONGEST_REST_S))

    def _changes(self) -> Generator[set[str], None, None]:
        """The paths of what changed, as the system tells it; an empty set after each second without."""
        from watchfiles import watch

        for changes in watch(
            *self._roots,
            watch_filter=None,
            debounce=BURST_MS,
            step=STEP_MS,
            rust_timeout=int(TICK_S * 1000),
            yield_on_timeout=True,
            stop_event=self._stop,
            ignore_permission_denied=True,
            recursive=True,
        ):
            yield {path for _, path in changes}

    def _matters(self, path: str) -> bool:
        """Whether a change there can change what is indexed: not in the index itself, nor in what is hidden."""
        if path == self._index or path.startswith(self._index + os.sep):
            return False
        root = next((root for root in self._roots if path.startswith(f"{root}{os.sep}")), None)
        parts = Path(path).relative_to(root).parts if root else ()
        if parts and parts[-1] == IGNORE_FILE:
            return not any(part.startswith(".") for part in parts[:-1])
        if any(part.startswith(".") for part in parts):
            return False
        return suffix_of(path.rpartition(os.sep)[2]) in SUFFIXES or not _is_file(path)

    def _identities(self) -> list[tuple[int, int] | None]:
        return [_identity(root) for root in self._roots]


def _is_file(path: str) -> bool:
    """Whether a regular file is there now; what has gone may have been a folder of notes."""
    return stat.S_ISREG(_mode(path))


def _is_folder(path: str) -> bool:
    return stat.S_ISDIR(_mode(path))


def _mode(path: str) -> int:
    """The file's kind and permissions; 0 where there is none."""
    try:
        return os.lstat(path).st_mode
    except (OSError, ValueError):
        return 0


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        status = root.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
