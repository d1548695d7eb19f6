"""uvicorn, and what it does not do itself: connections that are slow, idle or too many are ended.

Every second each connection is looked at. One that does not get on with its request, or does not take its answer, is
cut off; one that waits for an answer is let wait. Where all places are taken, a newcomer gets the place of the one
that has waited longest for a request; where each has one, the newcomer's is refused with 503. The only module that
imports uvicorn and h11.

uvicorn does not promise what this builds on: of H11Protocol the arguments of its start, `app`, `conn`, `connections`,
`cycle`, `flow`, `loop`, `transport`, `on_response_complete` and `send_400_response`; of a cycle `disconnected`,
`message_event` and `response_complete`. So pyproject.toml names the versions that were tried with the tests of this.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
from enum import Enum, auto
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from ragnotes.service.guards import BODY_S, MAX_HEADER_BYTES, MAX_URL_BYTES
from ragnotes.service.problems import PRIVATE_HEADERS, http_problem, respond
from ragnotes.service.wire import ProblemJson

__all__ = ["configured", "overloaded", "run_server"]

HEAD_S = 10.0
"""The first line and the headers of a request must have come after this long."""
STALLED_S = 15.0
"""An answer of which the client takes less than STALLED_BYTES in this time is not sent to its end."""
STALLED_BYTES = 16 * 1024
LINGER_S = 2.0
"""A client that is answered amid its body may send on for this long, so that it comes to read the answer."""
IDLE_S = 5
"""Between two requests; uvicorn counts whole seconds."""
MAX_CONNECTIONS = 256
_LOOK_S = 1.0
_OWN_FILES = 48
"""Open files that the rest of the server needs, where the system allows few."""


class _State(Enum):
    """UNREAD is the rest of a body that was answered, ANSWER one in the making, WRITING one that waits to be taken."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    UNREAD = auto()
    ANSWER = auto()
    WRITING = auto()


_LIMITS_S = {
    _State.HEAD: HEAD_S,
    _State.BODY: BODY_S + LINGER_S,  # the guards say 408 before
    _State.UNREAD: LINGER_S,
    _State.WRITING: STALLED_S,
}


def configured(app: ASGIApp, *, shutdown_s: int) -> uvicorn.Config:
    """How the application is served: by connections that are watched."""
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        log_config=None,
        log_level="error",  # below that it tells of each client that cannot speak HTTP
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whoever calls is who calls
        backlog=most_connections(),  # as many are taken at once, however few files may be open
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=shutdown_s,
        h11_max_incomplete_event_size=2 * MAX_HEADER_BYTES,
    )


def run_server(app: ASGIApp, listener: socket.socket, *, shutdown_s: int) -> None:
    """Serves until a signal ends it; answers that run then have `shutdown_s` to end."""
    uvicorn.Server(configured(app, shutdown_s=shutdown_s)).run(sockets=[listener])


class Connection(H11Protocol):
    """One connection of a client."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._answered = 0
        self._seen = (_State.HEAD, 0)
        self._since = self.loop.time()
        self._unsent_bytes = 0
        self._look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        others = [each for each in self.connections if isinstance(each, Connection) and not each.is_ending]
        super().connection_made(transport)
        if len(others) >= most_connections():
            self._make_room(others)
        self._look = self.loop.call_later(_LOOK_S, self._watch)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._answered += 1
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Answers what is not HTTP, or too long to be read; h11's error says which."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        problem = _unreadable(getattr(sys.exception(), "error_status_hint", 400), self.conn.trailing_data[0])
        content = problem.model_dump_json(exclude_none=True).encode()
        headers = {**PRIVATE_HEADERS, "Content-Type": "application/problem+json", "Connection": "close"}
        for event in (
            h11.Response(status_code=problem.status, headers=list(headers.items()), reason=problem.title.encode()),
            h11.Data(data=content),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    @property
    def is_ending(self) -> bool:
        return self.transport.is_closing()

    @property
    def waits_for_request(self) -> bool:
        return self._state() in (_State.IDLE, _State.HEAD)

    @property
    def waits_since(self) -> float:
        return self._since

    def end(self) -> None:
        self.transport.abort()

    def _make_room(self, others: list[Connection]) -> None:
        """A place for this connection, else 503 for its requests; where even those are many, it is cut off."""
        waiting = [each for each in others if each.waits_for_request]
        if waiting:
            min(waiting, key=lambda each: each.waits_since).end()
        elif len(self.connections) < 2 * most_connections():
            self.app = overloaded
        else:
            self.end()

    def _watch(self) -> None:
        """Cuts the connection off where it has been in one state for too long.

        What is unsent grows only after the client took what was: a long answer comes in several large pieces.
        """
        now, unsent = self.loop.time(), self.transport.get_write_buffer_size()
        seen = (self._state(), self._answered)
        taken = unsent > self._unsent_bytes or unsent <= self._unsent_bytes - STALLED_BYTES
        if seen != self._seen or taken:
            self._seen, self._since, self._unsent_bytes = seen, now, unsent
        if now - self._since > _LIMITS_S.get(seen[0], float("inf")):
            self.end()
        else:
            self._look = self.loop.call_later(_LOOK_S, self._watch)

    def _state(self) -> _State:
        closing = self.transport.is_closing()
        if self.flow.write_paused or (closing and self.transport.get_write_buffer_size()):
            return _State.WRITING
        if self.conn.their_state is h11.IDLE:
            begun = self.conn.trailing_data[0] or not self._answered
            return _State.HEAD if begun else _State.IDLE
        if self.conn.their_state is not h11.SEND_BODY:
            return _State.ANSWER
        return _State.UNREAD if self.cycle.response_complete else _State.BODY


def most_connections() -> int:
    """As many as the system allows open files for."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(8, min(MAX_CONNECTIONS, (files - _OWN_FILES) // 3))


async def overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    """The application of a connection that found no place."""
    problem = http_problem(503, "too many connections are open", hint="try again in a second")
    headers = {"Retry-After": "1", "Connection": "close"}
    await respond(problem, headers, path=scope["path"])(scope, receive, send)


def _unreadable(status: int, received: bytes) -> ProblemJson:
    if status != 431:
        return http_problem(400, "this is not HTTP/1.1 as it should be")
    if b"\n" not in received[:MAX_URL_BYTES]:
        return http_problem(414, f"the URL is longer than {MAX_URL_BYTES} bytes")
    return http_problem(431, f"the headers are longer than {MAX_HEADER_BYTES} bytes")
