"""What there are several kinds of, named: documents, outcomes, answers. Imports nothing, for the thin client.

The records that carry them stand in `types` and `answers`, which name them too.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

__all__ = ["FileStatus", "Kind", "Mode", "Order", "Support"]


class Kind(StrEnum):
    """What a document is: it decides which places its citations carry."""

    NOTE = "note"
    PAPER = "paper"
    TRANSCRIPT = "transcript"


class FileStatus(StrEnum):
    """What became of one file of the corpus."""

    INDEXED = "indexed"
    STALE = "stale"
    SKIPPED = "skipped"
    FAILED = "failed"


class Support(StrEnum):
    """How well the cited span carries a sentence of an answer."""

    SUPPORTED = "supported"
    WEAK = "weak"
    UNSUPPORTED = "unsupported"


class Mode(StrEnum):
    """Who wrote the answer: the model, the notes themselves, or nobody."""

    GENERATED = "generated"
    EXTRACTIVE = "extractive"
    ABSTAINED = "abstained"


Order = Literal["newest", "oldest"]
"""Which of the passages that bear on a question alike come first, where it asks for that."""
