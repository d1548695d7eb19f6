"""Which loader reads which file, by suffix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath

from ragnotes.dates import DayMonthOrder, date_of_path
from ragnotes.ports import Loader
from ragnotes.reading.html import load_html
from ragnotes.reading.markdown import load_markdown
from ragnotes.reading.pdf import load_pdf
from ragnotes.reading.text import load_text
from ragnotes.reading.transcript import load_transcript
from ragnotes.types import Document

__all__ = ["SUFFIXES", "Limits", "load_document"]

_LOADERS: dict[str, Loader] = {
    ".md": load_markdown,
    ".markdown": load_markdown,
    ".txt": load_text,
    ".pdf": load_pdf,
    ".html": load_html,
    ".htm": load_html,
    **dict.fromkeys((".vtt", ".srt", ".sbv", ".sub", ".ass", ".json"), load_transcript),
}

SUFFIXES = frozenset(_LOADERS)
"""Lower-case suffixes of the files that may be read. A `.json` that is no transcript is then skipped."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may cost."""

    max_file_bytes: int = 64 * 1024 * 1024
    pdf_timeout_s: float = 120.0
    pdf_memory_bytes: int = 2 * 1024**3


def load_document(content: bytes, path: str, limits: Limits, *, order: DayMonthOrder | None = None) -> Document:
    """The document that the file at `path` holds. Raises LoadError with the reason why it cannot be read.

    `order` says which number of `3/4` is the day where a note itself does not settle it. A document that gives itself
    no date has the one that its file's name or folders give.
    """
    suffix = PurePosixPath(path).suffix.lower()
    loader = _LOADERS[suffix]
    if suffix == ".pdf":
        loader = partial(load_pdf, timeout_s=limits.pdf_timeout_s, memory_bytes=limits.pdf_memory_bytes)
    elif loader in (load_html, load_markdown, load_text):
        loader = partial(loader, order=order)
    document = loader(content, path)
    if document.metadata.date is None and (days := date_of_path(path, order=order)):
        document = replace(document, metadata=replace(document.metadata, date=days))
    return document
