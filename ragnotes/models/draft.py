"""A draft as the rest of ragnotes reads it, over a generator of its pieces that ends with what they took."""

from __future__ import annotations

from collections.abc import Callable, Generator

from ragnotes.ports import Usage

__all__ = ["Pieces", "StreamedDraft"]

Pieces = Generator[str, None, Usage]


class StreamedDraft:
    """Pieces of text as the model writes them. Waiting for the model begins with the first `next`."""

    def __init__(self, pieces: Pieces, give_back: Callable[[], None]) -> None:
        self.usage: Usage | None = None
        self._pieces = pieces
        self._give_back = give_back

    def __iter__(self) -> StreamedDraft:
        return self

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        except StopIteration as end:
            self.usage = end.value or self.usage
            raise StopIteration from None

    def close(self) -> None:
        """End the draft early and free its place; after the end it does nothing."""
        self._pieces.close()
        self._give_back()  # a generator that never began does not run its `finally`

    def __del__(self) -> None:
        self.close()
