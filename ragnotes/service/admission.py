"""How many questions for the language model a server takes in at once: one runs, a bounded number waits."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ragnotes.errors import GeneratorBusy

__all__ = ["Admission"]

_FIRST_GUESS_S = 5.0  # an answer's seconds, before one was seen


class Admission:
    """Places for questions, taken on the event loop before an answer starts, so that a refusal is a real status.

    The generator's own queue refuses too, but only after retrieval: of questions that arrive together, many would get
    past it before the first reaches the model.
    """

    def __init__(self, queue_length: int) -> None:
        self._places = queue_length + 1
        self._taken = 0
        self._mean_s = _FIRST_GUESS_S

    @contextmanager
    def place(self) -> Iterator[int]:
        """A place until the end of the block: how many are before it. Raises GeneratorBusy where all are taken."""
        if self._taken >= self._places:
            seconds = math.ceil(self._taken * self._mean_s)
            waiting = "a question waits" if self._taken == 2 else f"{self._taken - 1} questions wait"
            raise GeneratorBusy(
                f"{waiting} for the language model already",
                f"try again in {seconds} s, or ask with llm=false",
                retry_after_s=seconds,
            )
        self._taken += 1
        started = time.monotonic()
        try:
            yield self._taken - 1
        finally:
            self._taken -= 1
            self._mean_s = 0.7 * self._mean_s + 0.3 * (time.monotonic() - started)
