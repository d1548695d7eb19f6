"""What holds for every Document of every loader, checked in one place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragnotes.types import Document

EVAL = Path(__file__).parents[3] / "shared" / "eval"


def eval_folder(name: str) -> Path:
    """A folder of the shared evaluation files, which are not part of the repository."""
    folder = EVAL / name
    if not folder.is_dir():
        pytest.skip(f"the shared evaluation files are not at {folder}")
    return folder


def check_document(document: Document, *, body_start: int = 0) -> None:
    """Marks sorted; blocks ordered, apart, trimmed, and together holding every non-space character of the body."""
    text = document.text
    starts = [mark.start for mark in document.marks]
    assert starts == sorted(starts)
    assert all(0 <= start <= len(text) for start in starts)
    at = body_start
    for block in document.blocks:
        assert at <= block.start < block.end <= len(text)
        assert not text[at : block.start].strip()
        assert text[block.start : block.end] == text[block.start : block.end].strip()
        at = block.end
    assert not text[at:].strip()
    text.encode("utf-8")
    document.title.encode("utf-8")
    assert document.title
