"""Which links belong to which part of a document: those in a unit, and those beside it that speak of the same thing.

A note seldom has a link in the very sentence that says what it is about. It stands in the next sentence, on a line of
its own below, in a footnote, in the item or heading above, or in the front matter of a page that was clipped. A link of
another item is never near: it leads to something else.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

from ragnotes.languages import LINK_LABELS
from ragnotes.places import Places
from ragnotes.reading.markup import link_definitions, placed_links
from ragnotes.types import Block, BlockKind, Chunk, Document, HeadingMark, Kind, Link, Unit

__all__ = ["DocumentLinks"]

MAX_NEAR = 3
"""More links beside a unit than these are a list of something else."""
REMEMBERED_BLOCKS = 10_000
"""Units come in order: who holds them is asked again soon, or no more."""
_FOOTNOTE = re.compile(r"^[ \t>]*\[\^([^\[\]\s]+)\]:[ \t]*(.*(?:\n(?:[ \t]+\S.*|[ \t]*(?=\n[ \t]+\S)))*)", re.MULTILINE)
_FOOTNOTE_SIGN = re.compile(r"\[\^([^\[\]\s]+)\](?!:)")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_SOURCE_FIELDS = (
    "source",
    "url",
    "link",
    "source_url",
    "original",
    "canonical_url",
    "canonical",
    "website",
    "homepage",
)


class DocumentLinks:
    """The links of one document, by place."""

    def __init__(self, document: Document) -> None:
        self._links = sorted(_links_of(document))
        self._starts = [start for start, _, _ in self._links]
        self._blocks = document.blocks if self._links else ()  # where there are none, no block is asked for them
        self._block_starts = [block.start for block in self._blocks]
        self._holders = list(_holders(document)) if self._links else []
        self._carries_only = [_only_links(document.text, block, self._inside(block)) for block in self._blocks]
        self._own_address = _own_address(document)
        self._told_below: dict[int, list[Link]] = {}

    def given_to(self, chunk: Chunk) -> Chunk:
        """The chunk, whose units know their links, and with the links of its text and those near its units."""
        units = tuple(self._linked(unit) for unit in chunk.units)
        links = [link for _, _, link in self._within(chunk.start, chunk.end)]
        links += [link for unit in units for link in unit.near]
        return replace(chunk, units=units, links=tuple(dict.fromkeys(link.url for link in links)))

    def _linked(self, unit: Unit) -> Unit:
        own = tuple(dict.fromkeys(link for _, _, link in self._within(unit.start, unit.end)))
        near = [] if own else next((links for links in self._around(unit) if links), [])
        return replace(unit, links=own, near=tuple(dict.fromkeys(near))[:MAX_NEAR]) if own or near else unit

    def _around(self, unit: Unit) -> Iterator[list[Link]]:
        """The links beside a unit that has none, by how near they are: its block's, then those of what holds it."""
        if self._links:
            yield from self._around_in(bisect_right(self._block_starts, unit.start) - 1, unit)
        yield [self._own_address] if self._own_address else []

    def _around_in(self, number: int, unit: Unit) -> Iterator[list[Link]]:
        """Those of the block of this number, which the unit is in, and of what holds it."""
        yield self._nearest(self._blocks[number], unit)
        yield self._below(number)
        holder = self._holders[number]
        while holder is not None:
            first, last = self._numbers(self._blocks[holder].start, self._blocks[holder].end)
            yield [link for _, _, link in self._links[first : min(last, first + MAX_NEAR)]]
            yield self._below(holder)
            holder = self._holders[holder]

    def _nearest(self, block: Block, unit: Unit) -> list[Link]:
        """Links of the unit's block, nearest first; no more are looked at than told, for a block may hold thousands."""
        first, last = self._numbers(block.start, block.end)
        before, after = self._numbers(unit.start, unit.end)
        beside = self._links[max(first, before - MAX_NEAR) : before] + self._links[after : min(last, after + MAX_NEAR)]
        return [link for _, _, link in sorted(beside, key=lambda placed: _gap(placed, unit))]

    def _below(self, number: int) -> list[Link]:
        """The first links of `_carried` below a block, which all that it holds ask for."""
        if number not in self._told_below:
            if len(self._told_below) > REMEMBERED_BLOCKS:
                self._told_below.clear()
            self._told_below[number] = list(dict.fromkeys(self._carried(number)))[:MAX_NEAR]
        return self._told_below[number]

    def _carried(self, number: int) -> list[Link]:
        """The links of the blocks right under this one that hold nothing else; of an item, those nested in it."""
        block, carriers = self._blocks[number], range(number + 1, len(self._blocks))
        if block.kind is BlockKind.ITEM:
            nested = takewhile(lambda n: self._depth(n) > block.depth, carriers)
            found = [n for n in nested if self._carries_only[n] and self._depth(n) == block.depth + 1]
        else:
            found = list(takewhile(lambda n: self._carries_only[n] and self._depth(n) <= 0, carriers))
        return [link for n in found for _, _, link in self._inside(self._blocks[n])]

    def _depth(self, number: int) -> int:
        """The depth of a list item; -1 for what is none."""
        block = self._blocks[number]
        return block.depth if block.kind is BlockKind.ITEM else -1

    def _inside(self, block: Block) -> list[tuple[int, int, Link]]:
        return self._within(block.start, block.end)

    def _within(self, start: int, end: int) -> list[tuple[int, int, Link]]:
        """The links that begin in [start, end)."""
        first, last = self._numbers(start, end)
        return self._links[first:last]

    def _numbers(self, start: int, end: int) -> tuple[int, int]:
        return bisect_left(self._starts, start), bisect_left(self._starts, end)


def _holders(document: Document) -> Iterator[int | None]:
    """For each block the number of the item it is nested in, or else of the heading it stands under."""
    places = Places(document)
    marked = {mark.start for mark in document.marks if isinstance(mark, HeadingMark)}
    headings: list[tuple[tuple[str, ...], int]] = []
    items: list[tuple[int, int]] = []
    for number, block in enumerate(document.blocks):
        path = places.heading(block.start)
        opens = block.kind is BlockKind.HEADING and block.start in marked
        while headings and (path[: len(headings[-1][0])] != headings[-1][0] or (opens and headings[-1][0] == path)):
            headings.pop()
        items = [item for item in items if item[0] < block.depth] if block.kind is BlockKind.ITEM else []
        yield items[-1][1] if items else headings[-1][1] if headings else None
        if opens:
            headings.append((path, number))
        elif block.kind is BlockKind.ITEM:
            items.append((block.depth, number))


def _links_of(document: Document) -> Iterator[tuple[int, int, Link]]:
    """The links of each block with their places in the document, those of a footnote where its sign stands."""
    text = document.text
    is_note = document.kind is Kind.NOTE
    definitions = link_definitions(text) if is_note else {}
    footnotes = {match[1]: placed_links(match[2], definitions) for match in _FOOTNOTE.finditer(text)} if is_note else {}
    for block in document.blocks:
        source = text[block.start : block.end]
        for start, end, link in placed_links(source, definitions):
            yield block.start + start, block.start + end, link
        for sign in _FOOTNOTE_SIGN.finditer(source) if footnotes else ():
            for _, _, link in footnotes.get(sign[1], ()):
                yield block.start + sign.start(), block.start + sign.end(), link


def _only_links(text: str, block: Block, links: Sequence[tuple[int, int, Link]]) -> bool:
    """Whether the block says nothing but where something is found."""
    if not links or block.kind not in (BlockKind.PARAGRAPH, BlockKind.ITEM, BlockKind.QUOTE):
        return False
    rest, at = [], block.start
    for start, end, link in links:
        rest += [text[at:start], "" if _ADDRESS.search(link.words) else link.words]
        at = max(at, end)
    words = re.findall(r"[^\W\d_]+", " ".join([*rest, text[at : block.end]]).lower())
    return LINK_LABELS.issuperset(words)


def _gap(placed: tuple[int, int, Link], unit: Unit) -> tuple[int, int]:
    """How far a link is from the unit; of two as near the one that follows comes first."""
    start, end, _ = placed
    return (start - unit.end, 0) if start >= unit.end else (unit.start - end, 1)


def _own_address(document: Document) -> Link | None:
    """Where the document itself comes from, as the front matter of a clipped page says."""
    stated = (document.metadata.extra.get(name, "").strip() for name in _SOURCE_FIELDS)
    url = next((value for value in stated if _ADDRESS.fullmatch(value)), None)
    return Link(url, document.title) if url and url in document.text else None
