"""The application on an address: that is taken before anything is loaded, and given back in good order."""

from __future__ import annotations

import errno
import signal
import socket
import sys
import threading
from types import FrameType

from ragnotes.errors import ServerError, SettingsError
from ragnotes.service.app import create_app
from ragnotes.service.connections import run_server
from ragnotes.service.keys import Keys
from ragnotes.service.library import Library
from ragnotes.service.logs import log_privately
from ragnotes.service.presence import announced
from ragnotes.settings import Settings, is_loopback

__all__ = ["bind", "serve"]

SHUTDOWN_S = 4
"""Answers that run when the server is stopped have this long to end. With what ends after them: within ten seconds."""
_BACKLOG = 2048
_MAKE_KEY = "make one with: ragnotes key; or set RAGNOTES_API_KEY"


def serve(library: Library, settings: Settings) -> None:
    """Serves until SIGTERM, which returns, or SIGINT, which raises KeyboardInterrupt. `library` stays open.

    Raises SettingsError where others could reach the notes without a key, or one is to be asked for and there is none;
    ServerError where the address is taken or another process serves this index.
    """
    has_key = Keys(settings).required
    if not has_key:
        _refuse_others(settings.host, settings.host)
        if settings.require_key:
            raise SettingsError("a key is to be asked for, and there is none", _MAKE_KEY)
    log_privately()
    with bind(settings.host, settings.port) as listener, announced(settings, _url(listener)) as token:
        if not has_key:
            _refuse_others(settings.host, str(listener.getsockname()[0]))  # a name of this machine may lead elsewhere
        app = create_app(library, settings=settings, token=token)
        print(f"ragnotes serves on {_url(listener)} (stop with Ctrl-C)", file=sys.stderr, flush=True)
        _end_on_sigterm()
        try:
            run_server(app, listener, shutdown_s=SHUTDOWN_S)
        except _Terminated:
            return


def _refuse_others(host: str, address: str) -> None:
    if not is_loopback(address):
        raise SettingsError(
            f"{host or 'the empty address'} can be reached from other machines and no API key is set",
            f"{_MAKE_KEY}, or serve on --host 127.0.0.1",
        )


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
