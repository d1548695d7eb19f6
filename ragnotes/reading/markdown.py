"""Markdown notes: bytes to a Document whose text is the file itself and whose blocks follow its structure.

The grammar is markdown-it's; this module turns its tokens, which know their lines, into blocks with offsets, heading
marks and date marks. Inline markup stays in the text: `markup` reads it where derived text is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ragnotes.dates import (
    DatedLine,
    DayMonthOrder,
    Role,
    ambiguous_date,
    date_marks,
    date_of_path,
    dated_paragraph,
    is_date_column,
    stated_date,
)
from ragnotes.places import HEADING_SEPARATOR
from ragnotes.reading.decoding import decode, stated_encoding
from ragnotes.reading.dialogue import load_markdown_transcript, looks_like_transcript
from ragnotes.reading.extraction import shortened, trimmed
from ragnotes.reading.footnotes import with_footnotes
from ragnotes.reading.front_matter import metadata_of, split_front_matter
from ragnotes.reading.identity import document_id, sha256_of, stem_title
from ragnotes.reading.markup import cells_of, mask_links, plain_text
from ragnotes.reading.tables import HtmlRow, html_rows, labelled
from ragnotes.types import Block, BlockKind, DateRange, Document, HeadingMark, Kind, Mark

__all__ = ["Structure", "fill_gaps", "inline_tags", "load_markdown", "structure_of"]

_LEAD_CHARS = 80
_HEADING_CHARS = 200
_TAG = re.compile(r"(?<![^\s(,;*|])#(?=[\w/-]*[^\W\d_])([\w\u0300-\u036f-]+(?:/[\w\u0300-\u036f-]+)*)")
"""With a letter somewhere: `#1` counts something. Accents may stand apart from their letters."""
_FOOTNOTE = re.compile(r"[ \t]*\[\^[^\[\]\s]+\]:")
_CALLOUT = re.compile(r"[ \t>]*\[!([\w-]+)\][+-]?[ \t]*(.*)")
_DEFINITION = re.compile(r"^ {0,3}:[ \t]+\S", re.MULTILINE)
_TABLE_TAG = re.compile(r"</?table\b", re.IGNORECASE)
_ROW_TAG = re.compile(r"<tr\b", re.IGNORECASE)
_TERM_CHARS = 80
_MATH_BLOCKS = 8
"""A display formula left open for more blocks than these is taken for a slip."""
_DEEPEST = 60
"""Levels of the grammar, of which a list takes two for each of its own."""
_LEAD_LEVELS = 4

_GRAMMAR = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable(["table", "strikethrough"]).disable(["inline"])


@dataclass(slots=True)
class Structure:
    """What the grammar finds in a text: blocks, heading marks, and the lines that may carry dates."""

    blocks: list[Block] = field(default_factory=list)
    headings: list[HeadingMark] = field(default_factory=list)
    dated_lines: list[DatedLine] = field(default_factory=list)
    first_title: str = ""


def load_markdown(content: bytes, path: str, *, order: DayMonthOrder | None = None) -> Document:
    """A note, or a transcript where the note is one. Raises LoadError("undecodable") on bytes that are no text.

    `order` says which number of `3/4` is the day where the note itself does not settle it.
    """
    decoded = decode(content)
    text = decoded.text
    fields, body_start = split_front_matter(text)
    metadata = metadata_of(fields, order=order)
    metadata = replace(metadata, extra={**metadata.extra, **stated_encoding(decoded)})
    stated_title = _stated_title(fields)
    if looks_like_transcript(text[body_start:]):
        metadata = replace(metadata, date=metadata.date or date_of_path(path, order=order))
        return load_markdown_transcript(
            text, path, sha256_of(content), body_start=body_start, title=stated_title, metadata=metadata
        )
    structure = structure_of(text, body_start)
    days = metadata.date or date_of_path(path, order=order) or stated_date(text[body_start:], order=order)
    metadata = replace(
        metadata,
        tags=tuple(dict.fromkeys((*metadata.tags, *inline_tags(text, structure.blocks)))),
        date=days,
        extra={**metadata.extra, **undated(structure.dated_lines, days, text, order)},
    )
    title = stated_title or structure.first_title
    marks: list[Mark] = [*structure.headings, *date_marks(structure.dated_lines, base=days, text=text, order=order)]
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


def undated(
    lines: Sequence[DatedLine], days: DateRange | None, text: str, order: DayMonthOrder | None
) -> dict[str, str]:
    """What to tell of dates that stay unread because nothing says which number is the day; {} where there are none."""
    line = ambiguous_date(lines, base=days, text=text) if order is None else None
    return {"ambiguous_date": shortened(line, _LEAD_CHARS)} if line else {}


def structure_of(text: str, body_start: int = 0) -> Structure:
    """The structure of `text` from `body_start` on; its blocks hold every non-space character from there."""
    reader = _Reader(text, body_start)
    for token in _GRAMMAR.parse(text[body_start:]):
        reader.take(token)
    structure = reader.structure
    structure.blocks = with_footnotes(text, fill_gaps(text, structure.blocks, body_start))
    return structure


def _stated_title(fields: Mapping[str, object]) -> str:
    title = next((value for name, value in fields.items() if str(name).lower() == "title"), None)
    return " ".join(plain_text(str(title)).split()) if title and isinstance(title, str | int | float | date) else ""


def inline_tags(text: str, blocks: Sequence[Block]) -> Iterator[str]:
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
        self._leads: list[str] = []  # one per open list item or quote: its first line, the title of its callout
        self._math: int | None = None  # number of the block that opened a formula
        self._begin_table()

    def take(self, token: Token) -> None:
        if token.type == "heading_open":
            self._heading(token)
        elif token.type in ("paragraph_open", "html_block", "fence", "code_block", "tr_open"):
            self._leaf(token)
        elif token.type == "list_item_open":
            self._item(token)
        elif token.type == "blockquote_open":
            callout = _CALLOUT.match(self.text, *self._span(token))
            self._leads.append(plain_text(callout[2]) or callout[1] if callout else "")
        elif token.type in ("list_item_close", "blockquote_close"):
            self._leads.pop()
        elif token.type == "table_open":
            self._begin_table()
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
        title = shortened(_heading_words(self.text[start:end]), _HEADING_CHARS)
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
        role = Role.HEAD if "\n" in self.text[start:end] else Role.LINE
        self.structure.dated_lines.append(DatedLine(start, end, None, depth, line, role))

    def _leaf(self, token: Token) -> None:
        start, end = self._span(token)
        if start == end:
            return
        if token.type == "tr_open":
            self._table_row(start, end, cells_of(self.text[start:end]), header=not self._header)
        elif token.type in ("fence", "code_block"):
            self._add(start, end, BlockKind.CODE)
        elif token.type == "html_block" and (rows := html_rows(self.text, start, end)):
            self._html_table(rows)
        elif not (self._titles(start, end) or self._defines(start, end) or self._calculates(start, end)):
            if token.type == "html_block" and _TABLE_TAG.search(self.text, start, end):
                self._begin_table()
            self._text(start, end, self._kind(start))

    def _text(self, start: int, end: int, kind: BlockKind) -> None:
        """A paragraph, cut before each line that begins with a date; a line that is nothing else heads what follows."""
        lines = re.compile(r"[^\n]+").finditer(self.text, start, end) if kind is BlockKind.PARAGRAPH else ()
        dated = [(line, found) for line in lines if (found := dated_paragraph(line[0], line.start(), end))]
        self.structure.dated_lines += [found for _, found in dated]
        alone = {line.start(): line.end() for line, found in dated if found.level}
        for first, last in pairwise([start, *(line.start() for line, _ in dated), end]):
            rest = min(last, alone.get(first, first))
            if rest > first:
                self._add(*trimmed(self.text, first, rest), BlockKind.HEADING)
            if self.text[rest:last].strip():
                self._add(*trimmed(self.text, rest, last), kind)

    def _kind(self, start: int) -> BlockKind:
        if _FOOTNOTE.match(self.text, start):
            return BlockKind.FOOTNOTE
        for name in reversed(self._open):
            if name == "list_item":
                return BlockKind.ITEM
            if name == "blockquote":
                return BlockKind.QUOTE
        return BlockKind.PARAGRAPH

    def _add(self, start: int, end: int, kind: BlockKind, lead: str = "", shown: str = "") -> None:
        depth = max(0, sum(name == "list_item" for name in self._open) - 1)
        self.structure.blocks.append(Block(start, end, kind, depth, lead or self._lead(kind), shown))

    def _lead(self, kind: BlockKind) -> str:
        """The items and callouts that a block stands in; of many the outermost and the nearest."""
        outer = self._leads[:-1] if kind is BlockKind.ITEM else self._leads
        lines = [shortened(line, _LEAD_CHARS) for line in outer if line]
        if len(lines) > _LEAD_LEVELS:
            lines = [lines[0], "…", *lines[2 - _LEAD_LEVELS :]]
        return HEADING_SEPARATOR.join(lines)

    def _titles(self, start: int, end: int) -> bool:
        """Takes a paragraph that begins with the title of its callout: the title apart, it leads the rest."""
        callout = _CALLOUT.match(self.text, start, end) if self._open[-1:] == ["blockquote"] else None
        if callout is None or not callout[2].strip():
            return False
        rest, rest_end = trimmed(self.text, min(callout.end(), end), end)
        more = re.search(r"\w", self.text[rest:rest_end])
        title = self._leads.pop()
        self._add(*trimmed(self.text, start, callout.end() if more else end), BlockKind.QUOTE)
        self._leads.append(title)
        if more:
            self._add(rest, rest_end, BlockKind.QUOTE)
        return True

    def _defines(self, start: int, end: int) -> bool:
        """Takes the definitions of a term, together with it: `Term`, and lines that begin with a colon below it."""
        blocks, defines = self.structure.blocks, _DEFINITION.search(self.text, start, end)
        if self._open or defines is None:
            return False
        if defines.start() == start and blocks and self.text[blocks[-1].end : start].isspace():
            last = blocks[-1]
            term = last.kind is BlockKind.PARAGRAPH and "\n" not in self.text[last.start : last.end]
            if last.kind is BlockKind.DEFINITION or term:
                start = last.start
                defines = _DEFINITION.search(self.text, start, end)
        term_end = trimmed(self.text, start, defines.start())[1] if defines else start
        if not start < term_end <= start + _TERM_CHARS or "\n" in self.text[start:term_end]:
            return False
        if blocks and blocks[-1].start == start:
            blocks.pop()
        self._add(start, end, BlockKind.DEFINITION, plain_text(self.text[start:term_end]))
        return True

    def _calculates(self, start: int, end: int) -> bool:
        """Takes a display formula whole, also over blank lines: `$$` opens it before a block, closes it after one."""
        source, blocks = self.text[start:end], self.structure.blocks
        if not source.startswith("$$") and self._math is None:
            return False
        if source.startswith("$$") and source.endswith("$$") and source.count("$$") == 2:
            first = len(blocks)
        elif self._math is not None and source.endswith("$$") and source.count("$$") == 1:
            first, self._math = self._math, None
        else:
            self._math = len(blocks) if source.startswith("$$") and source.count("$$") == 1 else self._math
            return False
        if len(blocks) - first > _MATH_BLOCKS or any(block.kind is BlockKind.HEADING for block in blocks[first:]):
            return False
        start = blocks[first].start if first < len(blocks) else start
        del blocks[first:]
        self._add(start, end, BlockKind.CODE)
        return True

    def _begin_table(self) -> None:
        self._header: list[str] = []
        self._row: list[str] = []
        self._date_column: int | None = None

    def _html_table(self, rows: Sequence[HtmlRow]) -> None:
        """Takes these rows; where no tag begins a table they go on with the one that a blank line cut."""
        for row in rows:
            before, *rest = _ROW_TAG.split(self.text[row.start : row.end], maxsplit=1)
            if _TABLE_TAG.search(before):
                self._begin_table()
            if row.cells:
                self._table_row(row.start, row.end, list(row.cells), header=row.is_header)
            else:
                self._add(row.start, row.end, self._kind(row.start))
            if any(map(_TABLE_TAG.search, rest)):  # the next table opens in the stretch of this one's last row
                self._begin_table()

    def _table_row(self, start: int, end: int, cells: list[str], *, header: bool) -> None:
        """A row's lead is the header, what the table stands in, and what merged cells inherit from the row above."""
        if header:
            self._header = cells
            self._date_column = next((n for n, cell in enumerate(cells) if is_date_column(cell)), None)
            self._add(start, end, BlockKind.ROW)
            return
        leading = next((n for n, cell in enumerate(cells) if cell), len(cells))
        inherited = [cell for cell in self._row[:leading] if cell]
        self._row = [*self._row[:leading], *cells[leading:]]
        column, role = (self._date_column, Role.DATE_CELL) if self._date_column is not None else (0, Role.CELL)
        self.structure.dated_lines += [DatedLine(start, end, None, 0, cell, role) for cell in self._row[column:][:1]]
        labels = " | ".join(cell for cell in self._header if cell)
        lead = HEADING_SEPARATOR.join(filter(None, [labels, self._lead(BlockKind.ROW), *inherited]))
        self._add(start, end, BlockKind.ROW, lead, labelled(self._header, self._row))


def _heading_words(source: str) -> str:
    """A heading's words: those of its line, or of the lines above its underline."""
    lines = source.split("\n")
    words = plain_text("\n".join(lines[:-1] or lines)).split()
    return " ".join(words) if any(word.strip("#") for word in words) else ""
