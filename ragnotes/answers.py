"""The frozen records of asking: what a search is limited to, what it finds, and what an answer is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ragnotes.kinds import Mode, Order, Support
from ragnotes.types import Chunk, Kind, Place, Source, Unit

__all__ = [
    "NO_FILTERS",
    "Answer",
    "Citation",
    "Evidence",
    "Filters",
    "Fused",
    "Hit",
    "Mode",
    "Order",
    "Scored",
    "Sentence",
    "Signals",
    "Support",
    "Unmatched",
]


class Scored(NamedTuple):
    """A chunk's id and its score; higher is better. Lists of these are sorted by (-score, chunk_id)."""

    chunk_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Signals:
    """What a fused score is made of: `dense_share * dense + (1 - dense_share) * lexical`, all in [0, 1].

    `lexical` comes from the passage's own BM25 and that of the section around it, `section_bm25`. `drawn_up` says that
    the passage then came before others for its date, and took their score.
    """

    dense: float
    lexical: float
    dense_share: float
    section_bm25: float
    drawn_up: Order | None = None


@dataclass(frozen=True, slots=True)
class Fused:
    """A chunk's id, its score in [0, 1], and what that is made of."""

    chunk_id: str
    score: float
    signals: Signals


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that answers a query. `rank` is from 1; `score` in [0, 1]; `cosine` in [-1, 1]; `bm25` is 0 or more.

    `also` are its near copies, best first. `before` and `after` are the stored text around it, if that was asked for.
    """

    chunk: Chunk
    source: Source
    rank: int
    score: float
    cosine: float
    bm25: float
    signals: Signals | None = None
    also: tuple[Hit, ...] = ()
    before: str | None = None
    after: str | None = None


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
    """A sentence of an answer, the numbers of its citations, and how well they carry it.

    With `own_line` it is an item, or follows a short answer, and begins a line.
    """

    text: str
    citations: tuple[int, ...]
    support: Support
    own_line: bool = False

    @property
    def joint(self) -> str:
        """What stands between it and the sentence before."""
        return "\n" if self.own_line else " "


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search is limited to; empty means everything. Values of one kind are alternatives, kinds are combined.

    Dates are inclusive and match a chunk whose own dates overlap them; with `within`, only one whose dates lie inside.
    Paths are shell patterns over the whole path, or files and folders. `source` says where the dates come from, None
    where there are none. `without` are the paths of documents that nobody asked to leave out, but whose files have
    changed or gone. `order` limits nothing: it ranks
    what bears on the question alike by date, and `today` is then the day asked on, after which nothing is newest.
    """

    since: date | None = None
    until: date | None = None
    tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    speakers: tuple[str, ...] = ()
    source: str | None = None
    without: tuple[str, ...] = ()
    order: Order | None = None
    today: date | None = None
    within: bool = False

    def __bool__(self) -> bool:
        named = self.tags or self.paths or self.kinds or self.speakers or self.without
        return bool(self.since or self.until or named)


NO_FILTERS = Filters()


class Unmatched(NamedTuple):
    """A value of a filter that by itself lets nothing of the notes through, and up to three that come near."""

    filter: str
    value: str
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What `ask` gives: sentences with citations, or an abstention with its reason and the nearest passages.

    `reason` says why the notes hold no answer, or why an answer is extractive though a model was asked for.
    `left_out` are files that were changed or deleted since they were indexed, whose passages were not used.
    `reread` are such files that were read again at once, so that the answer is from what they hold now.
    `unmatched` says which filters left nothing to search, where that is why there are no passages.
    `total` is how many notes or mentions there are where the question asks for all, also 0. `more` is how many items,
    notes or mentions fit the question that are not told.
    `rewritten` is the question as it was searched, where a follow-up was written out in full; `conversation_id` the
    conversation that keeps this answer.
    `confidence` is the probability, in [0, 1], that the notes hold the answer; None where what was noted at some time
    is told, which is not judged.
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
    reread: tuple[str, ...] = ()
    unmatched: tuple[Unmatched, ...] = ()
    total: int | None = None
    more: int = 0
    rewritten: str | None = None
    conversation_id: str | None = None
    confidence: float | None = None

    @property
    def answered(self) -> bool:
        return self.mode is not Mode.ABSTAINED

    @property
    def text(self) -> str:
        """The answer as plain text, without citation markers."""
        return "".join(sentence.joint * (number > 0) + sentence.text for number, sentence in enumerate(self.sentences))
