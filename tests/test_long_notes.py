"""A note that is longer than any person writes: a log."""

from __future__ import annotations

import tracemalloc
from contextlib import closing
from pathlib import Path

from ragnotes.indexing import Indexer
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.reading.loaders import Limits
from ragnotes.stores.local import LocalStore

BYTES_A_LINE = 300
"""A million lines are to take no more than 300 MB. Measured: 204; 822 where all its units are held."""


def peak_bytes(folder: Path, lines: int) -> int:
    """The most memory that indexing a log of so many lines takes at once."""
    (folder / "notes").mkdir(parents=True)
    (folder / "notes" / "long.txt").write_text("x of a log\n" * lines)
    with closing(LocalStore.open(folder / "index", create=True)) as store:
        indexer = Indexer(store, HashingEmbedder(384), (folder / "notes",), folder / "index", Limits())
        tracemalloc.start()
        try:
            assert indexer.update(lambda _: None).added == 1
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def test_a_long_note_takes_little_memory_for_each_line(tmp_path: Path) -> None:
    peak_bytes(tmp_path / "first", 100)  # loads what is loaded once
    few, many = (peak_bytes(tmp_path / str(lines), lines) for lines in (2_000, 10_000))
    assert (many - few) / 8_000 < BYTES_A_LINE
