"""The JSON that ragnotes speaks, over HTTP and under `--json`; `encoding.py` makes it of the records.

`contract.md` fixes every name. Lists are never null, what is absent is null, scores have six decimals. Every string is
valid UTF-8: a file name that is not keeps its odd bytes as escapes, and a lone surrogate in a text becomes
U+FFFD, so that offsets stay right. The command line prints these models too, whether they come from this process or
from a server. Importing this loads no engine and no web framework.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from ragnotes.kinds import FileStatus, Kind, Mode, Order, Support

__all__ = [
    "EVENTS",
    "PROBLEM_TYPE",
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
    "valid_name",
    "valid_text",
]

PROBLEM_TYPE = "urn:ragnotes:"


def valid_name(value: object) -> object:
    """A string with what no UTF-8 can hold escaped, as in the names of odd files; anything else as it is."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def valid_text(value: object) -> object:
    """A string of the same length without lone surrogates; anything else as it is."""
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else value


Name = Annotated[str, BeforeValidator(valid_name)]
Text = Annotated[str, BeforeValidator(valid_text)]
Score = Annotated[float, BeforeValidator(lambda value: round(float(value), 6))]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PlacedJson(_Wire):
    """What hits and citations share: the document and the place in it."""

    doc_id: Name
    path: Name
    title: Name
    kind: Kind
    heading: Text | None
    line: int | None
    page: int | None
    t_start: float | None
    t_end: float | None
    speaker: Text | None
    date: str | None


class CopyJson(PlacedJson):
    """Another place where a passage stands, in these words or nearly."""

    start: int
    end: int


class SignalsJson(_Wire):
    """What a score is made of: `dense_share * dense + (1 - dense_share) * lexical`, before passages are drawn up."""

    dense: Score
    lexical: Score
    dense_share: Score
    section_bm25: Score
    drawn_up: Order | None


class HitJson(PlacedJson):
    """`before` and `after` are null unless `surroundings` were asked for and there are some."""

    rank: int
    score: Score
    cosine: Score
    bm25: Score
    signals: SignalsJson | None
    start: int
    end: int
    text: Text
    links: list[Text]
    before: Text | None = None
    after: Text | None = None
    also: list[CopyJson] = []


class CitationJson(PlacedJson):
    n: int
    start: int
    end: int
    quote: Text
    links: list[Text]
    score: Score
    support: Support


class SentenceJson(_Wire):
    text: Text
    citations: list[int]
    support: Support
    own_line: bool = False


class FiltersJson(_Wire):
    since: str | None
    until: str | None
    source: str | None
    order: Order | None = None
    tags: list[Text]
    paths: list[Name]
    kinds: list[Kind]
    speakers: list[Text]


class UnmatchedJson(_Wire):
    filter: str
    value: Text
    near: list[Name]


class AnswerJson(_Wire):
    question: Text
    answered: bool
    reason: Text | None
    answer: Text
    mode: Mode
    confidence: float | None = None
    sentences: list[SentenceJson]
    citations: list[CitationJson]
    passages: list[HitJson]
    filters: FiltersJson
    model: Name | None
    generation: int
    timings_ms: dict[str, float]
    usage: dict[str, int]
    left_out: list[Name]
    reread: list[Name] = []
    unmatched: list[UnmatchedJson]
    total: int | None = None
    more: int = 0
    rewritten: Text | None = None
    conversation_id: str | None = None


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
    seconds: Annotated[float, BeforeValidator(lambda value: round(float(value), 3))]
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


class ProblemJson(_Wire):
    """RFC 9457. `errors` names the fields of a request that cannot be used, and is absent elsewhere."""

    type: str
    title: str
    status: int
    detail: Name
    hint: Name
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


class QueuedJson(_Wire):
    position: int


class PassagesJson(_Wire):
    hits: list[HitJson]
    rewritten: Text | None = None


class TokenJson(_Wire):
    text: Text
    citations: list[int] = []
    support: Support = Support.SUPPORTED


EventJson = QueuedJson | PassagesJson | TokenJson | CitationJson | AnswerJson | ProblemJson

EVENTS: Mapping[str, type[EventJson]] = {
    "queued": QueuedJson,
    "passages": PassagesJson,
    "token": TokenJson,
    "citation": CitationJson,
    "final": AnswerJson,
    "error": ProblemJson,
}
"""The events of a streamed answer by name."""
