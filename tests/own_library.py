"""A library on disk with an embedder that loads at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ragnotes.assembly import Library
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.ports import Embedder
from ragnotes.settings import Settings

__all__ = ["OwnLibrary", "own_settings"]


class OwnLibrary(Library):
    """Everything of `assembly.Library` but the models: texts are embedded by hashing, and nobody writes drafts."""

    def _load_embedder(self) -> Embedder:
        return HashingEmbedder(64)

    def _generator_or_why(self) -> str:
        return "no model: none in this test"


def own_settings(folder: Path, **changes: Any) -> Settings:
    """Notes and index below `folder`, looked up in neither environment nor file."""
    return replace(Settings(corpus=(folder / "notes",), index=folder / "index"), **changes)
