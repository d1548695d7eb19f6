"""A question as part of a conversation: written out in full from the turns before it, answered, and kept.

This is the one place for it, whoever asks: the command line, a client over HTTP, streaming or not.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

from ragnotes.answers import Answer, Citation
from ragnotes.asking.answering import Request
from ragnotes.asking.follow_ups import written_out
from ragnotes.errors import IndexWriteFailed, NotFound, UsageError
from ragnotes.events import Event, Final, Passages
from ragnotes.ports import Conversations
from ragnotes.turns import LAST, NEW, CitedPlace, Turn

__all__ = ["REMEMBERED_TURNS", "answered_in_conversation", "asked_in_full"]

REMEMBERED_TURNS = 8
"""How many turns back a question may refer; further back the subject has changed."""
MAX_KEPT_CHARS = 20_000

Ask = Callable[[Request], Iterator[Event]]


def answered_in_conversation(ask: Ask, request: Request, conversations: Conversations | None) -> Iterator[Event]:
    """The events of `ask` for the question in full. Its answer names the conversation that it was kept in, if any.

    Without `conversations` nothing is read or kept. Raises NotFound for an unknown conversation, and UsageError where
    one is to be continued and none is kept, both before the first event.
    """
    continued = _continued(request.conversation, conversations)
    whole = _whole(request, continued, conversations)
    kept = conversations if request.conversation else None
    return _events(ask(_alone(request, whole)), request, whole, lambda turn: _keep(kept, continued, turn))


def asked_in_full(request: Request, conversations: Conversations | None) -> Request:
    """What `ask` is asked for this request. Raises as `answered_in_conversation` does."""
    return _alone(request, _whole(request, _continued(request.conversation, conversations), conversations))


def _whole(request: Request, continued: str | None, conversations: Conversations | None) -> str | None:
    """The question written out in full; None where it is whole as it stands."""
    earlier = conversations.read(continued).turns if continued and conversations else _in_full(request.earlier)
    return written_out(request.question, earlier[-REMEMBERED_TURNS:])


def _alone(request: Request, whole: str | None) -> Request:
    """The request without its conversation: in full, it is one question for the cache whatever came before."""
    return replace(request, question=whole or request.question, conversation=None, earlier=())


def _in_full(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Turns of a client that keeps what was asked, not what it was asked as: each written out from those before."""
    full: list[Turn] = []
    for turn in turns[-REMEMBERED_TURNS:]:
        full.append(replace(turn, rewritten=turn.rewritten or written_out(turn.question, full)))
    return tuple(full)


def _events(
    events: Iterator[Event], request: Request, whole: str | None, keep: Callable[[Turn], str | None]
) -> Iterator[Event]:
    with closing(_generator(events)) as running:
        for event in running:
            if isinstance(event, Final):
                answer = event.answer
                if whole:
                    answer = replace(answer, question=request.question.strip(), rewritten=whole)
                yield Final(replace(answer, conversation_id=keep(turn_of(answer))))
            elif isinstance(event, Passages):
                yield replace(event, rewritten=whole)
            else:
                yield event


def _generator(events: Iterator[Event]) -> Generator[Event, None, None]:
    yield from events  # closes what it runs over when it is closed


def _continued(conversation: str | None, conversations: Conversations | None) -> str | None:
    """The id of the conversation to be continued; None where there is none yet, or none is wanted."""
    if conversation in (None, NEW):
        return None
    if conversations is None:
        raise UsageError(
            "no history is kept here, so there is no conversation to continue",
            "leave out --no-history, or set history = true",
        )
    return conversations.last() if conversation == LAST else conversation


def _keep(conversations: Conversations | None, continued: str | None, turn: Turn) -> str | None:
    """The conversation that the turn is now part of; None where it could not be kept, which costs no answer."""
    if conversations is None:
        return None
    try:
        if continued is None:
            return conversations.begin(turn)
        conversations.append(continued, turn)
    except (IndexWriteFailed, NotFound):  # a full disk; deleted while the answer was on its way
        return None
    return continued


def turn_of(answer: Answer) -> Turn:
    """An answer as the turn that is kept of it."""
    return Turn(
        question=answer.question,
        rewritten=answer.rewritten,
        answer=_bounded(answer),
        cited=tuple(_place(citation) for citation in answer.citations),
        asked_at=datetime.now(UTC),
        generation=answer.generation,
    )


def _bounded(answer: Answer) -> tuple[str, ...]:
    """The sentences, as many as may be kept of a very long answer."""
    kept, chars = list[str](), 0
    for sentence in answer.sentences:
        chars += len(sentence.text)
        if chars > MAX_KEPT_CHARS:
            break
        kept.append(sentence.text)
    return tuple(kept)


def _place(citation: Citation) -> CitedPlace:
    place = citation.place
    return CitedPlace(
        path=citation.source.path,
        title=citation.source.title,
        heading=place.heading,
        line=place.line,
        page=place.page,
        t_start=place.t_start,
        date=str(place.date) if place.date else None,
    )
