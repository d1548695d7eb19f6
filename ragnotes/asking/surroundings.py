"""What a reader sees around a hit: the stored text right before and after it, for small passages are found best.

It ends at the borders of what can be quoted of the neighbouring passages (sentences, items, rows), and stays within
what the hit belongs to: its section with what heads it or is a part of it, its day. It is shown and never scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ragnotes.answers import Hit
from ragnotes.places import HEADING_SEPARATOR
from ragnotes.ports import Snapshot
from ragnotes.types import Chunk

__all__ = ["BUDGET_TOKENS", "with_surroundings"]

BUDGET_TOKENS = 120
"""For both sides of one hit together; what one side leaves, the other may take."""
CHARS_PER_TOKEN = 4
"""English prose; exact counts would need a tokenizer for what is only shown."""


def with_surroundings(snapshot: Snapshot, hits: Sequence[Hit]) -> list[Hit]:
    """The hits with the text around them; None on a side where there is none that belongs to it."""
    neighbours = snapshot.neighbours([hit.chunk.chunk_id for hit in hits])
    wanted = {name for pair in neighbours for name in pair if name}
    chunks = {chunk.chunk_id: chunk for chunk, _ in snapshot.passages(sorted(wanted))}
    texts: dict[str, str] = {}
    for hit in hits:
        if hit.source.doc_id not in texts and (document := snapshot.document(hit.source.doc_id)):
            texts[hit.source.doc_id] = document.text
    return [
        _surrounded(hit, texts[hit.source.doc_id], *(chunks[name] if name else None for name in pair))
        for hit, pair in zip(hits, neighbours, strict=True)
    ]


def _surrounded(hit: Hit, text: str, previous: Chunk | None, following: Chunk | None) -> Hit:
    """The hit with as much on both sides as fits; the shorter side is filled first, the other takes the rest."""
    chars = BUDGET_TOKENS * CHARS_PER_TOKEN
    chunk = hit.chunk
    before = _before(text, chunk, previous, chars // 2)
    after = _after(text, chunk, following, chars - len(before or ""))
    before = _before(text, chunk, previous, chars - len(after or ""))
    return replace(hit, before=before, after=after)


def _before(text: str, chunk: Chunk, previous: Chunk | None, chars: int) -> str | None:
    if previous is None or not _belongs(previous, chunk):
        return None
    starts = [unit.start for unit in previous.units if chunk.start - unit.start <= chars]
    if starts and chunk.start - previous.start <= chars:
        starts.append(previous.start)  # all of it, its headings too
    return text[min(starts) : chunk.start] if starts else None


def _after(text: str, chunk: Chunk, following: Chunk | None, chars: int) -> str | None:
    if following is None or not _belongs(following, chunk):
        return None
    ends = [unit.end for unit in following.units if unit.end - chunk.end <= chars]
    return text[chunk.end : max(ends)] if ends else None


def _belongs(neighbour: Chunk, chunk: Chunk) -> bool:
    """Whether both are of one day, and one stands under the headings of the other."""
    if neighbour.place.date != chunk.place.date:
        return False
    paths = [(place.heading or "").split(HEADING_SEPARATOR) for place in (neighbour.place, chunk.place)]
    short, long = sorted(([part for part in path if part] for path in paths), key=len)
    return long[: len(short)] == short
