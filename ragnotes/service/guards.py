"""What a request must pass before it reaches a route: host, origin, key, media type, and the size of all its parts.

A page in the browser must not reach the notes: not through a foreign name that resolves to this machine (DNS rebinding;
Ollama CVE-2024-28224, MCP SDK CVE-2025-66416), not by a form, link or script of another origin. What leaves is marked
as private: not kept by caches, and nothing in it run by a browser.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ragnotes.service.keys import Keys
from ragnotes.service.problems import PRIVATE_HEADERS, http_problem, respond
from ragnotes.service.throttling import WrongKeys
from ragnotes.service.wire import ProblemJson
from ragnotes.settings import LOOPBACK_NAMES, Settings, is_loopback

__all__ = ["BODY_S", "MAX_BODY_BYTES", "MAX_HEADERS", "MAX_HEADER_BYTES", "MAX_URL_BYTES", "Guards"]

MAX_BODY_BYTES = 1024 * 1024
MAX_HEADERS = 100
MAX_HEADER_BYTES = 16 * 1024
"""Names and values of all headers together."""
MAX_URL_BYTES = 8 * 1024
BODY_S = 20.0
"""A body must have come whole after this long."""

_OPEN_PATHS = frozenset({"/health", "/ready"})  # probes have no key
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::[0-9]{1,5})?", re.ASCII)
_OWN_SITES = frozenset({"none", "same-origin"})
"""What a browser says of a request that its user typed in, or a page of this very server sent."""


class Guards:
    """ASGI middleware that answers with a problem whatever may not pass."""

    def __init__(self, app: ASGIApp, settings: Settings, keys: Keys) -> None:
        self._app = app
        self._names = LOOPBACK_NAMES | {settings.host.lower()} if is_loopback(settings.host) else None
        self._keys = keys
        self._wrong = WrongKeys()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        send = _private(send)
        headers = Headers(scope=scope)
        problem = _oversized(scope, headers) or self._foreign(headers)
        problem = problem or await self._locked(scope["path"], headers) or _unusable_body(scope["method"], headers)
        if problem is not None:
            await respond(problem, _told_with(problem), path=scope["path"])(scope, receive, send)
            return
        await self._app(scope, _in_time(receive), send)

    def _foreign(self, headers: Headers) -> ProblemJson | None:
        """The problem of a request that was meant for another server, or sent by another's page."""
        host = headers.get("host", "")
        if self._names is not None and _host_name(host) not in self._names:
            return http_problem(400, f"this server is not {host[:80]!r}", hint="call it by localhost or 127.0.0.1")
        for origin in headers.getlist("origin"):
            if _authority(origin) != host.lower():
                return http_problem(403, f"the origin {origin[:80]!r} is not this server")
        for site in headers.getlist("sec-fetch-site"):
            if site.strip().lower() not in _OWN_SITES:
                return http_problem(403, "a page of another site sent this")
        return None

    async def _locked(self, path: str, headers: Headers) -> ProblemJson | None:
        """The problem of a request without the key, told late where many such came."""
        if path in _OPEN_PATHS or not self._keys.required:
            return None
        key = _bearer(headers)
        if key and self._keys.accept(key):
            return None
        if key and not await self._wrong.held_back():
            return http_problem(429, "too many wrong API keys were tried")
        return http_problem(401, "the API key is missing or wrong")


def _private(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in PRIVATE_HEADERS.items():
                headers[name] = value
        await send(message)

    return sent


def _in_time(receive: Receive) -> Receive:
    """`receive`, which raises HTTPException where the body has not come whole after BODY_S."""
    until = anyio.current_time() + BODY_S
    whole = False

    async def received() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        try:
            with anyio.fail_after(max(0.0, until - anyio.current_time())):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "the body did not come in time") from None
        whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    return received


def _oversized(scope: Scope, headers: Headers) -> ProblemJson | None:
    if len(scope.get("raw_path") or b"") + len(scope.get("query_string", b"")) > MAX_URL_BYTES:
        return http_problem(414, f"the URL is longer than {MAX_URL_BYTES} bytes")
    if len(headers.raw) > MAX_HEADERS or sum(len(name) + len(value) for name, value in headers.raw) > MAX_HEADER_BYTES:
        return http_problem(431, f"more than {MAX_HEADERS} headers, or {MAX_HEADER_BYTES} bytes of them")
    return None


def _unusable_body(method: str, headers: Headers) -> ProblemJson | None:
    if method in _READING:
        return None
    types = headers.getlist("content-type") or ([""] if _has_body(headers) else [])
    for media_type in types:
        if not _is_json(media_type):
            return http_problem(415, f"the media type {media_type[:80]!r} is not JSON")
    if _too_large(headers):
        return http_problem(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
    return None


def _told_with(problem: ProblemJson) -> dict[str, str]:
    """The headers that belong to a refusal."""
    if problem.status == 401:
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": "1"} if problem.status == 429 else {}


def _bearer(headers: Headers) -> bytes:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip().encode("latin-1") if scheme.lower() == "bearer" else b""  # headers arrive as latin-1


def _authority(origin: str) -> str:
    try:
        parts = urlsplit(origin)
    except ValueError:  # unbalanced brackets
        return ""
    return parts.netloc.lower() if parts.scheme in ("http", "https") else ""


def _host_name(host: str) -> str:
    """The name in a Host header without brackets, port and the dot of the root; "" for what is no such header."""
    found = _HOST.fullmatch(host.lower())
    return found[1].strip("[]") if found else ""


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def _too_large(headers: Headers) -> bool:
    length = headers.get("content-length", "")
    return length.isascii() and length.isdigit() and (len(length) > 15 or int(length) > MAX_BODY_BYTES)
