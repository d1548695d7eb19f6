"""The ports: what the engines of ragnotes promise, as Protocols.

The wings (`reading`, `asking`) and `indexing` know engines by these alone; `assembly` chooses who keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from ragnotes.answers import Filters, Scored
from ragnotes.calibration import Calibration
from ragnotes.turns import Conversation, ConversationLine, Turn
from ragnotes.types import Chunk, Document, FileRecord, Manifest, Source, Tokens, Vectors

__all__ = [
    "Conversations",
    "Draft",
    "Embedder",
    "FilterName",
    "Generator",
    "Loader",
    "Prompt",
    "Reading",
    "Snapshot",
    "Store",
    "TokenCounter",
    "Usage",
]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is told to do, and the question with its evidence. Both are plain text: a generator sees to it
    that nothing in them is taken for its control tokens.
    """

    system: str
    user: str


class Loader(Protocol):
    """Bytes of one file in, a Document out. Raises `errors.LoadError` with a reason code for what cannot be read."""

    def __call__(self, content: bytes, path: str) -> Document: ...


class Embedder(Protocol):
    """Texts in, unit vectors out: row i belongs to text i. Empty input gives shape (0, dimension).

    `embed_tokens` gives the tokens of each text up to `max_tokens`, without those that stand for no characters; None
    where the embedder does not know what a word means beside others. What is embedded in the `background` lets all else
    go first.
    """

    @property
    def name(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    @property
    def max_tokens(self) -> int: ...
    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...
    def embed_documents(self, texts: Sequence[str], *, background: bool = False) -> Vectors: ...
    def embed_queries(self, texts: Sequence[str]) -> Vectors: ...
    def embed_tokens(self, texts: Sequence[str]) -> list[Tokens] | None: ...


class TokenCounter(Protocol):
    """Counts the tokens that the generator will read, without running it."""

    def count(self, text: str) -> int: ...


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens that a draft read and wrote. `kept_tokens` of the prompt were known from the prompt before."""

    prompt_tokens: int
    tokens: int
    kept_tokens: int = 0


class Draft(Iterator[str], Protocol):
    """Pieces of text as the model writes them. `close` ends the draft early; `usage` is None until it has ended."""

    @property
    def usage(self) -> Usage | None: ...
    def close(self) -> None: ...


class Generator(Protocol):
    """A language model. One draft at a time; others wait in a bounded queue.

    `ready` says whether the model is loaded after at most `timeout_s` seconds; other members wait until it is.
    `prompt_tokens` counts the whole prompt as the model will read it. `generate` yields pieces of text until
    `max_tokens`, the end of the draft, or `cancelled()` turning true. It raises `errors.GeneratorBusy` when the queue
    is full and `errors.GeneratorFailed` when the model cannot answer.
    """

    @property
    def name(self) -> str: ...
    @property
    def context_tokens(self) -> int: ...
    @property
    def tokens(self) -> TokenCounter: ...
    def ready(self, timeout_s: float) -> bool: ...
    def prompt_tokens(self, prompt: Prompt) -> int: ...
    def generate(self, prompt: Prompt, *, max_tokens: int, cancelled: Callable[[], bool]) -> Draft: ...
    def close(self) -> None: ...


FilterName = Literal["since", "until", "tags", "paths", "kinds", "speakers"]


class Snapshot(Protocol):
    """One generation of a store, as one reader sees it: nothing in it changes until it is closed.

    Another `lineage` is another index, whatever its generation: it was made anew, rebuilt or restored.
    """

    @property
    def generation(self) -> int: ...
    @property
    def lineage(self) -> str: ...
    @property
    def manifest(self) -> Manifest | None: ...
    def dense(self, vector: Vectors, limit: int, filters: Filters) -> list[Scored]: ...
    def lexical(
        self, terms: Sequence[str], limit: int, filters: Filters, *, as_written: Sequence[str] = ()
    ) -> list[Scored]: ...
    def holding(
        self, words: Sequence[Sequence[str]], filters: Filters, *, newest_first: bool = False
    ) -> list[tuple[str, str]]: ...
    def sections(self, terms: Sequence[str], chunk_ids: Sequence[str]) -> list[float]: ...
    def cosines(self, vector: Vectors, chunk_ids: Sequence[str]) -> list[float]: ...
    def passages(self, chunk_ids: Sequence[str]) -> list[tuple[Chunk, Source]]: ...
    def neighbours(self, chunk_ids: Sequence[str]) -> list[tuple[str | None, str | None]]: ...
    def frequencies(self, terms: Sequence[str]) -> dict[str, int]: ...
    def respelled(self, words: Sequence[str]) -> list[str]: ...
    def count(self) -> int: ...
    def any_passes(self, filters: Filters) -> bool: ...
    def values_of(self, name: FilterName) -> list[str]: ...
    def documents(self) -> list[Source]: ...
    def document(self, doc_id: str) -> Document | None: ...
    def chunks(self, doc_id: str) -> list[Chunk]: ...
    def files(self) -> list[FileRecord]: ...
    def calibration(self) -> Calibration | None: ...


class Reading(Protocol):
    """As much of a store as is needed to read it."""

    def reading(self) -> AbstractContextManager[Snapshot]: ...


class Store(Protocol):
    """Text, full text, metadata, vectors and per-file status together: the only truth of an index.

    A writing method is one transaction, acknowledged by its return. Only one process writes at a time: writing methods
    need `writer()` around them, which raises `errors.IndexLocked` while another holds it; a `brief` one at once.

    Vectors are kept by embedder and exact embedded string, apart from the documents, so that a rename or a second copy
    costs no embedding: `remember` them first, then `replace` the document; it raises KeyError on a chunk
    whose vector was never remembered. `rebuilding` replaces everything, manifest included, in one transaction, with
    what was written to another store, by and by, while this one answers; it needs no `writer()`, and goes on with what
    was written there before it was cut off. What was forgotten here stays so there. `reset` begins this one anew, with
    another manifest.

    What was taken out leaves no trace after `purge`, or at the latest some runs later; it says whether it was done.

    What `calibrate` keeps belongs to the embedder and chunker of the index, and to the clues: others give None.
    """

    def reading(self) -> AbstractContextManager[Snapshot]: ...
    def writer(self, *, brief: bool = False) -> AbstractContextManager[None]: ...
    def manifest(self) -> Manifest | None: ...
    def start(self, manifest: Manifest) -> None: ...
    def embeddings(self, embedder: str, texts: Sequence[str]) -> dict[str, Vectors]: ...
    def remember(self, embedder: str, texts: Sequence[str], vectors: Vectors) -> None: ...
    def replace(self, document: Document, chunks: Sequence[Chunk], record: FileRecord) -> None: ...
    def record(self, records: Sequence[FileRecord]) -> None: ...
    def remove(self, paths: Sequence[str], *, keeping: Sequence[FileRecord] = ()) -> None: ...
    def purge(self) -> bool: ...
    def calibrate(self, calibration: Calibration | None) -> None: ...
    def reset(self, manifest: Manifest) -> None: ...
    def rebuilding(self, manifest: Manifest) -> AbstractContextManager[Store]: ...
    def close(self) -> None: ...


class Conversations(Protocol):
    """What was asked and answered, turn by turn. A turn is kept for good once the method that adds it returns.

    Ids are made by `begin`; any other string raises `errors.NotFound`, and so does one that was deleted. `lines` and
    `last` go by the time of the last turn. `citing` gives the ids of those in which an answer cites the file.
    """

    def begin(self, turn: Turn) -> str: ...
    def append(self, conversation_id: str, turn: Turn) -> None: ...
    def read(self, conversation_id: str) -> Conversation: ...
    def last(self) -> str | None: ...
    def lines(self, limit: int) -> list[ConversationLine]: ...
    def delete(self, conversation_id: str) -> None: ...
    def delete_all(self) -> int: ...
    def citing(self, path: str) -> list[str]: ...
