"""Rows of tables: those that a note holds as HTML, and how an answer tells a row: each cell with its column's label."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ragnotes.reading.extraction import trimmed
from ragnotes.reading.markup import cells_of, plain_text

__all__ = ["HtmlRow", "html_rows", "labelled", "row_cells"]

LABEL_CHARS = 40
"""A longer header cell is a text of its own and labels nothing."""

_ROW = re.compile(r"<tr\b", re.IGNORECASE)
_CELL = re.compile(r"<(t[dh])\b[^<>]*>(.*?)(?=</?t[dhr]\b|</table|\Z)", re.IGNORECASE | re.DOTALL)
_END = re.compile(r"</table\s*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HtmlRow:
    """A stretch of an HTML table; `cells` are empty for what stands around its rows, such as a caption."""

    start: int
    end: int
    cells: tuple[str, ...]
    is_header: bool


def html_rows(text: str, start: int, end: int) -> list[HtmlRow]:
    """The stretches of HTML between these offsets, row by row, without a gap; [] where there is no row."""
    starts = [match.start() for match in _ROW.finditer(text, start, end)]
    if not starts:
        return []
    after = max((match.end() for match in _END.finditer(text, starts[-1], end)), default=end)
    if plain_text(text[start : starts[0]]):
        starts.insert(0, start)
    starts[0] = start
    ends = [*starts[1:], after]
    if plain_text(text[after:end]):
        starts, ends = [*starts, after], [*ends, end]
    ends[-1] = end
    return [_html_row(text, *trimmed(text, *span)) for span in zip(starts, ends, strict=True)]


def row_cells(source: str) -> Iterator[list[str]]:
    """The cells of the lines of a row of pipes, or those of an HTML row."""
    found = _CELL.findall(source)
    if found:
        yield [_words(cell) for _, cell in found]
    else:
        yield from (cells_of(line) for line in source.split("\n"))


def labelled(labels: Sequence[str], cells: Sequence[str]) -> str:
    """`Tool: Drill | Price: 89 €`: the filled cells with the labels of their columns; "" where those do not fit."""
    if len(labels) != len(cells) or not any(labels):
        return ""
    told = zip(labels, cells, strict=True)
    return " | ".join(f"{label}: {cell}" if _labels(label, cell) else cell for label, cell in told if cell)


def _labels(label: str, cell: str) -> bool:
    return bool(label.strip("-–—.·*_ ")) and len(label) <= LABEL_CHARS and label != cell


def _html_row(text: str, start: int, end: int) -> HtmlRow:
    found = _CELL.findall(text, start, end)
    cells = tuple(_words(cell) for _, cell in found)
    return HtmlRow(start, end, cells, bool(found) and all(tag.lower() == "th" for tag, _ in found))


def _words(cell: str) -> str:
    return " ".join(plain_text(cell).split())
