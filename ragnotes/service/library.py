"""The port between the edges and the library, so that service and command line build nothing themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from ragnotes.asking.answering import Request
from ragnotes.events import Event, IndexSummary, Progress
from ragnotes.ports import Embedder, Generator, Store
from ragnotes.types import Document, FileRecord, Filters, Found, IndexStatus, Source

__all__ = ["Library"]


class Library(Protocol):
    """What the edges need of `assembly.Library`. Methods may block, and may be called from several threads."""

    @property
    def embedder(self) -> Embedder: ...
    @property
    def generator(self) -> Generator | None: ...
    @property
    def no_model(self) -> str | None: ...
    def indexed(self) -> bool: ...
    def store(self) -> Store: ...
    def update(
        self,
        progress: Callable[[Progress], None] = ...,
        *,
        rebuild: bool = ...,
        allow_empty: bool = ...,
        retry_failed: bool = ...,
    ) -> IndexSummary: ...
    def search(self, query: str, *, filters: Filters, limit: int) -> Found: ...
    def ask(self, request: Request) -> Iterator[Event]: ...
    def status(self) -> IndexStatus: ...
    def documents(self) -> list[tuple[FileRecord, Source | None]]: ...
    def document(self, doc_id: str) -> Document: ...
    def close(self) -> None: ...
