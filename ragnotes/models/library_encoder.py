"""Any sentence-transformers folder, by the library itself: its only import, which takes seconds."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

from ragnotes.models.bert import use_threads
from ragnotes.types import Vectors

__all__ = ["LibraryEncoder"]

_BATCH = 8
"""Texts per forward pass. On two cores, 256 texts of 120 tokens: 51 a second at 8, 44 at 32, 27 at 128."""
_DEFAULT_TOKENS = 256
"""What a model that states no limit is taken to read."""


class LibraryEncoder:
    """As `BertEncoder`, with the model's own prompts: they are subtracted from `max_tokens`. One call at a time."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        self._threads = threads
        self._model = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
        if not hasattr(self._model.tokenizer, "backend_tokenizer"):
            raise ValueError("it has no tokenizer.json")
        # A copy of its own: the model's one is cut to max_tokens, and changed by every call.
        self.tokenizer = copy.deepcopy(self._model.tokenizer.backend_tokenizer)
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.dimension = int(self._model.get_embedding_dimension())
        prompts = [text for text in (self._model.prompts or {}).values() if text]
        longest = max((len(self.tokenizer.encode(text, add_special_tokens=False).ids) for text in prompts), default=0)
        self.max_tokens = int(self._model.max_seq_length or _DEFAULT_TOKENS) - longest

    def documents(self, texts: Sequence[str]) -> Vectors:
        return self._embedded(self._model.encode_document, texts)

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._embedded(self._model.encode_query, texts)

    def token_rows(self, texts: Sequence[str]) -> list[Vectors]:
        """The model's own prompts are left out, as they are no part of a text."""
        use_threads(self._threads)
        rows = self._model.encode(
            list(texts), prompt="", output_value="token_embeddings", batch_size=_BATCH, show_progress_bar=False
        )
        return [np.asarray(row.numpy(force=True), dtype=np.float32) for row in rows]

    def _embedded(self, encode: Callable[..., Vectors], texts: Sequence[str]) -> Vectors:
        use_threads(self._threads)
        return encode(list(texts), batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False)
