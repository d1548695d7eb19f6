"""Wrong keys, answered slowly. The right key is never held back: whoever has it is let in amid any flood.

What keeps a key safe is its length; this keeps guessing from being quick, and from being a load.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import anyio

__all__ = ["WrongKeys"]

FREE_GUESSES = 10
"""Wrong keys in a minute that are answered at once, as mistakes are."""
WINDOW_S = 60.0
DELAY_S = 1.0
HELD = 32
"""Wrong keys whose answer is held back at a time; those beyond are refused with 429."""


class WrongKeys:
    """Counts wrong keys. Used by one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._recent = deque[float](maxlen=FREE_GUESSES + 1)
        self._held = 0

    async def held_back(self) -> bool:
        """Called for a wrong key: waits as long as its answer is held back; False where too many wait already."""
        now = self._clock()
        self._recent.append(now)
        if len(self._recent) <= FREE_GUESSES or now - self._recent[0] > WINDOW_S:
            return True
        if self._held >= HELD:
            return False
        self._held += 1
        try:
            await anyio.sleep(DELAY_S)
        finally:
            self._held -= 1
        return True
