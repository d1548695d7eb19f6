"""Makes indexes of any size out of real notes; the real passages are embedded once for all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed.children.lines import answer_orders
from benchmarks.speed.synthetic import build
from ragnotes.assembly import Library
from ragnotes.ports import Embedder
from ragnotes.settings import load_settings
from ragnotes.types import Tokens, Vectors

__all__ = ["Once"]


class Once:
    """An embedder that remembers what it gave for a list of documents."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._given: dict[str, Vectors] = {}
        self.name, self.dimension, self.max_tokens = embedder.name, embedder.dimension, embedder.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._embedder.count_tokens(texts)

    def embed_documents(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        key = hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
        if key not in self._given:
            self._given[key] = self._embedder.embed_documents(texts, background=background)
        return self._given[key]

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.embed_queries(texts)

    def embed_tokens(self, texts: Sequence[str]) -> list[Tokens] | None:
        return self._embedder.embed_tokens(texts)


class Builder:
    def __init__(self) -> None:
        self._embedder: Once | None = None

    def build(self, index: str, chunks: int, notes: str) -> str:
        """Gives the folder of the notes of the new index."""
        self._embedder = self._embedder or Once(Library(load_settings({})).embedder)
        return str(build(Path(index), chunks, notes=Path(notes), embedder=self._embedder))


if __name__ == "__main__":
    answer_orders({"build": Builder().build})
