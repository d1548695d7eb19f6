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

    Whoever ends a turn hands it to the next one, who alone is woken. Any thread may call any method.
    """

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._changing = threading.Lock()
        self._held = False
        self._waiting: list[_Waiter] = []
        """Those who wait, in the order in which they came."""
        self._asked = deque([-float("inf")] * 2, maxlen=2)
        """When the last two questions had their turn."""

    @contextmanager
    def turn(self, rank: Rank) -> Iterator[None]:
        """The lock, until the end of the block."""
        self._wait(rank)
        if rank is Rank.QUESTION:
            self._asked.append(time.monotonic())
        try:
            yield
        finally:
            self._hand_on()

    def asked_within(self, seconds: float) -> int:
        """How many questions had their turn lately, up to two: the next one may come at any moment."""
        now = time.monotonic()
        return sum(now - each < seconds for each in tuple(self._asked))

    def _wait(self, rank: Rank) -> None:
        """Returns when it is this rank's turn."""
        with self._changing:
            if not self._held:
                self._held = True
                return
            waiter = _Waiter(rank, time.monotonic())
            self._waiting.append(waiter)
        try:
            waiter.turn.acquire()
        except BaseException:  # a signal ends the wait
            with self._changing:
                waits = waiter in self._waiting
                if waits:
                    self._waiting.remove(waiter)
            if not waits:  # its turn had just come
                self._hand_on()
            raise

    def _hand_on(self) -> None:
        """Gives the turn to the next one, if any waits."""
        with self._changing:
            self._held = bool(self._waiting)
            if self._waiting:
                now = time.monotonic()
                following = min(self._waiting, key=lambda waiter: (not self._is_overdue(waiter, now), waiter.rank))
                self._waiting.remove(following)
                following.turn.release()

    def _is_overdue(self, waiter: _Waiter, now: float) -> bool:
        """Whether patience has ended; questions have no other choice."""
        return waiter.rank is not Rank.QUESTION and now - waiter.since >= self._patience_s


class _Waiter:
    """Somebody who waits since a time of the monotonic clock, in seconds, until `turn` is released."""

    def __init__(self, rank: Rank, since: float) -> None:
        self.rank, self.since = rank, since
        self.turn = threading.Lock()
        self.turn.acquire()
