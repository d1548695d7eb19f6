"""A thin client of a running server: `ask` without loading a model, and the history kept there. Imports no engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from ragnotes.calls import Calls
from ragnotes.errors import RagnotesError, ServerError
from ragnotes.service.bodies import AskBody, SyncBody
from ragnotes.service.error_json import error_of
from ragnotes.service.wire import (
    EVENTS,
    AnswerJson,
    ConversationJson,
    ConversationLineJson,
    EventJson,
    JobJson,
    ProblemJson,
    StatusJson,
    SummaryJson,
)
from ragnotes.sse import EventTooLong, events

if TYPE_CHECKING:
    from ragnotes.events import Progress

__all__ = ["ask", "conversation", "conversations", "delete_conversation", "status", "sync"]

_Form = TypeVar("_Form")
_LOOK_S = 0.1
"""How often an indexing run is asked how far it is."""
_BUSY_S = 60.0
"""How long a run is asked for again where the server has no time for it: one poll in hundreds must not fail it all."""
_LONGEST_WAIT_S = 5.0
_LONGEST_EVENT = 64 * 1024**2
"""Characters: the passages of an answer come with the text around them."""


def ask(
    server: str, body: AskBody, *, api_key: str | None, show: Callable[[EventJson], None] = lambda _: None
) -> AnswerJson:
    """The answer of the server at that URL; `show` gets every event, also the last.

    Raises what the server refused with, and ServerError where it cannot be reached or stops in the middle.
    """
    content = body.model_dump_json(exclude_none=True).encode()
    with closing(Calls(server, api_key)) as calls:
        calls.send("POST", "/v1/ask", content, accept="text/event-stream")
        if calls.status() != HTTPStatus.OK:
            raise _refusal(server, calls)
        return _answer(server, events(calls.pieces(), longest=_LONGEST_EVENT), show)


def conversations(server: str, limit: int, *, api_key: str | None) -> list[ConversationLineJson]:
    """The conversations that the server keeps, the latest first. Raises as `ask` does."""
    content = _response(server, "GET", f"/v1/conversations?limit={limit}", api_key)
    return _parsed(server, TypeAdapter(list[ConversationLineJson]), content)


def conversation(server: str, conversation_id: str, *, api_key: str | None) -> ConversationJson:
    """One of them. Raises as `ask` does, and NotFound."""
    content = _response(server, "GET", f"/v1/conversations/{quote(conversation_id, safe='')}", api_key)
    return _parsed(server, TypeAdapter(ConversationJson), content)


def delete_conversation(server: str, conversation_id: str, *, api_key: str | None) -> None:
    """Removes one of them from the server. Raises as `ask` does, and NotFound."""
    _response(server, "DELETE", f"/v1/conversations/{quote(conversation_id, safe='')}", api_key)


def sync(server: str, body: SyncBody, *, api_key: str | None, show: Callable[[Progress], None]) -> SummaryJson:
    """What an indexing run of the server did, one that began after this was called. Raises as `ask` does.

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
    """Every file with its outcome, as the server sees it. Raises as `ask` does."""
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
        raise _refusal(server, calls)
    return calls.read()


def _parsed(server: str, form: TypeAdapter[_Form], content: bytes) -> _Form:
    try:
        return form.validate_json(content)
    except ValidationError as error:
        raise _misunderstood(server, error) from error


def _misunderstood(server: str, error: ValidationError) -> ServerError:
    return ServerError(
        f"{server} answers in another form: {error.errors()[0]['msg']}", "use one version of ragnotes for both"
    )


def _refusal(server: str, calls: Calls) -> RagnotesError:
    try:
        return error_of(ProblemJson.model_validate_json(calls.read()))
    except ValidationError:
        return ServerError(f"{server} answers {calls.status()}", "is it ragnotes that serves there?")


def _answer(server: str, told: Iterator[tuple[str, str]], show: Callable[[EventJson], None]) -> AnswerJson:
    try:
        for name, content in told:
            if name not in EVENTS:
                continue  # a newer server may have more to tell
            event = EVENTS[name].model_validate_json(content)
            if isinstance(event, ProblemJson):
                raise error_of(event)
            show(event)
            if isinstance(event, AnswerJson):
                return event
    except ValidationError as error:
        raise _misunderstood(server, error) from error
    except EventTooLong as error:
        raise ServerError(f"{server} answers in another form: {error}", "is it ragnotes that serves there?") from error
    raise ServerError(f"{server} stopped in the middle of the answer", "ask again")
