"""Notes as the peers read them: files as text, cut as most tutorials do it (langchain-text-splitters)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from langchain_text_splitters import RecursiveCharacterTextSplitter
from numpy.typing import NDArray

__all__ = ["exported", "passages_of"]

SUFFIXES = frozenset({".md", ".txt"})
CHARACTERS, OVERLAP = 1000, 200


def passages_of(folder: str) -> list[str]:
    """The passages of all notes in a folder, in order."""
    files = sorted(path for path in Path(folder).rglob("*") if path.suffix in SUFFIXES and path.is_file())
    splitter = RecursiveCharacterTextSplitter(chunk_size=CHARACTERS, chunk_overlap=OVERLAP)
    return [passage for file in files for passage in splitter.split_text(file.read_text("utf-8", errors="replace"))]


def exported(texts: str, vectors: str) -> tuple[list[str], NDArray[np.float32]]:
    """The passages of an index of ragnotes and their vectors, as `ragnotes.export` wrote them."""
    rows = [json.loads(line) for line in Path(texts).read_text("utf-8").splitlines()]
    return rows, np.load(vectors)
