"""Who goes first where only one can: what is asked before what is being answered, and notes that are indexed last."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

__all__ = ["Precedence", "Rank"]

PATIENCE_S = 0.5
"""How long the others stand back, so that they go on however many ask."""


class Rank(IntEnum):
    """What somebody wants their turn for; the lowest goes first."""

    QUESTION = 0
    ANSWER = 1
    NOTES = 2


class Precedence:
    """A lock whose next holder is the one of the first rank that waits; but who lost patience is before them.

    Any thread may call any method.
    """

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._held = False
        self._waiting = [0] * len(Rank)
        """How many wait, by rank."""
        self._overdue = 0
        self._asked = deque([-float("inf")] * 2, maxlen=2)
        """When the last two questions had their turn."""

    @contextmanager
    def turn(self, rank: Rank) -> Iterator[None]:
        """The lock, until the end of the block."""
        with self._changed:
            if not self._waited(rank):
                self._waited_overdue()
            if rank is Rank.QUESTION:
                self._asked.append(time.monotonic())
            self._held = True
        try:
            yield
        finally:
            with self._changed:
                self._held = False
                self._changed.notify_all()

    def asked_within(self, seconds: float) -> int:
        """How many questions had their turn lately, up to two: the next one may come at any moment."""
        now = time.monotonic()
        return sum(now - each < seconds for each in self._asked)

    def _waited(self, rank: Rank) -> bool:
        """Returns when it is this rank's turn; False where patience ended before. Questions have no other choice."""
        self._waiting[rank] += 1
        try:
            return self._changed.wait_for(
                lambda: not (self._held or self._overdue or any(self._waiting[:rank])),
                None if rank is Rank.QUESTION else self._patience_s,
            )
        finally:  # also where a signal ends the wait
            self._waiting[rank] -= 1
            self._changed.notify_all()

    def _waited_overdue(self) -> None:
        self._overdue += 1
        try:
            self._changed.wait_for(lambda: not self._held)
        finally:
            self._overdue -= 1
            self._changed.notify_all()
