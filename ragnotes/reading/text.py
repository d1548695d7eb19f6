"""Plain text notes: bytes to a Document, for text that was typed and not marked up.

A brain-dump has structure all the same: bullets, and short lines that lead a group of them ("Ideas for projects:").
Those lead lines become headings. A paragraph is kept whole where it was wrapped by an editor, and cut into lines where
each line is a thought of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from statistics import median

from ragnotes.dates import (
    DatedLine,
    DayMonthOrder,
    date_marks,
    date_of_heading,
    date_of_path,
    dated_paragraph,
    stated_date,
)
from ragnotes.reading.decoding import decode, stated_encoding
from ragnotes.reading.extraction import trimmed
from ragnotes.reading.identity import document_id, sha256_of, stem_title
from ragnotes.reading.markdown import Structure, fill_gaps, inline_tags, structure_of, undated
from ragnotes.reading.markup import plain_text
from ragnotes.types import Block, BlockKind, Document, HeadingMark, Kind, Mark, Metadata

__all__ = ["load_text"]

_LINE = re.compile(r"[^\n]+")
_BULLET = re.compile(r"(\s*)(?:[-*+•–]|\d{1,3}[.)])\s+\S")
_MARKDOWN = re.compile(r"^#{1,6} \S|^```|^\|.*\|\s*\n\|[ :|-]+\|", re.MULTILINE)
_LEAD_CHARS = 80
_WRAPPED_CHARS = (55, 100)
"""Median length of all but the last line of a paragraph that an editor wrapped."""

Span = tuple[int, int]


def load_text(content: bytes, path: str, *, order: DayMonthOrder | None = None) -> Document:
    """A note in plain text. Raises LoadError("undecodable") on bytes that are no text. `order` is as for Markdown."""
    decoded = decode(content)
    text = decoded.text
    structure = structure_of(text) if _MARKDOWN.search(text) else _flat_structure(text)
    base = date_of_path(path, order=order) or stated_date(text, order=order)
    lines = structure.dated_lines
    marks: list[Mark] = [*structure.headings, *date_marks(lines, base=base, text=text, order=order)]
    return Document(
        doc_id=document_id(path),
        path=path,
        kind=Kind.NOTE,
        title=structure.first_title or stem_title(path),
        titled=bool(structure.first_title),
        text=text,
        sha256=sha256_of(content),
        marks=tuple(sorted(marks, key=lambda mark: mark.start)),
        blocks=tuple(structure.blocks),
        metadata=Metadata(
            tags=tuple(dict.fromkeys(inline_tags(text, structure.blocks))),
            date=base,
            extra={**stated_encoding(decoded), **undated(lines, base, text, order)},
        ),
        verbatim=True,
    )


def _flat_structure(text: str) -> Structure:
    structure = Structure()
    for paragraph, following in _followed(_paragraphs(text), None):
        _take_paragraph(text, paragraph, next(_lines(text, following)) if following else None, structure)
    structure.blocks = fill_gaps(text, structure.blocks)
    return structure


def _paragraphs(text: str) -> Iterator[Span]:
    """Paragraphs by their spans. A log is one of a million lines, so that these are looked up again when needed."""
    start, last_end = -1, -2
    for first, last in _lines(text, (0, len(text))):
        if first != last_end + 1:
            if start >= 0:
                yield start, last_end
            start = first
        last_end = last
    if start >= 0:
        yield start, last_end


def _lines(text: str, within: Span) -> Iterator[Span]:
    """The spans of the lines that are not blank."""
    return (line.span() for line in _LINE.finditer(text, *within) if not line[0].isspace())


def _followed(spans: Iterable[Span], last: Span | None) -> Iterator[tuple[Span, Span | None]]:
    """Each span with the one after it; after the final one comes `last`."""
    before: Span | None = None
    for span in spans:
        if before:
            yield before, span
        before = span
    if before:
        yield before, last


def _take_paragraph(text: str, paragraph: Span, follower: Span | None, structure: Structure) -> None:
    if _wrapped(text, paragraph):
        _date_line(text, structure, *paragraph)
        _add(text, structure, *paragraph, BlockKind.PARAGRAPH)
        return
    for (start, end), after in _followed(_lines(text, paragraph), follower):
        bullet = _BULLET.match(text, start, end)
        if bullet:
            depth = len(bullet[1].expandtabs(4)) // 2
            _add(text, structure, start, end, BlockKind.ITEM, depth=depth)
            structure.dated_lines.append(DatedLine(start, end, None, depth, plain_text(text[start:end])))
        elif _leads(text[start:end], text[after[0] : after[1]] if after else ""):
            _lead(text, structure, start, end)
        else:
            kind = BlockKind.HEADING if _date_line(text, structure, start, end) else BlockKind.PARAGRAPH
            _add(text, structure, start, end, kind)


def _leads(line: str, follower: str) -> bool:
    """A short line that a bullet follows, or that ends in a colon, opens a group."""
    line = line.strip()
    return len(line) <= _LEAD_CHARS and bool(follower) and (bool(_BULLET.match(follower)) or line.endswith(":"))


def _lead(text: str, structure: Structure, start: int, end: int) -> None:
    _add(text, structure, start, end, BlockKind.HEADING)
    label = plain_text(text[start:end]).rstrip(".: ")
    structure.headings.append(HeadingMark(start, (label,) if label else ()))
    level = 1 if date_of_heading(label, year=2000, order=DayMonthOrder.DAY_FIRST) else 2
    structure.dated_lines.append(DatedLine(start, end, level, 0, label))


def _date_line(text: str, structure: Structure, start: int, end: int) -> bool:
    """Whether a line is nothing but a date. It holds until the next such: other leads are of its day."""
    dated = dated_paragraph(text[start:end], start, end)
    if dated:
        structure.dated_lines.append(replace(dated, level=1 if dated.level else None))
    return bool(dated and dated.level)


def _wrapped(text: str, paragraph: Span) -> bool:
    """Whether an editor broke its lines: all but the last about as long as a page is wide, and no bullets."""
    if any(_BULLET.match(text, *line) for line in _lines(text, paragraph)):
        return False
    *widths, last = (end - start for start, end in _lines(text, paragraph))
    if not widths:
        return last > _LEAD_CHARS
    return _WRAPPED_CHARS[0] <= median(widths) <= _WRAPPED_CHARS[1] and max(widths) <= 1.3 * _WRAPPED_CHARS[1]


def _add(text: str, structure: Structure, start: int, end: int, kind: BlockKind, depth: int = 0) -> None:
    block = Block(*trimmed(text, start, end), kind, depth)
    if not structure.blocks and kind is not BlockKind.ITEM and block.end - block.start <= _LEAD_CHARS:
        structure.first_title = plain_text(text[start:end]).rstrip(".:")
        block = replace(block, kind=BlockKind.HEADING)
    structure.blocks.append(block)
