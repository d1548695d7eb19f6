"""On how many threads the next token is written: on all, or on half of them where the machine is busy.

llama.cpp's threads wait for each other some hundred times a token, and beside a busy process that is most of its time:
on two cores two threads wrote 13 to 30 tokens a second there, one alone 80 to 99. On an idle machine two write 124, and
one 104. So both are tried, and the faster one is taken.
"""

from __future__ import annotations

from collections import deque
from statistics import median

__all__ = ["ThreadChoice"]

FIRST_LOOK_S = 0.2
"""After so long of writing the other number is tried; when it loses, after twice as long, up to the longest."""
LONGEST_S = 16.0
AFTER_CHANGE_S = 2.0
TRIED_TOKENS = 3
RECENT_TOKENS = 9
CLEARLY = 0.95
"""Of two medians, the other's must be less than this share."""


class ThreadChoice:
    """Learns from the seconds that each token took which of two numbers of threads is the faster at present."""

    def __init__(self, threads: int) -> None:
        self._now, self._other = threads, max(1, threads // 2)
        self._recent = deque[float](maxlen=RECENT_TOKENS)
        self._tried = list[float]()
        self._wait_s, self._waited_s = FIRST_LOOK_S, 0.0

    def threads(self) -> int:
        """For the next token, whose time goes to `took`."""
        known = len(self._recent) == RECENT_TOKENS
        return self._other if known and self._waited_s >= self._wait_s else self._now

    def took(self, threads: int, seconds: float) -> None:
        """That a token took this long on so many threads."""
        if threads == self._now:
            self._recent.append(seconds)
            self._waited_s += seconds
            return
        self._tried.append(seconds)
        if len(self._tried) == TRIED_TOKENS:
            self._decide()

    def _decide(self) -> None:
        if median(self._tried) < CLEARLY * median(self._recent):
            self._now, self._other = self._other, self._now
            self._recent = deque(self._tried, maxlen=RECENT_TOKENS)
            self._wait_s = AFTER_CHANGE_S
        else:
            self._wait_s = min(2 * self._wait_s, LONGEST_S)
        self._tried, self._waited_s = [], 0.0
