"""What the server's log holds: what went wrong and where, never what was asked or what stands in the notes."""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import traceback
from types import TracebackType

from ragnotes.service.wording import inert

__all__ = ["log_privately"]

_log = logging.getLogger(__name__)

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def log_privately() -> None:
    """From here on warnings go to stderr, without the words of exceptions; RAGNOTES_DEBUG shows these too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter() if os.environ.get("RAGNOTES_DEBUG") else _Private())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    threading.excepthook = _tell_of_thread
    sys.unraisablehook = _tell_of_leftover


def _tell_of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is SystemExit:
        return
    error = ended.exc_value or ended.exc_type()
    name = ended.thread.name if ended.thread else "a thread"
    _log.error("%s ended with an error", name, exc_info=(ended.exc_type, error, ended.exc_traceback))


def _tell_of_leftover(left: sys.UnraisableHookArgs) -> None:
    error = left.exc_value or left.exc_type()
    _log.error("an error that nobody could be told of", exc_info=(left.exc_type, error, left.exc_traceback))


class _Private(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatException(self, ei: _Raised) -> str:
        """The kind of the exception and where it was raised: its words may be those of a question or a note."""
        kinds, error = list[str](), ei[1]
        while error is not None and len(kinds) < 10:
            kinds.append(type(error).__name__)
            error = error.__cause__ or error.__context__
        frames = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(ei[2])]
        return "\n".join([" from ".join(kinds), *frames])

    def formatMessage(self, record: logging.LogRecord) -> str:
        if record.name == "asyncio":  # it spells out tasks with their exceptions, and calls with what they are given
            record.message = re.split(r"[\n<(]", record.message, maxsplit=1)[0]
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return inert(super().format(record))
