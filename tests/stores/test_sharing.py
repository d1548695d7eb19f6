from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ragnotes.stores.sharing import SharedVectors
from ragnotes.stores.vectors import Identity, Ids
from ragnotes.types import Vectors
from tests.stores.samples import DIMENSION, vectors_of


@dataclass(frozen=True)
class OneText:
    """A generation of a database that holds one text."""

    lineage: str
    text: str
    generation: int = 1

    def identity(self) -> Identity:
        return Identity(self.lineage, "fake", DIMENSION)

    def live_ids(self) -> Ids:
        return np.array([1], dtype=np.int64)

    def vectors(self, ids: Ids) -> Vectors:
        return vectors_of([self.text] * len(ids))


def test_another_database_of_the_same_generation_gets_its_own_vectors(tmp_path: Path) -> None:
    shared = SharedVectors(tmp_path / "vectors.faiss")
    for source in (OneText("first", "alpha", generation=2), OneText("second", "beta", generation=2)):
        index = shared.at(source, source.identity())
        assert np.array_equal(index.rows([1]), vectors_of([source.text]))
        assert shared.at(source, source.identity()) is index


def test_an_older_reader_does_not_displace_the_newest_vectors(tmp_path: Path) -> None:
    shared = SharedVectors(tmp_path / "vectors.faiss")
    newest, older = OneText("one", "alpha", generation=3), OneText("one", "alpha", generation=2)
    index = shared.at(newest, newest.identity())
    shared.at(older, older.identity())
    assert shared.at(newest, newest.identity()) is index
