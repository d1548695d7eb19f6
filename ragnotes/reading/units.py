"""The units of a chunk: what an answer can quote, each verbatim and as small as it can stand alone.

A sentence, a list item, a table row; and a short list together with the line that announces it, because "these four:"
answers nothing without the four.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

from ragnotes.places import HEADING_SEPARATOR
from ragnotes.reading.markup import mask_links, plain_text
from ragnotes.reading.tables import row_cells
from ragnotes.sentences import sentence_spans
from ragnotes.types import Block, BlockKind, Document, Kind, Unit

__all__ = ["plain_of", "sentences_of", "units_of"]

LONG_ITEM_WORDS = 32
"""A list item, cue or footnote longer than this is quoted by the sentence."""
LIST_WORDS = 64
"""A list longer than this is quoted item by item only."""
LEAD_WORDS = 4
"""An item this short that has items under it says nothing alone."""

_BOXES = {" ": "☐ ", "x": "☑ ", "X": "☑ "}
"""What an answer shows for the box of a task."""
_TASK = re.compile(r"[\s>]*(?:[-*+•]|\d{1,3}[.)])[ \t]+\[([ xX])\][ \t]")
_CALLOUT = re.compile(r"[ \t>]*\[![\w-]+\]")
_FENCE = re.compile(r"^[ \t>]*(?:(?:`{3,}|~{3,})[ \t]*|\$\$[ \t]*$)", re.MULTILINE)
_OPEN_FENCE = re.compile(r"(?:`{3,}|~{3,})[^\n]*\n(?=[^\n]*\w)")
_DEFINITION = re.compile(r"^:[ \t]+", re.MULTILINE)
_MARKS = re.compile(r"(?<=[.!?…)\"”’]) ?(?:\[\^[^\[\]\s]+\](?!:))+")
"""Footnote marks after the end of a sentence, which would hide it."""
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
        group = _list(document, members, headed=bool(announced))
        if group:
            yield group
        if not (group and announced):
            yield from _parts(document, block)


def sentences_of(text: str) -> Iterator[tuple[int, int]]:
    """Spans of sentences; a line broken on purpose (two spaces, or a backslash, before the break) ends one too."""
    masked = _MARKS.sub(lambda match: " " * len(match[0]), mask_links(text))
    start = 0
    for line in [*_HARD_BREAK.finditer(masked), None]:
        end = line.start() if line else len(masked)
        for first, last in sentence_spans(masked[start:end]):
            mark = _MARKS.match(text, start + last, end)
            yield start + first, mark.end() if mark else start + last
        start = line.end() if line else end


def plain_of(document: Document, block: Block) -> str:
    """The block as a reader sees it, a line per line; the filled cells of a table row are parted by bars."""
    text = document.text[block.start : block.end]
    if block.kind is BlockKind.ROW:
        return "\n".join(" | ".join(cell for cell in row if cell) for row in row_cells(text) if any(row))
    if block.kind is BlockKind.CODE:
        text = _FENCE.sub("", text)  # what is left of a fence names the language
    if block.kind is BlockKind.DEFINITION:
        return _DEFINITION.sub("", plain_text(text))
    if block.kind is BlockKind.CODE or document.kind is Kind.PAPER:
        return "\n".join(" ".join(line.split()) for line in text.split("\n") if line.strip())
    return plain_text(text)


def _quotable(document: Document, blocks: Sequence[Block]) -> list[Block]:
    after = bisect_left(document.blocks, blocks[-1].end, key=lambda block: block.start)
    rows = [block for block in (*blocks, *document.blocks[after : after + 1]) if block.kind is BlockKind.ROW]
    headers = {block.lead.split(HEADING_SEPARATOR)[0] for block in rows if block.lead}

    def heads_rows(block: Block) -> bool:
        return block.kind is BlockKind.ROW and bool(headers) and plain_of(document, block) in headers

    told = [block for block in blocks if not heads_rows(block)]
    return [block for block in told if block.kind is not BlockKind.HEADING] or told


def _announced(document: Document, body: Sequence[Block], number: int) -> list[Block]:
    """What the block announces: items under a short item; items, code or a quote after a colon; a callout's body."""
    block, text, rest = body[number], plain_of(document, body[number]), body[number + 1 :]
    if text and block.kind is BlockKind.QUOTE and _CALLOUT.match(document.text, block.start, block.end):
        return list(takewhile(lambda part: part.lead.startswith(text), rest))
    if text.endswith(":") and rest and rest[0].kind in (BlockKind.CODE, BlockKind.QUOTE):
        return [rest[0]]
    depth = block.depth if block.kind is BlockKind.ITEM else -1
    if not text.endswith(":") and (depth < 0 or len(text.split()) > LEAD_WORDS):
        return []
    return list(takewhile(lambda item: item.kind is BlockKind.ITEM and item.depth > depth, rest))


def _list(document: Document, blocks: Sequence[Block], *, headed: bool) -> Unit | None:
    """One unit of all the blocks, the first of which may announce the others; None for no blocks, and a long unit."""
    plain = _joined([_flat(document, block) for block in blocks], headed=headed)
    if not blocks or len(plain.split()) > LIST_WORDS:
        return None
    shown = _joined([_boxed(document, block) for block in blocks], headed=headed)
    return Unit(blocks[0].start, blocks[-1].end, plain, blocks[0].lead, shown if shown != plain else "")


def _joined(parts: Sequence[str], *, headed: bool) -> str:
    """`Head: one; two`; parts that end a sentence themselves need no semicolon."""
    text = parts[0] if parts else ""
    for number, part in enumerate(parts[1:]):
        ended = text.endswith((".", "!", "?", ";", ":"))
        text += (" " if ended else ": " if headed and number == 0 else "; ") + part
    return text


def _parts(document: Document, block: Block) -> Iterator[Unit]:
    text = document.text[block.start : block.end]
    whole = block.kind in (BlockKind.CODE, BlockKind.ROW, BlockKind.HEADING)
    brief = block.kind is not BlockKind.PARAGRAPH and len(text.split()) <= LONG_ITEM_WORDS
    for start, end in [(0, len(text))] if whole or brief else sentences_of(text):
        part = replace(block, start=block.start + start, end=block.start + end)
        plain = _flat(document, part)
        shown = block.shown or _box(document, part) + plain
        if re.search(r"\w", plain):
            yield Unit(part.start, part.end, plain, block.lead, shown if shown != plain else "")


def _flat(document: Document, block: Block) -> str:
    """The block on one line: code without the name of its language, a definition after its term."""
    text = document.text[block.start : block.end]
    if block.kind is BlockKind.DEFINITION:
        return "; ".join(" ".join(part.split()) for part in plain_text(text).split("\n: ")).replace("; ", ": ", 1)
    if block.kind is BlockKind.CODE and (opens := _OPEN_FENCE.match(text)):
        block = replace(block, start=block.start + opens.end())
    return " ".join(plain_of(document, block).split())


def _boxed(document: Document, block: Block) -> str:
    """The same, after its box where it is a task."""
    return _box(document, block) + _flat(document, block)


def _box(document: Document, block: Block) -> str:
    task = _TASK.match(document.text, block.start, block.end) if block.kind is BlockKind.ITEM else None
    return _BOXES[task[1]] if task else ""
