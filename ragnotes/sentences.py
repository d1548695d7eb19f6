"""Where sentences end, as offsets into the text they stand in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from syntok import segmenter

__all__ = ["sentence_spans"]

_PARAGRAPH_GAP = re.compile(r"\n\s*\n")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Half-open spans of the sentences of `text`, in order, without surrounding white space.

    Together they hold every non-space character. Rules: syntok (English, German, Spanish); other languages fall back
    to what the rules make of their punctuation. White-space text gives [].
    """
    starts: list[int] = []
    for first, last in _paragraph_spans(text):  # one at a time: syntok pads each with all the text before it
        for paragraph in segmenter.analyze(text[first:last]):
            starts += [first + sentence[0].offset for sentence in paragraph if sentence]
    if not starts:
        return _trimmed(text, 0, len(text))
    starts[0] = 0
    spans: list[tuple[int, int]] = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        spans += _trimmed(text, start, end)
    return spans


def _paragraph_spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for gap in _PARAGRAPH_GAP.finditer(text):
        yield start, gap.start()
        start = gap.end()
    yield start, len(text)


def _trimmed(text: str, start: int, end: int) -> list[tuple[int, int]]:
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return []
    start += len(piece) - len(piece.lstrip())
    return [(start, start + len(stripped))]
