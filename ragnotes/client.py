"""A thin client of a running server: `ask` without loading a model. Imports no engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
from pydantic import ValidationError

from ragnotes.errors import RagnotesError, ServerError
from ragnotes.service.bodies import AskBody
from ragnotes.service.encoding import error_of
from ragnotes.service.wire import EVENTS, AnswerJson, EventJson, ProblemJson

__all__ = ["ask"]

_TIMEOUT = httpx.Timeout(10.0, read=60.0)  # the server pings every 15 s


def ask(
    server: str, body: AskBody, *, api_key: str | None, show: Callable[[EventJson], None] = lambda _: None
) -> AnswerJson:
    """The answer of the server at that URL; `show` gets every event before.

    Raises what the server refused with, and ServerError where it cannot be reached or stops in the middle. Proxies
    of the environment are not used: questions about one's own notes go to the named server only.
    """
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    content = body.model_dump_json(exclude_none=True)
    try:
        with (
            httpx.Client(timeout=_TIMEOUT, headers=headers, trust_env=False) as client,
            client.stream(
                "POST",
                f"{server.rstrip('/')}/v1/ask",
                content=content,
                headers={"Content-Type": "application/json", "Accept": "text/event-stream"},
            ) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise _refusal(server, response)
            return _answer(server, _events(response.iter_lines()), show)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = f": {error}" if str(error) else ""
        raise ServerError(f"{server} does not answer{why}", "start it with: ragnotes serve") from error


def _refusal(server: str, response: httpx.Response) -> RagnotesError:
    try:
        return error_of(ProblemJson.model_validate_json(response.read()))
    except ValidationError:
        return ServerError(f"{server} answers {response.status_code}", "is it ragnotes that serves there?")


def _answer(server: str, events: Iterator[tuple[str, str]], show: Callable[[EventJson], None]) -> AnswerJson:
    try:
        for name, content in events:
            if name not in EVENTS:
                continue  # a newer server may have more to tell
            event = EVENTS[name].model_validate_json(content)
            if isinstance(event, AnswerJson):
                return event
            if isinstance(event, ProblemJson):
                raise error_of(event)
            show(event)
    except ValidationError as error:
        raise ServerError(
            f"{server} answers in another form: {error.errors()[0]['msg']}", "use one version of ragnotes for both"
        ) from error
    raise ServerError(f"{server} stopped in the middle of the answer", "ask again")


def _events(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Name and content of each server-sent event; comments are skipped.

    Source: WHATWG HTML, "Interpreting an event stream".
    """
    name, content = "message", list[str]()
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "" and content:
            yield name, "\n".join(content)
            name, content = "message", []
        elif field == "event":
            name = value
        elif field == "data":
            content.append(value)
