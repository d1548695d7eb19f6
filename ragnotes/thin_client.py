"""`ask` at a running server. Loads no model and no engine, and not pydantic, whose import takes longer than to ask."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from http import HTTPStatus

from ragnotes.calls import Calls, public
from ragnotes.errors import RagnotesError, ServerError
from ragnotes.service.error_json import error_of
from ragnotes.service.reader import read
from ragnotes.service.shapes import EVENTS, AnswerShape, EventShape, ProblemShape
from ragnotes.sse import EventTooLong, events

__all__ = ["ask", "misunderstood", "refusal"]

_LONGEST_EVENT = 64 * 1024**2
"""Characters: the passages of an answer come with the text around them."""


def ask(
    server: str,
    body: Mapping[str, object],
    *,
    api_key: str | None,
    showing: Callable[[], AbstractContextManager[Callable[[EventShape], None]]],
) -> AnswerShape:
    """The answer of the server at that URL to the fields of an `AskBody`.

    `showing` gives what is called with every event, also the last. It is entered when the request is sent, so that what
    shows an answer can be imported while the server works.
    Raises what the server refused with, and ServerError where it cannot be reached or stops in the middle.
    """
    given = {name: value for name, value in body.items() if value is not None}
    with closing(Calls(server, api_key)) as calls:
        calls.send("POST", "/v1/ask", json.dumps(given).encode(), accept="text/event-stream")
        with showing() as show:
            if calls.status() != HTTPStatus.OK:
                raise refusal(server, calls)
            return _answer(server, events(calls.pieces(), longest=_LONGEST_EVENT), show)


def refusal(server: str, calls: Calls) -> RagnotesError:
    """The error that an answer other than 200 stands for."""
    content = calls.read()
    try:
        return error_of(read(ProblemShape, content))
    except ValueError:
        return ServerError(f"{public(server)} answers {calls.status()}", "is it ragnotes that serves there?")


def misunderstood(server: str, why: str) -> ServerError:
    """The error for an answer that is not as this version knows it."""
    return ServerError(f"{public(server)} answers in another form: {why}", "use one version of ragnotes for both")


def _answer(server: str, told: Iterator[tuple[str, str]], show: Callable[[EventShape], None]) -> AnswerShape:
    for event in _events(server, told):
        if isinstance(event, ProblemShape):
            raise error_of(event)
        show(event)
        if isinstance(event, AnswerShape):
            return event
    raise ServerError(f"{public(server)} stopped in the middle of the answer", "ask again")


def _events(server: str, told: Iterator[tuple[str, str]]) -> Iterator[EventShape]:
    """The events of those names that are known; a newer server may have more to tell."""
    try:
        for name, content in told:
            if name in EVENTS:
                yield read(EVENTS[name], content)
    except EventTooLong as error:
        problem = f"{public(server)} answers in another form: {error}"
        raise ServerError(problem, "is it ragnotes that serves there?") from error
    except ValueError as error:
        raise misunderstood(server, str(error)) from error
