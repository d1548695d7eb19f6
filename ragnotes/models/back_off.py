"""When what keeps ending is started again: at once the first time, then after ever longer pauses."""

from __future__ import annotations

import threading
import time

__all__ = ["CALM_S", "LONGEST_S", "BackOff"]

CALM_S = 60.0
"""Whoever worked this long begins anew: its end is the first one again."""
LONGEST_S = 60.0


class BackOff:
    """Counts ends, and says how long to wait. Any thread may call any method."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends = 0
        self._not_before = 0.0

    def ended(self, worked_s: float) -> float:
        """Seconds until the next start, after one that worked so long: 0, 1, 2, 4, and so on up to `LONGEST_S`."""
        with self._lock:
            self._ends = 1 if worked_s >= CALM_S else self._ends + 1
            pause = 0.0 if self._ends == 1 else min(LONGEST_S, 2.0 ** (self._ends - 2))
            self._not_before = time.monotonic() + pause
            return pause

    def left_s(self) -> float:
        """Seconds of the pause that are left; 0 where the next may start."""
        with self._lock:
            return max(0.0, self._not_before - time.monotonic())
