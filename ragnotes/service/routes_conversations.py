"""What was asked before: /v1/conversations."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from ragnotes.service.encoding import conversation_json, conversation_line_json
from ragnotes.service.limits import MAX_LISTED
from ragnotes.service.parts import ServiceDep
from ragnotes.service.wire import ConversationJson, ConversationLineJson

__all__ = ["router"]

router = APIRouter(tags=["conversations"])

Listed = Annotated[int, Query(ge=1, le=MAX_LISTED)]


@router.get("/v1/conversations")
def conversations(service: ServiceDep, limit: Listed = 100) -> list[ConversationLineJson]:
    """The conversations that are kept, the latest first."""
    return [conversation_line_json(line) for line in service.library.conversations.lines(limit)]


@router.get("/v1/conversations/{conversation_id}")
def conversation(conversation_id: str, service: ServiceDep) -> ConversationJson:
    """A conversation's last turns, with the answers as they were given then."""
    return conversation_json(service.library.conversations.read(conversation_id))


@router.delete("/v1/conversations/{conversation_id}", status_code=204)
def delete(conversation_id: str, service: ServiceDep) -> Response:
    """Remove a conversation for good."""
    service.library.conversations.delete(conversation_id)
    return Response(status_code=204)
