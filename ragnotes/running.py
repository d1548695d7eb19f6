"""How a command runs: over its library, to its exit code, with every error in one line.

The commands themselves stand in `cli` and `cli_eval`.
"""

from __future__ import annotations

import gc
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

import typer

from ragnotes.errors import IndexMissing, RagnotesError, SettingsError, UsageError
from ragnotes.settings import Settings

if TYPE_CHECKING:
    from ragnotes.service.library import Library

__all__ = ["Code", "OpenLibrary", "exit_code", "open_library", "opened", "print_json", "run"]


class Code(IntEnum):
    """Exit codes."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    ABSTAINED = 3
    INCOMPLETE = 4
    INTERRUPTED = 130


_CODES: Mapping[type[RagnotesError], Code] = {
    UsageError: Code.USAGE,
    SettingsError: Code.USAGE,
    IndexMissing: Code.INCOMPLETE,
}
"""All other errors are Code.ERROR."""

_MISUSE = typer.BadParameter.__mro__[1]
"""The base of what typer raises on a wrong command line; it is not exported."""

_STEERING = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters that JSON lets stand: the others are escaped in it anyway."""

OpenLibrary: TypeAlias = "Callable[[Settings], Library]"


def exit_code(error: RagnotesError) -> Code:
    return next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), Code.ERROR)


def run(commands: typer.Typer, name: str, args: Sequence[str] | None, library: OpenLibrary) -> int:
    """Runs a command; every error becomes one line and an exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an old terminal shows ? where it lacks a character
    try:
        with _private_files():
            return int(commands(args, prog_name=name, obj=library, standalone_mode=False) or Code.DONE)
    except RagnotesError as error:
        problem = error
    except (KeyboardInterrupt, typer.Abort):
        return Code.INTERRUPTED
    except BrokenPipeError:  # the reader of our output has enough, as in `ragnotes status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Code.ERROR
    except Exception as error:
        if os.environ.get("RAGNOTES_DEBUG"):
            raise
        problem = _as_ragnotes_error(error, name)
    from ragnotes import console  # rich takes longer to import than the thin client's other modules

    console.show_error(problem)
    return exit_code(problem)


@contextmanager
def _private_files() -> Iterator[None]:
    """Whatever is written within is its user's alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _as_ragnotes_error(error: Exception, name: str) -> RagnotesError:
    if isinstance(error, _MISUSE):
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        return UsageError(message.rstrip(".").replace(": Value error, ", ": "), f"see: {name} --help")
    if isinstance(error, OSError):
        return RagnotesError(str(error), "check that path, its permissions and the free space")
    return RagnotesError(
        f"{type(error).__name__}: {error}", "this is a mistake in ragnotes; RAGNOTES_DEBUG=1 shows where"
    )


def open_library(settings: Settings) -> Library:
    from ragnotes.assembly import Library as LocalLibrary

    return LocalLibrary(settings)


@contextmanager
def opened(library: OpenLibrary, settings: Settings) -> Iterator[Library]:
    gc.enable()  # `starting` may have begun without
    found = library(settings)
    try:
        yield found
    finally:
        found.close()


def print_json(shown: object) -> None:
    """Prints a model or shape, or several, as JSON in one line.

    What would steer a terminal stands in it as escapes, the same string to any reader.
    """
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    line = json.dumps(shown, default=vars, ensure_ascii=not utf8)
    typer.echo(_STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", line))
