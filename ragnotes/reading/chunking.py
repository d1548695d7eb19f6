"""Documents to chunks: passages on structural borders, small enough that the embedder reads every word.

A chunk is a run of whole blocks of one section, page and date. It carries a context line (title > headings > date >
speakers > what its first block needs to be understood), which is embedded and searched with it but is no part of its
span. Each chunk knows its units: the sentences, list items and table rows that can be quoted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ragnotes.places import HEADING_SEPARATOR, Places
from ragnotes.ports import Embedder
from ragnotes.reading.extraction import trimmed
from ragnotes.reading.links import DocumentLinks
from ragnotes.reading.units import plain_of, sentences_of, units_of
from ragnotes.types import Block, BlockKind, Chunk, Document, Mark

__all__ = ["CHUNKER", "chunk_document", "chunks_of"]

TARGET_TOKENS = 160
"""A chunk is closed once it holds this many; docs/log.md has what other sizes gave."""
SECTION_TOKENS = 480
"""Neighbouring chunks under one heading are searched together up to this size; docs/log.md has what others gave."""
SMALL_TOKENS = 24
"""A run smaller than this joins its neighbour of the same section."""
CONTEXT_TOKENS = 56
_CONTEXT_CHARS = 1000
CHARS_PER_TOKEN = 16
COUNTED_AT_ONCE = 1024
"""Blocks whose tokens are counted together. A log has a million, and the tokens of all would fill the memory."""

CHUNKER = f"structure-4/{TARGET_TOKENS}"
"""Names the way of chunking in the index; a change of results changes the name."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A block, or a part of one that was too long, with its size and where it stands."""

    block: Block
    tokens: int
    section: tuple[Mark | None, ...]


def chunk_document(document: Document, embedder: Embedder) -> list[Chunk]:
    """The chunks of `document`, in order; together they hold every non-space character of its blocks.

    No chunk is longer than the embedder reads, context included. A document without blocks gives [].
    """
    return list(chunks_of(document, embedder))


def chunks_of(document: Document, embedder: Embedder) -> Iterator[Chunk]:
    """The same one by one, for a document whose chunks fill more memory than there is."""
    places, links = Places(document), DocumentLinks(document)
    seen: dict[str, int] = {}
    for run, section in _with_sections(_runs(_pieces(document, places, embedder), _room(embedder))):
        blocks = [piece.block for piece in run]
        text = document.text[blocks[0].start : blocks[-1].end]
        seen[text] = seen.get(text, -1) + 1
        key = f"{document.doc_id}\0{seen[text]}\0{text}"
        chunk = Chunk(
            chunk_id="c" + hashlib.sha256(key.encode()).hexdigest()[:20],
            doc_id=document.doc_id,
            start=blocks[0].start,
            end=blocks[-1].end,
            text=text,
            context=_context(document, places, blocks, embedder),
            plain=_plain(document, blocks),
            place=places.of(blocks[0].start, blocks[-1].end, under=_first_body(blocks).start),
            units=tuple(units_of(document, blocks)),
            section=section,
        )
        yield links.given_to(chunk)


def _plain(document: Document, blocks: Sequence[Block]) -> str:
    """The blocks as a reader sees them; a footnote brings the sentence that refers to it, if that is elsewhere."""
    lines = [plain_of(document, block) for block in blocks]
    here = " ".join(" ".join(lines).split())
    for number, block in enumerate(blocks):
        if block.kind is BlockKind.FOOTNOTE and block.lead and block.lead.removesuffix(" …") not in here:
            lines[number] += f" ({block.lead})"
            here += lines[number]
    return "\n".join(lines)


def _pieces(document: Document, places: Places, embedder: Embedder) -> Iterator[_Piece]:
    """The blocks with their sizes; a block too long to embed is cut at sentences, a sentence too long at words."""
    sizes = _sizes(document, document.blocks, embedder)
    room = _room(embedder)
    for block, size in zip(document.blocks, sizes, strict=True):
        section = places.section(block.start)
        if size <= room:
            yield _Piece(block, size, section)
        else:
            for part, tokens in _parts(document, block, embedder, room):
                yield _Piece(part, tokens, section)


def _sizes(document: Document, blocks: Sequence[Block], embedder: Embedder) -> list[int]:
    """Tokens of each block as the embedder counts them, but no fewer than its length allows.

    WordPiece takes a word of more than 100 characters for one unknown token, and would let a megabyte through.
    """
    sizes: list[int] = []
    for first in range(0, len(blocks), COUNTED_AT_ONCE):
        texts = [_plain(document, [block]) for block in blocks[first : first + COUNTED_AT_ONCE]]
        counts = embedder.count_tokens(texts)
        sizes += [max(count, len(text) // CHARS_PER_TOKEN) for count, text in zip(counts, texts, strict=True)]
    return sizes


def _parts(document: Document, block: Block, embedder: Embedder, room: int) -> list[tuple[Block, int]]:
    """`block` cut into parts of at most `room` tokens, at line or sentence ends where that is possible."""
    spans = list(_finest_spans(document, block, embedder, room))
    cuts = [replace(block, start=start, end=end, shown="") for start, end in spans]
    sizes = _sizes(document, cuts, embedder)
    parts: list[tuple[Block, int]] = []
    for cut, size in zip(cuts, sizes, strict=True):
        if parts and parts[-1][1] + size <= min(room, TARGET_TOKENS):
            last, tokens = parts[-1]
            parts[-1] = (replace(last, end=cut.end), tokens + size)
        else:
            parts.append((cut, size))
    return parts


def _finest_spans(document: Document, block: Block, embedder: Embedder, room: int) -> Iterator[tuple[int, int]]:
    text = document.text[block.start : block.end]
    if block.kind in (BlockKind.CODE, BlockKind.ROW):
        spans = [match.span() for match in re.finditer(r"\S(?:[^\n]*\S)?", text)]
    else:
        spans = list(sentences_of(text))
    cuts = [replace(block, start=block.start + start, end=block.start + end) for start, end in spans]
    sizes = _sizes(document, cuts, embedder)
    for cut, size in zip(cuts, sizes, strict=True):
        if size <= room:
            yield cut.start, cut.end
        else:
            yield from _word_spans(document, cut, embedder, room)


def _word_spans(document: Document, block: Block, embedder: Embedder, room: int) -> Iterator[tuple[int, int]]:
    """Cuts at words, or inside a word that alone is too long (text without spaces, encoded data)."""

    def fits(start: int, end: int) -> bool:
        return _sizes(document, [replace(block, start=start, end=end)], embedder)[0] <= room

    start = block.start
    while start < block.end:
        cut = _longest_fit(start, block.end, room, fits)
        if cut < block.end:
            kept = re.match(r".*\s", document.text[start:cut], re.DOTALL)
            if kept and kept[0].strip() and fits(start, start + kept.end()):  # half a link may be longer than a whole
                cut = start + kept.end()
        first, last = trimmed(document.text, start, cut)
        if first < last:
            yield first, last
        start = cut


def _longest_fit(start: int, end: int, room: int, fits: Callable[[int, int], bool]) -> int:
    """Where the longest piece from `start` on that fits ends, at least one character on.

    Looks no further than twice what fits, so that cutting a long text takes time in proportion to its length.
    """
    low, step = start + 1, room
    while low + step < end and fits(start, low + step):
        low, step = low + step, step * 2
    high = min(end, low + step)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(start, middle) else (low, middle - 1)
    return low


def _room(embedder: Embedder) -> int:
    """Tokens that a chunk may have beside its context and the embedder's own marks."""
    return embedder.max_tokens - CONTEXT_TOKENS - 4


def _runs(pieces: Iterable[_Piece], room: int) -> Iterator[list[_Piece]]:
    """Pieces grouped into chunks; what is small joins the group before."""
    last: list[_Piece] = []
    for run in _whole_runs(pieces, room):
        small = _size(run) < SMALL_TOKENS
        if small and last and last[-1].section == run[0].section and _size(last) + _size(run) <= room:
            last += run
            continue
        if last:
            yield last
        last = run
    if last:
        yield last


def _whole_runs(pieces: Iterable[_Piece], room: int) -> Iterator[list[_Piece]]:
    """Headings open a run, sections part runs, the target size closes them."""
    run: list[_Piece] = []
    for piece in pieces:
        if run and not _joins(run, piece, room):
            yield run
            run = []
        run.append(piece)
    if run:
        yield run


def _with_sections(runs: Iterable[list[_Piece]]) -> Iterator[tuple[list[_Piece], int]]:
    """Each run with the number of the first one of its section: neighbours under one heading, up to SECTION_TOKENS."""
    first = size = 0
    heading: Mark | None = None
    for number, run in enumerate(runs):
        if heading != run[0].section[0] or size + _size(run) > SECTION_TOKENS:
            first, size = number, 0
        size += _size(run)
        heading = run[-1].section[0]
        yield run, first


def _size(run: Sequence[_Piece]) -> int:
    return sum(piece.tokens for piece in run)


def _joins(run: Sequence[_Piece], piece: _Piece, room: int) -> bool:
    only_headings = all(member.block.kind is BlockKind.HEADING for member in run)
    if _size(run) + piece.tokens > (room if only_headings else TARGET_TOKENS):
        return False
    if only_headings:  # headings stay with what they head, also one heading after another
        return run[-1].section[1] == piece.section[1]
    return piece.block.kind is not BlockKind.HEADING and run[-1].section == piece.section


def _first_body(blocks: Sequence[Block]) -> Block:
    return next((block for block in blocks if block.kind is not BlockKind.HEADING), blocks[0])


def _context(document: Document, places: Places, blocks: Sequence[Block], embedder: Embedder) -> str:
    """Title > headings > date > speakers > lead, each once, cut to what the embedder can spare for it.

    Speakers whom the text itself names are not named again.
    """
    first = _first_body(blocks)
    names = [document.title] if document.titled else []
    names += [name for name in places.heading(first.start) if name not in names]
    if (date := places.date(first.start)) is not None:
        names.append(str(date))
    start, end = blocks[0].start, blocks[-1].end
    names += [name for name in places.speakers(start, end) if name not in document.text[start:end]]
    if first.lead:
        names.append(first.lead)
    context = HEADING_SEPARATOR.join(name for name in names if name)[:_CONTEXT_CHARS].rstrip()
    while context and embedder.count_tokens([context])[0] > CONTEXT_TOKENS:
        context = context[: int(len(context) * 0.8)].rstrip()
    return context
