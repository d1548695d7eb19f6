"""The units of a chunk: what an answer can quote, each verbatim and as small as it can stand alone.

A sentence, a list item, a table row; and a short list together with the line that announces it, because "these four:"
answers nothing without the four.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

from ragnotes.places import HEADING_SEPARATOR
from ragnotes.reading.markup import cells_of, mask_links, plain_text
from ragnotes.sentences import sentence_spans
from ragnotes.types import Block, BlockKind, Document, Kind, Unit

__all__ = ["plain_of", "sentences_of", "units_of"]

LONG_ITEM_WORDS = 32
"""A list item, cue or footnote longer than this is quoted by the sentence."""
LIST_WORDS = 64
"""A list longer than this is quoted item by item only."""
LEAD_WORDS = 4
"""An item this short that has items under it says nothing alone."""

_HARD_BREAK = re.compile(r" {2,}\n|(?<=\\)\n")


def units_of(document: Document, blocks: Sequence[Block]) -> Iterator[Unit]:
    """The units of a run of blocks, by start; a list comes before its items and overlaps them.

    Headings and table headers name an answer and seldom give it: they are units only where there is nothing else.
    """
    body = _quotable(document, blocks)
    for number, block in enumerate(body):
        announced = _announced(document, body, number)
        bare = number == 0 and len(body) > 1 and all(item.kind is BlockKind.ITEM for item in body)
        members = [block, *announced] if announced else body if bare else []
        group = _list(document, members)
        if group:
            yield group
        if not (group and announced):
            yield from _parts(document, block)


def sentences_of(text: str) -> Iterator[tuple[int, int]]:
    """Spans of sentences; a line broken on purpose (two spaces, or a backslash, before the break) ends one too."""
    masked = mask_links(text)
    start = 0
    for line in [*_HARD_BREAK.finditer(masked), None]:
        end = line.start() if line else len(masked)
        yield from ((start + first, start + last) for first, last in sentence_spans(masked[start:end]))
        start = line.end() if line else end


def plain_of(document: Document, block: Block) -> str:
    """The block as a reader sees it, a line per line; the filled cells of a table row are parted by bars."""
    text = document.text[block.start : block.end]
    if block.kind is BlockKind.ROW:
        rows = (cells_of(line) for line in text.split("\n"))
        return "\n".join(" | ".join(cell for cell in row if cell) for row in rows if any(row))
    if block.kind is BlockKind.CODE or document.kind is Kind.PAPER:
        return "\n".join(" ".join(line.split()) for line in text.split("\n") if line.strip())
    return plain_text(text)


def _quotable(document: Document, blocks: Sequence[Block]) -> list[Block]:
    headers = {block.lead.split(HEADING_SEPARATOR)[0] for block in blocks if block.kind is BlockKind.ROW and block.lead}
    body = [block for block in blocks if block.kind is not BlockKind.HEADING]
    if headers:
        body = [block for block in body if block.kind is not BlockKind.ROW or plain_of(document, block) not in headers]
    return body or list(blocks)


def _announced(document: Document, body: Sequence[Block], number: int) -> list[Block]:
    """The items that the block announces: those under a short item, or after a line that ends in a colon."""
    block, text = body[number], plain_of(document, body[number])
    depth = block.depth if block.kind is BlockKind.ITEM else -1
    if not text.endswith(":") and (depth < 0 or len(text.split()) > LEAD_WORDS):
        return []
    return list(takewhile(lambda item: item.kind is BlockKind.ITEM and item.depth > depth, body[number + 1 :]))


def _list(document: Document, blocks: Sequence[Block]) -> Unit | None:
    """One unit of all the blocks; None where there are none, or it would be long."""
    plain = "; ".join(plain_of(document, block).replace("\n", " ") for block in blocks).replace(":; ", ": ")
    if not blocks or len(plain.split()) > LIST_WORDS:
        return None
    return Unit(blocks[0].start, blocks[-1].end, plain, blocks[0].lead)


def _parts(document: Document, block: Block) -> Iterator[Unit]:
    text = document.text[block.start : block.end]
    whole = block.kind in (BlockKind.CODE, BlockKind.ROW, BlockKind.HEADING)
    brief = block.kind is not BlockKind.PARAGRAPH and len(text.split()) <= LONG_ITEM_WORDS
    for start, end in [(0, len(text))] if whole or brief else sentences_of(text):
        part = replace(block, start=block.start + start, end=block.start + end)
        plain = plain_of(document, part).replace("\n", " ")
        if re.search(r"\w", plain):
            yield Unit(part.start, part.end, plain, block.lead)
