"""What the readers of formats share: text without control characters, trimmed spans, and lines cut short."""

from __future__ import annotations

import re

__all__ = ["shortened", "trimmed", "without_controls"]

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def without_controls(text: str) -> str:
    """`text` without control characters (but tabs and newlines) and lone surrogates, which no tokenizer expects."""
    return _CONTROLS.sub("", text)


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span [start, end) of `text` without surrounding white space; start == end where nothing is left."""
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return start, start + len(piece.strip())


def shortened(line: str, chars: int) -> str:
    """`line`, cut at a word where it is too long."""
    if len(line) <= chars:
        return line
    cut = line[:chars]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut) + " …"
