"""A client of a running server: its indexing runs, its files and the history kept there. Imports no engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from ragnotes.calls import Calls
from ragnotes.service.bodies import SyncBody
from ragnotes.service.error_json import error_of
from ragnotes.service.wire import (
    ConversationJson,
    ConversationLineJson,
    JobJson,
    StatusJson,
    SummaryJson,
)
from ragnotes.thin_client import misunderstood, refusal

if TYPE_CHECKING:
    from ragnotes.events import Progress

__all__ = ["conversation", "conversations", "delete_conversation", "status", "sync"]

_Form = TypeVar("_Form")
_LOOK_S = 0.1
"""How often an indexing run is asked how far it is."""
_BUSY_S = 60.0
"""How long a run is asked for again where the server has no time for it: one poll in hundreds must not fail it all."""
_LONGEST_WAIT_S = 5.0


def conversations(server: str, limit: int, *, api_key: str | None) -> list[ConversationLineJson]:
    """The conversations that the server keeps, the latest first. Raises as `thin_client.ask` does."""
    content = _response(server, "GET", f"/v1/conversations?limit={limit}", api_key)
    return _parsed(server, TypeAdapter(list[ConversationLineJson]), content)


def conversation(server: str, conversation_id: str, *, api_key: str | None) -> ConversationJson:
    """One of them. Raises as `thin_client.ask` does, and NotFound."""
    content = _response(server, "GET", f"/v1/conversations/{quote(conversation_id, safe='')}", api_key)
    return _parsed(server, TypeAdapter(ConversationJson), content)


def delete_conversation(server: str, conversation_id: str, *, api_key: str | None) -> None:
    """Removes one of them from the server. Raises as `thin_client.ask` does, and NotFound."""
    _response(server, "DELETE", f"/v1/conversations/{quote(conversation_id, safe='')}", api_key)


def sync(server: str, body: SyncBody, *, api_key: str | None, show: Callable[[Progress], None]) -> SummaryJson:
    """What an indexing run of the server did, one that began after this was called. Raises as `thin_client.ask` does.

    A run under way may have passed by what was changed since it began: another one follows it.
    """
    from ragnotes.events import Progress

    with closing(Calls(server, api_key)) as calls:
        while True:
            begun = job = _job(calls, server, "POST", "/v1/index/sync", body)
            while job.state in ("queued", "running"):
                if job.progress:
                    show(Progress(job.progress.done, job.progress.total, job.progress.path))
                time.sleep(_LOOK_S)
                job = _job(calls, server, "GET", f"/v1/jobs/{job.id}")
            if begun.state == "running":
                continue
            if job.error is not None:
                raise error_of(job.error)
            assert job.summary is not None
            return job.summary


def status(server: str, *, api_key: str | None) -> StatusJson:
    """Every file with its outcome, as the server sees it. Raises as `thin_client.ask` does."""
    return _parsed(server, TypeAdapter(StatusJson), _response(server, "GET", "/v1/status", api_key))


def _job(calls: Calls, server: str, method: str, path: str, body: SyncBody | None = None) -> JobJson:
    content, until = body.model_dump_json().encode() if body else None, time.monotonic() + _BUSY_S
    while True:
        calls.send(method, path, content)
        wait = calls.header("Retry-After")
        if calls.status() != HTTPStatus.SERVICE_UNAVAILABLE or not wait.isdecimal() or time.monotonic() > until:
            return _parsed(server, TypeAdapter(JobJson), _content(server, calls))
        calls.read()
        time.sleep(min(max(float(wait), _LOOK_S), _LONGEST_WAIT_S))


def _response(server: str, method: str, path: str, api_key: str | None) -> bytes:
    with closing(Calls(server, api_key)) as calls:
        calls.send(method, path)
        return _content(server, calls)


def _content(server: str, calls: Calls) -> bytes:
    if not 200 <= calls.status() < 300:
        raise refusal(server, calls)
    return calls.read()


def _parsed(server: str, form: TypeAdapter[_Form], content: bytes) -> _Form:
    try:
        return form.validate_json(content)
    except ValidationError as error:
        raise misunderstood(server, error.errors()[0]["msg"]) from error
