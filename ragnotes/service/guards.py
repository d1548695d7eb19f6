"""What a request must pass before it reaches a route: host, key, origin, media type, size.

A page in the browser must not reach the notes: not through a foreign name that resolves to this machine (DNS rebinding;
Ollama CVE-2024-28224, MCP SDK CVE-2025-66416), not by a form or script of another origin.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ragnotes.service.problems import http_problem, respond
from ragnotes.service.wire import ProblemJson
from ragnotes.settings import LOOPBACK_NAMES, Settings, is_loopback

__all__ = ["MAX_BODY_BYTES", "Guards"]

MAX_BODY_BYTES = 1024 * 1024

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN_PATHS = frozenset({"/health", "/ready"})  # probes have no key


class Guards:
    """ASGI middleware that answers with a problem whatever may not pass."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._names = LOOPBACK_NAMES | {settings.host.lower()} if is_loopback(settings.host) else None
        self._key = settings.api_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            problem = self._refusal(scope["method"], scope["path"], Headers(scope=scope))
            if problem is not None:
                headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else None
                await respond(problem, headers, path=scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, method: str, path: str, headers: Headers) -> ProblemJson | None:
        host = headers.get("host", "")
        if self._names is not None and _host_name(host) not in self._names:
            return http_problem(400, f"this server is not {host!r}", hint="call it by localhost or 127.0.0.1")
        if self._key and path not in _OPEN_PATHS and not self._has_key(headers):
            return http_problem(401, "the API key is missing or wrong")
        if method in _READING:
            return None
        origin = headers.get("origin")
        if origin is not None and _authority(origin) != host.lower():
            return http_problem(403, f"the origin {origin!r} is not this server")
        if _has_body(headers) and not _is_json(headers):
            return http_problem(415, f"the media type {headers.get('content-type', '')!r} is not JSON")
        if _too_large(headers):
            return http_problem(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
        return None

    def _has_key(self, headers: Headers) -> bool:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        given, wanted = key.strip().encode("latin-1"), (self._key or "").encode()  # headers arrive as latin-1
        return scheme.lower() == "bearer" and hmac.compare_digest(given, wanted)


def _authority(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # unbalanced brackets
        return ""


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # unbalanced brackets
        return ""


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _is_json(headers: Headers) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def _too_large(headers: Headers) -> bool:
    length = headers.get("content-length", "")
    return length.isdigit() and int(length) > MAX_BODY_BYTES
