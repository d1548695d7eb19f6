"""One streamed completion of a model's server, read by a thread of its own: who waits for it is free at any time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, Full, Queue

import httpx

from ragnotes.errors import GeneratorFailed, ModelError
from ragnotes.models.completions import Chunk, chunk_of, refusal
from ragnotes.models.server_connection import UNCOMPRESSED, Connection, body_of, failure_of
from ragnotes.sse import events

__all__ = ["POLL_S", "Stream"]

POLL_S = 0.02
"""How often a waiting caller asks whether it is still to wait."""
_DRAFT_S = 120.0
"""A draft that takes longer is ended, whatever the server does."""
_TIMEOUT = httpx.Timeout(10.0, read=_DRAFT_S)
_LONGEST_EVENT = 1024**2
_LONGEST_REFUSAL_BYTES = 64 * 1024
_UNREAD = 256
"""Chunks kept for a reader who is slower than the server, which then waits."""


class Stream:
    """`take` gives the chunks, `close` ends the reading thread within moments."""

    def __init__(self, url: str, headers: dict[str, str], body: dict[str, object]) -> None:
        self._url = url
        self._headers = headers | UNCOMPRESSED
        self._body = body
        self._inbox: Queue[Chunk | ModelError | None] = Queue(_UNREAD)
        self._connection = Connection()
        self._due = time.monotonic() + _DRAFT_S
        threading.Thread(target=self._run, name="model-server-reader", daemon=True).start()

    def take(self, stopped: Callable[[], bool]) -> Chunk | None:
        """The next chunk; None after the last, or as soon as `stopped()`. Raises what the server refused with."""
        while not stopped():
            if time.monotonic() > self._due:
                raise GeneratorFailed(f"{self._url}: no whole answer within {_DRAFT_S:g} s", "try a smaller model")
            with suppress(Empty):
                found = self._inbox.get(timeout=POLL_S)
                if isinstance(found, ModelError):
                    raise found
                return found
        return None

    def close(self) -> None:
        """Close the connection, also in the middle of a read."""
        self._connection.close()

    def _run(self) -> None:
        last: ModelError | None = None
        try:
            self._read()
        except ModelError as error:
            last = error
        except Exception as error:  # whatever a server sends, the caller must be told
            last = failure_of(self._url, error)
        self._put(last)

    def _read(self) -> None:
        with (
            httpx.Client(timeout=_TIMEOUT, headers=self._headers, trust_env=False) as client,
            client.stream("POST", self._url, json=self._body, extensions={"trace": self._connection.trace}) as response,
        ):
            if response.status_code != httpx.codes.OK:
                body = body_of(response, _LONGEST_REFUSAL_BYTES)
                raise refusal(self._url, response.status_code, body, response.headers.get("Retry-After"))
            for _, data in events(response.iter_raw(), longest=_LONGEST_EVENT):
                if self._connection.closed or data.strip() == "[DONE]":
                    return
                self._put(chunk_of(self._url, data))

    def _put(self, found: Chunk | ModelError | None) -> None:
        while not self._connection.closed:
            with suppress(Full):
                return self._inbox.put(found, timeout=POLL_S)
        return None
