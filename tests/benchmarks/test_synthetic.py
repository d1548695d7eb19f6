from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speed.synthetic import DOCUMENT_CHUNKS, build
from ragnotes.indexing import Indexer
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.ports import Snapshot
from ragnotes.reading.loaders import Limits
from ragnotes.stores.integrity import findings
from ragnotes.stores.local import LocalStore

CORPUS = Path(__file__).parents[2] / "corpus"
EMBEDDER = HashingEmbedder(32)
NOTES = 4
COUNT = DOCUMENT_CHUNKS * NOTES - 10


def contents(snapshot: Snapshot) -> list[tuple[str, str]]:
    return [(chunk.chunk_id, chunk.embedded) for each in snapshot.documents() for chunk in snapshot.chunks(each.doc_id)]


def test_an_index_of_any_size_is_whole_made_of_real_sentences_and_the_same_each_time(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        folder = build(tmp_path / name, COUNT, notes=CORPUS, seed=3, embedder=EMBEDDER)
        assert findings(tmp_path / name) == []
        with closing(LocalStore.open(tmp_path / name)) as store, store.reading() as snapshot:
            made.append((contents(snapshot), snapshot.vectors(snapshot.live_ids())))
        assert sorted(path.suffix for path in folder.rglob("*.*")) == [".md"] * NOTES
    (first, vectors), (second, again) = made
    assert len(first) == COUNT
    assert first == second
    assert np.array_equal(vectors, again)
    real = "\n".join(path.read_text("utf-8") for path in CORPUS.rglob("*.md"))
    words = {word for _, text in first for word in text.split() if word.isalpha()}
    assert len(words & set(real.split())) > 0.7 * len(words)


def test_the_notes_of_such_an_index_are_files_that_have_not_changed(tmp_path: Path) -> None:
    folder = build(tmp_path / "index", COUNT, notes=CORPUS, embedder=EMBEDDER)
    with closing(LocalStore.open(tmp_path / "index")) as store:
        summary = Indexer(store, EMBEDDER, (folder,), tmp_path / "index", Limits()).update(lambda _: None)
    assert (summary.unchanged, summary.embedded, summary.chunks) == (NOTES, 0, COUNT)


def test_notes_of_less_than_three_passages_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "one.md").write_text("One sentence. And another.")
    with pytest.raises(ValueError, match="3 are needed"):
        build(tmp_path / "index", 10, notes=tmp_path / "notes", embedder=EMBEDDER)
