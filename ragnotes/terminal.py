"""An answer on a terminal as it comes: a moving line until its first words, then sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from ragnotes import console
from ragnotes.service.shapes import EventShape, PassagesShape
from ragnotes.service.wording import Piece, RunningText

__all__ = ["answering"]


@contextmanager
def answering(first: str, *, live: bool) -> Iterator[Callable[[EventShape], None]]:
    """Shows the events that the yielded function is given. Not `live`, it shows the stage alone.

    What a follow-up is asked as is told in either case, before the first words.
    """
    with console.working(first) as stage:
        text, line = RunningText(), _Line(console.stdout())

        def show(event: EventShape) -> None:
            if isinstance(event, PassagesShape) and event.rewritten:
                stage.note(f"asked as: {event.rewritten}")
            pieces = text.take(event) if live else []
            if not pieces:
                stage.show(event)
            else:
                stage.stop()  # the moving line and the answer would overwrite each other
                line.write(pieces)

        try:
            yield show
        finally:
            line.end()


class _Line:
    """Words on a terminal, a new line before one that does not fit."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._column = 0
        self._word = ""
        """The last word, of which more may come."""

    def write(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            if style := console.style_of(piece):
                self._flush()
                self._put(piece.text, style)
            else:
                self._words(piece.text)

    def end(self) -> None:
        """Shows the last word, and ends the line that was begun."""
        self._flush()
        if self._column:
            self._out.print()
            self._column = 0

    def _words(self, text: str) -> None:
        for number, line in enumerate(text.split("\n")):
            if number:
                self._flush()
                self._out.print()
                self._column = 0
            for word in re.findall(r" ?[^ ]+| ", line):
                if word.startswith(" "):
                    self._flush()
                self._word += word

    def _flush(self) -> None:
        word, self._word = self._word, ""
        self._put(word, "")

    def _put(self, word: str, style: str) -> None:
        if self._column and self._column + cell_len(word) > self._out.width:
            self._out.print()
            self._column, word = 0, word.lstrip()
        if word:
            self._out.print(Text(word, style), end="", soft_wrap=True)
            self._column += cell_len(word)
