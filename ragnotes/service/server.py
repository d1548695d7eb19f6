"""uvicorn around the application: the address is taken before anything is loaded, and given back in good order."""

from __future__ import annotations

import errno
import signal
import socket
import sys
import threading
from types import FrameType

import uvicorn

from ragnotes.errors import ServerError, SettingsError
from ragnotes.service.app import create_app
from ragnotes.service.library import Library
from ragnotes.settings import Settings, is_loopback

__all__ = ["bind", "serve"]

SHUTDOWN_S = 8
"""Answers that run when the server is stopped have this long to end."""
_BACKLOG = 2048


def serve(library: Library, settings: Settings) -> None:
    """Serves until SIGTERM, which returns, or SIGINT, which raises KeyboardInterrupt. `library` stays open.

    Raises SettingsError where others could reach the notes without a key, ServerError where the address is taken.
    """
    if not is_loopback(settings.host) and not settings.api_key:
        raise SettingsError(
            f"{settings.host} can be reached from other machines and no API key is set",
            "set RAGNOTES_API_KEY, or serve on --host 127.0.0.1",
        )
    with bind(settings.host, settings.port) as listener:
        config = uvicorn.Config(
            create_app(library, settings=settings),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
        print(f"ragnotes serves on {_url(listener)} (stop with Ctrl-C)", file=sys.stderr, flush=True)
        _end_on_sigterm()
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except _Terminated:
            return


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. Raises ServerError where that cannot be."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ServerError(f"{host} is no address: {error.strerror}", "choose another --host") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ServerError(
                f"{host}:{port} is in use", "stop what listens there, or choose another --port"
            ) from error
        raise ServerError(
            f"{host}:{port} cannot be used: {error.strerror}", "choose another --host or --port"
        ) from error
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Terminated(BaseException):
    """SIGTERM, after uvicorn has ended in good order and raised it again."""


def _end_on_sigterm() -> None:
    def end(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not cut the good order short
        raise _Terminated

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)
