"""Records to the JSON of `wire.py`. Imports no engine and no web framework."""

from __future__ import annotations

from typing import Any

from ragnotes.answers import Answer, Citation, Filters, Hit, Signals, Unmatched
from ragnotes.events import Cited, Event, Final, Found, IndexStatus, IndexSummary, Passages, Progress, Queued, Token
from ragnotes.service.shapes import valid_text
from ragnotes.service.wire import (
    AnswerJson,
    CalibrationJson,
    CitationJson,
    CitedPlaceJson,
    ConversationJson,
    ConversationLineJson,
    CopyJson,
    DocumentJson,
    EventJson,
    FileJson,
    FiltersJson,
    FoundJson,
    HitJson,
    ListedJson,
    MetadataJson,
    PassagesJson,
    ProgressJson,
    QueuedJson,
    SentenceJson,
    SignalsJson,
    StatusJson,
    SummaryJson,
    TokenJson,
    TurnJson,
    UnmatchedJson,
)
from ragnotes.turns import Conversation, ConversationLine, Turn
from ragnotes.types import (
    CueMark,
    DateMark,
    Document,
    FileRecord,
    HeadingMark,
    Mark,
    PageMark,
    Place,
    Source,
)

__all__ = [
    "answer_json",
    "citation_json",
    "conversation_json",
    "conversation_line_json",
    "document_json",
    "event_json",
    "filters_json",
    "found_json",
    "hit_json",
    "listed_json",
    "progress_json",
    "status_json",
    "summary_json",
]


def hit_json(hit: Hit) -> HitJson:
    chunk = hit.chunk
    return HitJson(
        rank=hit.rank,
        score=hit.score,
        cosine=hit.cosine,
        bm25=hit.bm25,
        signals=signals_json(hit.signals) if hit.signals else None,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        links=list(chunk.links),
        before=hit.before,
        after=hit.after,
        also=[
            CopyJson(start=copy.chunk.start, end=copy.chunk.end, **_placed(copy.source, copy.chunk.place))
            for copy in hit.also
        ],
        **_placed(hit.source, chunk.place),
    )


def signals_json(signals: Signals) -> SignalsJson:
    return SignalsJson(
        dense=signals.dense,
        lexical=signals.lexical,
        dense_share=signals.dense_share,
        section_bm25=signals.section_bm25,
        drawn_up=signals.drawn_up,
    )


def citation_json(citation: Citation) -> CitationJson:
    return CitationJson(
        n=citation.n,
        start=citation.start,
        end=citation.end,
        quote=citation.quote,
        links=list(citation.links),
        score=citation.score,
        support=citation.support,
        **_placed(citation.source, citation.place),
    )


def _placed(source: Source, place: Place) -> dict[str, Any]:
    return {
        "doc_id": source.doc_id,
        "path": source.path,
        "title": source.title,
        "kind": source.kind,
        "heading": place.heading,
        "line": place.line,
        "page": place.page,
        "t_start": place.t_start,
        "t_end": place.t_end,
        "speaker": place.speaker,
        "date": str(place.date) if place.date else None,
    }


def filters_json(filters: Filters) -> FiltersJson:
    return FiltersJson(
        since=filters.since.isoformat() if filters.since else None,
        until=filters.until.isoformat() if filters.until else None,
        source=filters.source,
        order=filters.order,
        tags=list(filters.tags),
        paths=list(filters.paths),
        kinds=list(filters.kinds),
        speakers=list(filters.speakers),
    )


def unmatched_json(unmatched: Unmatched) -> UnmatchedJson:
    return UnmatchedJson(filter=unmatched.filter, value=unmatched.value, near=list(unmatched.near))


def answer_json(answer: Answer) -> AnswerJson:
    return AnswerJson(
        question=answer.question,
        answered=answer.answered,
        reason=answer.reason,
        answer=answer.text,
        mode=answer.mode,
        confidence=None if answer.confidence is None else round(answer.confidence, 3),
        sentences=[
            SentenceJson(
                text=sentence.text,
                citations=list(sentence.citations),
                support=sentence.support,
                own_line=sentence.own_line,
            )
            for sentence in answer.sentences
        ],
        citations=[citation_json(citation) for citation in answer.citations],
        passages=[hit_json(hit) for hit in answer.passages],
        filters=filters_json(answer.filters),
        model=answer.model,
        generation=answer.generation,
        timings_ms=dict(answer.timings_ms),
        usage=dict(answer.usage),
        left_out=list(answer.left_out),
        reread=list(answer.reread),
        unmatched=[unmatched_json(each) for each in answer.unmatched],
        total=answer.total,
        more=answer.more,
        rewritten=answer.rewritten,
        conversation_id=answer.conversation_id,
    )


def found_json(found: Found) -> FoundJson:
    return FoundJson(
        query=found.query,
        hits=[hit_json(hit) for hit in found.hits],
        filters=filters_json(found.filters),
        generation=found.generation,
        timings_ms=dict(found.timings_ms),
        left_out=list(found.left_out),
        reread=list(found.reread),
        unmatched=[unmatched_json(each) for each in found.unmatched],
    )


def event_json(event: Event) -> tuple[str, EventJson]:
    """The name of an event in the stream, and what it carries."""
    match event:
        case Queued():
            return "queued", QueuedJson(position=event.position)
        case Passages():
            return "passages", PassagesJson(hits=[hit_json(hit) for hit in event.hits], rewritten=event.rewritten)
        case Token():
            return "token", TokenJson(text=event.text, citations=list(event.citations), support=event.support)
        case Cited():
            return "citation", citation_json(event.citation)
        case Final():
            return "final", answer_json(event.answer)


def conversation_json(conversation: Conversation) -> ConversationJson:
    return ConversationJson(
        id=conversation.id, count=conversation.count, turns=[turn_json(turn) for turn in conversation.turns]
    )


def turn_json(turn: Turn) -> TurnJson:
    return TurnJson(
        question=turn.question,
        rewritten=turn.rewritten,
        answer=" ".join(turn.answer),
        cited=[CitedPlaceJson.model_validate(place, from_attributes=True) for place in turn.cited],
        asked_at=turn.asked_at.isoformat() if turn.asked_at else None,
        generation=turn.generation,
    )


def conversation_line_json(line: ConversationLine) -> ConversationLineJson:
    asked_at = line.asked_at.isoformat() if line.asked_at else None
    return ConversationLineJson(id=line.id, question=line.question, turns=line.turns, asked_at=asked_at)


def summary_json(summary: IndexSummary) -> SummaryJson:
    return SummaryJson.model_validate(summary, from_attributes=True)


def progress_json(progress: Progress) -> ProgressJson:
    return ProgressJson.model_validate(progress, from_attributes=True)


def status_json(status: IndexStatus) -> StatusJson:
    return StatusJson(
        files=[FileJson.model_validate(record, from_attributes=True) for record in status.files],
        counts=dict(status.counts),
        generation=status.generation,
        embedder=status.embedder,
        model=status.model,
        calibration=CalibrationJson.model_validate(status.calibration, from_attributes=True)
        if status.calibration
        else None,
    )


def listed_json(record: FileRecord, source: Source | None) -> ListedJson:
    return ListedJson(
        path=record.path,
        status=record.status,
        reason=record.reason,
        chunks=record.chunks,
        indexed_at=record.indexed_at,
        doc_id=source.doc_id if source else None,
        title=source.title if source else None,
        kind=source.kind if source else None,
    )


def document_json(document: Document) -> DocumentJson:
    metadata = document.metadata
    return DocumentJson(
        doc_id=document.doc_id,
        path=document.path,
        title=document.title,
        kind=document.kind,
        text=document.text,
        marks=[_mark_json(mark) for mark in document.marks],
        metadata=MetadataJson(
            tags=list(metadata.tags),
            author=metadata.author,
            date=str(metadata.date) if metadata.date else None,
            language=metadata.language,
            extra=dict(metadata.extra),
        ),
    )


def _mark_json(mark: Mark) -> dict[str, Any]:
    match mark:
        case HeadingMark():
            return {"type": "heading", "start": mark.start, "path": [valid_text(part) for part in mark.path]}
        case PageMark():
            return {"type": "page", "start": mark.start, "page": mark.page}
        case CueMark():
            return {
                "type": "cue",
                "start": mark.start,
                "t_start": mark.t_start,
                "t_end": mark.t_end,
                "speaker": valid_text(mark.speaker),
            }
        case DateMark():
            return {"type": "date", "start": mark.start, "date": str(mark.date) if mark.date else None}
