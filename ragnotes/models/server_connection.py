"""What asking a model's server takes: a connection that can be closed, bounded bodies, errors told without the key."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import httpx

from ragnotes.errors import GeneratorFailed

__all__ = ["UNCOMPRESSED", "Connection", "body_of", "failure_of"]

UNCOMPRESSED = {"Accept-Encoding": "identity"}
"""Bodies are read as they come: a few compressed bytes can stand for gigabytes."""


class Connection:
    """The connection of one thread's requests, which any other may close in the middle of a read."""

    def __init__(self) -> None:
        self._closed = threading.Event()
        self._stream: object = None

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def close(self) -> None:
        """Whoever reads from it then ends within moments."""
        self._closed.set()
        stream = self._stream
        if stream is not None:
            with suppress(OSError, AttributeError, ValueError):
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]

    def trace(self, event: str, info: dict[str, object]) -> None:
        """For httpx: remembers the stream as soon as there is one, for a server may send nothing for a long time."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._stream = info["return_value"]
        if self.closed and event == "http11.send_request_headers.started":
            raise httpx.RequestError("nobody waits for the answer any more")


def body_of(response: httpx.Response, longest_bytes: int) -> bytes:
    """What the response holds, cut where it is longer than that."""
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) >= longest_bytes:
            break
    return bytes(body[:longest_bytes])


def failure_of(url: str, error: Exception) -> GeneratorFailed:
    """The error of ragnotes for one of a request. What httpx says of a request that it refuses shows the key."""
    told = isinstance(error, (httpx.HTTPError, httpx.InvalidURL)) and not isinstance(error, httpx.LocalProtocolError)
    if not told:
        return GeneratorFailed(
            f"{url} cannot be used: {type(error).__name__}", "check RAGNOTES_MODEL_API_KEY, and what the server sends"
        )
    why = str(error) or type(error).__name__
    return GeneratorFailed(
        f"{url} does not answer: {why}", "start the model's server, or choose another with --model-url"
    )
