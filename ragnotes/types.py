"""The records that travel through ragnotes; those of asking are in `answers`.

Reading makes a `Document`, cuts it into `Chunk`s and hands both to a `Store`. Asking takes `Hit`s from the store, picks
`Evidence`, lets a `Generator` draft, and ends in an `Answer`. Every offset counts Unicode code points of the stored
text, half-open. Every other module may import this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


from ragnotes.kinds import FileStatus, Kind

__all__ = [
    "FORGOTTEN",
    "Block",
    "BlockKind",
    "Chunk",
    "CueMark",
    "DateMark",
    "DateRange",
    "Document",
    "FileRecord",
    "FileStatus",
    "HeadingMark",
    "Kind",
    "Link",
    "Manifest",
    "Mark",
    "Metadata",
    "PageMark",
    "Place",
    "Source",
    "Tokens",
    "Unit",
    "Vectors",
]

Vectors: TypeAlias = "NDArray[np.float32]"
"""float32, C-contiguous, shape (n, dimension), unit rows. A string, so that records do not import numpy."""


class Tokens(NamedTuple):
    """The tokens of a text as they are meant in it: a unit vector for each, and where it stands in the text."""

    vectors: Vectors
    spans: tuple[tuple[int, int], ...]


FORGOTTEN = "forgotten"
"""The reason on record of a skipped file whose text was taken out for good."""


class BlockKind(StrEnum):
    """The structural role of a stretch of text; chunk borders fall between blocks."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    ROW = "row"
    CODE = "code"
    QUOTE = "quote"
    FOOTNOTE = "footnote"
    DEFINITION = "definition"
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
    understand the block and that stands elsewhere: a table's header row, the parents of a nested item, the sentence of
    a footnote. `shown` is how an answer tells it where its own words are not enough: a row with its columns' labels.
    """

    start: int
    end: int
    kind: BlockKind
    depth: int = 0
    lead: str = ""
    shown: str = ""


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
    that a rename costs no embedding. `verbatim` says that the text is the file itself, so that its lines are the
    file's. `blocks` are in order, do not overlap, and hold every non-space character outside front matter. `marks` are
    sorted by `start`.
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
    verbatim: bool = False


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


class Link(NamedTuple):
    """Where a link leads, as the note writes it, and the words that it stands on; "" for an address alone."""

    url: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest quotable part of a chunk: a sentence, list item or table row.

    `start` and `end` are offsets into the document; `plain` is the text as a reader sees it, without markup or URLs;
    `lead` is as in `Block`. `shown` is how an answer tells it; empty where that is `plain`. `links` are those in the
    unit, in order; `near` are those beside it that speak of the same thing, nearest first: of its paragraph or item, of
    the item or heading above.
    """

    start: int
    end: int
    plain: str
    lead: str = ""
    shown: str = ""
    links: tuple[Link, ...] = ()
    near: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: the unit of embedding and search.

    `text` is `document.text[start:end]`. `section` is the number, in its document, of the first chunk of the section
    that the chunk belongs to. `context` (title > headings > date) and `plain` (the text without markup and
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
    section: int = 0

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
class Manifest:
    """What an index was built with. Another embedder or chunker needs a rebuild, another root another index."""

    embedder: str
    dimension: int
    chunker: str
    roots: tuple[str, ...]
