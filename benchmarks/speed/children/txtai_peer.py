"""txtai with dense and sparse vectors (its BM25), and its own SQLite content. Run by the peers' Python.

It is given the same passages as the plain pipeline: how to cut is left to its users.
"""

from __future__ import annotations

import numpy as np
from txtai import Embeddings

from benchmarks.speed.children.lines import answer_orders, timed_ms
from benchmarks.speed.children.passages import exported, passages_of
from ragnotes.models.bundled import bundled_embedder


class Peer:
    """An index of txtai."""

    def __init__(self) -> None:
        self._embeddings = _embeddings()
        self._embeddings.index(["a first text"])

    def index(self, folder: str) -> int:
        """Reads, cuts, embeds; gives the number of passages."""
        self._embeddings.close()
        self._embeddings = _embeddings()
        self._embeddings.index(passages_of(folder))
        return int(self._embeddings.count())

    def take(self, texts: str, vectors: str) -> int:
        """Passages with vectors made before; questions are embedded as ever."""
        passages, rows = exported(texts, vectors)
        self._embeddings.close()
        known, embedder = dict(zip(passages, rows, strict=True)), _embeddings()
        embedder.index(["a first text"])

        def vectors_of(asked: list[str]) -> np.ndarray:
            rows = [known[text] if text in known else embedder.transform(text) for text in asked]
            return np.array(rows, dtype=np.float32)

        self._embeddings = Embeddings(method="external", transform=vectors_of, hybrid=True, content=True)
        self._embeddings.index(passages)
        return int(self._embeddings.count())

    def search(self, question: str, limit: int = 10) -> list[list[str]]:
        """The passages that fit the question, best first, each as a list of its one text."""
        return [[found["text"]] for found in self._embeddings.search(question, limit)]

    def search_ms(self, questions: list[str]) -> list[float]:
        return timed_ms(self.search, questions)


def _embeddings() -> Embeddings:
    return Embeddings(path=str(bundled_embedder()), hybrid=True, content=True)


def main() -> None:
    peer = Peer()
    names = ("index", "take", "search", "search_ms")
    answer_orders({name: getattr(peer, name) for name in names} | {"ready": lambda: True})


if __name__ == "__main__":
    main()
