"""The records that travel through ragnotes, and the ports that its engines implement.

Reading makes a `Document`, cuts it into `Chunk`s and hands both to a `Store`. Asking takes `Hit`s from the store, picks
`Evidence`, lets a `Generator` draft, and ends in an `Answer`. Every offset is a Unicode code point into the stored text,
half-open. This module imports nothing of ragnotes, so that every other may import it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""float32, C-contiguous, shape (n, dimension), unit rows."""


class Kind(StrEnum):
    """What a document is: it decides which places its citations carry."""

    NOTE = "note"
    PAPER = "paper"
    TRANSCRIPT = "transcript"


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


class FileStatus(StrEnum):
    """What became of one file of the corpus."""

    INDEXED = "indexed"
    STALE = "stale"
    SKIPPED = "skipped"
    FAILED = "failed"


class BlockKind(StrEnum):
    """The structural role of a stretch of text; chunk borders fall between blocks."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    ROW = "row"
    CODE = "code"
    QUOTE = "quote"
    FOOTNOTE = "footnote"
    CUE = "cue"


@dataclass(frozen=True, slots=True)
class DateRange:
    """A day, or the days from `since` to `until`, both inclusive."""

    since: date
    until: date

    def __str__(self) -> str:
        """ISO 8601: `2024-01-07`, or `2024-01-01/2024-01-31`."""
        return self.since.isoformat() if self.since == self.until else f"{self.since}/{self.until}"

    @staticmethod
    def parse(text: str) -> DateRange:
        """The range that `str` wrote; raises ValueError on anything else."""
        since, _, until = text.partition("/")
        return DateRange(date.fromisoformat(since), date.fromisoformat(until or since))


@dataclass(frozen=True, slots=True)
class HeadingMark:
    """From `start` on the text stands under this heading path, outermost first; an empty path ends all headings."""

    start: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageMark:
    """From `start` on the text is of this physical page, counted from 1."""

    start: int
    page: int


@dataclass(frozen=True, slots=True)
class CueMark:
    """From `start` on the text was spoken between these seconds; None where the source does not say."""

    start: int
    t_start: float | None
    t_end: float | None
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class DateMark:
    """From `start` on the text belongs to this date; None ends the date before."""

    start: int
    date: DateRange | None


Mark = HeadingMark | PageMark | CueMark | DateMark


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the stored text that should stay whole: a paragraph, list item, table row, code fence, cue, …

    `depth` is the nesting of a list item (0 outermost, and 0 for every other kind). `lead` is what a reader needs to
    understand the block and that stands elsewhere: a table's header row, the parent items of a nested item.
    """

    start: int
    end: int
    kind: BlockKind
    depth: int = 0
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says of itself: front matter, document properties."""

    tags: tuple[str, ...] = ()
    author: str | None = None
    date: DateRange | None = None
    language: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """One file, read: its stored text and what is known of its structure.

    `titled` says that the title comes from the file's content; a title made from the file's name is not embedded, so
    that a rename costs no embedding. `blocks` are in order, do not overlap, and hold every non-space character outside
    front matter. `marks` are sorted by `start`.
    """

    doc_id: str
    path: str
    kind: Kind
    title: str
    titled: bool
    text: str
    sha256: str
    marks: tuple[Mark, ...] = ()
    blocks: tuple[Block, ...] = ()
    metadata: Metadata = Metadata()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a span lies, in the terms a person looks it up by; None where the kind of document has no such thing."""

    heading: str | None = None
    line: int | None = None
    page: int | None = None
    t_start: float | None = None
    t_end: float | None = None
    speaker: str | None = None
    date: DateRange | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest quotable part of a chunk: a sentence, list item or table row.

    `start` and `end` are offsets into the document; `plain` is the text as a reader sees it, without markup or URLs;
    `lead` is as in `Block`.
    """

    start: int
    end: int
    plain: str
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: the unit of embedding and search.

    `text` is `document.text[start:end]`. `context` (title > headings > date) and `plain` (the text without markup and
    URLs, mojibake repaired) are derived; joined they are what is embedded and searched.
    """

    chunk_id: str
    doc_id: str
    start: int
    end: int
    text: str
    context: str
    plain: str
    place: Place
    units: tuple[Unit, ...] = ()
    links: tuple[str, ...] = ()

    @property
    def embedded(self) -> str:
        """The exact string that is embedded; equal strings share one vector."""
        return f"{self.context}\n{self.plain}" if self.context else self.plain


@dataclass(frozen=True, slots=True)
class Source:
    """The document that a chunk comes from, as far as a citation needs it."""

    doc_id: str
    path: str
    title: str
    kind: Kind
    sha256: str


class Scored(NamedTuple):
    """A chunk's id and its score; higher is better. Lists of these are sorted by (-score, chunk_id)."""

    chunk_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that answers a query. `rank` counts from 1; `score` is in [0, 1]; `cosine` in [-1, 1]; `bm25` is 0 or more."""

    chunk: Chunk
    source: Source
    rank: int
    score: float
    cosine: float
    bm25: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence, list item or table row that bears on the question, verbatim, with its score in [0, 1]."""

    hit: Hit
    unit: Unit
    text: str
    score: float
    cosine: float
    coverage: float
    place: Place
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt. `control` text may hold the model's control tokens; all else is tokenised as plain text."""

    text: str
    control: bool = False


Prompt = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Citation:
    """The place that a sentence of an answer rests on: `quote` is the stored text from `start` to `end`."""

    n: int
    source: Source
    place: Place
    start: int
    end: int
    quote: str
    links: tuple[str, ...]
    score: float
    support: Support


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer, the numbers of its citations, and how well they carry it."""

    text: str
    citations: tuple[int, ...]
    support: Support


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search is limited to; empty means everything. Values of one kind are alternatives, kinds are combined.

    Dates are inclusive and match a chunk whose own dates overlap them. Paths are shell patterns over the whole path.
    `source` says where the dates come from, None where there are none.
    """

    since: date | None = None
    until: date | None = None
    tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    speakers: tuple[str, ...] = ()
    source: str | None = None

    def __bool__(self) -> bool:
        return bool(self.since or self.until or self.tags or self.paths or self.kinds or self.speakers)


@dataclass(frozen=True, slots=True)
class Answer:
    """What `ask` gives: sentences with citations, or an abstention with its reason and the nearest passages.

    `reason` says why the notes hold no answer, or why an answer is extractive though a model was asked for.
    `left_out` are files that were changed or deleted since they were indexed, whose passages were not used.
    """

    question: str
    mode: Mode
    reason: str | None
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Hit, ...]
    filters: Filters
    model: str | None
    generation: int
    timings_ms: Mapping[str, float]
    usage: Mapping[str, int]
    left_out: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        return self.mode is not Mode.ABSTAINED

    @property
    def text(self) -> str:
        """The answer as plain text, without citation markers."""
        return " ".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gives: hits in order, the index generation they are from, and milliseconds by stage."""

    query: str
    hits: tuple[Hit, ...]
    filters: Filters
    generation: int
    timings_ms: Mapping[str, float]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Queued:
    """The question waits for the model behind `position` others."""

    position: int


@dataclass(frozen=True, slots=True)
class Passages:
    """The passages found, before any word of the answer."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the model's draft, not yet checked."""

    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation of the answer, checked."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class Final:
    """The whole answer; always the last event."""

    answer: Answer


Event = Queued | Passages | Token | Cited | Final


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What the index knows of one file. `fingerprint` changes when the file may have, and costs no reading."""

    path: str
    status: FileStatus
    reason: str | None = None
    chunks: int = 0
    indexed_at: str | None = None
    fingerprint: str = ""
    sha256: str | None = None


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


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an indexing run is: files done of files to do, and the one at hand."""

    done: int
    total: int
    path: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index was built with. Another embedder or chunker needs a rebuild, another root another index."""

    embedder: str
    dimension: int
    chunker: str
    roots: tuple[str, ...]


class Loader(Protocol):
    """Bytes of one file in, a Document out. Raises `errors.LoadError` with a reason code for what cannot be read."""

    def __call__(self, content: bytes, path: str) -> Document: ...


class Embedder(Protocol):
    """Texts in, unit vectors out: row i belongs to text i. Empty input gives shape (0, dimension)."""

    @property
    def name(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    @property
    def max_tokens(self) -> int: ...
    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...
    def embed_documents(self, texts: Sequence[str]) -> Vectors: ...
    def embed_queries(self, texts: Sequence[str]) -> Vectors: ...


class TokenCounter(Protocol):
    """Counts the tokens that the generator will read, without running it."""

    def count(self, text: str) -> int: ...


class Generator(Protocol):
    """A language model. One draft at a time; others wait in a bounded queue.

    `generate` yields pieces of text until `max_tokens`, the end of the draft, or `cancelled()` turning true.
    It raises `errors.GeneratorBusy` when the queue is full and `errors.GeneratorFailed` when the model cannot answer.
    """

    @property
    def name(self) -> str: ...
    @property
    def context_tokens(self) -> int: ...
    @property
    def tokens(self) -> TokenCounter: ...
    def render(self, system: str, user: str) -> Prompt: ...
    def generate(self, prompt: Prompt, *, max_tokens: int, cancelled: Callable[[], bool]) -> Iterator[str]: ...
    def close(self) -> None: ...


class Snapshot(Protocol):
    """One generation of a store, as one reader sees it: nothing in it changes until it is closed."""

    @property
    def generation(self) -> int: ...
    def dense(self, vector: Vectors, limit: int, filters: Filters) -> list[Scored]: ...
    def lexical(self, terms: Sequence[str], limit: int, filters: Filters) -> list[Scored]: ...
    def cosines(self, vector: Vectors, chunk_ids: Sequence[str]) -> list[float]: ...
    def passages(self, chunk_ids: Sequence[str]) -> list[tuple[Chunk, Source]]: ...
    def frequencies(self, terms: Sequence[str]) -> dict[str, int]: ...
    def count(self) -> int: ...
    def documents(self) -> list[Source]: ...
    def document(self, doc_id: str) -> Document | None: ...
    def files(self) -> list[FileRecord]: ...


class Store(Protocol):
    """Text, full text, metadata, vectors and per-file status together: the only truth of an index.

    A writing method is one transaction, acknowledged by its return. Only one process writes at a time: writing methods
    need `writer()` around them, which raises `errors.IndexLocked` while another holds it.

    Vectors are kept by embedder and exact embedded string, apart from the documents, so that a rename, a revert or a
    second copy costs no embedding: `remember` them first, then `replace` the document; it raises KeyError on a chunk
    whose vector was never remembered. `rebuild` replaces everything, manifest included, in one transaction.
    """

    def reading(self) -> AbstractContextManager[Snapshot]: ...
    def writer(self) -> AbstractContextManager[None]: ...
    def manifest(self) -> Manifest | None: ...
    def start(self, manifest: Manifest) -> None: ...
    def embeddings(self, embedder: str, texts: Sequence[str]) -> dict[str, Vectors]: ...
    def remember(self, embedder: str, texts: Sequence[str], vectors: Vectors) -> None: ...
    def replace(self, document: Document, chunks: Sequence[Chunk], record: FileRecord) -> None: ...
    def record(self, records: Sequence[FileRecord]) -> None: ...
    def remove(self, paths: Sequence[str]) -> None: ...
    def rebuild(
        self, manifest: Manifest, documents: Iterable[tuple[Document, Sequence[Chunk], FileRecord]]
    ) -> None: ...
    def close(self) -> None: ...
