"""The notes as a model of any chat front end: POST /v1/chat/completions, GET /v1/models."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response

from ragnotes.asking.answering import Request as Question
from ragnotes.errors import NotFound
from ragnotes.service.chat import ChatFrames, completion
from ragnotes.service.openai_wire import (
    MODELS,
    ChatBody,
    CompletionJson,
    ModelJson,
    ModelsJson,
    ask_body,
    earlier_turns,
)
from ragnotes.service.parts import ServiceDep
from ragnotes.service.requests import request_of
from ragnotes.service.routes_asking import place_for
from ragnotes.service.streaming import EventStream, final_answer

__all__ = ["router"]

router = APIRouter(tags=["openai"])

_CREATED = 1704067200
"""Clients want a time of making; this one, the first day of 2024, never changes."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A chat that has a place, the question that it ends in, and how many are before it."""

    chat: ChatBody
    question: Question
    position: int


async def admit(chat: ChatBody, service: ServiceDep) -> AsyncIterator[Admitted]:
    _model(chat.model)
    question = replace(request_of(ask_body(chat)), earlier=earlier_turns(chat))
    async with place_for(question, service) as position:
        yield Admitted(chat, question, position)


@router.post(
    "/v1/chat/completions", response_model=CompletionJson, responses={200: {"content": {"text/event-stream": {}}}}
)
async def complete(
    admitted: Annotated[Admitted, Depends(admit)], service: ServiceDep, request: Request
) -> CompletionJson | Response:
    """The answer to the last message, with its citations; with `stream`, in chunks."""
    cancelled = threading.Event()
    question = replace(admitted.question, cancelled=cancelled.is_set)
    events = await to_thread.run_sync(service.library.ask, question, limiter=service.asking)
    if admitted.chat.stream:
        frames = ChatFrames(admitted.chat)
        return EventStream(
            events, frames=frames, position=admitted.position, cancelled=cancelled, limiter=service.asking
        )
    answer = await final_answer(events, cancelled=cancelled, request=request, limiter=service.asking)
    return completion(answer, admitted.chat)


@router.get("/v1/models")
async def models() -> ModelsJson:
    """The notes answered with the language model's help, and in their own words alone."""
    return ModelsJson(data=[_model(name) for name in MODELS])


@router.get("/v1/models/{model_id:path}")
async def model(model_id: str) -> ModelJson:
    return _model(model_id)


def _model(name: str) -> ModelJson:
    if name not in MODELS:
        raise NotFound(f"there is no model {name!r}", f"ask {' or '.join(MODELS)}")
    return ModelJson(id=name, created=_CREATED)
