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
    """A lock whose next holder is one that is urgent, if any waits; but who lost patience is before them.

    Any thread may call any method.
    """

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._held = False
        self._urgent = self._overdue = 0
        """How many wait."""
        self._last_urgent = -float("inf")

    @contextmanager
    def turn(self, *, urgent: bool) -> Iterator[bool]:
        """The lock, until the end of the block; whether it was had by patience, before some that are urgent."""
        with self._changed:
            if urgent:
                self._urgent += 1
                try:
                    self._changed.wait_for(lambda: not (self._held or self._overdue))
                finally:  # also where a signal ends the wait
                    self._urgent -= 1
                self._last_urgent = time.monotonic()
            elif not self._changed.wait_for(lambda: not (self._held or self._urgent), self._patience_s):
                self._overdue += 1
                try:
                    self._changed.wait_for(lambda: not self._held)
                finally:
                    self._overdue -= 1
                    self._changed.notify_all()
            self._held = True
            after_all = not urgent and self._urgent > 0
        try:
            yield after_all
        finally:
            with self._changed:
                self._held = False
                self._changed.notify_all()

    def urgent_within(self, seconds: float) -> bool:
        """Whether an urgent one had its turn lately, and so the next one may come at any moment."""
        return time.monotonic() - self._last_urgent < seconds
