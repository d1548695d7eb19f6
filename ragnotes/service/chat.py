"""An answer as a chat message in Markdown, whole or in chunks as it comes."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Sequence

from fastapi.sse import format_sse_event

from ragnotes.answers import Answer
from ragnotes.events import Event, Final, Passages
from ragnotes.service.encoding import answer_json, event_json
from ragnotes.service.openai_errors import error_of_problem
from ragnotes.service.openai_wire import (
    SOURCES,
    ChatBody,
    ChoiceJson,
    ChunkJson,
    CompletionJson,
    DeltaJson,
    MessageJson,
    PieceJson,
    UsageJson,
)
from ragnotes.service.shapes import PlacedShape
from ragnotes.service.wire import AnswerJson, ProblemJson
from ragnotes.service.wording import NEAREST, NOT_TOLD, Piece, RunningText, marked, plain, snippet, spot, why_not

__all__ = ["ChatFrames", "completion"]

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_LINK = re.compile(r"\](?=[(\[:])")
_BLOCK = re.compile(r"(?=`{3}|`{1,2}$|~{3}|~{1,2}$|#{1,6}(?:\s|$)|[>|]|-{2})")
"""Where a line begins a block of code, a heading, a quotation, a table or a rule, or may where its rest is to come."""
_TICKS = re.compile(r"`+")


def completion(answer: Answer, body: ChatBody) -> CompletionJson:
    """The answer as one message: its sentences with markers, then its sources."""
    shown = answer_json(answer)
    content = _text(marked(shown)) + _closing(shown)
    return CompletionJson(
        id=_new_id(),
        created=int(time.time()),
        model=body.model,
        choices=[ChoiceJson(message=MessageJson(content=content, citations=shown.citations))],
        usage=_usage(shown),
        citations=shown.citations,
    )


class ChatFrames:
    """The events of an answer as server-sent chunks of a message; `[DONE]` ends them."""

    def __init__(self, body: ChatBody) -> None:
        self._body = body
        self._id = _new_id()
        self._created = int(time.time())
        self._text = RunningText()
        self._new_line = True

    def of(self, event: Event) -> Iterator[bytes]:
        """The chunks that an event gives; a place in the queue gives none."""
        if isinstance(event, Passages):
            yield self._piece(DeltaJson(role="assistant", content=""))
            return
        _, shown = event_json(event)
        for piece in self._text.take(shown):
            yield self._piece(DeltaJson(content=_inert(piece.text, new_line=self._new_line)))
            self._new_line = piece.text.endswith("\n")
        if isinstance(event, Final) and isinstance(shown, AnswerJson):
            yield from self._end(shown)

    def failed(self, problem: ProblemJson) -> Iterator[bytes]:
        """The error in place of the rest."""
        yield format_sse_event(data_str=error_of_problem(problem).model_dump_json())
        yield _DONE

    def _end(self, answer: AnswerJson) -> Iterator[bytes]:
        yield self._piece(DeltaJson(content=_closing(answer), citations=answer.citations))
        last = PieceJson(delta=DeltaJson(), finish_reason="stop", logprobs=None, index=0)
        yield self._chunk([last], citations=answer.citations)
        if self._body.with_usage:
            yield self._chunk([], citations=answer.citations, usage=_usage(answer))
        yield _DONE

    def _piece(self, delta: DeltaJson) -> bytes:
        return self._chunk([PieceJson(index=0, delta=delta, logprobs=None, finish_reason=None)])

    def _chunk(self, choices: list[PieceJson], **more: object) -> bytes:
        usage = {"usage": None} if self._body.with_usage else {}
        head = {"id": self._id, "object": "chat.completion.chunk", "created": self._created, "model": self._body.model}
        chunk = ChunkJson.model_validate({**head, "choices": choices, **usage, **more})
        return format_sse_event(data_str=chunk.model_dump_json(exclude_unset=True))


_DONE = format_sse_event(data_str="[DONE]")


def _new_id() -> str:
    return f"chatcmpl-{uuid.uuid4().hex}"


def _usage(answer: AnswerJson) -> UsageJson:
    read, written = answer.usage.get("prompt_tokens", 0), answer.usage.get("tokens", 0)
    return UsageJson(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)


def _text(pieces: Sequence[Piece]) -> str:
    return "".join(_inert(piece.text, new_line=number == 0) for number, piece in enumerate(pieces))


def _inert(text: str, *, new_line: bool = False) -> str:
    """Text of a note that no chat window takes for a link, an image or a tag: `![a] (b)`, `< img`. Lines stay lines.

    What begins a line, as the text itself does with `new_line`, is no heading, quotation, table or code.
    """
    first, *others = _TAG.sub("< ", _LINK.sub("] ", text)).split("\n")
    return "  \n".join([_no_block(first) if new_line else first, *map(_no_block, others)])


def _no_block(line: str) -> str:
    return f"\\{line}" if _BLOCK.match(line) else line


def _closing(answer: AnswerJson) -> str:
    """What follows the sentences: their sources, or why there are none and what comes nearest; then what was asked."""
    asked_as = f"\n\nAsked as: {_inert(plain(answer.rewritten))}" if answer.rewritten else ""
    if answer.answered:
        sources = "".join(f"\n- [{citation.n}] {_place(citation)}" for citation in answer.citations)
        return (SOURCES + sources if sources else "") + asked_as
    said = f"{NOT_TOLD} {_inert(why_not(answer))}".rstrip()
    nearest = "".join(f"\n- {_place(hit)}: {_inert(snippet(hit))}" for hit in answer.passages[:NEAREST])
    return said + (f"\n\nNearest passages:\n{nearest}" if nearest else "") + asked_as


def _place(placed: PlacedShape) -> str:
    """`` `notes.md:63` · Heading > Part · 2024-01-07 `` as Markdown."""
    parts = [_inert(plain(part)) for part in (placed.heading, placed.date) if part]
    return "".join((_code(spot(placed)), *(f" · {part}" for part in parts)))


def _code(text: str) -> str:
    """A span of code, fenced by more backticks than it holds."""
    fence = "`" * (1 + max((len(ticks) for ticks in _TICKS.findall(text)), default=0))
    room = " " if "`" in text else ""
    return f"{fence}{room}{text}{room}{fence}"
