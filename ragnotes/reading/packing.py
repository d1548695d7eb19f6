"""The chunks of one document, packed while they wait for their vectors.

A log of a million lines has as many units, each an object of several hundred bytes for ten bytes of text. Written down
and compressed, all of them take about as much room as the text.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, overload

from ragnotes.types import Chunk, Link, Unit

__all__ = ["PackedChunks"]

_FASTEST = 1


class _Packed(NamedTuple):
    """A chunk without its texts and units, and these as compressed JSON."""

    bare: Chunk
    rest: bytes


class PackedChunks(Sequence[Chunk]):
    """The chunks of a document of this text, in order, equal to those that were given; each is made anew when asked."""

    def __init__(self, text: str, chunks: Iterable[Chunk]) -> None:
        self._text = text
        self._packed = [_packed(chunk) for chunk in chunks]

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[Chunk]:
        return (self._unpacked(packed) for packed in self._packed)

    @overload
    def __getitem__(self, number: int) -> Chunk: ...
    @overload
    def __getitem__(self, number: slice) -> list[Chunk]: ...
    def __getitem__(self, number: int | slice) -> Chunk | list[Chunk]:
        if isinstance(number, slice):
            return [self._unpacked(packed) for packed in self._packed[number]]
        return self._unpacked(self._packed[number])

    def _unpacked(self, packed: _Packed) -> Chunk:
        chunk = packed.bare
        plain, units = json.loads(zlib.decompress(packed.rest).decode("utf-8", "surrogatepass"))
        return replace(
            chunk,
            text=self._text[chunk.start : chunk.end],
            plain=plain,
            units=tuple(_unit_of(*values) for values in units),
        )


def _packed(chunk: Chunk) -> _Packed:
    """Lone surrogates stay what they are, which escapes would not do for two in a row."""
    units = [(unit.start, unit.end, unit.plain, unit.lead, unit.shown, unit.links, unit.near) for unit in chunk.units]
    written = json.dumps((chunk.plain, units), ensure_ascii=False)
    rest = zlib.compress(written.encode("utf-8", "surrogatepass"), _FASTEST)
    return _Packed(replace(chunk, text="", plain="", units=()), rest)


def _unit_of(
    start: int, end: int, plain: str, lead: str, shown: str, links: Sequence[list[str]], near: Sequence[list[str]]
) -> Unit:
    return Unit(
        start, end, plain, lead, shown, tuple(Link(*link) for link in links), tuple(Link(*link) for link in near)
    )
