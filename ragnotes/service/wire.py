"""The JSON that ragnotes speaks, over HTTP and under `--json`; `encoding.py` makes it of the records.

`contract.md` fixes every name. Lists are never null, what is absent is null, scores have six decimals. Every string is
valid UTF-8: a file name that is not keeps its odd bytes as escapes, and a lone surrogate in a text becomes
U+FFFD, so that offsets stay right. What a streamed answer is made of has its fields in `shapes.py`. Importing this
loads no engine and no web framework.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict

from ragnotes.fields import Made
from ragnotes.kinds import FileStatus, Kind
from ragnotes.service.shapes import (
    AnswerShape,
    CitationShape,
    CopyShape,
    FiltersShape,
    HitShape,
    Name,
    PassagesShape,
    PlacedShape,
    ProblemShape,
    QueuedShape,
    SentenceShape,
    SignalsShape,
    Text,
    TokenShape,
    UnmatchedShape,
)

__all__ = [
    "AnswerJson",
    "CitationJson",
    "CitedPlaceJson",
    "ConversationJson",
    "ConversationLineJson",
    "CopyJson",
    "DocumentJson",
    "EventJson",
    "FieldProblemJson",
    "FileJson",
    "FiltersJson",
    "FoundJson",
    "HitJson",
    "JobJson",
    "ListedJson",
    "MetadataJson",
    "PassagesJson",
    "PlacedJson",
    "ProblemJson",
    "ProgressJson",
    "QueuedJson",
    "ReadyJson",
    "SentenceJson",
    "SignalsJson",
    "StatusJson",
    "SummaryJson",
    "TokenJson",
    "TurnJson",
    "UnmatchedJson",
]


class _Wire(BaseModel):
    """Also a shape that pydantic checks; shapes that it is made of are named again, as models."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PlacedJson(_Wire, PlacedShape):
    """What hits and citations share: the document and the place in it."""


class CopyJson(_Wire, CopyShape):
    """Another place where a passage stands, in these words or nearly."""


class SignalsJson(_Wire, SignalsShape):
    """What a score is made of: `dense_share * dense + (1 - dense_share) * lexical`, before passages are drawn up."""


class HitJson(_Wire, HitShape):
    """`before` and `after` are null unless `surroundings` were asked for and there are some."""

    signals: SignalsJson | None
    also: list[CopyJson]


class CitationJson(_Wire, CitationShape):
    pass


class SentenceJson(_Wire, SentenceShape):
    pass


class FiltersJson(_Wire, FiltersShape):
    pass


class UnmatchedJson(_Wire, UnmatchedShape):
    pass


class AnswerJson(_Wire, AnswerShape):
    sentences: list[SentenceJson]
    citations: list[CitationJson]
    passages: list[HitJson]
    filters: FiltersJson
    timings_ms: dict[str, float]
    usage: dict[str, int]
    unmatched: list[UnmatchedJson]


class FoundJson(_Wire):
    query: Text
    hits: list[HitJson]
    filters: FiltersJson
    generation: int
    timings_ms: dict[str, float]
    left_out: list[Name]
    reread: list[Name] = []
    unmatched: list[UnmatchedJson]


class SummaryJson(_Wire):
    added: int
    changed: int
    moved: int
    removed: int
    unchanged: int
    skipped: int
    failed: int
    embedded: int
    chunks: int
    seconds: Annotated[float, Made(lambda value: round(float(value), 3))]
    generation: int


class FileJson(_Wire):
    path: Name
    status: FileStatus
    reason: Text | None
    chunks: int
    indexed_at: str | None


class CalibrationJson(_Wire):
    """What `eval --calibrate` fitted to this index; `origin` says by how many questions, and when."""

    threshold: float
    answerable: int
    unanswerable: int
    fitted_at: str | None
    origin: str


class StatusJson(_Wire):
    files: list[FileJson]
    counts: dict[str, int]
    generation: int
    embedder: Name
    model: Name | None
    calibration: CalibrationJson | None = None


class ListedJson(FileJson):
    """A file in the list of documents; the first three are null where it is not in the index."""

    doc_id: Name | None
    title: Name | None
    kind: Kind | None


class MetadataJson(_Wire):
    tags: list[Text]
    author: Text | None
    date: str | None
    language: Text | None
    extra: dict[str, Text]


class DocumentJson(_Wire):
    """`marks` are objects with `type` (heading, page, cue, date), `start`, and the fields of that type."""

    doc_id: Name
    path: Name
    title: Name
    kind: Kind
    text: Text
    marks: list[dict[str, Any]]
    metadata: MetadataJson


class ProgressJson(_Wire):
    done: int
    total: int
    path: Name


class FieldProblemJson(_Wire):
    field: Text
    problem: Text


class ProblemJson(_Wire, ProblemShape):
    """RFC 9457. `errors` names the fields of a request that cannot be used, and is absent elsewhere."""

    errors: list[FieldProblemJson] | None = None


class JobJson(_Wire):
    id: str
    state: Literal["queued", "running", "done", "failed"]
    progress: ProgressJson | None
    summary: SummaryJson | None
    error: ProblemJson | None


class ReadyJson(_Wire):
    """`generator` is "ready", "loading", or "absent: " and why."""

    ready: Literal[True]
    generation: int
    embedder: Name
    model: Name | None
    generator: Name


class CitedPlaceJson(_Wire):
    """Where an earlier answer was cited from, as it stood then."""

    path: Name
    title: Name
    heading: Text | None
    line: int | None
    page: int | None
    t_start: float | None
    date: str | None


class TurnJson(_Wire):
    """What was asked, and answered then, by that generation of the index; "" where the notes did not say."""

    question: Text
    rewritten: Text | None
    answer: Text
    cited: list[CitedPlaceJson]
    asked_at: str | None
    generation: int


class ConversationJson(_Wire):
    """The last turns of a conversation, oldest first; `count` is the number of all."""

    id: str
    count: int
    turns: list[TurnJson]


class ConversationLineJson(_Wire):
    id: str
    question: Text
    turns: int
    asked_at: str | None


class QueuedJson(_Wire, QueuedShape):
    pass


class PassagesJson(_Wire, PassagesShape):
    hits: list[HitJson]


class TokenJson(_Wire, TokenShape):
    pass


EventJson = QueuedJson | PassagesJson | TokenJson | CitationJson | AnswerJson | ProblemJson
