"""A thin client of a running server: `ask` without loading a model, and the history kept there. Imports no engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError

from ragnotes.errors import RagnotesError, ServerError, ServerGone
from ragnotes.events import Progress
from ragnotes.service.bodies import AskBody, SyncBody
from ragnotes.service.encoding import error_of
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

__all__ = ["ask", "conversation", "conversations", "delete_conversation", "status", "sync"]

_Form = TypeVar("_Form")
_TIMEOUT = httpx.Timeout(10.0, read=60.0)  # the server pings every 15 s
_LOOK_S = 0.1
"""How often an indexing run is asked how far it is."""
_BUSY_S = 60.0
"""How long a run is asked for again where the server has no time for it: one poll in hundreds must not fail it all."""
_LONGEST_WAIT_S = 5.0
_LONGEST_EVENT = 64 * 1024**2
"""Characters: the passages of an answer come with the text around them."""
_UNREACHABLE = (httpx.HTTPError, httpx.InvalidURL, OverflowError)
"""OverflowError is what a socket says of a port that there cannot be."""


def ask(
    server: str, body: AskBody, *, api_key: str | None, show: Callable[[EventJson], None] = lambda _: None
) -> AnswerJson:
    """The answer of the server at that URL; `show` gets every event, also the last.

    Raises what the server refused with, and ServerError where it cannot be reached or stops in the middle. Proxies
    of the environment are not used: questions about one's own notes go to the named server only.
    """
    content = body.model_dump_json(exclude_none=True)
    with (
        _calling(server, api_key) as client,
        client.stream(
            "POST",
            f"{server.rstrip('/')}/v1/ask",
            content=content,
            headers={"Content-Type": "application/json", "Accept": "text/event-stream"},
        ) as response,
    ):
        if response.status_code != httpx.codes.OK:
            raise _refusal(server, response)
        return _answer(server, events(response.iter_bytes(), longest=_LONGEST_EVENT), show)


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
    with _calling(server, api_key) as client:
        while True:
            begun = job = _job(client, server, "POST", "/v1/index/sync", body)
            while job.state in ("queued", "running"):
                if job.progress:
                    show(Progress(job.progress.done, job.progress.total, job.progress.path))
                time.sleep(_LOOK_S)
                job = _job(client, server, "GET", f"/v1/jobs/{job.id}")
            if begun.state == "running":
                continue
            if job.error is not None:
                raise error_of(job.error)
            assert job.summary is not None
            return job.summary


def status(server: str, *, api_key: str | None) -> StatusJson:
    """Every file with its outcome, as the server sees it. Raises as `ask` does."""
    return _parsed(server, TypeAdapter(StatusJson), _response(server, "GET", "/v1/status", api_key))


def _job(client: httpx.Client, server: str, method: str, path: str, body: SyncBody | None = None) -> JobJson:
    content, until = body.model_dump() if body else None, time.monotonic() + _BUSY_S
    while True:
        response = client.request(method, f"{server.rstrip('/')}{path}", json=content)
        wait = response.headers.get("retry-after", "")
        if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or not wait.isdecimal() or time.monotonic() > until:
            return _parsed(server, TypeAdapter(JobJson), _content(server, response))
        time.sleep(min(max(float(wait), _LOOK_S), _LONGEST_WAIT_S))


def _response(server: str, method: str, path: str, api_key: str | None) -> bytes:
    with _calling(server, api_key) as client:
        return _content(server, client.request(method, f"{server.rstrip('/')}{path}"))


@contextmanager
def _calling(server: str, api_key: str | None) -> Iterator[httpx.Client]:
    """A client of that server; ServerError where it cannot be reached."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        with httpx.Client(timeout=_TIMEOUT, headers=headers, trust_env=False) as client:
            yield client
    except _UNREACHABLE as error:
        raise _unreachable(server, error) from None


def _content(server: str, response: httpx.Response) -> bytes:
    if not response.is_success:
        raise _refusal(server, response)
    return response.content


def _parsed(server: str, form: TypeAdapter[_Form], content: bytes) -> _Form:
    try:
        return form.validate_json(content)
    except ValidationError as error:
        raise _misunderstood(server, error) from error


def _unreachable(server: str, error: Exception) -> ServerError:
    if isinstance(error, httpx.LocalProtocolError):  # its words show the key
        return ServerError(f"{server} cannot be asked: HTTP allows no such request", "check RAGNOTES_API_KEY")
    why = f": {error}" if str(error) else ""
    return ServerGone(f"{server} does not answer{why}", "start it with: ragnotes serve")


def _misunderstood(server: str, error: ValidationError) -> ServerError:
    return ServerError(
        f"{server} answers in another form: {error.errors()[0]['msg']}", "use one version of ragnotes for both"
    )


def _refusal(server: str, response: httpx.Response) -> RagnotesError:
    try:
        return error_of(ProblemJson.model_validate_json(response.read()))
    except ValidationError:
        return ServerError(f"{server} answers {response.status_code}", "is it ragnotes that serves there?")


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
