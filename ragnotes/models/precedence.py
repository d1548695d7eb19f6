"""Who goes first where only one can: a question's embedding before those of notes that are being indexed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Precedence"]

PATIENCE_S = 1.0
"""How long the others stand back, so that indexing goes on however many ask."""


class Precedence:
    """A lock whose next holder is one that is urgent, if any waits. Any thread may call any method."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held = False
        self._urgent = 0
        self._last_urgent = -float("inf")

    @contextmanager
    def turn(self, *, urgent: bool) -> Iterator[None]:
        """The lock, until the end of the block."""
        with self._changed:
            if urgent:
                self._urgent += 1
            else:
                self._changed.wait_for(lambda: not self._held and not self._urgent, PATIENCE_S)
            self._changed.wait_for(lambda: not self._held)
            if urgent:
                self._urgent -= 1
                self._last_urgent = time.monotonic()
            self._held = True
        try:
            yield
        finally:
            with self._changed:
                self._held = False
                self._changed.notify_all()

    def urgent_within(self, seconds: float) -> bool:
        """Whether an urgent one had its turn lately, and so the next one may come at any moment."""
        return time.monotonic() - self._last_urgent < seconds
