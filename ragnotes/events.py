"""What searches, answers and indexing runs tell on their way, and in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ragnotes.answers import Answer, Citation, Filters, Hit, Support, Unmatched
from ragnotes.calibration import Calibration
from ragnotes.types import FileRecord

__all__ = [
    "Cited",
    "Event",
    "Final",
    "Found",
    "IndexStatus",
    "IndexSummary",
    "Passages",
    "Progress",
    "Queued",
    "Token",
]


@dataclass(frozen=True, slots=True)
class Queued:
    """The question waits for the model behind `position` others."""

    position: int


@dataclass(frozen=True, slots=True)
class Passages:
    """The passages found, before any word of the answer; `rewritten` is the question in full, as in `Answer`."""

    hits: tuple[Hit, ...]
    rewritten: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """The next piece of the answer: checked, and never taken back. All of them together are its text.

    Where a sentence ends with it, `citations` are the numbers of its citations, new ones and earlier ones, and
    `support` is how well they carry it.
    """

    text: str
    citations: tuple[int, ...] = ()
    support: Support = Support.SUPPORTED


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation of the sentence that was just told."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class Final:
    """The whole answer; always the last event."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gives: hits in order, the index generation they are from, and milliseconds by stage."""

    query: str
    hits: tuple[Hit, ...]
    filters: Filters
    generation: int
    timings_ms: Mapping[str, float]
    left_out: tuple[str, ...] = ()
    reread: tuple[str, ...] = ()
    unmatched: tuple[Unmatched, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """What one indexing run did, in files; `embedded` counts strings sent to the embedder, `chunks` those in all."""

    added: int = 0
    changed: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    embedded: int = 0
    chunks: int = 0
    seconds: float = 0.0
    generation: int = 0


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """Every file of the corpus with its outcome, as the disk and the index stand now; `counts` is by outcome."""

    files: tuple[FileRecord, ...]
    counts: Mapping[str, int]
    generation: int
    embedder: str
    model: str | None
    calibration: Calibration | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an indexing run is: files done of files to do, and the one at hand; its outcome once that is known."""

    done: int
    total: int
    path: str = ""
    outcome: str = ""


Event = Queued | Passages | Token | Cited | Final
"""What an answer tells on its way: passages first, then each sentence and its citations; `Final` ends it."""
