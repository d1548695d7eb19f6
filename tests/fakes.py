"""A library that lives in memory: real records, real filters by path and kind, an answer by word overlap.

Deterministic per text. Its language model writes the best sentence word by word and can be held, so that a test sees
what a server does meanwhile.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

import uvicorn

from ragnotes.answers import Answer, Citation, Filters, Hit, Mode, Sentence, Signals, Support, Unmatched
from ragnotes.asking.answering import Request, checked_question
from ragnotes.asking.conversing import answered_in_conversation
from ragnotes.clock import UNSTATED, Clock
from ragnotes.errors import IndexMismatch, IndexMissing, NotFound
from ragnotes.events import Cited, Event, Final, Found, IndexStatus, IndexSummary, Passages, Progress, Token
from ragnotes.models.hashing import HashingEmbedder
from ragnotes.ports import Conversations, Prompt, Store, TokenCounter, Usage
from ragnotes.service.app import create_app
from ragnotes.service.connections import configured
from ragnotes.service.server import bind
from ragnotes.settings import Settings
from ragnotes.turns import Conversation, ConversationLine, Turn
from ragnotes.types import (
    Chunk,
    CueMark,
    DateMark,
    DateRange,
    Document,
    FileRecord,
    FileStatus,
    HeadingMark,
    Kind,
    Metadata,
    PageMark,
    Place,
    Source,
    Unit,
)

NOTES = {
    "cache.md": "Embeddings are cached by content hash. See https://example.org/cache for more.",
    "papers/borders.pdf": "Chunk borders matter more than chunk size.",
    "talks/search.vtt": "Latency for one user is what we measured.",
}
DAY = DateRange.parse("2024-01-07")
WAIT_S = 10.0


def place_of(path: str) -> Place:
    if path.endswith(".pdf"):
        return Place(heading="Results", page=2, date=DAY)
    if path.endswith(".vtt"):
        return Place(t_start=751.0, t_end=778.5, speaker="Ana")
    return Place(heading="Technical > Cache", line=3, date=DAY)


def kind_of(path: str) -> Kind:
    return Kind.PAPER if path.endswith(".pdf") else Kind.TRANSCRIPT if path.endswith(".vtt") else Kind.NOTE


class FakeDraft:
    """The words of a text, each after the gate is open; ends when it is cancelled."""

    def __init__(self, words: list[str], gate: threading.Event, cancelled: Callable[[], bool]) -> None:
        self.usage: Usage | None = None
        self._words = iter(words)
        self._gate = gate
        self._cancelled = cancelled

    def __iter__(self) -> FakeDraft:
        return self

    def __next__(self) -> str:
        while not self._gate.wait(0.005):
            if self._cancelled():
                break
        if self._cancelled():
            raise StopIteration
        return next(self._words)

    def close(self) -> None:
        self._words = iter(())


class FakeGenerator:
    """Repeats its prompt. While `gate` is cleared it writes nothing; `stopped` is set by a draft that was cancelled."""

    name = "parrot"
    context_tokens = 512

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.running = threading.Semaphore(0)
        self.stopped = threading.Event()

    @property
    def tokens(self) -> TokenCounter:
        raise AssertionError("the fake library counts no tokens")

    def ready(self, timeout_s: float) -> bool:
        return True

    def prompt_tokens(self, prompt: Prompt) -> int:
        raise AssertionError("the fake library counts no tokens")

    def generate(self, prompt: Prompt, *, max_tokens: int, cancelled: Callable[[], bool]) -> FakeDraft:
        self.running.release()
        words = re.findall(r"\S+\s*", prompt.user)
        return FakeDraft(words[:max_tokens], self.gate, cancelled)

    def close(self) -> None:
        self.gate.set()


class FakeConversations:
    """The conversations of a library in memory, with ids that count."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Turn]] = {}
        self._order: list[str] = []

    def begin(self, turn: Turn) -> str:
        new = f"{len(self._order):016x}"
        self._kept[new] = [turn]
        self._order.append(new)
        return new

    def append(self, conversation_id: str, turn: Turn) -> None:
        self._turns(conversation_id).append(turn)
        self._order.append(conversation_id)

    def read(self, conversation_id: str) -> Conversation:
        turns = self._turns(conversation_id)
        return Conversation(conversation_id, tuple(turns), len(turns))

    def last(self) -> str | None:
        return next(iter(self._latest_first()), None)

    def lines(self, limit: int) -> list[ConversationLine]:
        found = [(each, self._kept[each]) for each in self._latest_first()[:limit]]
        return [ConversationLine(each, turns[0].question, len(turns), turns[-1].asked_at) for each, turns in found]

    def delete(self, conversation_id: str) -> None:
        self._turns(conversation_id)
        del self._kept[conversation_id]

    def delete_all(self) -> int:
        count = len(self._kept)
        self._kept.clear()
        return count

    def citing(self, path: str) -> list[str]:
        cited = {each: {place.path for turn in turns for place in turn.cited} for each, turns in self._kept.items()}
        return [each for each in self._latest_first() if path in cited[each]]

    def _latest_first(self) -> list[str]:
        return [each for each in dict.fromkeys(reversed(self._order)) if each in self._kept]

    def _turns(self, conversation_id: str) -> list[Turn]:
        if conversation_id not in self._kept:
            raise NotFound(f"there is no conversation {conversation_id}", "list them with: ragnotes history")
        return self._kept[conversation_id]


class _FakeStore:
    def __init__(self, library: FakeLibrary) -> None:
        self._library = library

    @contextmanager
    def reading(self) -> Iterator[FakeLibrary]:
        yield self._library


class FakeLibrary:
    """In memory, what `assembly.Library` is on disk. Set an attribute to bring about what a test needs."""

    def __init__(self, notes: dict[str, str] | None = None, *, indexed: bool = True, model: bool = True) -> None:
        self.notes = NOTES if notes is None else notes
        self.is_indexed = indexed
        self.generation = 1
        self.embedder = HashingEmbedder(16)
        self.generator = FakeGenerator() if model else None
        self.no_model = None if model else "no model: none is installed"
        self.failing: tuple[FileRecord, ...] = ()
        self.left_out: tuple[str, ...] = ()
        self.also: tuple[Hit, ...] = ()
        self.unmatched: tuple[Unmatched, ...] = ()
        self.support = Support.SUPPORTED
        self.error: Exception | None = None
        """Raised by search, ask and update."""
        self.error_in_answer: Exception | None = None
        """Raised after the passages."""
        self.indexing = threading.Event()
        self.indexing.set()
        """Updates wait until it is set."""
        self.asked: list[Request] = []
        self.at_hand: set[str] = set()
        """Questions whose answers need no model."""
        self.clocks: list[Clock] = []
        """Of each search."""
        self.kept = FakeConversations()
        self.history = True
        self.closed = False

    def reset(self) -> None:
        """As it was when it was new."""
        vars(self).update(vars(FakeLibrary()))

    def indexed(self) -> bool:
        return self.is_indexed

    @property
    def conversations(self) -> Conversations:
        return self.kept

    def check_index(self) -> None:
        self._need_index()
        if isinstance(self.error, IndexMismatch):
            raise self.error

    def store(self) -> Store:
        self._need_index()
        return cast(Store, _FakeStore(self))

    def update(
        self,
        progress: Callable[[Progress], None] = lambda _: None,
        *,
        rebuild: bool = False,
        allow_empty: bool = False,
        retry_failed: bool = False,
    ) -> IndexSummary:
        self._fail()
        for number, path in enumerate(self.notes):
            progress(Progress(number, len(self.notes), path))
            progress(Progress(number + 1, len(self.notes), path, "unchanged" if self.is_indexed else "added"))
        assert self.indexing.wait(WAIT_S)
        added = 0 if self.is_indexed and not rebuild else len(self.notes)
        self.is_indexed = True
        self.generation += 1
        return IndexSummary(
            added=added,
            unchanged=len(self.notes) - added,
            failed=len(self.failing),
            embedded=added,
            chunks=len(self.notes),
            seconds=0.12345,
            generation=self.generation,
        )

    def search(
        self, query: str, *, filters: Filters, limit: int, surroundings: bool = False, clock: Clock = UNSTATED
    ) -> Found:
        query = checked_question(query)
        self.clocks.append(clock)
        self._fail()
        self._need_index()
        hits = self._hits(query, filters, surroundings)[:limit]
        return Found(query, hits, filters, self.generation, {"search": 1.5}, self.left_out, unmatched=self.unmatched)

    def ask(self, request: Request) -> Iterator[Event]:
        checked_question(request.question)
        self._fail()
        self._need_index()
        return answered_in_conversation(self._asked, request, self.kept if self.history else None)

    def is_cached(self, request: Request) -> bool:
        return request.question in self.at_hand

    def status(self) -> IndexStatus:
        self._need_index()
        files = tuple(sorted((*self._records(), *self.failing), key=lambda record: record.path))
        counts = {status.value: sum(record.status is status for record in files) for status in FileStatus}
        model = self.generator.name if self.generator else None
        return IndexStatus(files, counts, self.generation, self.embedder.name, model)

    def documents(self) -> list[tuple[FileRecord, Source | None]]:
        return [
            (record, self._source(record.path) if record.path in self.notes else None) for record in self.status().files
        ]

    def document(self, doc_id: str) -> Document:
        for path, text in self.notes.items():
            source = self._source(path)
            if source.doc_id == doc_id:
                marks = (HeadingMark(0, ("Technical", "Cache")), PageMark(0, 2), CueMark(0, 1.0, None, "Ana"))
                return Document(
                    doc_id,
                    path,
                    source.kind,
                    source.title,
                    True,
                    text,
                    "",
                    (*marks, DateMark(0, DAY)),
                    (),
                    Metadata(("rag",), "Ana", DAY, "en", {"status": "done"}),
                )
        raise NotFound(f"there is no document {doc_id}", "list them with GET /v1/documents")

    def close(self) -> None:
        self.closed = True

    def _asked(self, request: Request) -> Iterator[Event]:
        self.asked.append(request)
        return self._answer(request)

    def _answer(self, request: Request) -> Iterator[Event]:
        hits = self._hits(request.question, request.filters, request.surroundings)[: request.limit]
        yield Passages(hits)
        if self.error_in_answer:
            raise self.error_in_answer
        mode, reason = self._mode(request, hits)
        sentences: tuple[Sentence, ...] = ()
        citations: tuple[Citation, ...] = ()
        if hits:
            best = hits[0]
            unit = best.chunk.units[0]
            if request.llm and self.generator:
                yield from self._draft(request, unit.plain, self.generator)
            else:
                yield Token(unit.plain, (1,), self.support)
            citation = Citation(
                1,
                best.source,
                best.chunk.place,
                unit.start,
                unit.end,
                unit.plain,
                best.chunk.links,
                best.score,
                self.support,
            )
            yield Cited(citation)
            citations = (citation,)
            sentences = (Sentence(unit.plain, (1,), self.support),)
        yield Final(
            Answer(
                question=request.question,
                mode=mode,
                reason=reason,
                sentences=sentences,
                citations=citations,
                passages=hits,
                filters=request.filters,
                model="parrot" if mode is Mode.GENERATED else None,
                generation=self.generation,
                timings_ms={"total": 2.5},
                usage={},
                left_out=self.left_out,
                unmatched=self.unmatched,
            )
        )

    def _mode(self, request: Request, hits: tuple[Hit, ...]) -> tuple[Mode, str | None]:
        if not hits:
            return Mode.ABSTAINED, "filtered_out" if request.filters else "no_match"
        if not request.llm:
            return Mode.EXTRACTIVE, None
        return (Mode.GENERATED, None) if self.generator else (Mode.EXTRACTIVE, self.no_model)

    def _draft(self, request: Request, text: str, generator: FakeGenerator) -> Iterator[Event]:
        for piece in generator.generate(Prompt("", text), max_tokens=99, cancelled=request.cancelled):
            yield Token(piece, *(((1,), self.support) if text.endswith(piece) else ()))
        if request.cancelled():
            generator.stopped.set()

    def _hits(self, query: str, filters: Filters, surroundings: bool) -> tuple[Hit, ...]:
        words = set(re.findall(r"\w+", query.lower()))
        scored = sorted(
            (-len(words & set(re.findall(r"\w+", text.lower()))) / max(1, len(words)), path)
            for path, text in self.notes.items()
            if not filters.kinds or kind_of(path) in filters.kinds
            if not filters.paths or any(fnmatchcase(path, pattern) for pattern in filters.paths)
        )
        found = [(path, -score) for score, path in scored if score]
        hits = [self._hit(path, score, rank) for rank, (path, score) in enumerate(found, start=1)]
        around = ("Before. ", " After.") if surroundings else (None, None)
        return tuple(replace(hit, also=self.also, before=around[0], after=around[1]) for hit in hits)

    def _hit(self, path: str, score: float, rank: int) -> Hit:
        text = self.notes[path]
        end = text.find(".") + 1 or len(text)
        links = tuple(re.findall(r"https?://\S+", text))
        chunk = Chunk(
            f"{path}:0", path, 0, len(text), text, "", text, place_of(path), (Unit(0, end, text[:end]),), links
        )
        signals = Signals(score, score, 0.5, score * 4, "newest" if rank == 1 else None)
        return Hit(chunk, self._source(path), rank, score, score / 3, score * 10 / 3, signals)

    def _source(self, path: str) -> Source:
        return Source(f"d-{list(self.notes).index(path)}", path, path.rpartition("/")[2], kind_of(path), "00")

    def _records(self) -> Iterator[FileRecord]:
        for path in self.notes:
            yield FileRecord(path, FileStatus.INDEXED, None, 1, "2024-01-07T10:00:00+00:00", "f", "00")

    def _fail(self) -> None:
        if self.error:
            raise self.error

    def _need_index(self) -> None:
        if not self.is_indexed:
            raise IndexMissing("memory holds no index yet", "run: ragnotes index")


def fake_settings(**changes: Any) -> Settings:
    """Settings that look at neither environment nor file."""
    return Settings(**{"key_file": Path("/nowhere/api-key")} | changes)


@contextmanager
def serving(library: FakeLibrary, *, close: bool = True, buffer_bytes: int = 0, **changes: Any) -> Iterator[str]:
    """The URL of a real server of `library`, on a free port. `close` lets a held model go on when it is stopped.

    With `buffer_bytes` the system takes few bytes of an answer that a client does not read.
    """
    settings = fake_settings(**changes)
    listener = bind("127.0.0.1", 0)
    if buffer_bytes:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)  # its connections have it from it
    config = configured(create_app(library, settings=settings), shutdown_s=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        if library.generator and close:
            library.generator.close()
        server.should_exit = True
        thread.join(WAIT_S)
        listener.close()
