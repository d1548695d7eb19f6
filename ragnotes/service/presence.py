"""Who serves an index: one process at a time, which leaves its address in the index directory for the commands there.

The file is readable by its owner alone and has a token that the server accepts as a key for as long as it runs. It is
believed only while the server's lock is held, so one left behind by a crash leads nowhere.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field

from ragnotes import __version__
from ragnotes.errors import IndexWriteFailed, ServerError
from ragnotes.settings import Settings
from ragnotes.stores.locking import Taken, held, write_privately

__all__ = ["RunningServer", "announced", "server_of"]

_log = logging.getLogger(__name__)

LOCK = "server.lock"
ADDRESS = "server.json"
LOCK_WAIT_S = 0.5
"""As long as a command may take to look whether the lock is held."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Where the server of an index answers. `indexes` is all that decides what an indexing run there comes to."""

    pid: int
    url: str
    indexes: Mapping[str, object]
    token: str = field(repr=False)


@contextmanager
def announced(settings: Settings, url: str) -> Iterator[str]:
    """The token of the server of this index, which is announced until the end. Raises ServerError beside another.

    Where the directory cannot be written to, there is nothing to hand over either: it is served all the same.
    """
    index, token = settings.index, secrets.token_urlsafe(32)
    near = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")  # those are none to call
    server = RunningServer(os.getpid(), near, _indexes(settings), token)
    with ExitStack() as stack:
        try:
            index.mkdir(mode=0o700, parents=True, exist_ok=True)
            stack.enter_context(held(index / LOCK, timeout_s=LOCK_WAIT_S))
            write_privately(index / ADDRESS, json.dumps(asdict(server)).encode())
            stack.callback((index / ADDRESS).unlink, missing_ok=True)
        except Taken as taken:
            raise ServerError(f"{index} is served already by {taken}", "use that server, or stop it first") from taken
        except (OSError, IndexWriteFailed) as error:
            _log.warning("commands will not find this server: %s", error)
        yield token


def server_of(settings: Settings) -> RunningServer | None:
    """The server of this index, None where there is none or it would index otherwise than these settings say."""
    address = settings.index / ADDRESS
    try:
        if not address.exists():
            return None
        with held(settings.index / LOCK, timeout_s=0):
            address.unlink(missing_ok=True)  # left by one that was killed
    except Taken as taken:
        with suppress(OSError, ValueError, TypeError):
            server = RunningServer(**json.loads(address.read_bytes()))
            # One that is just starting has not taken away the address of the one before.
            is_its = taken.holder is not None and taken.holder.pid == server.pid
            return server if is_its and server.indexes == _indexes(settings) else None
    except (OSError, IndexWriteFailed):
        pass
    return None


def _indexes(settings: Settings) -> dict[str, object]:
    return {
        "ragnotes": __version__,
        "corpus": [str(folder.resolve()) for folder in settings.corpus],
        "embedder": str(settings.embedder.resolve()) if settings.embedder else None,
        "day_first": settings.day_first,
        "max_file_bytes": settings.max_file_bytes,
        "pdf_timeout_s": settings.pdf_timeout_s,
        "pdf_memory_bytes": settings.pdf_memory_bytes,
    }
