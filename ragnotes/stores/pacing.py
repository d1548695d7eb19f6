"""When work may be done again that costs the more the larger an index is, in a process that goes on for long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Pace"]

# Under `--watch` every note that is saved is a run: at 100,000 passages the vectors are 154 MB, the database 600 MB.
SAVE_SHARE = 20
"""After the vectors were saved, a process lets so many times as long pass before it saves them again."""
PURGE_SHARE = 200
"""Likewise before it purges again. What `removal` keeps is for other processes, which are commands of a person."""


class Pace:
    """Lets work take at most one part in `share` of the time. The first time is always due."""

    def __init__(self) -> None:
        self._ended = 0.0
        self._took: float | None = None

    def due(self, share: float) -> bool:
        """Whether enough time has passed since the work was last done."""
        return self._took is None or time.monotonic() - self._ended >= share * self._took

    @contextmanager
    def work(self) -> Iterator[None]:
        """Measures the work, also where it fails."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._ended = time.monotonic()
            self._took = self._ended - started
