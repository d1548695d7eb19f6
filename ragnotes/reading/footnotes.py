"""Footnotes: each a block of its own that knows the sentence which refers to it, however far below it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ragnotes.reading.extraction import shortened, trimmed
from ragnotes.reading.markup import plain_text
from ragnotes.reading.units import sentences_of
from ragnotes.types import Block, BlockKind

__all__ = ["with_footnotes"]

LEAD_CHARS = 160
"""Longer sentences are cut for the lead."""

_LABEL = re.compile(r"[ \t>]*\[\^([^\[\]\s]+)\]:")
_LABELLED_LINE = re.compile(rf"\n(?={_LABEL.pattern})")
_REFERENCE = re.compile(r"\[\^([^\[\]\s]+)\](?!:)")


def with_footnotes(text: str, blocks: Sequence[Block]) -> list[Block]:
    """The blocks, with each footnote apart and whole, its lead the sentence that refers to it."""
    if "[^" not in text:
        return list(blocks)
    parted = list(_continued(text, [part for block in blocks for part in _parted(text, block)]))
    labels = {number: _LABEL.match(text, block.start) for number, block in enumerate(parted)}
    wanted = {match[1] for number, match in labels.items() if match and parted[number].kind is BlockKind.FOOTNOTE}
    sentences = _referring(text, parted, wanted)
    return [
        replace(block, lead=sentences.get(label[1], block.lead))
        if (label := labels[number]) and block.kind is BlockKind.FOOTNOTE
        else block
        for number, block in enumerate(parted)
    ]


def _parted(text: str, block: Block) -> Iterator[Block]:
    """The block cut before each line that begins a footnote; also one that follows its paragraph without a gap."""
    if block.kind in (BlockKind.CODE, BlockKind.HEADING, BlockKind.ROW):
        yield block
        return
    cuts = [match.end() for match in _LABELLED_LINE.finditer(text, block.start, block.end)]
    for piece in zip([block.start, *cuts], [*cuts, block.end], strict=True):
        start, end = trimmed(text, *piece)
        if _LABEL.match(text, start, end):
            yield replace(block, start=start, end=end, kind=BlockKind.FOOTNOTE, depth=0)
        else:
            yield replace(block, start=start, end=end)


def _continued(text: str, blocks: Sequence[Block]) -> Iterator[Block]:
    """The blocks; indented paragraphs after a footnote, which the grammar takes for code, are a part of it."""
    held: Block | None = None
    for block in blocks:
        line = text[text.rfind("\n", 0, block.start) + 1 : block.start]
        indented = block.kind is BlockKind.CODE and (line.startswith("\t") or len(line) >= 4) and not line.strip()
        if held and indented and held.kind is BlockKind.FOOTNOTE and text[block.start] not in "`~":
            held = replace(held, end=block.end)
            continue
        if held:
            yield held
        held = block
    if held:
        yield held


def _referring(text: str, blocks: Sequence[Block], wanted: set[str]) -> Mapping[str, str]:
    """The first sentence that refers to each of these labels, as a reader sees it."""
    found: dict[str, str] = {}
    for block in blocks:
        source = text[block.start : block.end]
        names = {name for name in _REFERENCE.findall(source) if name in wanted and name not in found}
        if not names or block.kind is BlockKind.CODE:
            continue
        for start, end in [(0, len(source))] if block.kind is BlockKind.ROW else sentences_of(source):
            sentence = block.shown or plain_text(source[start:end])
            for name in _REFERENCE.findall(source, start, end):
                if name in names:
                    found.setdefault(name, shortened(" ".join(sentence.split()), LEAD_CHARS))
    return found
