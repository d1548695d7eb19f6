"""An embedder without a model: words and character trigrams hashed into a small vector.

Tests use it where meaning does not matter but behaviour does: equal texts get equal vectors, texts that share words are
closer than texts that do not, and a run takes no time. Source: Weinberger et al., "Feature Hashing for Large Scale
Multitask Learning", ICML 2009.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import snowballstemmer

from ragnotes.types import Tokens, Vectors

__all__ = ["HashingEmbedder"]

_WORD = re.compile(r"\w+")
_TRIGRAM_WEIGHT = 0.25  # a word has about four trigrams: together they weigh as much as its stem


class HashingEmbedder:
    """An `Embedder` whose vectors depend on nothing but the text and the dimension."""

    def __init__(self, dimension: int = 64) -> None:
        self.dimension = dimension
        self.max_tokens = 256
        self.name = f"hashing-{dimension}"

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words, and two for the special tokens that a real model would add."""
        return [len(_WORD.findall(text)) + 2 for text in texts]

    def embed_documents(self, texts: Sequence[str], *, background: bool = False) -> Vectors:  # noqa: ARG002
        """A row per text; a text without words gets the first unit vector."""
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        stem = snowballstemmer.stemmer("english").stemWord  # one per call: it holds the word at hand
        for row, text in zip(rows, texts, strict=True):
            self._fill(row, _features(text, stem))
        return rows

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.embed_documents(texts)

    def embed_tokens(self, texts: Sequence[str]) -> list[Tokens] | None:  # noqa: ARG002
        """None: a hashed word is the same in every text."""
        return None

    def _fill(self, row: Vectors, features: Iterable[tuple[str, float]]) -> None:
        for feature, weight in features:
            digest = hashlib.sha256(feature.encode("utf-8", "replace")).digest()
            sign = 1.0 if digest[0] & 1 else -1.0
            row[int.from_bytes(digest[1:9], "big") % self.dimension] += sign * weight
        length = float(np.linalg.norm(row))
        if length == 0.0:  # no words, or features that cancel out
            row[0] = length = 1.0
        row /= length


def _features(text: str, stem: Callable[[str], str]) -> Iterator[tuple[str, float]]:
    for word in _WORD.findall(text.lower()):
        yield f"word:{stem(word)}", 1.0
        padded = f"^{word}$"
        for start in range(len(padded) - 2):
            yield f"gram:{padded[start : start + 3]}", _TRIGRAM_WEIGHT
