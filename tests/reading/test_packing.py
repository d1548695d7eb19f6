from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading.chunking import chunk_document
from ragnotes.reading.markdown import load_markdown
from ragnotes.reading.packing import PackedChunks
from ragnotes.types import Chunk, DateRange, Link, Place, Unit

NOTE = """# Trip\n\n## 2024-03-01\n\nWe went. See [the map](https://a.org/x).\n\n- [x] tent\n  - pegs\n
| what | price |\n|---|---|\n| bus | 3 € |\n"""

LINKS = st.lists(st.builds(Link, st.text(), st.text()), max_size=2).map(tuple)
ANY_TEXT = st.text(st.characters(exclude_categories=()))
UNITS = st.builds(
    Unit, st.integers(0, 99), st.integers(0, 99), ANY_TEXT, lead=ANY_TEXT, shown=ANY_TEXT, links=LINKS, near=LINKS
)


def test_the_chunks_of_a_note_come_back_as_they_were() -> None:
    document = load_markdown(NOTE.encode(), "trip.md")
    chunks = chunk_document(document, HashingEmbedder())
    packed = PackedChunks(document.text, chunks)
    assert any(isinstance(chunk.place.date, DateRange) for chunk in chunks)
    assert any(unit.links for chunk in chunks for unit in chunk.units)
    assert list(packed) == chunks
    assert list(packed) == chunks, "they can be asked for again"
    assert (len(packed), packed[-1], packed[:2]) == (len(chunks), chunks[-1], chunks[:2])
    with pytest.raises(IndexError):
        packed[len(chunks)]


@given(ANY_TEXT, st.lists(UNITS, max_size=3).map(tuple))
def test_no_text_is_changed_by_packing(text: str, units: tuple[Unit, ...]) -> None:
    chunk = Chunk("c1", "d1", 0, len(text), text, "Title", text.upper(), Place(line=3), units, ("https://a.org",), 2)
    assert list(PackedChunks(text, [chunk])) == [chunk]


def test_two_surrogates_in_a_row_stay_two() -> None:
    text = "\ud83d\ude00"
    chunk = Chunk("c1", "d1", 0, len(text), text, "", text, Place(), (Unit(0, 2, text),))
    assert PackedChunks(text, [chunk])[0] == chunk


def test_no_chunks_are_none() -> None:
    assert list(PackedChunks("", [])) == []
