"""Markdown notes: bytes to a Document whose text is the file itself and whose blocks follow its structure.

The grammar is markdown-it's; this module turns its tokens, which know their lines, into blocks with offsets, heading
marks and date marks. Inline markup stays in the text: `markup` reads it where derived text is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ragnotes.dates import DatedLine, date_marks, date_of_path
from ragnotes.places import HEADING_SEPARATOR
from ragnotes.reading.decoding import decode, stated_encoding
from ragnotes.reading.dialogue import load_markdown_transcript, looks_like_transcript
from ragnotes.reading.extraction import trimmed
from ragnotes.reading.front_matter import metadata_of, split_front_matter
from ragnotes.reading.identity import document_id, sha256_of, stem_title
from ragnotes.reading.markup import cells_of, mask_links, plain_text
from ragnotes.types import Block, BlockKind, Document, HeadingMark, Kind, Mark

__all__ = ["Structure", "fill_gaps", "load_markdown", "structure_of"]

_LEAD_CHARS = 80
_HEADING_CHARS = 200
_TAG = re.compile(r"(?<![^\s(,;*|])#([^\W\d_][\w-]*(?:/[\w-]+)*)")
_FOOTNOTE = re.compile(r"[ \t]*\[\^[^\[\]\s]+\]:")

_GRAMMAR = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable(["inline"])


@dataclass(slots=True)
class Structure:
    """What the grammar finds in a text: blocks, heading marks, and the lines that may carry dates."""

    blocks: list[Block] = field(default_factory=list)
    headings: list[HeadingMark] = field(default_factory=list)
    dated_lines: list[DatedLine] = field(default_factory=list)
    first_title: str = ""


def load_markdown(content: bytes, path: str) -> Document:
    """A note, or a transcript where the note is one. Raises LoadError("undecodable") on bytes that are no text."""
    decoded = decode(content)
    text = decoded.text
    fields, body_start = split_front_matter(text)
    metadata = metadata_of(fields)
    metadata = replace(metadata, extra={**metadata.extra, **stated_encoding(decoded)})
    stated_title = _stated_title(fields)
    if looks_like_transcript(text[body_start:]):
        metadata = replace(metadata, date=metadata.date or date_of_path(path))
        return load_markdown_transcript(
            text, path, sha256_of(content), body_start=body_start, title=stated_title, metadata=metadata
        )
    structure = structure_of(text, body_start)
    metadata = replace(
        metadata,
        tags=tuple(dict.fromkeys((*metadata.tags, *_tags(text, structure.blocks)))),
        date=metadata.date or date_of_path(path),
    )
    title = stated_title or structure.first_title
    marks: list[Mark] = [*structure.headings, *date_marks(structure.dated_lines, base=metadata.date, text=text)]
    return Document(
        doc_id=document_id(path),
        path=path,
        kind=Kind.NOTE,
        title=title or stem_title(path),
        titled=bool(title),
        text=text,
        sha256=sha256_of(content),
        marks=tuple(sorted(marks, key=lambda mark: mark.start)),
        blocks=tuple(structure.blocks),
        metadata=metadata,
        verbatim=True,
    )


def structure_of(text: str, body_start: int = 0) -> Structure:
    """The structure of `text` from `body_start` on; its blocks hold every non-space character from there."""
    reader = _Reader(text, body_start)
    for token in _GRAMMAR.parse(text[body_start:]):
        reader.take(token)
    structure = reader.structure
    structure.blocks = fill_gaps(text, structure.blocks, body_start)
    return structure


def _stated_title(fields: Mapping[str, object]) -> str:
    title = next((value for name, value in fields.items() if str(name).lower() == "title"), None)
    return " ".join(plain_text(str(title)).split()) if title and isinstance(title, str | int | float | date) else ""


def _tags(text: str, blocks: Sequence[Block]) -> Iterator[str]:
    """The `#tags` of a note: not those in code, URLs and links, and no `# heading`."""
    for block in blocks:
        if block.kind is not BlockKind.CODE and "#" in text[block.start : block.end]:
            yield from _TAG.findall(mask_links(text[block.start : block.end]))


def fill_gaps(text: str, blocks: list[Block], start: int = 0) -> list[Block]:
    """`blocks`, and a paragraph for each non-space stretch that none holds; a rule joins the block before it."""
    filled: list[Block] = []
    for block in [*sorted(blocks, key=lambda block: block.start), Block(len(text), len(text), BlockKind.PARAGRAPH)]:
        gap = text[start : block.start]
        if gap.strip():
            first, last = trimmed(text, start, block.start)
            if filled and not re.search(r"\w", gap):
                filled[-1] = replace(filled[-1], end=last)
            else:
                kind = BlockKind.FOOTNOTE if _FOOTNOTE.match(gap.lstrip("\n")) else BlockKind.PARAGRAPH
                filled.append(Block(first, last, kind))
        if block.end > block.start:
            filled.append(block)
        start = max(start, block.end)
    return filled


class _Reader:
    """Walks markdown-it's tokens in order, knowing the containers that are open."""

    def __init__(self, text: str, body_start: int) -> None:
        self.text = text
        self.structure = Structure()
        self._lines = [body_start]
        for match in re.compile("\n").finditer(text, body_start):
            self._lines.append(match.end())
        self._open: list[str] = []
        self._path: list[tuple[int, str]] = []
        self._leads: list[str] = []  # one per open list item: its first line
        self._header: list[str] = []
        self._row: list[str] = []

    def take(self, token: Token) -> None:
        if token.type == "heading_open":
            self._heading(token)
        elif token.type in ("paragraph_open", "html_block", "fence", "code_block", "tr_open"):
            self._leaf(token)
        elif token.type == "list_item_open":
            self._item(token)
        elif token.type == "list_item_close":
            self._leads.pop()
        elif token.type == "table_open":
            self._header, self._row = [], []
        if token.nesting == 1:
            self._open.append(token.type.removesuffix("_open"))
        elif token.nesting == -1:
            self._open.pop()

    def _span(self, token: Token) -> tuple[int, int]:
        """The characters of the token's lines, without surrounding white space."""
        first, last = token.map or (0, 0)
        start = self._lines[first]
        end = self._lines[last] if last < len(self._lines) else len(self.text)
        return trimmed(self.text, start, end)

    def _heading(self, token: Token) -> None:
        start, end = self._span(token)
        if start == end:
            return
        self._add(start, end, BlockKind.HEADING)
        if self._open:  # a heading within a list or quote heads nothing outside it
            return
        level = int(token.tag[1])
        title = _shortened(_heading_words(self.text[start:end]), _HEADING_CHARS)
        self._path = [(depth, name) for depth, name in self._path if depth < level] + [(level, title)]
        if level == 1 and not self.structure.first_title and len(self.structure.headings) == 0:
            self.structure.first_title = title
        self.structure.headings.append(HeadingMark(start, tuple(name for _, name in self._path if name)))
        self.structure.dated_lines.append(DatedLine(start, end, level, 0, title))

    def _item(self, token: Token) -> None:
        start, end = self._span(token)
        line = plain_text(self.text[start:end].split("\n")[0])
        self._leads.append(line)
        depth = sum(name == "list_item" for name in self._open)
        self.structure.dated_lines.append(DatedLine(start, end, None, depth, line))

    def _leaf(self, token: Token) -> None:
        start, end = self._span(token)
        if start == end:
            return
        if token.type == "tr_open":
            self._table_row(start, end)
        elif token.type in ("fence", "code_block"):
            self._add(start, end, BlockKind.CODE)
        else:
            self._add(start, end, self._kind(start))

    def _kind(self, start: int) -> BlockKind:
        if _FOOTNOTE.match(self.text, start):
            return BlockKind.FOOTNOTE
        for name in reversed(self._open):
            if name == "list_item":
                return BlockKind.ITEM
            if name == "blockquote":
                return BlockKind.QUOTE
        return BlockKind.PARAGRAPH

    def _add(self, start: int, end: int, kind: BlockKind, lead: str = "") -> None:
        outer = self._leads[:-1] if kind is BlockKind.ITEM else self._leads
        lead = lead or HEADING_SEPARATOR.join(_shortened(line, _LEAD_CHARS) for line in outer)
        depth = max(0, sum(name == "list_item" for name in self._open) - 1)
        self.structure.blocks.append(Block(start, end, kind, depth, lead))

    def _table_row(self, start: int, end: int) -> None:
        """A row's lead is the header, and what merged cells to its left inherit from the row above."""
        cells = cells_of(self.text[start:end])
        if not self._header:
            self._header = cells
            self._add(start, end, BlockKind.ROW)
            return
        leading = next((n for n, cell in enumerate(cells) if cell), len(cells))
        inherited = [cell for cell in self._row[:leading] if cell]
        self._row = [*self._row[:leading], *cells[leading:]]
        lead = " | ".join(cell for cell in self._header if cell)
        self._add(start, end, BlockKind.ROW, HEADING_SEPARATOR.join([lead, *inherited]))


def _heading_words(source: str) -> str:
    """A heading's words: those of its line, or of the lines above its underline."""
    lines = source.split("\n")
    words = plain_text("\n".join(lines[:-1] or lines)).split()
    return " ".join(words) if any(word.strip("#") for word in words) else ""


def _shortened(line: str, chars: int) -> str:
    """`line`, cut at a word where it is too long."""
    if len(line) <= chars:
        return line
    cut = line[:chars]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut) + " …"
