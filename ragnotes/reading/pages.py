"""The structure of a PDF's text: paragraphs, list items and headings, found by the shape of the lines alone.

A PDF holds lines, not paragraphs. A blank line, a short line that ends a sentence, a list marker and a heading end a
paragraph; nothing runs over the end of a page. In two-column papers pypdf gives one column after the other, so this
holds there too. Nothing is joined or moved: blocks are spans of the text as it was extracted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from ragnotes.reading.extraction import trimmed
from ragnotes.types import Block, BlockKind, HeadingMark, Mark, PageMark

__all__ = ["first_title", "structure_of_pages"]

_PAGE_BREAK = "\n\n"
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,3})\.?[ \t]+([^\W\d_].{1,90})")
_NO_HEADING = re.compile(r"[.!?;,:]$|[^\W\d_]-$|[\s.]\d+$|[.!?] \S|\d\d|[=<>{}\\]")
"""Ends like a sentence, a broken word, or a line of the contents; holds two sentences, a figure, or a formula."""
_HEADING_WORDS = """
    abstract acknowledgement acknowledgements acknowledgment acknowledgments appendix background bibliography
    conclusion conclusions contents discussion evaluation introduction keywords method methods results references
    summary abbildungsverzeichnis danksagung einleitung fazit inhaltsverzeichnis literatur literaturverzeichnis vorwort
    zusammenfassung résumé introducción resumen bibliografía
"""
_NAMED = frozenset(_HEADING_WORDS.split()) | {
    "related work",
    "future work",
    "case studies",
    "materials and methods",
    "table of contents",
}
_ITEM = re.compile(r"(?:[•▪◦‣●○■—]\s*\S|[–*-]\s+\S|\[\d{1,3}\]\s|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s)")
_SENTENCE_END = re.compile(r"[.!?:。！？]['\"”’»)\]]*$")
_PAGE_NUMBER = re.compile(r"(?:page |seite )?[\divxlc]{1,5}(?: ?(?:/|of|von) ?\d{1,5})?", re.IGNORECASE)
_OPEN_END = re.compile(r"[:,-]$|\b(?:and|of|for|in|to|the|a|an|with|on|from|by|und|der|die|das|für|von|in die|de|la)$")
_SHORT = 0.85
"""A line shorter than this share of the page's usual line did not run into the margin."""


def structure_of_pages(pages: Sequence[str]) -> tuple[str, tuple[Mark, ...], tuple[Block, ...]]:
    """The stored text, a page mark for every page and the heading marks, and the blocks, all in order."""
    text = _PAGE_BREAK.join(pages)
    running = _running_lines(pages)
    outline = _Outline()
    marks: list[Mark] = []
    blocks: list[Block] = []
    start = 0
    for number, page in enumerate(pages, start=1):
        marks.append(PageMark(start, number))
        for first, end, kind in _page_blocks(page, running, outline):
            span = trimmed(text, start + first, start + end)
            blocks.append(Block(*span, kind))
            if kind is BlockKind.HEADING:
                marks.append(HeadingMark(span[0], outline.path_after(page[first:end])))
        start += len(page) + len(_PAGE_BREAK)
    return text, tuple(marks), tuple(blocks)


def first_title(page: str) -> str:
    """The first line of a first page that can be a title, with the lines it runs on to; empty where there is none."""
    lines = [" ".join(line.split()) for line in page.split("\n") if line.strip()]
    for number, line in enumerate(lines[:10]):
        letters = sum(character.isalpha() for character in line)
        if not 3 <= len(line) <= 200 or 2 * letters < len(line) or line.casefold() in _NAMED:
            continue
        if re.search(r"[.!?](?: |$)", line):
            return ""
        last = number
        while last < number + 2 and last + 1 < len(lines) and _OPEN_END.search(lines[last]):
            last += 1
        title = " ".join(lines[number : last + 1])
        return title if len(title) <= 200 else ""
    return ""


class _Outline:
    """The numbered headings met so far: a number is a heading's only where it follows on the ones before."""

    def __init__(self) -> None:
        self._number: tuple[int, ...] = ()
        self._path: tuple[str, ...] = ()

    def accepts(self, line: str, *, after_end: bool) -> bool:
        """Whether `line` is a heading; `after_end` says that the line before ends a sentence or a section."""
        line = line.strip()
        if line.rstrip(":").casefold() in _NAMED:
            return True
        match = _NUMBERED.fullmatch(line)
        if match is None or _NO_HEADING.search(match[2]) or not match[2][0].isupper():
            return False
        number = tuple(int(part) for part in match[1].split("."))
        if self._follows(number, by=1) or (after_end and self._follows(number, by=2)):
            self._number = number
            return True
        return False

    def path_after(self, line: str) -> tuple[str, ...]:
        """The heading path from `line`, which was accepted, on."""
        name = " ".join(line.split())
        match = _NUMBERED.fullmatch(name)
        depth = len(match[1].split(".")) if match else 1
        self._path = (*self._path[: depth - 1], name)
        return self._path

    def _follows(self, number: tuple[int, ...], *, by: int) -> bool:
        """Whether `number` is next after the last, at its depth or another; an excerpt may begin at 26.3."""
        depth = len(number)
        if not self._number:
            return depth > 1 or number == (1,)
        if depth == len(self._number) + 1:
            return number[:-1] == self._number and 1 <= number[-1] <= by
        return (
            depth <= len(self._number)
            and number[:-1] == self._number[: depth - 1]
            and 1 <= number[-1] - self._number[depth - 1] <= by
        )


def _page_blocks(page: str, running: frozenset[str], outline: _Outline) -> Iterator[tuple[int, int, BlockKind]]:
    """The blocks of one page as (start, end, kind), lines grouped into paragraphs."""
    lines = [(match.start(), match.end()) for match in re.finditer(r"[^\n]+", page)]
    width = median([end - start for start, end in lines if end - start >= 20] or [0])
    opened: tuple[int, int, BlockKind] | None = None  # the paragraph at hand
    closed = True  # whether the line before ended a paragraph
    for number, (start, end) in enumerate(lines):
        line = page[start:end].strip()
        alone = number in (0, len(lines) - 1) and _is_frame(line, running)
        blank_before = number > 0 and start - lines[number - 1][1] > 1
        heading = not alone and outline.accepts(line, after_end=closed)
        if opened and (not line or alone or heading or closed or blank_before or _ITEM.match(line)):
            yield opened
            opened = None
        closed = False
        if not line:
            closed = True
        elif alone or heading:
            yield start, end, BlockKind.HEADING if heading else BlockKind.PARAGRAPH
            closed = True
        else:
            kind = BlockKind.ITEM if _ITEM.match(line) else BlockKind.PARAGRAPH
            opened = (opened[0], end, opened[2]) if opened else (start, end, kind)
            closed = bool(_SENTENCE_END.search(line)) and len(line) < _SHORT * width
    if opened:
        yield opened


def _running_lines(pages: Sequence[str]) -> frozenset[str]:
    """First and last lines that come back on every other page or more, digits aside."""
    counts: Counter[str] = Counter()
    for page in pages:
        lines = [line.strip() for line in page.split("\n") if line.strip()]
        counts.update({_without_digits(line) for line in (lines[:1] + lines[-1:])})
    return frozenset(line for line, count in counts.items() if count >= 2 and 2 * count >= len(pages))


def _is_frame(line: str, running: frozenset[str]) -> bool:
    return bool(_PAGE_NUMBER.fullmatch(line)) or _without_digits(line) in running


def _without_digits(line: str) -> str:
    return re.sub(r"\d+", "#", line)
