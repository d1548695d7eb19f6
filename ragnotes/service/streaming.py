"""From a blocking stream of events to a response: in one thread, bounded, and ended when nobody listens any more."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial

import anyio
from anyio import BrokenResourceError, CapacityLimiter, ClosedResourceError, EndOfStream, from_thread, to_thread
from fastapi import Request
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.types import Receive, Scope, Send

from ragnotes.answers import Answer
from ragnotes.errors import RagnotesError
from ragnotes.events import Event, Final, Queued
from ragnotes.service.encoding import event_json
from ragnotes.service.problems import problem_of
from ragnotes.service.wire import EventJson

__all__ = ["EventStream", "final_answer"]

BUFFERED_EVENTS = 16
PING_S = 15.0
SLOW_READER_S = 30.0
"""A reader that takes no event for this long has lost its answer: the model is not held for it."""

_log = logging.getLogger(__name__)


class _ReaderLeft(Exception):
    """The client closed the stream, or stopped reading it."""


async def final_answer(
    events: Iterator[Event], *, cancelled: threading.Event, request: Request, limiter: CapacityLimiter
) -> Answer:
    """The answer that `events` end in. `cancelled` is set as soon as the client leaves."""
    watcher = asyncio.create_task(_client_left(request.receive, cancelled))
    try:
        return await to_thread.run_sync(_last, events, limiter=limiter)
    finally:
        watcher.cancel()


class EventStream(EventSourceResponse):
    """Server-sent events, one for each of `events`; an error is the last one, a comment fills silences.

    Where `position` questions are before this one, it begins with `queued`. The response ends only when the thread has:
    its place in the queue is not given away while the model works for it.
    """

    def __init__(
        self, events: Iterator[Event], *, position: int, cancelled: threading.Event, limiter: CapacityLimiter
    ) -> None:
        self._events = events
        self._position = position
        self._cancelled = cancelled
        self._limiter = limiter
        self._frames_in, self._frames_out = anyio.create_memory_object_stream[bytes](BUFFERED_EVENTS)
        super().__init__(self._body(), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch, receive, group.cancel_scope)
            group.start_soon(partial(to_thread.run_sync, self._work, limiter=self._limiter))
            try:
                await self.stream_response(send)
            finally:
                self._cancelled.set()
                self._frames_out.close()
            group.cancel_scope.cancel()

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
                    self._put(*event_json(Queued(self._position)))
                for event in self._events:
                    self._put(*event_json(event))
            except _ReaderLeft:
                raise
            except Exception as error:  # the thread's edge: the client is told, the log says where
                if not isinstance(error, RagnotesError):
                    _log.exception("an answer failed")
                self._put("error", problem_of(error))
            finally:
                self._cancelled.set()
                if isinstance(self._events, Generator):
                    self._events.close()  # here, in the thread that ran it
                from_thread.run_sync(self._frames_in.close)

    def _put(self, name: str, event: EventJson) -> None:
        """Hand a frame over, as soon as there is room. Raises _ReaderLeft."""
        frame = format_sse_event(event=name, data_str=event.model_dump_json(exclude_none=name == "error"))
        try:
            from_thread.run(self._put_frame, frame)
        except (BrokenResourceError, ClosedResourceError, TimeoutError, CancelledError) as error:
            raise _ReaderLeft from error

    async def _put_frame(self, frame: bytes) -> None:
        with anyio.fail_after(SLOW_READER_S):
            await self._frames_in.send(frame)


async def _client_left(receive: Receive, cancelled: threading.Event) -> None:
    """Waits for the client to leave, then sets `cancelled`."""
    while (await receive())["type"] != "http.disconnect":
        pass
    cancelled.set()


def _last(events: Iterator[Event]) -> Answer:
    for event in events:
        if isinstance(event, Final):
            return event.answer
    raise AssertionError("events end with Final")
