"""Requests to one server over one kept connection, for the thin client.

By the standard library: httpx, by which other servers are called, takes longer to import than all the rest of the
client. Proxies of the environment are not used, and no redirect is followed: what is asked of one's own notes goes to
the named server only.
"""

from __future__ import annotations

import base64
import re
import select
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from urllib.parse import SplitResult, unquote, urlsplit

from ragnotes.errors import ServerError, ServerGone

__all__ = ["Calls", "public"]

CONNECT_S = 10.0
READ_S = 60.0
"""Between two pieces of an answer; the server pings every 15 s."""
PIECE_BYTES = 65536


_USER = re.compile(r"^(\w+://)?.*@", re.DOTALL)


def public(server: str) -> str:
    """The URL without the name and password in it, as messages show it."""
    return _USER.sub(r"\1", server)


class Calls:
    """One connection to the server at a URL, opened anew where the server has closed it.

    Each method raises ServerGone where the server cannot be reached, or ends while it answers.
    """

    def __init__(self, server: str, api_key: str | None) -> None:
        """Connects to nothing yet. Raises ServerError where that is no URL, or HTTP cannot carry the key."""
        self._server = public(server)
        try:
            parts = urlsplit(server)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("it has no scheme or no host")
            kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
            self._connection = kind(parts.hostname, parts.port or kind.default_port, timeout=CONNECT_S)
        except (HTTPException, ValueError):  # what they say may name a part of a password
            raise self._no_url() from None
        self._path = parts.path.rstrip("/")
        self._headers = _credentials(self._server, parts, api_key)
        self._response: HTTPResponse | None = None

    def send(self, method: str, path: str, content: bytes | None = None, *, accept: str = "application/json") -> None:
        """Sends a request; what comes of it is the `status`, and then `read` or `pieces`."""
        headers = self._headers | {"Accept": accept}
        if content is not None:
            headers["Content-Type"] = "application/json"
        connection, self._response = self._connection, None
        with self._reaching():
            if connection.sock and select.select([connection.sock], [], [], 0)[0]:  # nothing was asked: it is the end
                connection.close()
            if not connection.sock:
                connection.connect()
                connection.sock.settimeout(READ_S)
            connection.request(method, self._path + path, content, headers)

    def status(self) -> int:
        """The status of the answer, for which it waits."""
        return self._answer().status

    def header(self, name: str) -> str:
        """A header of the answer, "" where it has none of that name."""
        return self._answer().headers.get(name, "")

    def read(self) -> bytes:
        """The body of the answer, whole."""
        with self._reaching():
            return self._answer().read()

    def pieces(self) -> Iterator[bytes]:
        """The body of the answer as it comes."""
        while True:
            with self._reaching():
                piece = self._answer().read1(PIECE_BYTES)
            if not piece:
                return
            yield piece

    def close(self) -> None:
        self._connection.close()

    def _answer(self) -> HTTPResponse:
        with self._reaching():
            self._response = self._response or self._connection.getresponse()
        return self._response

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except IncompleteRead:
            raise ServerGone(f"{self._server} does not answer: it broke off", "start it with: ragnotes serve") from None
        except (OSError, HTTPException) as error:  # before the next one: a certificate's error is both
            why = f": {error}" if str(error) else ""
            raise ServerGone(f"{self._server} does not answer{why}", "start it with: ragnotes serve") from None
        except UnicodeError:  # of a host's name
            raise self._no_url() from None

    def _no_url(self) -> ServerError:
        return ServerError(f"{self._server} is no URL of a server", "write it as http://127.0.0.1:8000")


def _credentials(server: str, parts: SplitResult, api_key: str | None) -> dict[str, str]:
    """What the URL says to a proxy, else the key."""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    if not api_key:
        return {}
    if not (api_key.isascii() and api_key.isprintable()):
        raise ServerError(f"{server} cannot be asked: HTTP allows no such request", "check RAGNOTES_API_KEY")
    return {"Authorization": f"Bearer {api_key}"}
