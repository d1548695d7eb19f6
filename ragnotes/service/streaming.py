"""From a blocking stream of events to a response: in one thread, bounded, and ended when nobody listens any more."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from typing import Protocol

import anyio
from anyio import (
    BrokenResourceError,
    CapacityLimiter,
    ClosedResourceError,
    EndOfStream,
    RunFinishedError,
    from_thread,
    to_thread,
)
from fastapi import Request
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from ragnotes.answers import Answer
from ragnotes.errors import RagnotesError
from ragnotes.events import Event, Final, Queued
from ragnotes.service.encoding import event_json
from ragnotes.service.problems import http_problem, problem_of
from ragnotes.service.wire import ProblemJson

__all__ = ["AskFrames", "EventStream", "Frames", "final_answer"]

BUFFERED_EVENTS = 16
PING_S = 15.0
SLOW_READER_S = 30.0
"""A reader that takes no event for this long has lost its answer: the model is not held for it."""

_STOPPED = "the server was stopped before the answer was finished"

_log = logging.getLogger(__name__)


class Frames(Protocol):
    """How the events of one answer are written: as server-sent frames."""

    def of(self, event: Event) -> Iterable[bytes]: ...
    def failed(self, problem: ProblemJson) -> Iterable[bytes]: ...


class AskFrames:
    """One frame for each event, by its name."""

    def of(self, event: Event) -> Iterator[bytes]:
        name, shown = event_json(event)
        yield format_sse_event(event=name, data_str=shown.model_dump_json())

    def failed(self, problem: ProblemJson) -> Iterator[bytes]:
        yield format_sse_event(event="error", data_str=problem.model_dump_json(exclude_none=True))


class _ReaderLeft(Exception):
    """The client closed the stream, or stopped reading it."""


async def final_answer(
    events: Iterator[Event], *, cancelled: threading.Event, request: Request, limiter: CapacityLimiter
) -> Answer:
    """The answer that `events` end in. `cancelled` is set as soon as the client leaves.

    Raises HTTPException where the server is stopped meanwhile.
    """
    watcher = asyncio.create_task(_client_left(request.receive, cancelled))
    try:
        answer = await to_thread.run_sync(_last, events, limiter=limiter)
    except asyncio.CancelledError:  # the time that answers have after SIGTERM is over
        raise HTTPException(503, _STOPPED) from None
    finally:
        cancelled.set()
        watcher.cancel()
    if answer is None:
        raise HTTPException(499, "the client left before the answer")  # told to nobody but the log
    return answer


class EventStream(EventSourceResponse):
    """Server-sent events, as `frames` write those of an answer; an error is the last one, a comment fills silences.

    Where `position` questions are before this one, it begins with `queued`. Where the server is stopped in the middle,
    it ends with an error, and no client takes what it has for the whole. The response ends only when the thread has:
    its place in the queue is not given away while the model works for it.
    """

    def __init__(
        self,
        events: Iterator[Event],
        *,
        frames: Frames,
        position: int,
        cancelled: threading.Event,
        limiter: CapacityLimiter,
    ) -> None:
        self._events = events
        self._frames = frames
        self._position = position
        self._cancelled = cancelled
        self._limiter = limiter
        self._stopped = False
        self._frames_in, self._frames_out = anyio.create_memory_object_stream[bytes](BUFFERED_EVENTS)
        super().__init__(self._body(), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._respond(receive, send)
        except asyncio.CancelledError:
            if not self._stopped:  # the client was told, and the log needs no trace of it
                raise

    async def _respond(self, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch, receive, group.cancel_scope)
            group.start_soon(partial(to_thread.run_sync, self._work, limiter=self._limiter))
            try:
                await self.stream_response(send)
            except asyncio.CancelledError:
                if not self._cancelled.is_set():  # nobody left: the server is stopped
                    await self._say_stopped(send)
                raise
            finally:
                self._cancelled.set()
                self._frames_in.close()
                self._frames_out.close()
            group.cancel_scope.cancel()

    async def _say_stopped(self, send: Send) -> None:
        self._stopped = True
        with anyio.CancelScope(shield=True):
            for frame in self._frames.failed(http_problem(503, _STOPPED, hint="ask again")):
                await send({"type": "http.response.body", "body": frame, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _watch(self, receive: Receive, scope: anyio.CancelScope) -> None:
        await _client_left(receive, self._cancelled)
        scope.cancel()

    async def _body(self) -> AsyncIterator[bytes]:
        while True:
            try:
                with anyio.fail_after(PING_S):
                    frame = await self._frames_out.receive()
            except TimeoutError:
                frame = KEEPALIVE_COMMENT
            except EndOfStream:
                return
            yield frame

    def _work(self) -> None:
        """Runs in the thread: every event to a frame, until the end or until nobody takes them."""
        with suppress(_ReaderLeft):
            try:
                if self._position:
                    self._put(self._frames.of(Queued(self._position)))
                for event in self._events:
                    self._put(self._frames.of(event))
            except _ReaderLeft:
                raise
            except Exception as error:  # the thread's edge: the client is told, the log says where
                if not isinstance(error, RagnotesError):
                    _log.exception("an answer failed")
                self._put(self._frames.failed(problem_of(error)))
            finally:
                left = self._cancelled.is_set()
                self._cancelled.set()
                if isinstance(self._events, Generator):
                    self._events.close()  # here, in the thread that ran it
                if not left:  # else the other side closes it: a loop that ends would never answer
                    from_thread.run_sync(self._frames_in.close)

    def _put(self, frames: Iterable[bytes]) -> None:
        """Hand frames over, as soon as there is room. Raises _ReaderLeft."""
        for frame in frames:
            if self._cancelled.is_set():
                raise _ReaderLeft
            try:
                from_thread.run(self._put_frame, frame)
            except (BrokenResourceError, ClosedResourceError, TimeoutError, CancelledError, RunFinishedError) as error:
                raise _ReaderLeft from error

    async def _put_frame(self, frame: bytes) -> None:
        with anyio.fail_after(SLOW_READER_S):
            await self._frames_in.send(frame)


async def _client_left(receive: Receive, cancelled: threading.Event) -> None:
    """Waits for the client to leave, then sets `cancelled`."""
    while (await receive())["type"] != "http.disconnect":
        pass
    cancelled.set()


def _last(events: Iterator[Event]) -> Answer | None:
    """The answer; None where the question was cancelled before there was one."""
    return next((event.answer for event in events if isinstance(event, Final)), None)
