"""The JSON of an answer and of its events, each field told once. Imports no pydantic, for the thin client.

A server's models in `wire.py` are these shapes, checked by pydantic as they are made, and say what they mean; the thin
client reads the bare ones (`reader.py`). What shows an answer takes either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, dataclass_transform

from ragnotes.fields import Made
from ragnotes.kinds import Kind, Mode, Order, Support

__all__ = [
    "EVENTS",
    "PROBLEM_TYPE",
    "AnswerShape",
    "CitationShape",
    "CopyShape",
    "EventShape",
    "FiltersShape",
    "HitShape",
    "Name",
    "PassagesShape",
    "PlacedShape",
    "ProblemShape",
    "QueuedShape",
    "Score",
    "SentenceShape",
    "Shape",
    "SignalsShape",
    "Text",
    "TokenShape",
    "UnmatchedShape",
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


Name = Annotated[str, Made(valid_name)]
Text = Annotated[str, Made(valid_text)]
Score = Annotated[float, Made(lambda value: round(float(value), 6))]


@dataclass_transform(kw_only_default=True, eq_default=False)
class Shape:
    """An object of JSON with the fields that its class names."""


class PlacedShape(Shape):
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


class CopyShape(PlacedShape):
    start: int
    end: int


class SignalsShape(Shape):
    dense: Score
    lexical: Score
    dense_share: Score
    section_bm25: Score
    drawn_up: Order | None


class HitShape(PlacedShape):
    rank: int
    score: Score
    cosine: Score
    bm25: Score
    signals: SignalsShape | None
    start: int
    end: int
    text: Text
    links: list[Text]
    before: Text | None = None
    after: Text | None = None
    also: Sequence[CopyShape]


class CitationShape(PlacedShape):
    n: int
    start: int
    end: int
    quote: Text
    links: list[Text]
    score: Score
    support: Support


class SentenceShape(Shape):
    text: Text
    citations: list[int]
    support: Support
    own_line: bool = False


class FiltersShape(Shape):
    since: str | None
    until: str | None
    source: str | None
    order: Order | None = None
    tags: list[Text]
    paths: list[Name]
    kinds: list[Kind]
    speakers: list[Text]


class UnmatchedShape(Shape):
    filter: str
    value: Text
    near: list[Name]


class AnswerShape(Shape):
    question: Text
    answered: bool
    reason: Text | None
    answer: Text
    mode: Mode
    confidence: float | None = None
    sentences: Sequence[SentenceShape]
    citations: Sequence[CitationShape]
    passages: Sequence[HitShape]
    filters: FiltersShape
    model: Name | None
    generation: int
    timings_ms: Mapping[str, float]
    usage: Mapping[str, int]
    left_out: list[Name]
    reread: list[Name] = []  # noqa: RUF012  pydantic copies it, and nobody else writes to it
    unmatched: Sequence[UnmatchedShape]
    total: int | None = None
    more: int = 0
    rewritten: Text | None = None
    conversation_id: str | None = None


class QueuedShape(Shape):
    position: int


class PassagesShape(Shape):
    hits: Sequence[HitShape]
    rewritten: Text | None = None


class TokenShape(Shape):
    text: Text
    citations: list[int] = []  # noqa: RUF012
    support: Support = Support.SUPPORTED


class ProblemShape(Shape):
    type: str
    title: str
    status: int
    detail: Name
    hint: Name


EventShape = QueuedShape | PassagesShape | TokenShape | CitationShape | AnswerShape | ProblemShape

EVENTS: Mapping[str, type[EventShape]] = {
    "queued": QueuedShape,
    "passages": PassagesShape,
    "token": TokenShape,
    "citation": CitationShape,
    "final": AnswerShape,
    "error": ProblemShape,
}
"""The events of a streamed answer by name."""
