"""POST /v1/search and /v1/ask."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response

from ragnotes.asking.answering import Request as Question
from ragnotes.service.bodies import AskBody, SearchBody
from ragnotes.service.encoding import answer_json, found_json
from ragnotes.service.library import Library
from ragnotes.service.parts import Service, ServiceDep
from ragnotes.service.requests import clock_of, filters_of, request_of
from ragnotes.service.streaming import AskFrames, EventStream, final_answer
from ragnotes.service.wire import AnswerJson, FoundJson

__all__ = ["place_for", "router"]

router = APIRouter(tags=["asking"])


@router.post("/v1/search")
def search(body: SearchBody, service: ServiceDep) -> FoundJson:
    """The passages for a query, best first."""
    found = service.library.search(
        body.query,
        filters=filters_of(body),
        limit=body.limit,
        surroundings=body.surroundings,
        clock=clock_of(body),
    )
    return found_json(found)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that has a place, with `position` questions before it."""

    body: AskBody
    position: int


@asynccontextmanager
async def place_for(question: Question, service: Service) -> AsyncIterator[int]:
    """How many questions for the language model are before this one, which has a place until the end of the block.

    An answer at hand needs none: it is given where others wait, and says nothing of how long they will.
    """
    if question.llm and await to_thread.run_sync(_needs_model, service.library, question, limiter=service.asking):
        with service.admission.place() as position:
            yield position
    else:
        yield 0


def _needs_model(library: Library, question: Question) -> bool:
    return library.generator is not None and not library.is_cached(question)


async def admit(body: AskBody, service: ServiceDep) -> AsyncIterator[Admitted]:
    """The request, once there is a place for its question; it is held until the response has ended."""
    async with place_for(request_of(body), service) as position:
        yield Admitted(body, position)


@router.post("/v1/ask", response_model=AnswerJson, responses={200: {"content": {"text/event-stream": {}}}})
async def ask(
    admitted: Annotated[Admitted, Depends(admit)], service: ServiceDep, request: Request
) -> AnswerJson | Response:
    """An answer with citations; with `stream`, its events: queued, passages, token, citation, final, or error."""
    body, cancelled = admitted.body, threading.Event()
    question = request_of(body, cancelled=cancelled.is_set)
    events = await to_thread.run_sync(service.library.ask, question, limiter=service.asking)
    if body.stream:
        return EventStream(
            events, frames=AskFrames(), position=admitted.position, cancelled=cancelled, limiter=service.asking
        )
    answer = await final_answer(events, cancelled=cancelled, request=request, limiter=service.asking)
    return answer_json(answer)
